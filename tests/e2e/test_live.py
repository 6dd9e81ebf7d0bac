"""Sources that are followed: what happens to files shows in open query folders by itself."""

import os
import statistics
import subprocess
import time

import pytest

import daemon as daemons

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may watch file systems")


# Before the kernel would ask again by itself (FS_DOCUMENT_ATTR_S).
SOON_S = 20


def write(path, text=""):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def daemon(new_daemon, empty_tree):
    write(os.path.join(empty_tree, "first-cats.txt"))
    daemon = watching(new_daemon(), empty_tree)
    until(lambda: shown(daemon) == ["first-cats.txt"])
    return daemon


def watching(daemon, source):
    daemon.start("--source", source, watch=True)
    until(lambda: daemon.pxs_json("status")["sources"])
    status = daemon.pxs_json("status")
    if not status["watching"]:
        daemon.announced.append(rb"cannot watch")
        pytest.skip(f"this kernel does not tell of changes here: {status['trouble']}")
    return daemon


def shown(daemon, word="cats"):
    """The files, without the folders of facets."""
    return sorted(n for n in os.listdir(daemon.query(f"_all={word}")) if n.endswith(".txt"))


def size_of(path):
    """None while another document takes the name."""
    try:
        return int(os.getxattr(path, "user.core.size"))
    except OSError:
        return None


def unmounted(path):
    """False while a scan looks at it."""
    return subprocess.run(["umount", path], check=False).returncode == 0


def until(holds, patience_s=daemons.PATIENCE_S):
    """However loaded the machine is. Returns how long it took."""
    start = time.monotonic()
    while not holds():
        assert time.monotonic() < start + patience_s
        time.sleep(0.01)
    return time.monotonic() - start


def test_files_come_change_and_go_in_an_open_folder(daemon, empty_tree):
    took = []
    for i in range(5):
        write(os.path.join(empty_tree, f"cats-{i}.txt"))
        took.append(until(lambda name=f"cats-{i}.txt": name in shown(daemon)))
    print(f"a new file is listed after {statistics.median(took) * 1000:.0f} ms (median of 5)")
    write(os.path.join(empty_tree, "cats-0.txt"), "longer")
    listed = os.path.join(daemon.query("_all=cats"), "cats-0.txt")
    until(lambda: size_of(listed) == 6)
    until(lambda: os.stat(listed).st_size == 6, SOON_S)
    os.rename(os.path.join(empty_tree, "cats-1.txt"), os.path.join(empty_tree, "dogs-1.txt"))
    until(lambda: "cats-1.txt" not in shown(daemon) and shown(daemon, "dogs") == ["dogs-1.txt"])
    os.unlink(os.path.join(empty_tree, "cats-2.txt"))
    until(lambda: shown(daemon) == ["cats-0.txt", "cats-3.txt", "cats-4.txt", "first-cats.txt"])
    assert "followed as they happen" in daemon.pxs("status").stdout.decode()
    assert daemon.pxs_json("status")["watching"] is True


def test_a_tree_is_unpacked(daemon, empty_tree):
    subprocess.run(
        ["cp", "-r", "/usr/share/mime/packages", "/etc/ssl", empty_tree], check=True
    )
    names = sum(len(d) + len(f) for _, d, f in os.walk(empty_tree))
    until(lambda: daemon.pxs_json("status")["documents"] == names)
    subprocess.run(["rm", "-r", os.path.join(empty_tree, "ssl")], check=True)
    names = sum(len(d) + len(f) for _, d, f in os.walk(empty_tree))
    until(lambda: daemon.pxs_json("status")["documents"] == names)


def test_what_people_gave_stays_when_an_editor_saves(daemon, empty_tree):
    path = os.path.join(empty_tree, "first-cats.txt")
    listed = os.path.join(daemon.query("_all=cats"), "first-cats.txt")
    os.setxattr(listed, "user.user.tags", b'["best"]')
    for text in "one", "three", "fifteen":
        write(path + "~", text)
        os.rename(path + "~", path)
        until(lambda size=len(text): shown(daemon) and size_of(listed) == size)
        assert os.getxattr(listed, "user.user.tags") == b'["best"]'


def test_what_happened_meanwhile_is_caught_up_with(daemon, empty_tree):
    assert daemon.stop() == 0
    write(os.path.join(empty_tree, "cats-later.txt"))
    os.unlink(os.path.join(empty_tree, "first-cats.txt"))
    daemon.start(watch=True)
    until(lambda: shown(daemon) == ["cats-later.txt"])


def test_a_watched_disk_can_be_unmounted(new_daemon, empty_tree):
    subprocess.run(["mount", "-t", "tmpfs", "cats-disk", empty_tree], check=True)
    try:
        write(os.path.join(empty_tree, "a-cats.txt"))
        daemon = watching(new_daemon(), empty_tree)
        until(lambda: shown(daemon) == ["a-cats.txt"])
        write(os.path.join(empty_tree, "b-cats.txt"))
        until(lambda: shown(daemon) == ["a-cats.txt", "b-cats.txt"])
    finally:
        until(lambda: unmounted(empty_tree))
    assert shown(daemon) == ["a-cats.txt", "b-cats.txt"]  # a disk that is away takes nothing along
    daemon.announced.append(rb"is empty")


def test_a_disk_that_is_mounted_later_is_followed(new_daemon, empty_tree):
    disk = os.path.join(empty_tree, "disk")
    os.mkdir(disk)
    write(os.path.join(empty_tree, "a-cats.txt"))
    daemon = watching(new_daemon(), empty_tree)
    until(lambda: shown(daemon) == ["a-cats.txt"])
    elsewhere = os.path.join(daemon.home, "elsewhere")
    os.mkdir(elsewhere)
    subprocess.run(["mount", "-t", "tmpfs", "cats-disk", elsewhere], check=True)
    try:
        write(os.path.join(elsewhere, "b-cats.txt"))
        subprocess.run(["mount", "--bind", elsewhere, disk], check=True)
        until(lambda: shown(daemon) == ["a-cats.txt", "b-cats.txt"])
        write(os.path.join(disk, "c-cats.txt"))
        until(lambda: shown(daemon) == ["a-cats.txt", "b-cats.txt", "c-cats.txt"])
    finally:
        until(lambda: unmounted(disk))
        until(lambda: unmounted(elsewhere))
    assert shown(daemon) == ["a-cats.txt", "b-cats.txt", "c-cats.txt"]


def test_sources_are_scanned_again_as_often_as_asked(new_daemon, empty_tree):
    daemon = new_daemon().start("--source", empty_tree, "--rescan", "1s", watch=True)
    first = until_scanned(daemon, None)
    until_scanned(daemon, first)


def until_scanned(daemon, before):
    def scanned():
        sources = daemon.pxs_json("status")["sources"]
        return sources and sources[0]["scanned"] not in (None, before)

    until(scanned)
    return daemon.pxs_json("status")["sources"][0]["scanned"]


def test_a_daemon_that_does_not_watch_says_so(new_daemon, small_tree):
    daemon = new_daemon().start("--source", small_tree)
    until(lambda: daemon.pxs_json("status")["sources"])
    assert daemon.pxs_json("status")["watching"] is False
    assert "off: pxs ingest" in daemon.pxs("status").stdout.decode()
    refused = daemons.pxs("daemon", "--no-watch", "--rescan", "1h", "--index", daemon.home + "/2",
                          "--socket", daemon.home + "/2s", "--foreground")
    assert refused.returncode == 2
    assert b"leave no-watch away" in refused.stderr
