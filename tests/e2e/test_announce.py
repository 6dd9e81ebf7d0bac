"""Who watches a folder of the mount (inotify) hears what comes, goes and changes in it."""

import os
import statistics
import time

import pytest
from daemon import PATIENCE_S, QUICK
from inotify import Watch

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a user's folders take no calls")

FULL = bool(os.environ.get("PXS_FULL"))


def write(path, text=""):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def mounted(daemon, options):
    return daemon.start("--mount", daemon.mountpoint, "-o", options, mount=False)


@pytest.fixture
def daemon(new_daemon, empty_tree):
    for i in range(3):
        write(os.path.join(empty_tree, f"cats-{i}.txt"))
    daemon = new_daemon().start()
    daemon.pxs("ingest", empty_tree)
    return daemon


@pytest.fixture
def deleting(new_daemon, empty_tree):
    write(os.path.join(empty_tree, "cats-0.txt"))
    daemon = mounted(new_daemon(), "delete")
    daemon.pxs("ingest", empty_tree)
    return daemon


def watch(daemon, *path):
    """As a file manager does: it opens the folder, and watches it."""
    folder = daemon.query(*path)
    os.listdir(folder)
    return Watch(folder)


def names(daemon):
    return sorted(n for n in os.listdir(daemon.query("_all=cats")) if n.endswith(".txt"))


def test_files_that_come_change_and_go(daemon, empty_tree):
    with watch(daemon, "_all=cats") as watcher, watch(daemon, "_all=dogs") as other:
        write(os.path.join(empty_tree, "cats-3.txt"))
        write(os.path.join(empty_tree, "cats-0.txt"), "more")
        os.unlink(os.path.join(empty_tree, "cats-1.txt"))
        os.rename(os.path.join(empty_tree, "cats-2.txt"), os.path.join(empty_tree, "dogs-2.txt"))
        daemon.pxs("ingest", empty_tree)
        watcher.expect(
            ("create", "cats-3.txt"),
            ("attrib", "cats-0.txt"),
            ("delete", "cats-1.txt"),
            ("delete", "cats-2.txt"),
        )
        other.expect(("create", "dogs-2.txt"))
    assert names(daemon) == ["cats-0.txt", "cats-3.txt"]
    assert os.stat(daemon.query("_all=cats", "cats-0.txt")).st_size == 4


def test_a_document_that_only_leaves_a_folder_is_not_deleted(daemon):
    listed = daemon.query("_all=cats", "cats-1.txt")
    os.setxattr(listed, "user.user.tags", b'["best"]')
    with watch(daemon, "user.tags=best") as best, watch(daemon, "_all=cats") as all_cats:
        os.setxattr(listed, "user.user.tags", b'["worst"]')
        best.expect(("delete", "cats-1.txt"))
        all_cats.expect(("attrib", "cats-1.txt"))
        os.setxattr(listed, "user.user.tags", b'["best"]')
        best.expect(("create", "cats-1.txt"))
    assert daemon.pxs_json("status")["documents"] == 3
    assert os.stat(listed).st_nlink == 1
    assert os.getxattr(listed, "user.user.tags") == b'["best"]'


def test_a_name_without_suffix_goes_to_the_next(daemon, empty_tree):
    os.mkdir(os.path.join(empty_tree, "old"))
    write(os.path.join(empty_tree, "old", "cats-0.txt"))
    with watch(daemon, "_all=cats") as watcher:
        daemon.pxs("ingest", empty_tree)
        deadline = time.monotonic() + PATIENCE_S
        while not watcher.events and time.monotonic() < deadline:
            watcher.read(0.1)
        [(kind, suffixed)] = watcher.take()
        assert kind == "create" and suffixed.startswith("cats-0~")
        os.unlink(os.path.join(empty_tree, "cats-0.txt"))
        daemon.pxs("ingest", empty_tree)
        watcher.expect(
            ("delete", "cats-0.txt"), ("delete", suffixed), ("create", "cats-0.txt")
        )


def test_where_names_may_be_unlinked_the_kernel_keeps_what_it_was_shown(deleting, empty_tree):
    """Of a name that passes to another document; that the folder changed is told (test_write.py has the rest)."""
    os.mkdir(os.path.join(empty_tree, "old"))
    write(os.path.join(empty_tree, "old", "cats-0.txt"))
    deleting.pxs("ingest", empty_tree)
    [suffixed] = set(names(deleting)) - {"cats-0.txt"}
    with watch(deleting, "_all=cats") as watcher:
        os.unlink(os.path.join(empty_tree, "cats-0.txt"))
        deleting.pxs("ingest", empty_tree)
        watcher.expect(("delete", suffixed), ("attrib", ""))


def test_what_was_announced_can_be_deleted(deleting, empty_tree):
    daemon = deleting
    with watch(daemon, "_all=cats") as watcher:
        write(os.path.join(empty_tree, "cats-new.txt"))
        daemon.pxs("ingest", empty_tree)
        watcher.expect(("create", "cats-new.txt"))
        os.unlink(daemon.query("_all=cats", "cats-new.txt"))
        watcher.expect(("delete", "cats-new.txt"))  # by the kernel itself
        time.sleep(0.3)
        assert watcher.take() == []
    assert "cats-new.txt" not in names(daemon)
    assert os.path.exists(os.path.join(empty_tree, "cats-new.txt"))


def test_a_facet_folder_changes_with_its_results(daemon, empty_tree):
    with watch(daemon, "_all=cats", "core.size") as watcher:
        write(os.path.join(empty_tree, "cats-new.txt"), "new")
        daemon.pxs("ingest", empty_tree)
        watcher.expect(("attrib", ""))


def test_of_many_at_once_the_folder_tells(daemon, empty_tree):
    with watch(daemon, "_all=cats") as watcher:
        for i in range(600):
            write(os.path.join(empty_tree, f"cats-many-{i}.txt"))
        daemon.pxs("ingest", empty_tree)
        seen = set()
        deadline = time.monotonic() + PATIENCE_S
        while not ("attrib", "") in seen and len(seen) < 600 and time.monotonic() < deadline:
            watcher.read(0.1)
            seen.update(watcher.take())
    told = {name for kind, name in seen if kind == "create"}
    assert ("attrib", "") in seen or len(told) == 600
    assert told <= {f"cats-many-{i}.txt" for i in range(600)}


def test_with_visibility_unix_nothing_is_told(new_daemon, empty_tree):
    daemon = mounted(new_daemon(), "allow_other,visibility=unix")
    with watch(daemon, "core.type=file") as watcher:
        write(os.path.join(empty_tree, "cats.txt"))
        daemon.pxs("ingest", empty_tree)
        assert "cats.txt" in os.listdir(daemon.query("core.type=file"))
        assert watcher.take() == []


def test_random_changes_are_told_once_and_soon(daemon, empty_tree, rng):
    """Of people's changes, which show when the call returns, so that the time is that of the telling."""
    n = 1000 if FULL else 50 if QUICK else 200
    os.unlink(os.path.join(empty_tree, "cats-0.txt"))
    for i in range(20):
        write(os.path.join(empty_tree, f"tabby-{i}.txt"))
    daemon.pxs("ingest", empty_tree)
    folder = daemon.query("_all=tabby")
    ids = {name: os.getxattr(os.path.join(folder, name), "user.pxs.id").decode()
           for name in os.listdir(folder) if name.endswith(".txt")}
    paths = {name: os.path.join(daemon.mountpoint, "id", id_) for name, id_ in ids.items()}
    shown = set()
    took = []
    with watch(daemon, "user.tags=chosen") as watcher:
        for _ in range(n):
            name = rng.choice(sorted(paths))
            value = rng.choice([b'["chosen"]', b'["other"]'])
            expected = {
                (True, True): "attrib",
                (True, False): "delete",
                (False, True): "create",
                (False, False): None,
            }[name in shown, b"chosen" in value]
            start = time.monotonic()
            os.setxattr(paths[name], "user.user.tags", value)
            if not expected:
                continue
            (shown.add if b"chosen" in value else shown.discard)(name)
            while not watcher.events and time.monotonic() < start + PATIENCE_S:
                watcher.read(1)
            took += [when - start for when, _, _ in watcher.events]
            assert watcher.take() == [(expected, name)]
        time.sleep(0.2)
        assert watcher.take() == []
    took.sort()
    print(
        f"{len(took)} changes heard of after {statistics.median(took) * 1000:.1f} ms in the median,"
        f" {took[int(len(took) * 0.99)] * 1000:.1f} ms (p99), {took[-1] * 1000:.1f} ms at most"
    )
