"""Recent queries: /query lists what its reader opened lately, and nobody else's."""

import os
import subprocess

import pytest

NOBODY = 65534
KEPT = 20  # INDEX_RECENT_MAX
DERIVED = 4096  # nodes that the mount remembers

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")


@pytest.fixture
def daemon(new_daemon, small_tree):
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    return daemon


def recent(daemon):
    return segments(os.listdir(daemon.query()))


def segments(names):
    return {name for name in names if "=" in name}


def as_nobody(*command):
    done = subprocess.run(
        command, user=NOBODY, group=NOBODY, extra_groups=[], check=True, stdout=subprocess.PIPE
    )
    return done.stdout.decode().splitlines()


def test_what_was_opened_is_listed(daemon):
    assert recent(daemon) == set()
    os.stat(daemon.query("_all=looked-at"))
    os.listdir(daemon.query("_all=python"))
    os.listdir(daemon.query("core.type=file", "core.size=1.."))
    os.listdir(daemon.query("_all=cats", "core.size"))
    assert recent(daemon) == {"_all=python", "core.type=file", "_all=cats"}
    # What find meets has been opened already; it comes to an end, and changes nothing.
    subprocess.run(["find", daemon.query()], check=True, stdout=subprocess.DEVNULL)
    assert recent(daemon) == {"_all=python", "core.type=file", "_all=cats"}
    with os.scandir(daemon.query()) as entries:
        assert all(entry.is_dir() for entry in entries)


def test_names_are_canonical(daemon):
    os.listdir(daemon.query("core.size>5"))
    os.listdir(daemon.query('_where={"core.size":7}'))
    os.listdir(daemon.query('_where={"core.size":7,"core.type":"file"}'))  # of two segments
    os.listdir(daemon.query("_all=new\nline"))
    with pytest.raises(OSError):
        os.listdir(daemon.query("core.size=nonsense"))
    names = recent(daemon)
    assert {"core.size=6..", "core.size=7"} <= names and len(names) == 3
    assert not any(c in name for name in names for c in '<>"\n')


def test_they_are_bounded(daemon):
    for i in range(2 * KEPT):
        os.listdir(daemon.query(f"_all=w{i}"))
    assert recent(daemon) == {f"_all=w{i}" for i in range(KEPT, 2 * KEPT)}
    # One that is used again stays.
    os.listdir(daemon.query(f"_all=w{KEPT}"))
    for i in range(KEPT - 1):
        os.listdir(daemon.query(f"_all=x{i}"))
    assert f"_all=w{KEPT}" in recent(daemon) and len(recent(daemon)) == KEPT


def test_they_survive(daemon):
    os.listdir(daemon.query("_all=python"))
    assert daemon.stop() == 0
    daemon.start()
    assert recent(daemon) == {"_all=python"}
    number = os.stat(daemon.query("_all=python")).st_ino
    os.listdir(daemon.query("_all=cats"))
    assert daemon.stop() == 0
    daemon.start()
    assert recent(daemon) == {"_all=python", "_all=cats"}
    assert os.stat(daemon.query("_all=python")).st_ino == number


def test_handles_outlive_what_the_mount_remembers(daemon):
    held = os.open(daemon.query("_all=python"), os.O_RDONLY | os.O_DIRECTORY)
    try:
        expected = sorted(os.listdir(daemon.query("_all=python")))
        number = os.fstat(held).st_ino
        for i in range(DERIVED + 100):
            os.stat(daemon.query(f"core.size={i}"))
        assert "_all=python" in recent(daemon)
        assert sorted(os.listdir(f"/proc/self/fd/{held}")) == expected
        assert os.stat("core.size=1..", dir_fd=held)
        assert os.fstat(held).st_ino == number
    finally:
        os.close(held)


@needs_root
@pytest.mark.parametrize("visibility", ["all", "unix"])
def test_nobody_sees_anothers(new_daemon, small_tree, visibility):
    daemon = new_daemon()
    options = f"allow_other,visibility={visibility}"
    daemon.start("--mount", daemon.mountpoint, "-o", options, mount=False)
    daemon.pxs("ingest", small_tree)
    os.listdir(daemon.query("_all=secret"))
    as_nobody("ls", daemon.query("_all=public"))
    assert recent(daemon) == {"_all=secret"}
    assert segments(as_nobody("ls", daemon.query())) == {"_all=public"}
    assert recent(daemon) == {"_all=secret"}
