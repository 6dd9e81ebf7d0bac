"""Files that lie in another place here than where they were indexed."""

import os
import shutil
import subprocess

import pytest
from cores import Core

import daemon as daemons


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


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")
@pytest.mark.parametrize("to, seen", [("-here", {"open"}), (None, {"closed"}), ("-nowhere", set())])
def test_who_sees_what_is_asked_where_the_files_lie(new_daemon, empty_tree, to, seen):
    """Others see what they could stat there, through each door, and not what only bears the same name here."""
    here = empty_tree + "-here"
    for name in ("open", "closed"):
        os.makedirs(os.path.join(empty_tree, name))
        with open(os.path.join(empty_tree, name, f"cat-{name}.txt"), "w", encoding="ascii") as file:
            file.write("meow\n")
    core = Core(new_daemon())
    core.daemon.pxs("ingest", empty_tree)
    shutil.copytree(empty_tree, here, copy_function=shutil.copy2)
    os.chmod(os.path.join(here, "closed"), 0o700)
    os.chmod(os.path.join(empty_tree, "open"), 0o700)  # is this machine's, where paths are mapped
    replica = new_daemon()
    rule = ["--path-map", f"{empty_tree}={empty_tree}{to}"] if to else []
    doors = ["--public", "--mount", replica.mountpoint, "-o", "allow_other,visibility=unix"]
    replica.start(*core.options(), *rule, *doors, mount=False)
    replica.pxs("status", "--wait")
    try:
        for uid, expected in ((65534, {f"cat-{name}.txt" for name in seen}), (0, {"cat-open.txt", "cat-closed.txt"})):
            told = {}
            for door, command in {
                "mount": f"cd '{replica.query('_all=cat*', 'core.type=file')}' && ls",
                "REST": f"'{daemons.BINARY}' find --socket '{replica.socket}' --paths 'cat*'; [ $? -le 1 ]",
            }.items():
                drop = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
                output = subprocess.check_output([*drop, "sh", "-c", command], cwd="/")
                names = {os.path.basename(line) for line in output.decode().splitlines()}
                told[door] = {name for name in names if name.endswith(".txt")}
            assert told == {"mount": expected, "REST": expected}, uid
    finally:
        shutil.rmtree(here)
