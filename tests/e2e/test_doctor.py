"""pxs doctor on real situations: each fault is found, with what to do, and nothing else is."""

import json
import os
import signal
import subprocess
import time

from daemon import pxs

PLAIN_UID = 65534


def doctor(daemon, *arguments, code=0, **options):
    """The faults and doubts by check: [(verdict, found, fix), ...]."""
    done = pxs("doctor", "--json", "--socket", daemon.socket, *arguments, **options)
    assert done.returncode == code, (done.stdout, done.stderr)
    answer = json.loads(done.stdout)
    assert (answer["fault"] > 0) == (code == 4)
    found = {}
    for finding in answer["findings"]:
        if finding["verdict"] in ("fault", "doubt"):
            assert finding["found"] and finding["fix"], finding
            found.setdefault(finding["check"], []).append(
                (finding["verdict"], finding["found"], finding["fix"])
            )
    return found


def ours(found, *checks):
    """Without what is this machine's, whose memory and disks the tests do not choose."""
    mine = {"memory", "open-files", "index-space", "index-disk", "index-inodes"}
    assert set(found) - mine == set(checks), found
    return found


def test_all_is_well(new_daemon, small_tree):
    daemon = new_daemon().start(watch=True)
    daemon.pxs("ingest", small_tree)
    ours(doctor(daemon))
    done = daemon.pxs("doctor", "--verbose")
    lines = done.stdout.decode().splitlines()
    assert sum(line.startswith("  ok ") for line in lines) > 35
    assert lines[-1].startswith("0 faults, ")
    assert "  ok " not in daemon.pxs("doctor").stdout.decode()


def times(folder):
    return {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(folder)}


def test_it_changes_nothing(new_daemon, small_tree):
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", small_tree)
    daemon.stop()
    before = times(daemon.index)
    found = doctor(daemon, "--index", daemon.index)
    ours(found, "daemon-answers")
    assert found["daemon-answers"][0][0] == "doubt"
    assert times(daemon.index) == before


def test_without_anything(work):
    missing = os.path.join(work, "nothing")
    done = pxs("doctor", "--index", missing, "--socket", missing + "/socket")
    assert done.returncode == 0, done
    assert b"pxs ingest DIR" in done.stdout
    assert not os.path.exists(missing)


def test_a_dead_mount(new_daemon):
    daemon = new_daemon().start()
    daemon.kill()
    found = ours(doctor(daemon, "--index", daemon.index, code=4), "daemon-answers", "mount-answers")
    dead = [row for row in found["mount-answers"] if daemon.mountpoint in row[1]]
    assert dead[0][0] == "fault" and "not connected" in dead[0][1]
    subprocess.run(dead[0][2], shell=True, check=True)
    ours(doctor(daemon, "--index", daemon.index), "daemon-answers")


def test_a_daemon_that_hangs(new_daemon):
    daemon = new_daemon().start()
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        begin = time.monotonic()
        found = doctor(daemon, "--index", daemon.index, code=4)
        assert time.monotonic() - begin < 40
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    ours(found, "daemon-answers", "index-lock", "mount-answers")
    assert "does not answer" in found["daemon-answers"][0][1]
    assert f"process {daemon.process.pid} " in found["index-lock"][0][1]
    assert "hangs" in found["mount-answers"][0][1]


def test_an_index_open_to_others(new_daemon, small_tree):
    daemon = new_daemon().start(mount=False)
    os.chmod(daemon.index, 0o777)
    key = os.path.join(daemon.index, "auth.db")
    mode = os.stat(key).st_mode if os.path.exists(key) else None
    if mode is not None:
        os.chmod(key, 0o644)
    found = doctor(daemon, code=4)
    assert found["index-mode"] == [
        ("fault", "others may write into the index (mode 0777)", f"chmod 0700 {daemon.index}")
    ]
    for row in found["index-mode"] + found.get("index-secrets", []):
        subprocess.run(row[2], shell=True, check=True)
    ours(doctor(daemon))


def test_a_record_that_is_none(new_daemon):
    daemon = new_daemon().start(mount=False)
    daemon.stop()
    path = os.path.join(daemon.index, "docs.db")
    with open(path, "rb") as file:
        whole = file.read()
    for broken, words in (
        (b"x" * 8192, "no SQLite database"),
        (whole[: len(whole) - 8192], "cut short"),
        (whole[:60] + b"\0\0\x03\xe8" + whole[64:], "newer pxs"),
        (b"", "no database"),
    ):
        with open(path, "wb") as file:
            file.write(broken)
        found = doctor(daemon, "--index", daemon.index, code=4)
        assert words in found["index-record"][0][1], found


def test_a_source_that_is_gone(new_daemon, work, small_tree):
    daemon = new_daemon().start(mount=False)
    moved = small_tree + " moved"
    daemon.pxs("ingest", small_tree)
    os.rename(small_tree, moved)
    try:
        found = ours(doctor(daemon, code=4), "sources-there", "sources-followed")
        assert small_tree in found["sources-there"][0][1]
    finally:
        os.rename(moved, small_tree)
    assert "sources-there" not in doctor(daemon)


def test_as_a_plain_user(new_daemon):
    daemon = new_daemon().start(mount=False)
    os.chmod(daemon.home, 0o755)
    found = doctor(daemon, "--index", daemon.index, user=PLAIN_UID, group=PLAIN_UID)
    assert "admits only its own user" in found["daemon-answers"][0][1]
    assert found["index-folder"][0][0] == "doubt"
