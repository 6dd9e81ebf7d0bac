"""A mount exported by nfs-ganesha with contrib/ganesha.conf, to a client that holds handles and cookies
itself."""

import os

import nfs4
import pytest
import shares
from handles import drop_caches

FILES = 300


@pytest.fixture
def export(new_daemon, empty_tree, tmp_path):
    for i in range(FILES):
        with open(os.path.join(empty_tree, f"cats-{i}.txt"), "w", encoding="ascii") as file:
            file.write(f"cat {i}\n")
    daemon = new_daemon()
    ganesha = shares.Ganesha(str(tmp_path), daemon.mountpoint)
    shares.need("ganesha.nfsd")
    daemon.start("--public")
    daemon.pxs("ingest", empty_tree)
    os.symlink("../query/_all=cats", os.path.join(daemon.mountpoint, "saved", "cats"))
    ganesha.daemon = daemon
    ganesha.client = nfs4.Client(ganesha.port)
    yield ganesha
    ganesha.client.close()


def results(listing):
    return {name for name in listing if name.startswith("cats-")}


def all_names():
    return {f"cats-{i}.txt" for i in range(FILES)}


def test_a_query_is_a_folder(export):
    with export.serving():
        client = export.client
        folder = client.handle("pxs", "query", "_all=cats")
        listing = client.listing(folder)
        assert results(listing) == all_names()
        assert listing["cats-7.txt"]["size"] == len("cat 7\n")
        assert listing["cats-7.txt"]["type"] == "file"
        assert listing["core.size"]["type"] == "folder"
        assert client.read(client.child(folder, "cats-7.txt")) == b"cat 7\n"
        with pytest.raises(nfs4.NfsError, match="NOENT"):
            client.child(folder, "dogs-7.txt")


def test_facets_are_links_that_lead_somewhere(export):
    with export.serving():
        client = export.client
        facet = client.handle("pxs", "query", "_all=cats", "core.size")
        listing = client.listing(facet)
        assert set(listing) >= {"6", "7", "8"}
        link = client.child(facet, "6")
        target = client.readlink(link)
        assert listing["6"]["size"] == len(target)
        assert target == "../core.size=6"
        found = client.listing(client.handle("pxs", "query", "_all=cats", "core.size=6"))
        assert results(found) == {f"cats-{i}.txt" for i in range(10)}


def test_metadata_without_attributes(export):
    with export.serving():
        client = export.client
        path = ("pxs", "query", "_all=cats", ".pxs", "meta", "cats-7.txt.json")
        assert b'"core.filename": "cats-7.txt"' in client.read(client.handle(*path))
        paths = client.read(client.handle("pxs", "query", "_all=cats", ".pxs", "paths"))
        assert paths.count(b"\n") == FILES


@pytest.mark.parametrize("where", [("saved", "cats"), ("query", "_all=cats")])
def test_cookies_hold_while_caches_go(export, where):
    with export.serving():
        folder = export.client.handle("pxs", *where)
        export.client.entries(folder)  # a typed query is remembered once it was opened
        listing = export.client.listing(folder, room=900, between=drop_caches)
        assert results(listing) == all_names()


def test_handles_outlive_caches_and_ganesha(export):
    client = export.client
    with export.serving():
        folder = client.handle("pxs", "saved", "cats")
        file = client.child(folder, "cats-7.txt")
        pieces, last = client.entries(folder)
        assert not last
        drop_caches()
        assert client.read(file) == b"cat 7\n"
    client.close()
    drop_caches()
    with export.serving():
        assert client.read(file) == b"cat 7\n"
        rest, last, cookie = [], False, pieces[-1][0]
        while not last:
            found, last = client.entries(folder, cookie)
            rest += [name for _, name, _ in found]
            cookie = found[-1][0] if found else cookie
        assert results([name for _, name, _ in pieces] + rest) == all_names()


def test_handles_outlive_the_daemon(export):
    """With ganesha begun anew, as docs/nfs.md says; the new mount has the device of the old one."""
    client = export.client
    with export.serving():
        folder = client.handle("pxs", "saved", "cats")
        file = client.child(folder, "cats-7.txt")
        device = os.stat(export.daemon.mountpoint).st_dev
    client.close()
    assert export.daemon.stop() == 0
    export.daemon.start("--public")
    if os.stat(export.daemon.mountpoint).st_dev != device:
        pytest.skip("another mount took the device number meanwhile")
    with export.serving():
        assert client.read(file) == b"cat 7\n"
        assert results(client.listing(folder)) == all_names()


def test_nothing_is_changed(export):
    with export.serving():
        folder = export.client.handle("pxs", "saved", "cats")
        with pytest.raises(nfs4.NfsError, match="ROFS|ACCES|PERM"):
            export.client.remove(folder, "cats-7.txt")
        assert results(export.client.listing(folder)) == all_names()
