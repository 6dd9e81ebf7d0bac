"""Handles, as a server of NFS keeps them, over dropped caches and restarts of the daemon: each goes on meaning the
document that it meant, and ESTALE once that is gone."""

import errno
import os

import pytest

import daemon as daemons
import handles

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may open by handle")

HANDLES = 10_000 if daemons.FULL else 500
FOLDERS = [
    "", ".pxs", "id", "query", "saved", "query/_all=cats", "query/_all=cats/.pxs", "query/_all=cats/core.size",
    "saved/group", "saved/group/cats", "saved/group/cats/core.size",
]  # fmt: skip


def name_of(number):
    return f"cats-{number}.txt"


def write(tree, numbers):
    for number in numbers:
        with open(os.path.join(tree, name_of(number)), "w", encoding="ascii") as file:
            file.write(f"{name_of(number)}\n" * (number % 9 + 1))


class Held:
    """Handles of documents and folders, with what they mean."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.documents, self.gone, self.folders = {}, {}, {}

    def take(self, numbers):
        folder = self.daemon.query("_all=cats")
        for number in numbers:
            path = os.path.join(folder, name_of(number))
            self.documents[number] = (handles.of(path), os.stat(path).st_ino)
        for name in FOLDERS:
            path = os.path.join(self.daemon.mountpoint, name)
            os.listdir(path)
            self.folders[name] = (handles.of(path), os.stat(path).st_ino)

    def remove(self, numbers):
        for number in numbers:
            self.gone[number] = self.documents.pop(number)

    def check(self):
        mount = os.open(self.daemon.mountpoint, os.O_RDONLY)
        try:
            for number, (handle, inode) in self.documents.items():
                fd = handles.opened(mount, handle)
                assert os.fstat(fd).st_ino == inode, number
                assert os.read(fd, 100).startswith(f"{name_of(number)}\n".encode())
                os.close(fd)
            for name, (handle, inode) in self.folders.items():
                fd = handles.opened(mount, handle, os.O_DIRECTORY)
                assert os.fstat(fd).st_ino == inode, name
                assert os.listdir(fd) or name == "id", name
                os.close(fd)
            for number, (handle, _) in self.gone.items():
                with pytest.raises(OSError) as raised:
                    os.close(handles.opened(mount, handle))
                assert raised.value.errno == errno.ESTALE, number
        finally:
            os.close(mount)


def test_handles_mean_what_they_meant(new_daemon, empty_tree):
    write(empty_tree, range(HANDLES))
    daemon = new_daemon().start()
    daemon.pxs("ingest", empty_tree)
    os.mkdir(os.path.join(daemon.mountpoint, "saved/group"))
    os.symlink("../../query/_all=cats", os.path.join(daemon.mountpoint, "saved/group/cats"))
    held = Held(daemon)
    held.take(range(HANDLES))
    held.check()
    handles.drop_caches()
    held.check()

    for number in range(0, HANDLES, 10):
        os.unlink(os.path.join(empty_tree, name_of(number)))
    for number in range(1, HANDLES, 10):  # which keeps the document
        path = os.path.join(empty_tree, name_of(number))
        os.rename(path, os.path.join(empty_tree, "renamed-" + name_of(number)))
    daemon.pxs("ingest", empty_tree)
    held.remove(range(0, HANDLES, 10))
    held.check()  # while the kernel remembers all
    handles.drop_caches()
    held.check()

    for turn, end in enumerate([daemon.stop, daemon.kill, daemon.stop]):
        end()
        daemon.start()
        held.check()
        # What comes anew gets numbers that no other had.
        new = range(HANDLES + turn * HANDLES // 10, HANDLES + (turn + 1) * HANDLES // 10)
        write(empty_tree, new)
        daemon.pxs("ingest", empty_tree)
        held.take(new)
        os.unlink(os.path.join(empty_tree, name_of(new[0])))
        daemon.pxs("ingest", empty_tree)
        held.remove(new[:1])
        handles.drop_caches()
        held.check()
    assert len(held.documents) > HANDLES
    print(f"{len(held.documents)} handles of documents live on, {len(held.gone)} are stale as they should be")
