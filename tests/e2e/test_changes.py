"""The index follows its sources: what a rescan notices, touches and refuses."""

import json
import os
import shutil
import time

import pytest

import model
import tree


@pytest.fixture
def daemon(new_daemon, small_tree):
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", small_tree)
    return daemon


def known(daemon):
    """{path text: (id, etag)}"""
    return {item["core.pathname"]: (item["_id"], item["_etag"]) for item in daemon.items()}


def check_against_model(daemon, *roots):
    found = sorted(daemon.pxs("find", "-0", "*").stdout.split(b"\0")[:-1])
    assert found == sorted(path for root in roots for path in tree.walk(root))


def rescan(daemon, path, *arguments, code=0):
    """What the summary counts."""
    done = daemon.pxs("ingest", "--json", *arguments, path, code=code)
    return json.loads(done.stdout.splitlines()[-1])


def test_nothing_changed_touches_nothing(daemon, small_tree):
    before = known(daemon)
    counts = rescan(daemon, small_tree)
    assert counts["unchanged"] == daemon.status()["documents"]
    assert (counts["added"], counts["changed"], counts["removed"]) == (0, 0, 0)
    assert known(daemon) == before


def test_a_renamed_file_stays_the_same_document(daemon, small_tree):
    old = os.path.join(small_tree, "special/huge.bin")
    new = os.path.join(small_tree, "archive/moved.dat")
    number = known(daemon)[old][0]
    os.rename(old, new)
    assert rescan(daemon, small_tree)["renamed"] == 1
    assert known(daemon)[new][0] == number
    check_against_model(daemon, small_tree)


def test_a_renamed_folder_takes_all_below_along(daemon, small_tree):
    before = known(daemon)
    old, new = os.path.join(small_tree, "projects"), os.path.join(small_tree, "works")
    moved = {path: number for path, (number, _) in before.items() if path.startswith(old)}
    os.rename(old, new)
    assert rescan(daemon, small_tree)["renamed"] == len(moved)
    after = known(daemon)
    assert {new + path[len(old) :]: number for path, number in moved.items()}.items() <= {
        path: number for path, (number, _) in after.items()
    }.items()
    check_against_model(daemon, small_tree)


def test_changed_added_removed(daemon, small_tree):
    before = known(daemon)
    changed = os.path.join(small_tree, "special/hard")
    with open(changed, "ab") as file:
        file.write(b"more")
    with open(os.path.join(small_tree, "added.txt"), "wb"):
        pass
    os.unlink(os.path.join(small_tree, "special/empty-file"))
    counts = rescan(daemon, small_tree)
    assert (counts["added"], counts["removed"]) == (1, 1)
    after = known(daemon)
    assert before[changed][0] == after[changed][0] and before[changed][1] != after[changed][1]
    check_against_model(daemon, small_tree)
    assert next(daemon.items(json.dumps({"core.pathname": changed})))["core.size"] == 14


def test_hard_links_are_documents_of_their_own_and_stay(daemon, small_tree):
    paths = [
        os.path.join(small_tree, name)
        for name in ("special/hard", "special/hard-twin", "archive/hard-elsewhere")
    ]
    numbers = [known(daemon)[path][0] for path in paths]
    assert len(set(numbers)) == 3
    rescan(daemon, small_tree)
    assert [known(daemon)[path][0] for path in paths] == numbers


def test_a_part_of_a_source_can_be_rescanned(daemon, small_tree):
    os.unlink(os.path.join(small_tree, "special/empty-file"))
    os.unlink(os.path.join(small_tree, "archive/hard-elsewhere"))
    counts = rescan(daemon, os.path.join(small_tree, "special"))
    assert counts["removed"] == 1
    assert os.path.join(small_tree, "archive/hard-elsewhere") in known(daemon)
    assert len(daemon.status()["sources"]) == 1


def test_a_file_replaced_by_a_folder(daemon, small_tree):
    path = os.path.join(small_tree, "special/empty-file")
    os.unlink(path)
    os.mkdir(path)
    rescan(daemon, small_tree)
    check_against_model(daemon, small_tree)
    assert next(daemon.items(json.dumps({"core.pathname": path})))["core.type"] == "directory"


def test_mass_removal_is_refused_unless_told(new_daemon, empty_tree):
    for number in range(1200):
        with open(os.path.join(empty_tree, f"{number}.txt"), "wb"):
            pass
    daemon = new_daemon().start(mount=False)
    daemon.announced = [rb"--allow-mass-removal"]
    daemon.pxs("ingest", empty_tree)
    for number in range(1100):
        os.unlink(os.path.join(empty_tree, f"{number}.txt"))
    refused = daemon.pxs("ingest", empty_tree, code=None)
    assert refused.returncode not in (0, 3)
    assert b"--allow-mass-removal" in refused.stderr
    assert len(known(daemon)) == 1200
    assert rescan(daemon, empty_tree, "--allow-mass-removal")["removed"] == 1100
    check_against_model(daemon, empty_tree)


def test_a_vanished_source_keeps_its_documents(daemon, small_tree):
    daemon.announced = [rb"no such|not there|vanished|missing|does not exist|No such"]
    before = known(daemon)
    away = small_tree + "-away"
    os.rename(small_tree, away)
    try:
        gone = daemon.pxs("ingest", small_tree, code=None)
        assert gone.returncode not in (0, 3) and small_tree.encode() in gone.stderr
        os.mkdir(small_tree)
        empty = daemon.pxs("ingest", small_tree, code=None)
        assert empty.returncode not in (0, 3) and b"--allow-mass-removal" in empty.stderr
        os.rmdir(small_tree)
    finally:
        os.rename(away, small_tree)
    assert known(daemon) == before
    assert rescan(daemon, small_tree)["unchanged"] == daemon.status()["documents"]


def test_forget_removes_the_documents_and_not_the_files(daemon, small_tree):
    files = tree.fingerprint(small_tree)
    daemon.pxs("ingest", "--forget", small_tree)
    assert known(daemon) == {}
    assert daemon.status()["sources"] == []
    assert tree.fingerprint(small_tree) == files


def test_a_source_around_a_source_is_refused(daemon, small_tree):
    daemon.announced = [rb"--forget"]
    done = daemon.pxs("ingest", os.path.dirname(small_tree), code=None)
    assert done.returncode not in (0, 3)
    assert b"--forget" in done.stderr


def test_two_sources(daemon, small_tree, empty_tree):
    shutil.copytree(
        os.path.join(small_tree, "archive"), os.path.join(empty_tree, "copy"), symlinks=True
    )
    daemon.pxs("ingest", empty_tree)
    check_against_model(daemon, small_tree, empty_tree)
    assert {source["path"] for source in daemon.status()["sources"]} == {small_tree, empty_tree}
    assert len({item["_id"] for item in daemon.items()}) == len(
        model.documents([small_tree, empty_tree])
    )


def test_the_index_itself_and_the_mount_are_left_out(new_daemon, work):
    """A source that holds both is scanned without them, and without end."""
    daemon = new_daemon()
    daemon.start()
    with open(os.path.join(daemon.home, "beside.txt"), "wb"):
        pass
    daemon.pxs("ingest", daemon.home)
    found = {path for path in known(daemon)}
    assert os.path.join(daemon.home, "beside.txt") in found
    assert not any(path.startswith((daemon.index + "/", daemon.mountpoint + "/")) for path in found)


def test_sources_named_at_the_start_are_scanned(new_daemon, small_tree):
    daemon = new_daemon().start("--source", small_tree, mount=False)
    daemon.pxs("status", "--wait")
    check_against_model(daemon, small_tree)


def test_a_change_shows_in_the_mount_soon(new_daemon, small_tree):
    """Also in a folder that the kernel remembers, and for a name that was not there."""
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    folder = daemon.query("core.type=file")
    before = set(os.listdir(folder))
    name = os.path.join(folder, "brand new.txt")
    assert not os.path.exists(name)
    with open(os.path.join(small_tree, "brand new.txt"), "wb"):
        pass
    daemon.pxs("ingest", small_tree)
    deadline = time.monotonic() + 5
    while set(os.listdir(folder)) == before or not os.path.exists(name):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert set(os.listdir(folder)) == before | {"brand new.txt"}
