"""Dates relative to now: the same through all doors, and in saved searches for ever."""

import json
import os
import time

import pytest

DAY_S = 86400


@pytest.fixture
def daemon(new_daemon, work):
    root = os.path.join(work, "aged")
    os.makedirs(root, exist_ok=True)
    for days in (0, 3, 10, 400):
        path = os.path.join(root, f"{days}-days.txt")
        with open(path, "w", encoding="utf-8"):
            pass
        when = time.time() - days * DAY_S - 60
        os.utime(path, (when, when))
    daemon = new_daemon().start()
    daemon.pxs("ingest", root)
    daemon.root = root
    return daemon


def files(names):
    return sorted(name for name in names if name.endswith(".txt"))


def found(daemon, *arguments):
    lines = daemon.pxs("find", *arguments).stdout.decode().splitlines()
    return files(os.path.basename(line) for line in lines)


def test_all_languages(daemon):
    week = ["0-days.txt", "3-days.txt"]
    where = json.dumps({"core.modificationtime": {"gt": "now-7d"}})
    assert files(os.listdir(daemon.query("core.modificationtime=now-7d.."))) == week
    assert files(os.listdir(daemon.query("core.modificationtime>now-7d"))) == week
    assert found(daemon, "core.modificationtime:>now-7d") == week
    assert found(daemon, "--where", where) == week
    assert found(daemon, "core.modificationtime:[now-30d TO now-7d]") == ["10-days.txt"]
    assert found(daemon, "core.modificationtime:<now-1y") == ["400-days.txt"]


def test_the_folder_keeps_its_name(daemon):
    folder = daemon.query("core.modificationtime=now-7d..")
    told = json.loads(daemon.read(os.path.basename(folder), ".pxs", "query.json"))
    assert "now-7d" in json.dumps(told)


def test_a_saved_search_moves_on(daemon):
    """With nothing written, what lies in the future becomes the past."""
    path = os.path.join(daemon.root, "tomorrow.txt")
    with open(path, "w", encoding="utf-8"):
        pass
    when = time.time() + 2
    os.utime(path, (when, when))
    daemon.pxs("ingest", daemon.root)
    saved = os.path.join(daemon.mountpoint, "saved", "future")
    os.symlink("../query/core.modificationtime=now+1s..", saved)
    first = files(os.listdir(saved))
    if time.time() < when - 1:
        assert first == ["tomorrow.txt"]
    deadline = time.monotonic() + 20
    while files(os.listdir(saved)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
