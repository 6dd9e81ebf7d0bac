"""Files that lie in another place here than where they were indexed."""

import os
import shutil

import pytest
from cores import Core


@pytest.fixture
def moved(new_daemon, empty_tree):
    """A replica; the core's tree is seen at another place now, as a mount of it would be."""
    os.makedirs(os.path.join(empty_tree, "sub"))
    for name, text in (("cat.txt", "meow\n"), ("sub/cat%.txt", "purr\n"), ("sub/catgone.txt", "hiss\n")):
        with open(os.path.join(empty_tree, name), "w", encoding="ascii") as file:
            file.write(text)
    core = Core(new_daemon())
    core.daemon.pxs("ingest", empty_tree)
    here = empty_tree + "-here"
    shutil.copytree(empty_tree, here, copy_function=shutil.copy2)
    shutil.rmtree(empty_tree)
    os.unlink(os.path.join(here, "sub/catgone.txt"))
    replica = new_daemon()
    # The shorter rule leads nowhere.
    nowhere = os.path.dirname(empty_tree)
    replica.start(*core.options(), "--path-map", f"{nowhere}=/nowhere", "--path-map", f"{empty_tree}/={here}/")
    replica.pxs("status", "--wait")
    yield replica, here
    os.makedirs(empty_tree)
    shutil.rmtree(here)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def test_content_is_opened_there(moved):
    replica, here = moved
    folder = replica.query("_all=cat*")
    assert read(os.path.join(folder, "cat.txt")) == b"meow\n"
    assert read(os.path.join(folder, "cat%25.txt")) == b"purr\n"
    assert os.getxattr(os.path.join(folder, "cat.txt"), "user.pxs.path") == f"{here}/cat.txt".encode()
    paths = read(os.path.join(folder, ".pxs/paths")).decode().splitlines()
    assert sorted(paths) == sorted(f"{here}/{name}" for name in ("cat.txt", "sub/cat%.txt", "sub/catgone.txt"))
    found = replica.pxs("find", "-0", "cat*").stdout.decode().split("\0")
    assert set(filter(None, found)) == set(paths)


def test_what_is_not_there_or_another_is_told(moved):
    replica, here = moved
    folder = replica.query("_all=cat*")
    with pytest.raises(FileNotFoundError):
        read(os.path.join(folder, "catgone.txt"))
    os.utime(os.path.join(here, "cat.txt"), (1, 1))
    with pytest.raises(OSError, match="Stale"):
        read(os.path.join(folder, "cat.txt"))
    assert "does not lie here, and" in replica.errors()


@pytest.mark.parametrize("rule", ["/a", "a=/b", "/a=b", "=", ""])
def test_rules_that_are_none(new_daemon, rule):
    daemon = new_daemon()
    with pytest.raises(RuntimeError, match="two absolute paths"):
        daemon.start("--path-map", rule, mount=False)
