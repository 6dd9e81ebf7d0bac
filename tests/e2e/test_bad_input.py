"""Whatever people type and disks hold has a clear answer: the errno, and a sentence that says what is
wrong and where."""

import errno
import os

import pytest

from folders import listing, path_of


def refused(path):
    with pytest.raises(OSError) as raised:
        os.stat(path)
    return raised.value.errno


# --- Paths ---


@pytest.mark.parametrize(
    "segment, sentence",
    [
        # An unparsable segment.
        ("_all=(cats", "expected"),
        ("_all=cats AND", "expected"),
        ('_all="cats', "expected"),
        ("_all=cats)", "expected"),
        ("_where={", "where"),
        ("_where=[]", "object"),
        ('_where={"core.size":null}', "null"),
        ("_where={}x", "where"),
        ("_sort=core.nonsense", "core.nonsense"),
        ("_sort=", "empty"),
        ("_limit=0", "limit"),
        ("_limit=x", "limit"),
        ("_limit=-1", "limit"),
        ("core.size=1-2-3", "number"),
        ("core.size=5..1x", "number"),
        ("core.type=a,,b", "empty"),
        # An unknown property, with the nearest one there is.
        ("core.siez=5", "did you mean 'core.size'"),
        ("size=5", "did you mean 'core.size'"),
        ("core.filenam=x", "did you mean 'core.filename'"),
        ("qwertz.uiop=5", "unknown property"),
        ("core.siez>5", "did you mean 'core.size'"),
        # A bad number or date.
        ("core.size=abc", "number"),
        ("core.size=1e", "number"),
        ("core.size=5MB", "number"),
        ("core.modificationtime=yesterday", "date"),
        ("core.modificationtime=2024-13", "date"),
        ("core.modificationtime=2024-02-30", "date"),
        ("core.size>", "empty"),
        # An empty value.
        ("core.type=", "=!.."),
        ("core.size=", "=!.."),
        ("_all=", "empty"),
        ("core.type=!", "=!.."),
        # A value with an escape that gives no text.
        ("core.filename=%FF", "UTF-8"),
        ("core.filename=%C0%AF", "UTF-8"),
        # A query string that is none.
        ("_all=cast~3", "~0, ~1 or ~2"),
        ("_all=cats^x", "expected a number"),
        ("_all=core.size%3Aabc", "number"),
    ],
)
def test_segment(mount, segment, sentence):
    assert refused(mount.query(segment)) == errno.EINVAL
    text = mount.errors().splitlines()[-1]
    assert segment in text and "EINVAL" in text
    assert sentence.lower() in text.lower()


def test_a_bad_bucket_name(mount):
    assert refused(mount.query("core.size", "abc")) == errno.EINVAL
    assert "number" in mount.errors().splitlines()[-1]


def test_numbers_beyond_the_type_are_just_not_there(mount):
    assert listing(mount.query("core.size=99999999999999999999"))[0] == {}
    assert listing(mount.query("core.uid=4294967296000"))[0] == {}


def test_names_that_are_nothing(mount):
    for name in ("nonsense", "autorun.inf", ".Trash", "core", "Core.Size", ".hidden"):
        assert refused(mount.query("_all=python", name)) == errno.ENOENT
    for name in ("0", "-1", "x", "1x", "99999999999999999999", "123", ""):
        assert name == "" or refused(os.path.join(mount.mountpoint, "id", name)) == errno.ENOENT
    assert refused(os.path.join(mount.mountpoint, "nonsense")) == errno.ENOENT


def test_what_errors_holds_is_bounded(mount):
    for number in range(150):
        refused(mount.query(f"core.siez={number}"))
    lines = mount.errors().splitlines()
    assert 50 <= len(lines) <= 110
    assert "core.siez=149" in lines[-1]


@pytest.mark.parametrize(
    "length, expected", [(255, None), (3000, None), (4090, None), (5000, errno.ENAMETOOLONG)]
)
def test_long_components(mount, length, expected):
    """Up to what the kernel lets through and our limit for a query; a clear error beyond."""
    segment = ("_all=" + "cats OR " * 700)[: length - 4].rsplit(" ", 2)[0]
    segment += " " * (length - len(segment) - 4) + "dogs"
    os.chdir(mount.query())
    try:
        if expected:
            assert refused(segment) == expected
        else:
            assert listing(segment)[0].keys() == listing("_all=cats OR dogs")[0].keys()
    except OSError as reason:
        # Kernels before 6.14 pass components of at most 1024 bytes to FUSE.
        assert reason.errno == errno.ENAMETOOLONG and length > 1024
    finally:
        os.chdir("/")


def test_a_path_with_too_many_conditions(mount):
    deep = mount.query(*["core.size=1.."] * 200)
    assert os.path.isdir(deep)
    assert refused(mount.query("_all=" + "(" * 100 + "x" + ")" * 100)) == errno.EINVAL
    assert "more than 64 parentheses" in mount.errors().splitlines()[-1]


@pytest.mark.parametrize(
    "value",
    [
        "a/b",
        "50%",
        "a,b",
        "a..b",
        'say "x"',
        "two\nlines",
        "a!b",
        "!b",
        "a-b",
        "..",
        ",",
        "%41",
        "\\",
        "<>",
        "a:b",
        "*",
        " ",
    ],
)
def test_values_with_odd_characters(new_daemon, empty_tree, value):
    """Found by equality, through the escapes; the facet links to it; and nothing else is found."""
    folder = os.path.join(empty_tree, "d")
    os.mkdir(folder)
    os.symlink(value, os.path.join(folder, "this"))
    os.symlink("other", os.path.join(folder, "that"))
    daemon = new_daemon().start()
    daemon.pxs("ingest", empty_tree)
    escaped = "".join(f"%{byte:02X}" for byte in value.encode())
    assert list(listing(daemon.query("core.symlink_target=" + escaped))[0]) == ["this"]
    links = [
        os.readlink(daemon.query("core.symlink_target", name))
        for name in os.listdir(daemon.query("core.symlink_target"))
    ]
    found = [sorted(listing(daemon.query(link[3:]))[0]) for link in links]
    assert ["this"] in found and ["that"] in found


# --- Names on disk ---


def test_names_that_differ_only_in_case_or_normal_form(catalogue, mount):
    nasty = os.path.join(os.fsencode(catalogue.tree), b"nasty")
    for names in (
        [b"CaseTwin.txt", b"casetwin.txt", b"CASETWIN.TXT"],
        ["twin-\u00e9.txt".encode(), "twin-e\u0301.txt".encode()],
    ):
        folder = mount.query(
            "core.filename="
            + ",".join({name.decode().replace("e\u0301", "\u00e9") for name in names})
        )
        shown = list(listing(folder)[0])
        assert len(shown) == len(names)
        assert {path_of(folder, name) for name in shown} == {
            os.path.join(nasty, name) for name in names
        }
        for name in shown:
            with open(os.path.join(folder, name), "rb") as seen, open(
                path_of(folder, name), "rb"
            ) as real:
                assert seen.read() == real.read()


def test_a_name_is_found_in_either_normal_form(mount):
    for name in ("NFC-\u00e9.txt", "NFC-e\u0301.txt"):
        assert os.path.exists(mount.query("core.filename=" + name, name))


def test_invalid_utf8_on_disk(catalogue, mount):
    path = os.path.join(os.fsencode(catalogue.tree), b"nasty", b"invalid\xff\xfeutf8")
    folder = mount.query("core.inode=%d" % os.lstat(path).st_ino)
    (name,) = listing(folder)[0]
    assert name == "invalid%25FF%25FEutf8"
    assert path_of(folder, name) == path
    with open(os.path.join(folder, name), "rb") as shown, open(path, "rb") as real:
        assert shown.read() == real.read()


def test_symlink_loops_end(catalogue, mount):
    assert list(listing(mount.query("core.filename=loop-a"))[0]) == ["loop-a"]
    with open(mount.query("core.filename=loop-a", "loop-a"), "rb") as file:
        assert file.read() == b"loop-b"
