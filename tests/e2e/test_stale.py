"""Files that were deleted, replaced or written to since they were indexed."""

import errno
import os

import pytest


@pytest.fixture
def one_file(new_daemon, empty_tree):
    path = os.path.join(empty_tree, "file.txt")
    with open(path, "wb") as file:
        file.write(b"as indexed\n")
    daemon = new_daemon().start()
    daemon.pxs("ingest", empty_tree)
    return daemon, path, daemon.query("core.type=file", "file.txt")


def cannot_open(path):
    with pytest.raises(OSError) as raised:
        with open(path, "rb"):
            pass
    return raised.value.errno


def test_a_deleted_file(one_file):
    daemon, path, shown = one_file
    os.unlink(path)
    assert os.stat(shown).st_size == 11
    assert cannot_open(shown) == errno.ENOENT
    assert path in daemon.errors() or "file.txt" in daemon.errors()


def test_a_replaced_file(one_file):
    daemon, path, shown = one_file
    with open(path + ".new", "wb") as file:
        file.write(b"somebody else's secret\n")
    os.rename(path + ".new", path)
    assert cannot_open(shown) == errno.ESTALE
    assert "file.txt" in daemon.errors()


def test_a_file_replaced_by_a_symlink(one_file):
    daemon, path, shown = one_file
    os.unlink(path)
    os.symlink("/etc/passwd", path)
    assert cannot_open(shown) in (errno.ESTALE, errno.ELOOP)


def test_a_grown_file_is_read_whole(one_file):
    daemon, path, shown = one_file
    with open(path, "ab") as file:
        file.write(b"and more\n" * 1000)
    with open(shown, "rb") as file:
        assert file.read() == b"as indexed\n" + b"and more\n" * 1000


def test_a_file_that_shrank(one_file):
    daemon, path, shown = one_file
    os.truncate(path, 2)
    with open(shown, "rb") as file:
        assert file.read() == b"as"
