"""kill -9, full disks, two daemons: nothing that was acknowledged is lost."""

import json
import os
import signal
import sqlite3
import subprocess
import time

import pytest

import daemon as daemons
import tree

KILLS = 4 if daemons.QUICK else 12


def many_files(root, count):
    for number in range(count):
        folder = os.path.join(root, f"{number // 500:04}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"file-{number:06}.txt"), "wb") as file:
            file.write(b"x" * (number % 97))


def documents(daemon):
    return {item["_id"]: item["core.pathname"] for item in daemon.items()}


def test_kill_in_the_middle_of_an_ingest(new_daemon, empty_tree, rng):
    """What a reader saw before the kill is there afterwards; a rescan then completes the rest."""
    many_files(empty_tree, 6000)
    daemon = new_daemon().start(mount=False)
    started = time.monotonic()
    daemon.pxs("ingest", empty_tree)
    took = time.monotonic() - started
    daemon.pxs("ingest", "--forget", empty_tree)

    for _ in range(KILLS):
        daemon.pxs("ingest", "--no-wait", empty_tree)
        deadline = time.monotonic() + rng.uniform(0, took)
        acknowledged = 0
        while time.monotonic() < deadline:
            acknowledged = daemon.status()["documents"]
        daemon.kill()
        daemon.start(mount=False)
        assert daemon.status()["documents"] >= acknowledged
        assert daemon.pxs("check", code=None).returncode == 0

    daemon.pxs("ingest", empty_tree)
    found = documents(daemon)
    assert sorted(found.values()) == sorted(os.fsdecode(path) for path in tree.walk(empty_tree))


def test_kill_right_after_an_ingest_loses_nothing(new_daemon, small_tree):
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", small_tree)
    before = documents(daemon)
    daemon.kill()
    daemon.start(mount=False)
    assert documents(daemon) == before
    assert daemon.pxs("check").returncode == 0
    word = next(iter(before.values())).split("/")[-2]
    assert daemon.pxs("find", "--count", word).stdout.strip() != b"0"


def test_derived_files_may_be_lost(new_daemon, small_tree):
    """Everything but docs.db is rebuilt."""
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", small_tree)
    before = documents(daemon)
    found = daemon.pxs("find", "-0", "readme").stdout
    assert daemon.stop() == 0
    for name in os.listdir(daemon.index):
        if name.startswith("fts.db"):
            os.unlink(os.path.join(daemon.index, name))
    daemon.start(mount=False)
    assert documents(daemon) == before
    assert sorted(daemon.pxs("find", "-0", "readme").stdout.split(b"\0")) == sorted(
        found.split(b"\0")
    )
    assert daemon.pxs("check").returncode == 0


def test_check_finds_damage(new_daemon, small_tree):
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", small_tree)
    assert daemon.stop() == 0
    with sqlite3.connect(os.path.join(daemon.index, "fts.db")) as database:
        pages = [
            row[0] for row in database.execute("SELECT id FROM f_data WHERE id > 10 ORDER BY id")
        ]
        database.execute("DELETE FROM f_data WHERE id = ?", [pages[len(pages) // 2]])
    database.close()
    daemon.announced = [rb"fts\.db", rb"damaged"]
    daemon.start(mount=False)
    done = daemon.pxs("check", code=4)
    assert b"fts.db" in done.stdout + done.stderr

    repaired = daemon.pxs("repair")
    assert repaired.stdout == b""
    assert daemon.pxs("check").returncode == 0


def test_damage_to_the_record_is_told(new_daemon, small_tree):
    """What docs.db lost nobody makes up."""
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", small_tree)
    assert daemon.stop() == 0
    record = os.path.join(daemon.index, "docs.db")
    with sqlite3.connect(record) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = database.execute(
            "SELECT pageno FROM dbstat WHERE name = 'doc' AND pagetype = 'leaf' ORDER BY pageno DESC LIMIT 1"
        ).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    database.close()
    with open(record, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    daemon.announced = [rb"docs\.db"]
    daemon.spawn(mount=False)
    assert daemon.process.wait(60) != 0
    assert "restore it from a backup" in daemon.log_text()


def test_a_backup_made_meanwhile_is_an_index(new_daemon, small_tree):
    """As docs/install.md says: docs.db and state.db, by SQLite's own backup."""
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    os.symlink("../query/_all=readme", os.path.join(daemon.mountpoint, "saved", "readme"))
    before = documents(daemon)
    other = new_daemon()
    os.makedirs(other.index)
    for name in ("docs.db", "state.db"):
        source = os.path.join(daemon.index, name)
        copy = os.path.join(other.index, name)
        subprocess.run(["sqlite3", source, f".backup {copy}"], check=True)
    other.start()
    assert documents(other) == before
    assert os.listdir(os.path.join(other.mountpoint, "saved")) == ["readme"]
    assert other.pxs("check").returncode == 0


def test_an_open_folder_does_not_hold_the_logs(new_daemon, small_tree):
    """Who reads a folder for an hour holds a generation, and no transaction: the logs of all
    databases can be copied back and begun anew meanwhile."""
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    with os.scandir(daemon.query()) as entries:
        next(entries)
        for name in ("docs.db", "fts.db", "state.db"):
            with sqlite3.connect(os.path.join(daemon.index, name), timeout=30) as database:
                busy, left, copied = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            database.close()
            assert (busy, left) == (0, copied), name
        assert next(entries)


@pytest.fixture
def small_disk(work):
    """A file system of 12 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    path = os.path.join(work, "disk")
    os.makedirs(path, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def test_a_full_disk(new_daemon, empty_tree, small_disk):
    """The ingest says that the disk is full; searching goes on; with space again it completes."""
    many_files(empty_tree, 500)
    daemon = new_daemon()
    daemon.index = os.path.join(small_disk, "index")
    daemon.start(mount=False)
    daemon.pxs("ingest", empty_tree)
    before = documents(daemon)

    ballast = os.path.join(small_disk, "ballast")
    free = os.statvfs(small_disk)
    with open(ballast, "wb") as file:
        file.write(b"\0" * max(0, free.f_bavail * free.f_frsize - 256 * 1024))
    many_files(empty_tree, 8000)
    daemon.announced = [rb"[Nn]o space|full"]
    done = daemon.pxs("ingest", empty_tree, code=None)
    assert done.returncode not in (0, 130)
    assert b"space" in done.stderr or b"full" in done.stderr
    assert before.items() <= documents(daemon).items()
    assert daemon.pxs("find", "--count", "*").returncode == 0

    os.unlink(ballast)
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    daemon.pxs("ingest", empty_tree)
    assert sorted(documents(daemon).values()) == sorted(
        os.fsdecode(path) for path in tree.walk(empty_tree)
    )
    assert daemon.pxs("check").returncode == 0


def test_a_second_daemon_is_told_who_holds_the_index(new_daemon):
    first = new_daemon().start(mount=False)
    second = daemons.pxs(
        "daemon",
        "--foreground",
        "--index",
        first.index,
        "--socket",
        os.path.join(first.home, "other"),
    )
    assert second.returncode == 11
    assert str(first.process.pid).encode() in second.stderr
    assert first.status()["documents"] == 0


def test_a_second_daemon_on_the_same_socket(new_daemon):
    first = new_daemon().start(mount=False)
    second = daemons.pxs(
        "daemon",
        "--foreground",
        "--index",
        os.path.join(first.home, "other-index"),
        "--socket",
        first.socket,
    )
    assert second.returncode == 11
    assert first.socket.encode() in second.stderr
    assert first.status()["documents"] == 0


def test_a_socket_left_by_a_crash_is_replaced(new_daemon):
    daemon = new_daemon().start(mount=False)
    daemon.kill()
    assert os.path.exists(daemon.socket)
    daemon.start(mount=False)
    assert daemon.status()["documents"] == 0


def test_no_access_to_the_index_folder(new_daemon):
    if os.geteuid() != 0:
        pytest.skip("takes another user")
    daemon = new_daemon()
    os.chmod(daemon.home, 0o755)
    done = daemons.pxs(
        "daemon",
        "--foreground",
        "--index",
        daemon.index,
        "--socket",
        os.path.join(daemon.home, "s"),
        user=65534,
        group=65534,
        extra_groups=[],
        cwd="/",
    )
    assert done.returncode not in (0, 11)
    assert daemon.index.encode() in done.stderr


def test_sigterm_twice(new_daemon, small_tree):
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    daemon.process.send_signal(signal.SIGTERM)
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(daemons.PATIENCE_S) == 0
    assert not daemons.is_mounted(daemon.mountpoint)
    assert not os.path.exists(daemon.socket)


def test_stop_in_the_middle_of_an_ingest(new_daemon, empty_tree):
    many_files(empty_tree, 3000)
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", "--no-wait", empty_tree)
    started = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - started < 20
    daemon.start(mount=False)
    daemon.pxs("ingest", empty_tree)
    assert json.loads(daemon.pxs("status", "--json").stdout)["documents"] == sum(
        1 for _ in tree.walk(empty_tree)
    )
