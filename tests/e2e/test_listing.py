"""Hundreds of random paths: what the mount lists is what brute force finds in the same tree."""

import os
import stat
from collections import defaultdict

import daemon as daemons
import names
import paths
from folders import listing, path_of

CASES = 60 if daemons.QUICK else 300
FULL_CHECK = 150  # results of a folder whose xattrs and content are read one by one


def expected_names(documents, properties):
    """{plain name: the documents that it could stand for}; None for those that have none."""
    groups = defaultdict(list)
    for doc in documents:
        groups[names.emitted(doc.values["core.filename"], properties)].append(doc)
    return groups


def check_names(results, documents, properties):
    """Each group of equal names has one plain name, and suffixed ones for all others."""
    groups = expected_names(documents, properties)
    found = defaultdict(list)
    for name in results:
        assert len(name.encode()) <= 255
        stem = names.without_suffix(name)
        found[name if name in groups else stem if stem in groups else None].append(name)
    assert {k: len(v) for k, v in found.items()} == {k: len(v) for k, v in groups.items()}
    for name, members in found.items():
        assert name is None or name in members, f"nobody keeps the plain name {name!r}"
    return groups


def check_attributes(st, doc):
    kind = doc.values["core.type"]
    size = {
        "file": doc.stat.st_size,
        "symlink": len(doc.values.get("core.symlink_target", "").encode()),
    }
    assert stat.S_ISREG(st.st_mode)
    assert stat.S_IMODE(st.st_mode) == (
        stat.S_IMODE(doc.stat.st_mode) & 0o777 if kind == "file" else 0o444
    )
    assert st.st_size == size.get(kind, 0)
    assert st.st_mtime_ns == doc.stat.st_mtime_ns
    assert st.st_ctime_ns == doc.stat.st_ctime_ns
    assert (st.st_uid, st.st_gid, st.st_nlink) == (doc.stat.st_uid, doc.stat.st_gid, 1)


def check_folder(catalogue, folder, documents, properties):
    results, facets = listing(folder)
    assert set(facets) <= properties
    groups = check_names(results, documents, properties)
    for name, st in results.items():
        if len(groups.get(name, [])) == 1:
            check_attributes(st, groups[name][0])
    if len(results) <= FULL_CHECK:
        by_path = {path_of(folder, name): st for name, st in results.items()}
        assert set(by_path) == {doc.path for doc in documents}
        for path, st in by_path.items():
            check_attributes(st, catalogue.by_path[path])


def properties_of(daemon):
    return {
        f"{space}.{entry['name']}"
        for space, entries in daemon.pxs_json("schema").items()
        for entry in entries
    }


def test_random_paths(catalogue, mount, rng):
    maker = paths.Paths(rng, catalogue.documents)
    properties = properties_of(mount)
    for _ in range(CASES):
        segments, condition = maker.path()
        print("/".join(segments))
        documents = [doc for doc in catalogue.documents if condition(doc)]
        folder = mount.query(*segments)

        check_folder(catalogue, folder, documents, properties)
        assert int(mount.read(*segments, ".pxs", "count")) == len(documents)
        found = mount.read(*segments, ".pxs", "paths0").split(b"\0")
        assert found.pop() == b""
        assert sorted(found) == sorted(doc.path for doc in documents)


def sort_key(doc, keys):
    """Missing values last in both directions."""
    key = []
    for name, descending in keys:
        value = doc.values.get(name)
        if isinstance(value, str):
            value = value.encode()
            value = [-byte for byte in value] + [1] if descending else list(value)
        elif value is not None and descending:
            value = -value
        key.append((value is None, value))
    return key


def test_order_and_limit(catalogue, mount, rng):
    maker = paths.Paths(rng, catalogue.documents)
    for _ in range(CASES // 4):
        segments, condition = maker.path()
        sort, keys = maker.order()
        limit = rng.choice([1, 3, 10, 100, 10**6])
        print("/".join([*segments, sort]), limit)
        documents = sorted(
            (doc for doc in catalogue.documents if condition(doc)),
            key=lambda doc: sort_key(doc, keys),
        )
        expected = [sort_key(doc, keys) for doc in documents]

        found = mount.read(*segments, sort, ".pxs", "paths0").split(b"\0")[:-1]
        assert sorted(found) == sorted(doc.path for doc in documents)
        assert [sort_key(catalogue.by_path[path], keys) for path in found] == expected

        top = mount.read(*segments, sort, f"_limit={limit}", ".pxs", "paths0").split(b"\0")[:-1]
        assert top == found[:limit]
        assert len(listing(mount.query(*segments, sort, f"_limit={limit}"))[0]) == len(top)


def test_names_open_the_right_file(catalogue, mount, rng):
    """Every listed name, also the nasty and the suffixed ones, gives the bytes of its file."""
    folders = [
        mount.query("core.directory=" + paths.escape(f"{catalogue.tree}/nasty")),
        mount.query("_all=readme"),
        mount.query("core.extension=.tar.gz"),
        mount.query("core.type=symlink"),
        mount.query("core.type=other"),
    ]
    checked = 0
    for folder in folders:
        for name in listing(folder)[0]:
            path = path_of(folder, name)
            doc = catalogue.by_path[path]
            if doc.values["core.type"] == "file":
                with open(os.path.join(folder, name), "rb") as shown, open(path, "rb") as real:
                    assert shown.read() == real.read()
                checked += 1
            elif doc.values["core.type"] == "symlink":
                with open(os.path.join(folder, name), "rb") as shown:
                    assert shown.read().decode() == doc.values["core.symlink_target"]
    assert checked > 60


def test_a_huge_file_is_read_in_the_middle(catalogue, mount):
    name = mount.query("core.filename=huge.bin", "huge.bin")
    assert os.stat(name).st_size == 5 * 2**30 + 7
    with open(name, "rb") as file:
        file.seek(5 * 2**30)
        assert file.read() == b"\0" * 7


def test_a_document_is_one_inode_everywhere(catalogue, mount):
    wide, narrow = mount.query("_all=readme"), mount.query("_all=readme", "core.type=file")
    inodes = [
        {path_of(folder, name): st.st_ino for name, st in listing(folder)[0].items()}
        for folder in (wide, narrow)
    ]
    assert inodes[1].items() <= inodes[0].items() and inodes[1]
    for name, st in list(listing(narrow)[0].items())[:50]:
        number = os.getxattr(os.path.join(narrow, name), "user.pxs.id").decode()
        assert os.stat(os.path.join(mount.mountpoint, "id", number)).st_ino == st.st_ino


def test_a_suffixed_name_always_resolves(catalogue, mount):
    """Also for the one that now keeps the plain name, so that names may be kept."""
    folder = mount.query("core.filename=same name.tar.gz")
    suffixed = [name for name in listing(folder)[0] if names.without_suffix(name)]
    assert suffixed
    wide, narrow = suffixed[0], mount.query(
        "core.pathname=" + paths.escape(path_of(folder, suffixed[0]).decode())
    )
    (plain,) = listing(narrow)[0]
    assert plain == "same name.tar.gz"
    assert os.stat(os.path.join(narrow, wide)).st_ino == os.stat(os.path.join(narrow, plain)).st_ino


def test_the_whole_catalogue(catalogue, mount):
    assert int(mount.read(".pxs", "count")) == len(catalogue.documents)
    found = mount.read(".pxs", "paths0").split(b"\0")[:-1]
    assert sorted(found) == sorted(doc.path for doc in catalogue.documents)
