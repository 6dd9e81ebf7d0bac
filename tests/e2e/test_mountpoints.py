"""Sources and mountpoints that are none, busy, dead, or in use."""

import json
import os
import subprocess
import threading
import time

import pytest

import daemon as daemons


@pytest.mark.parametrize("path", ["/nonexistent/source", "/etc/passwd"])
def test_sources_that_are_none(new_daemon, path):
    daemon = new_daemon().start(mount=False)
    daemon.announced = [path.encode()]
    done = daemon.pxs("ingest", path, code=None)
    assert done.returncode not in (0, 3, 130)
    assert path in done.stderr.decode()
    assert daemon.status()["documents"] == 0


def mount_fails(daemon, mountpoint, *words):
    done = daemon.pxs("mount", mountpoint, code=None)
    assert done.returncode not in (0, 130)
    text = done.stderr.decode()
    assert mountpoint in text
    assert any(word in text for word in words), text
    return done.returncode


def test_mountpoints_that_are_none(new_daemon, work):
    daemon = new_daemon().start(mount=False)
    daemon.announced = [rb"mount"]
    mount_fails(daemon, "/nonexistent/mnt", "No such", "not exist", "no such")
    file = os.path.join(daemon.home, "file")
    with open(file, "wb"):
        pass
    mount_fails(daemon, file, "not a folder", "no folder", "not a directory", "Not a directory")
    full = os.path.join(daemon.home, "full")
    os.makedirs(os.path.join(full, "something"))
    mount_fails(daemon, full, "not empty")


def test_a_busy_mountpoint(new_daemon):
    daemon = new_daemon().start()
    daemon.announced = [rb"mount"]
    assert mount_fails(daemon, daemon.mountpoint, "mounted") == 11
    assert os.listdir(daemon.mountpoint)


def test_a_daemon_that_cannot_mount_does_not_start(new_daemon):
    daemon = new_daemon()
    with open(os.path.join(daemon.mountpoint, "something"), "wb"):
        pass
    daemon.announced = [rb"not empty"]
    with pytest.raises(RuntimeError, match="not empty"):
        daemon.start()
    assert not os.path.exists(daemon.socket)


def test_a_dead_mount_of_ours_is_cleaned_away(new_daemon, small_tree):
    daemon = new_daemon().start()
    daemon.kill()
    assert daemons.is_mounted(daemon.mountpoint)
    with pytest.raises(OSError):
        os.listdir(daemon.mountpoint)
    daemon.start()
    assert "query" in os.listdir(daemon.mountpoint)


def test_umount_and_mount_again(new_daemon, small_tree):
    daemon = new_daemon().start()
    daemon.pxs("umount", daemon.mountpoint)
    assert not daemons.is_mounted(daemon.mountpoint)
    daemon.pxs("mount", daemon.mountpoint)
    assert "query" in os.listdir(daemon.mountpoint)
    subprocess.run(["umount", daemon.mountpoint], check=True)
    daemon.pxs("mount", daemon.mountpoint)
    assert "query" in os.listdir(daemon.mountpoint)


def test_unmount_while_a_file_is_open(new_daemon, small_tree):
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    with open(daemon.query(".pxs", "count"), "rb"):
        daemon.pxs("umount", daemon.mountpoint)
        assert not daemons.is_mounted(daemon.mountpoint)
    assert daemon.status()["documents"] > 0


def test_unmounted_from_outside_while_documents_change(new_daemon, small_tree):
    """What the kernel is told of changes goes nowhere else when the connection has closed."""
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    href = next(f"/files/{item['_id']}" for item in daemon.items())
    ending, done = threading.Event(), []

    def change():
        while not ending.is_set():
            data = {"template": {"data": [{"name": "user.rating", "value": len(done)}]}}
            headers = {"If-Match": "*", "Content-Type": "application/json"}
            done.append(daemon.http("PATCH", href, json.dumps(data), headers).status)
            time.sleep(0.002)

    changing = threading.Thread(target=change, daemon=True)
    changing.start()
    for _ in range(3):
        subprocess.run(["ls", "-l", daemon.query("core.pathname=..")], check=True, capture_output=True)
        subprocess.run(["umount", "-l", daemon.mountpoint], check=True)
        before = len(done)
        daemon.pxs("mount", daemon.mountpoint)
        assert len(done) - before < 1500, "the mount that was there ends although changes do not"
    ending.set()
    changing.join(daemons.PATIENCE_S)
    assert done and set(done) == {200}
    assert daemon.pxs("check").returncode == 0
