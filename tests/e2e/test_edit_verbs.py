"""pxs set, rm and undelete."""

import json
import os

import pytest


@pytest.fixture
def tagged(new_daemon, empty_tree):
    """A daemon with three files; the paths of these."""
    paths = [os.path.join(empty_tree, name) for name in ("a.txt", "b.txt", "c.tmp")]
    for path in paths:
        with open(path, "w", encoding="utf-8") as file:
            file.write(path)
    daemon = new_daemon().start()
    daemon.pxs("ingest", empty_tree)
    return daemon, paths


def values(daemon, path):
    return daemon.pxs_json("get", path)


@pytest.mark.parametrize(
    "changes, name, value",
    [
        (["user.comment=good, isn't it?"], "user.comment", "good, isn't it?"),
        (["user.comment=x", "user.comment="], "user.comment", None),
        (["user.rating=5"], "user.rating", 5),
        (["user.tags=b,a"], "user.tags", ["a", "b"]),
        (["user.tags=a,b", "user.tags+=c", "user.tags-=a"], "user.tags", ["b", "c"]),
        (["user.tags+=x", "user.tags+=x"], "user.tags", ["x"]),
        (["user.tags=a", "user.tags="], "user.tags", None),
        (["common.title=a=b"], "common.title", "a=b"),
    ],
)
def test_set(tagged, changes, name, value):
    daemon, (path, *_) = tagged
    daemon.pxs("set", path, *changes)
    found = values(daemon, path).get(name)
    assert (sorted(found) if isinstance(found, list) else found) == value


@pytest.mark.parametrize(
    "changes, code, says",
    [
        (["user.ratin=5"], 2, b"no property user.ratin"),
        (["user.rating=five"], 2, b"must be of integer type"),
        (["user.rating+=5"], 2, b"no list"),
        (["core.size=5"], 2, b"read-only"),
        (["user.rating"], 2, b"PROPERTY=VALUE"),
        ([], 2, b"needed"),
    ],
)
def test_set_refuses(tagged, changes, code, says):
    daemon, (path, *_) = tagged
    before = values(daemon, path)
    assert says in daemon.pxs("set", path, *changes, code=code).stderr
    assert values(daemon, path) == before
    daemon.pxs("set", "5", "user.rating=1", code=1)


def test_set_by_a_file_in_a_mount(tagged):
    daemon, (path, *_) = tagged
    daemon.pxs("set", daemon.query("core.extension=.txt", "a.txt"), "user.rating=1")
    assert values(daemon, path)["user.rating"] == 1


def test_rm_and_undelete(tagged):
    daemon, (a, b, c) = tagged
    document = values(daemon, a)["_id"]
    daemon.pxs("rm", "--dry-run", a)
    daemon.pxs("rm", a)
    assert os.path.exists(a)
    assert b"not in the index" in daemon.pxs("get", a, code=1).stderr
    assert daemon.pxs("rm", a, b, code=3).stderr.count(b"\n") == 1
    lines = daemon.pxs("undelete").stdout.decode().splitlines()
    assert [line.split("\t")[3] for line in lines] == [b, a]
    assert [json.loads(line)["path"] for line in daemon.pxs("undelete", "--json").stdout.splitlines()] == [b, a]
    daemon.pxs("undelete", str(document))
    assert values(daemon, a)["_id"] == document
    assert b"not deleted" in daemon.pxs("undelete", str(document), code=11).stderr
    daemon.pxs("undelete", "5", code=1)


def test_rm_by_query(tagged):
    daemon, (a, b, c) = tagged
    where = '{"core.extension":".txt"}'
    assert daemon.pxs("rm", "--where", where, "--dry-run").stdout == b"2 documents would be deleted\n"
    assert b"--yes" in daemon.pxs("rm", "--where", where, code=2).stderr
    values(daemon, a)
    assert daemon.pxs("rm", "--where", where, "--yes").stdout == b"2 documents deleted\n"
    daemon.pxs("get", a, code=1)
    values(daemon, c)
    daemon.pxs("rm", "--where", where, "--yes", code=1)
    assert b"all" in daemon.pxs("rm", "--where", "{}", "--yes", code=2).stderr
    daemon.pxs("rm", code=2)
    daemon.pxs("rm", a, "--where", where, code=2)
