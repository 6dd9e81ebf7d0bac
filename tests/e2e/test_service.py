"""The daemon as a service: what it tells systemd, and mount(8) and fstab."""

import os
import select
import signal
import subprocess
import time

import daemon as daemons
import pytest


def hear(notify, wanted, patience_s=60):
    """The first message that has the line WANTED."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if select.select([notify], [], [], 0.2)[0]:
            lines = notify.recv(4096).split(b"\n")
            if wanted in lines:
                return lines
    raise AssertionError(f"nobody said {wanted}")


def test_what_systemd_hears(new_daemon, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "600000")
    daemon = new_daemon()
    with daemon.spawn() as notify:
        pid = f"MAINPID={daemon.process.pid}".encode()
        assert pid in hear(notify, b"READY=1")
        for _ in range(3):
            hear(notify, b"WATCHDOG=1")
        daemon.process.send_signal(signal.SIGHUP)
        said = hear(notify, b"RELOADING=1")
        assert any(line.startswith(b"MONOTONIC_USEC=") for line in said)
        hear(notify, b"READY=1")
        daemon.process.send_signal(signal.SIGTERM)
        hear(notify, b"STOPPING=1")
        assert daemon.process.wait(60) == 0


def test_who_hangs_says_nothing(new_daemon, monkeypatch):
    """Where it would be asked, nobody answers."""
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    daemon = new_daemon()
    with daemon.spawn() as notify:
        hear(notify, b"WATCHDOG=1")
        os.rename(daemon.socket, daemon.socket + ".away")
        deadline = time.monotonic() + 60
        while select.select([notify], [], [], 1)[0]:  # what was on its way
            notify.recv(4096)
            assert time.monotonic() < deadline
        os.rename(daemon.socket + ".away", daemon.socket)
        hear(notify, b"WATCHDOG=1")


def test_a_watchdog_that_is_anothers(new_daemon, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    daemon = new_daemon()
    with daemon.spawn() as notify:
        hear(notify, b"READY=1")
        assert not select.select([notify], [], [], 0.5)[0]


def test_a_reload_names_what_takes_a_restart(new_daemon, small_tree):
    daemon = new_daemon()
    config = os.path.join(daemon.home, "pxs.conf")

    def write(*lines):
        with open(config, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def reload():
        seen = len(daemon.log_text())
        daemon.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + daemons.PATIENCE_S
        while "after HUP" not in daemon.log_text()[seen:]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        daemon.http("GET", "/healthz")  # what is logged right behind it is there, too
        time.sleep(0.1)
        return daemon.log_text()[seen:]

    daemon.announced.append(rb"counts from the next start")
    write("public = no", f"source = {small_tree}", "[rights]", "* = read")
    daemon.start("--config", config)
    assert "counts from" not in reload()
    write("; another", f"source = {small_tree}", "public = no", "token-life = 1h", "[rights]", "* = all")
    assert "counts from" not in reload()
    write(f"source = {small_tree}", f"source = {daemon.home}", "rest = localhost:0")
    assert "what the configuration has for source, public, rest counts from the next start" in reload()


def mount(daemon, options):
    """`mount -t fuse.pxs INDEX MOUNTPOINT`, which finds the pxs that is installed; this form names ours."""
    return subprocess.run(
        ["mount", "-t", "fuse", f"{daemons.BINARY}#{daemon.index}", daemon.mountpoint, "-o", options],
        env=daemons.environment(PXS_SOCKET=daemon.socket),
        capture_output=True,
        timeout=60,
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="mount(8) takes root")
def test_mount_as_fstab_does(new_daemon, small_tree):
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", small_tree)
    os.makedirs(daemon.mountpoint, exist_ok=True)
    done = mount(daemon, "rw,nodev,nosuid,_netdev,x-systemd.automount,delete=5")
    assert done.returncode == 0, done.stderr
    assert "query" in os.listdir(daemon.mountpoint)
    subprocess.run(["umount", daemon.mountpoint], check=True)
    assert daemon.status()["documents"] > 0


@pytest.mark.parametrize("word", ["unmount", "fnid", "nothing"])
def test_a_misspelt_verb_mounts_nothing(new_daemon, word):
    daemon = new_daemon().start(mount=False)
    os.makedirs(daemon.mountpoint, exist_ok=True)
    done = daemons.pxs(word, daemon.mountpoint, env={"PXS_SOCKET": daemon.socket})
    assert done.returncode == 2
    assert b"there is no verb" in done.stderr
    assert not daemons.is_mounted(daemon.mountpoint)


@pytest.mark.skipif(os.geteuid() != 0, reason="mount(8) takes root")
def test_mount_refuses_what_pxs_has_not(new_daemon):
    daemon = new_daemon().start(mount=False)
    os.makedirs(daemon.mountpoint, exist_ok=True)
    done = mount(daemon, "compress=zstd")
    assert done.returncode != 0
    assert b"unknown mount option 'compress=zstd'" in done.stderr
    assert not daemons.is_mounted(daemon.mountpoint)
