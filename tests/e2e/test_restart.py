"""What must be the same after the daemon was ended and started again."""

import os
import subprocess

import tree

SHOWN = [
    "",
    "query",
    "saved",
    "id",
    ".pxs",
    ".pxs/status",
    "saved/py",
    "saved/py/core.size",
    "query/_all=python",
    "query/_all=python/core.size",
    "query/_all=python/.pxs",
    "query/_all=python/.pxs/paths",
    "query/core.type=file/_all=python",
    "query/core.type=file/core.size/100-200",
]
LISTED = [
    "query/_all=python",
    "query/core.extension=.png",
    "saved/py",
    "query/core.type=file/core.size",
]


def snapshot(mountpoint):
    """Inode numbers and names."""
    found = {name: os.lstat(os.path.join(mountpoint, name)).st_ino for name in SHOWN}
    for folder in LISTED:
        with os.scandir(os.path.join(mountpoint, folder)) as entries:
            found |= {os.path.join(folder, entry.name): entry.inode() for entry in entries}
    return found


def test_inodes_names_and_saved_searches(new_daemon, small_tree):
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    os.symlink("../query/_all=python", os.path.join(daemon.mountpoint, "saved/py"))
    before = snapshot(daemon.mountpoint)
    assert len(before) > 30
    assert len(set(before.values())) >= len(SHOWN) - 1
    etags = {item["_id"]: item["_etag"] for item in daemon.items()}

    assert daemon.stop() == 0
    daemon.start()
    assert snapshot(daemon.mountpoint) == before
    assert {item["_id"]: item["_etag"] for item in daemon.items()} == etags


def test_inodes_after_a_crash(new_daemon, small_tree):
    """Numbers that were not yet written are not given out again for another name."""
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    before = snapshot_without_saved(daemon)
    daemon.kill()
    daemon.start()
    fresh = os.stat(daemon.query("core.size=1-2", "_all=never")).st_ino
    after = snapshot_without_saved(daemon)
    assert fresh not in before.values()
    results = {name: inode for name, inode in before.items() if name.count("/") == 2}
    assert {name: after[name] for name in results} == results


def snapshot_without_saved(daemon):
    found = {}
    for folder in LISTED[:2]:
        with os.scandir(os.path.join(daemon.mountpoint, folder)) as entries:
            found |= {
                os.path.join(folder, entry.name): entry.inode()
                for entry in entries
                if not entry.is_dir(follow_symlinks=False)
            }
        found[folder] = os.stat(os.path.join(daemon.mountpoint, folder)).st_ino
    return found


def test_rm_rf_of_the_mount_harms_nothing(new_daemon, small_tree):
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    files = tree.fingerprint(small_tree)
    documents = sorted(item["_id"] for item in daemon.items())
    for name in (
        "query/_all=python",
        "query/core.type=file/.pxs",
        "id/" + str(documents[0]),
        "query",
    ):
        done = subprocess.run(
            ["rm", "-rf", os.path.join(daemon.mountpoint, name)], capture_output=True, check=False
        )
        assert done.returncode != 0
    subprocess.run(["rm", "-rf", daemon.mountpoint], capture_output=True, check=False)
    assert tree.fingerprint(small_tree) == files
    assert sorted(item["_id"] for item in daemon.items()) == documents
    assert os.listdir(daemon.query("_all=python"))


def test_writing_changes_nothing(new_daemon, small_tree):
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    files = tree.fingerprint(small_tree)
    folder = daemon.query("core.type=file")
    name = os.path.join(
        folder, next(n for n in os.listdir(folder) if os.path.isfile(os.path.join(folder, n)))
    )
    attempts = [
        lambda: open(name, "wb"),
        lambda: open(name, "r+b"),
        lambda: os.truncate(name, 0),
        lambda: os.unlink(name),
        lambda: os.rename(name, name + "x"),
        lambda: os.link(name, name + "x"),
        lambda: os.chmod(name, 0o777),
        lambda: os.chown(name, 1, 1),
        lambda: os.utime(name),
        lambda: os.setxattr(name, "user.core.size", b"1"),
        lambda: os.removexattr(name, "user.core.size"),
        lambda: os.mkdir(folder + "/core.size=1"),
        lambda: os.mkdir(folder + "/new"),
        lambda: os.rmdir(folder),
        lambda: open(folder + "/new", "wb"),
        lambda: os.symlink("x", folder + "/new"),
        lambda: os.mkfifo(folder + "/new"),
        lambda: os.rename(folder, daemon.query("_all=x")),
        lambda: os.unlink(folder + "/.pxs/count"),
    ]
    for number, attempt in enumerate(attempts):
        try:
            attempt()
        except OSError:
            continue
        raise AssertionError(f"attempt {number} went through")
    assert tree.fingerprint(small_tree) == files
