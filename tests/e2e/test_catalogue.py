"""Every property of every document: the REST reply, the command line and the xattrs against lstat."""

import json
import os
import subprocess

import pytest

import model
from folders import listing, path_of

# Not in the model: what only statx or libmagic knows, and what reading a file changes.
ELSEWHERE = {"core.accesstime", "core.creationtime", "core.mimetype"}


def iso(time_ns):
    """As the API writes dates: UTC without zone, and a fraction only where there is one."""
    import datetime

    seconds, rest = divmod(time_ns, 10**9)
    text = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%S"
    )
    return text + (f".{rest:09}".rstrip("0") if rest else "")


def as_shown(doc):
    return {
        name: iso(value) if name in model.DATES else value
        for name, value in doc.values.items()
        if name not in ELSEWHERE
    }


def test_every_property_of_every_document(catalogue, mount):
    by_text = {}
    for doc in catalogue.documents:
        by_text.setdefault((doc.values["core.pathname"], doc.values["core.inode"]), []).append(doc)
    seen = 0
    for item in mount.items():
        (doc,) = by_text[item["core.pathname"], item["core.inode"]]
        shown = {
            name: value
            for name, value in item.items()
            if name.startswith("core.") and name not in ELSEWHERE
        }
        assert shown == as_shown(doc)
        assert isinstance(item["_id"], int) and item["_id"] > 0
        assert len(item["_etag"]) == 40
        assert not any(name.startswith("_index") for name in item)
        seen += 1
    assert seen == len(catalogue.documents)


@pytest.mark.parametrize(
    "name, mimetype",
    [
        ("a.png", "image/png"),
        ("a.PNG", "image/png"),
        ("a.txt", "text/plain"),
        ("a.tar.gz", "application/x-compressed-tar"),
        ("a.py", "text/x-python"),
        ("a.c", "text/x-csrc"),
        ("a.C", "text/x-c++src"),
        ("a.html", "text/html"),
        ("makefile", "text/x-makefile"),
        ("a.jpeg", "image/jpeg"),
        ("a.exr", "image/x-exr"),
    ],
)
def test_mimetype_by_name(new_daemon, empty_tree, name, mimetype):
    with open(os.path.join(empty_tree, name), "wb") as file:
        file.write(b"\0")
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", empty_tree)
    (item,) = daemon.items()
    assert item["core.mimetype"] == mimetype


def test_mimetype_by_content_where_the_name_does_not_tell(new_daemon, empty_tree):
    rows = {
        "picture": (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde",
            "image/png",
        ),
        "script": (b"#!/bin/sh\necho hello\n", "application/x-shellscript"),
        "document": (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
        "prose": (b"Once upon a time.\n", "text/plain"),
    }
    for name, (content, _) in rows.items():
        with open(os.path.join(empty_tree, name), "wb") as file:
            file.write(content)
    os.mkdir(os.path.join(empty_tree, "folder"))
    os.symlink("x", os.path.join(empty_tree, "link"))
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", empty_tree)
    found = {item["core.filename"]: item["core.mimetype"] for item in daemon.items()}
    assert found.pop("folder") == "inode/directory"
    assert found.pop("link") == "inode/symlink"
    assert found == {name: mimetype for name, (_, mimetype) in rows.items()}


def test_creation_time_is_that_of_the_file_system(catalogue, mount):
    item = next(mount.items('{"core.filename": "huge.bin"}'))
    birth = subprocess.run(
        ["stat", "-c", "%W", os.path.join(catalogue.tree, "special/huge.bin")],
        capture_output=True,
        check=True,
    ).stdout
    if int(birth):
        assert item["core.creationtime"].split(".")[0] == iso(int(birth) * 10**9)


def xattrs(path):
    return {name: os.getxattr(path, name).decode() for name in os.listxattr(path)}


def as_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, list) else str(value)


def test_xattrs_equal_the_json(catalogue, mount, rng):
    folder = mount.query("_all=readme")
    shown = list(listing(folder)[0])
    for name in rng.sample(shown, min(60, len(shown))):
        found = xattrs(os.path.join(folder, name))
        item = next(mount.items(json.dumps({"core.inode": int(found["user.core.inode"])})))
        one = mount.get(f"/files/{found['user.pxs.id']}").collection["items"][0]
        single = {field["name"]: field["value"] for field in one["data"]}
        assert single == item
        meta = json.loads(mount.read("_all=readme", ".pxs", "meta", name + ".json"))
        expected = {
            f"user.{key}": as_text(value)
            for key, value in single.items()
            if not key.startswith("_")
        }
        assert {k: v for k, v in found.items() if not k.startswith("user.pxs.")} == expected
        assert found["user.pxs.id"] == str(single["_id"])
        assert found["user.pxs.etag"] == single["_etag"]
        assert found["user.pxs.href"] == f"/files/{single['_id']}" == one["href"]
        assert {k: meta[k] for k in single if not k.startswith("_")} == {
            k: v for k, v in single.items() if not k.startswith("_")
        }


def test_pxs_get_equals_the_xattrs(catalogue, mount):
    folder = mount.query("core.filename=hard")
    found = xattrs(os.path.join(folder, "hard"))
    by_id = mount.pxs_json("get", found["user.pxs.id"])
    by_path = mount.pxs_json("get", os.path.join(catalogue.tree, "special/hard"))
    assert by_id == by_path
    assert by_id["core.inode"] == int(found["user.core.inode"])
    assert mount.pxs("get", found["user.pxs.id"], "core.size").stdout == b"10\n"


def test_foreign_xattrs_are_refused_at_once(catalogue, mount):
    import errno

    path = mount.query("core.filename=hard", "hard")
    for name, expected in (
        ("security.selinux", errno.EOPNOTSUPP),
        ("system.posix_acl_access", errno.EOPNOTSUPP),
        ("trusted.x", errno.EOPNOTSUPP),
        ("user.core.nonsense", errno.ENODATA),
        ("user._index.path", errno.ENODATA),
        ("user.DOSATTRIB", errno.ENODATA),
    ):
        with pytest.raises(OSError) as raised:
            os.getxattr(path, name)
        assert raised.value.errno == expected, name


def test_getfattr_of_the_largest_picture(catalogue, mount):
    """The line of the README."""
    folder = mount.query("core.extension=.png", "_sort=-core.size", "_limit=1")
    done = subprocess.run(f"getfattr -d {folder}/*", shell=True, capture_output=True, check=True)
    largest = max(
        doc.values["core.size"]
        for doc in catalogue.documents
        if doc.values.get("core.extension") == ".png"
    )
    assert f'user.core.size="{largest}"'.encode() in done.stdout


def test_attributes_of_folders(catalogue, mount):
    folder = mount.query("core.type=file", "_all=readme")
    assert os.getxattr(folder, "user.pxs.query").decode() == "_all=readme/core.type=file"
    os.listdir(folder)
    assert int(os.getxattr(folder, "user.pxs.count")) == int(
        mount.read("core.type=file", "_all=readme", ".pxs", "count")
    )


def test_a_document_by_its_path_with_odd_bytes(catalogue, mount):
    for name in (b"invalid\xff\xfeutf8", b"new\nline", "twin-e\u0301.txt".encode(), b"100%"):
        path = os.path.join(os.fsencode(catalogue.tree), b"nasty", name)
        shown = mount.pxs_json("get", os.fsdecode(path))
        assert shown["core.inode"] == os.lstat(path).st_ino
    folder = mount.query("core.inode=" + str(os.lstat(path).st_ino))
    (name,) = listing(folder)[0]
    assert path_of(folder, name) == path
