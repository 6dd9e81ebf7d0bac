"""Saved searches: made by ln -s, shown as folders."""

import errno
import os
import subprocess

import pytest


@pytest.fixture
def daemon(new_daemon, small_tree):
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    return daemon


def saved(daemon, *names):
    return os.path.join(daemon.mountpoint, "saved", *names)


def shown(folder):
    return sorted(os.listdir(folder))


def test_ln_makes_one(daemon):
    subprocess.run(["ln", "-s", "../query/_all=python", "py"], cwd=saved(daemon), check=True)
    assert shown(saved(daemon)) == ["py"]
    assert os.path.isdir(saved(daemon, "py")) and not os.path.islink(saved(daemon, "py"))
    assert shown(saved(daemon, "py")) == shown(daemon.query("_all=python"))


def test_it_goes_on_below(daemon):
    os.symlink("../query/_all=python", saved(daemon, "py"))
    assert shown(saved(daemon, "py", "core.type=file")) == shown(
        daemon.query("_all=python", "core.type=file")
    )
    links = shown(saved(daemon, "py", "core.size"))
    assert links == shown(daemon.query("_all=python", "core.size"))
    assert shown(saved(daemon, "py", "core.size", links[0])) == shown(
        daemon.query("_all=python", "core.size", links[0])
    )


def test_an_absolute_target(daemon):
    os.symlink(daemon.query("core.extension=.png"), saved(daemon, "pictures"))
    assert shown(saved(daemon, "pictures")) == shown(daemon.query("core.extension=.png"))


def test_rename_and_remove(daemon):
    os.symlink("../query/_all=python", saved(daemon, "a"))
    os.symlink("../query/_all=cats", saved(daemon, "b"))
    subprocess.run(["mv", saved(daemon, "a"), saved(daemon, "c")], check=True)
    assert shown(saved(daemon)) == ["b", "c"]
    assert shown(saved(daemon, "c")) == shown(daemon.query("_all=python"))
    os.rmdir(saved(daemon, "c"))
    subprocess.run(["rmdir", saved(daemon, "b")], check=True)
    assert shown(saved(daemon)) == []


def test_names_with_odd_bytes(daemon):
    for name in ("with space", "new\nline", "é", "x" * 255, "-dash", "_all=cats"):
        os.symlink("../query/_all=python", saved(daemon, name))
        assert name in os.listdir(saved(daemon))
        assert shown(saved(daemon, name)) == shown(daemon.query("_all=python"))


@pytest.mark.parametrize(
    "target, code",
    [
        ("../query/core.nonsense=5", errno.EINVAL),
        ("../query/core.size=abc", errno.EINVAL),
        ("/etc/passwd", errno.EINVAL),
        ("../../../etc", errno.EINVAL),
        ("nothing", errno.EINVAL),
        ("../id/5", errno.EINVAL),
    ],
)
def test_a_target_that_is_no_query_is_refused(daemon, target, code):
    with pytest.raises(OSError) as raised:
        os.symlink(target, saved(daemon, "x"))
    assert raised.value.errno == code
    assert "saved/x" in daemon.errors()
    assert shown(saved(daemon)) == []


def test_a_name_that_is_taken_is_refused(daemon):
    os.symlink("../query/_all=python", saved(daemon, "py"))
    with pytest.raises(FileExistsError):
        os.symlink("../query/_all=cats", saved(daemon, "py"))
    assert shown(saved(daemon, "py")) == shown(daemon.query("_all=python"))


def test_mkdir_says_how_to_make_one(daemon):
    with pytest.raises(PermissionError):
        os.mkdir(saved(daemon, "py"))
    assert "ln -s" in daemon.errors()
