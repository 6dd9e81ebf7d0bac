"""Changing documents through the mount: setfattr is a PATCH, rm a guarded DELETE."""

import errno
import itertools
import json
import os
import subprocess
import threading

import pytest

import daemon as daemons

OTHER_UID = 65534  # nobody


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def tree(empty_tree):
    for name in ("cat.jpg", "dog.jpg", "owl.jpg"):
        write(os.path.join(empty_tree, name), name)
    os.chmod(empty_tree, 0o755)
    return empty_tree


def mounted(daemon, options, *arguments):
    return daemon.start(*arguments, "--mount", daemon.mountpoint, "-o", options, mount=False)


@pytest.fixture
def daemon(new_daemon, tree):
    daemon = mounted(new_daemon(), "delete")
    daemon.pxs("ingest", tree)
    return daemon


def found(daemon, name="cat.jpg"):
    return daemon.query("core.extension=.jpg", name)


def shown(daemon, *segments):
    """The pictures, without the facet folders."""
    folder = daemon.query(*segments or ["core.extension=.jpg"])
    return sorted(name for name in os.listdir(folder) if name.endswith(".jpg"))


def get(path, name):
    return os.getxattr(path, "user." + name).decode()


def set_(path, name, value, flags=0):
    os.setxattr(path, "user." + name, value.encode(), flags)


def refused(code, do, *arguments):
    with pytest.raises(OSError) as failure:
        do(*arguments)
    assert failure.value.errno == code, failure.value


def reason(path):
    return os.getxattr(path, "user.pxs.error").decode()


def patch(daemon, path, **values):
    """As somebody does at the REST API."""
    data = [{"name": name.replace("__", "."), "value": value} for name, value in values.items()]
    reply = daemon.http(
        "PATCH", os.getxattr(path, "user.pxs.href").decode(), json.dumps({"template": {"data": data}}),
        {"If-Match": "*", "Content-Type": "application/json"},
    )  # fmt: skip
    assert reply.status == 200, reply.body


def run(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=daemons.PATIENCE_S)


# --- setxattr ---


def test_as_the_readme_says(daemon):
    path = found(daemon)
    assert run("setfattr", "-n", "user.user.tags", "-v", '["cats","best"]', path).returncode == 0
    assert json.loads(get(path, "user.tags")) == ["cats", "best"]
    assert shown(daemon, "user.tags=best") == ["cat.jpg"]
    both = '{"user.rating": 5, "user.comment": "Tabby"}'
    assert run("setfattr", "-n", "user.pxs.patch", "-v", both, path).returncode == 0
    assert (get(path, "user.rating"), get(path, "user.comment")) == ("5", "Tabby")
    assert daemon.pxs("find", "user.rating:5", "--count").stdout == b"1\n"


@pytest.mark.parametrize(
    "name, value, shown",
    [
        ("user.comment", "a word, or two", "a word, or two"),
        ("user.comment", '["no list"]', '["no list"]'),
        ("user.comment", "5", "5"),
        ("user.comment", "ä \u2603", "ä \u2603"),
        ("user.comment", "x" * 60000, "x" * 60000),
        ("user.rating", "-3", "-3"),
        ("user.tags", "one", '["one"]'),
        ("user.tags", '["a","b,c"]', '["a","b,c"]'),
    ],
    ids=itertools.count(),
)
def test_texts_of_values(daemon, name, value, shown):
    path = found(daemon)
    set_(path, name, value)
    told = get(path, name)
    assert told == shown or json.loads(told) == json.loads(shown)


def test_what_is_empty_is_no_value(daemon):
    path = found(daemon)
    for name, value in (("user.tags", "a"), ("user.comment", "b")):
        set_(path, name, value)
        set_(path, name, "")
        refused(errno.ENODATA, get, path, name)
    set_(path, "user.tags", "a")
    set_(path, "user.tags", "[]")
    refused(errno.ENODATA, get, path, "user.tags")


@pytest.mark.parametrize(
    "name, value, code, sentence",
    [
        ("user.rating", "five", errno.EINVAL, "must be of integer type"),
        ("user.rating", "5.0", errno.EINVAL, "must be of integer type"),
        ("user.rating", "", errno.EINVAL, "must be of integer type"),
        ("user.rating", "99999999999999999999", errno.EINVAL, ""),
        ("user.tags", '["a",5]', errno.EINVAL, "must be of string type"),
        ("user.tags", '["a"', errno.EINVAL, "a JSON array or one element"),
        ("user.tags", "[" + '"a",' * 1024 + '"a"]', errno.EINVAL, "max length is 1024"),
        ("core.size", "5", errno.EINVAL, "field is read-only"),
        ("no.such", "5", errno.EINVAL, "unknown field"),
        ("_id", "5", errno.EINVAL, "unknown field"),
        ("user.comment", "a\0b", errno.EINVAL, "no NUL byte"),
        ("pxs.etag", "5", errno.EPERM, "cannot be set"),
        ("pxs.patch", "[]", errno.EINVAL, "takes an object"),
        ("pxs.patch", '{"user.rating":1,"user.rating":2}', errno.EINVAL, "takes an object"),
        ("pxs.patch", '{"user.rating":1,"core.size":2}', errno.EINVAL, "field is read-only"),
    ],
    ids=itertools.count(),
)
def test_what_is_refused_changes_nothing(daemon, name, value, code, sentence):
    path = found(daemon)
    etag = get(path, "pxs.etag")
    refused(code, set_, path, name, value)
    assert sentence in reason(path)
    assert get(path, "pxs.etag") == etag


def test_bytes_that_are_no_text(daemon):
    refused(errno.EINVAL, os.setxattr, found(daemon), "user.user.comment", b"\xff\xfe")
    assert "UTF-8" in reason(found(daemon))


def test_create_and_replace(daemon):
    path = found(daemon)
    refused(errno.ENODATA, set_, path, "user.rating", "1", os.XATTR_REPLACE)
    set_(path, "user.rating", "1", os.XATTR_CREATE)
    refused(errno.EEXIST, set_, path, "user.rating", "2", os.XATTR_CREATE)
    set_(path, "user.rating", "3", os.XATTR_REPLACE)
    assert get(path, "user.rating") == "3"


def test_what_cannot_be_done(daemon):
    path = found(daemon)
    refused(errno.EPERM, os.removexattr, path, "user.user.tags")
    refused(errno.EOPNOTSUPP, os.setxattr, path, "security.x", b"1")
    refused(errno.EPERM, os.setxattr, daemon.query(), "user.x", b"1")
    assert "only documents" in reason(daemon.query())


# --- Versions ---


def test_a_version_that_nobody_saw_is_not_overwritten(daemon):
    path = found(daemon)
    set_(path, "user.rating", "1")
    patch(daemon, path, user__rating=2)  # which reads the href, so the version before
    refused(errno.EBUSY, set_, path, "user.rating", "3")
    assert "has changed since you read" in reason(path)
    assert get(path, "user.rating") == "2"
    set_(path, "user.rating", "3")
    assert get(path, "user.rating") == "3"


def test_who_read_nothing_means_what_there_is(daemon):
    set_(found(daemon, "dog.jpg"), "user.rating", "1")
    assert get(found(daemon, "dog.jpg"), "user.rating") == "1"


def test_a_patch_may_name_its_version(daemon):
    path = found(daemon)
    etag = get(path, "pxs.etag")
    set_(path, "pxs.patch", json.dumps({"_etag": etag, "user.rating": 1}))
    assert get(path, "pxs.etag") != etag
    refused(errno.EBUSY, set_, path, "pxs.patch", json.dumps({"_etag": etag, "user.rating": 2}))
    assert get(path, "user.rating") == "1"


def test_two_processes_of_a_user_do_not_overwrite_each_other(daemon):
    """What the other one read last is not what this one read."""
    path = found(daemon)
    set_(path, "user.rating", "1")
    one, other = (
        subprocess.Popen(
            ["/usr/bin/python3", "-c", READ_THEN_WRITE, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    )

    def step(process):
        process.stdin.write(b"\n")
        process.stdin.flush()
        return process.stdout.readline().decode().strip()

    try:
        assert (step(one), step(other), step(other)) == ("1", "1", "done")
        assert get(path, "user.rating") == "2"
        assert step(one) == "EBUSY"
    finally:
        for process in (one, other):
            process.communicate(timeout=daemons.PATIENCE_S)
    assert get(path, "user.rating") == "2"


READ_THEN_WRITE = """
import errno, os, sys
path = sys.argv[1]
for line in sys.stdin:
    rating = int(os.getxattr(path, "user.user.rating"))
    print(rating, flush=True)
    sys.stdin.readline() or sys.exit()
    try:
        os.setxattr(path, "user.user.rating", b"%d" % (rating + 1))
        print("done", flush=True)
    except OSError as fault:
        print(errno.errorcode[fault.errno], flush=True)
"""


def test_no_update_is_lost(daemon):
    """Everybody adds one to the same number, through the mount or REST, with the version he saw."""
    path = found(daemon)
    href = get(path, "pxs.href")
    rounds = 5 if daemons.QUICK else 20

    def by_mount():
        done = 0
        while done < rounds:
            etag = get(path, "pxs.etag")
            try:
                seen = json.loads(get(path, "user.rating"))
            except OSError as fault:
                assert fault.errno == errno.ENODATA
                seen = 0
            try:
                set_(path, "pxs.patch", json.dumps({"_etag": etag, "user.rating": seen + 1}))
                done += 1
            except OSError as fault:
                assert fault.errno == errno.EBUSY

    def by_mount_plainly():
        done = 0
        while done < rounds:
            try:
                seen = int(get(path, "user.rating"))
                set_(path, "user.rating", str(seen + 1))
                done += 1
            except OSError as fault:
                assert fault.errno == errno.EBUSY

    def by_rest():
        done = 0
        while done < rounds:
            seen = {field["name"]: field["value"] for field in daemon.get(href).collection["items"][0]["data"]}
            body = {"template": {"data": [{"name": "user.rating", "value": seen.get("user.rating", 0) + 1}]}}
            reply = daemon.http("PATCH", href, json.dumps(body),
                                {"If-Match": seen["_etag"], "Content-Type": "application/json"})  # fmt: skip
            assert reply.status in (200, 412)
            done += reply.status == 200

    set_(path, "user.rating", "0")
    doers = (by_mount, by_mount, by_mount_plainly, by_mount_plainly, by_rest, by_rest)
    threads = [threading.Thread(target=do) for do in doers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert get(path, "user.rating") == str(len(threads) * rounds)


# --- unlink ---


def test_rm_deletes_the_document_and_never_the_file(daemon, tree):
    path = found(daemon)
    document = get(path, "pxs.id")
    assert run("rm", path).returncode == 0
    assert shown(daemon) == ["dog.jpg", "owl.jpg"]
    assert not os.path.exists(path)
    with open(os.path.join(tree, "cat.jpg"), encoding="utf-8") as file:
        assert file.read() == "cat.jpg"
    daemon.pxs("undelete", document)
    assert daemon.pxs("find", "cat", "--count").stdout == b"1\n"


def test_rm_is_closed_unless_the_mount_opens_it(new_daemon, tree):
    daemon = new_daemon().start()
    daemon.pxs("ingest", tree)
    told = run("rm", "-f", found(daemon)).stderr
    assert "Operation not permitted" in told
    assert "its option delete allows it" in reason(daemon.query("core.extension=.jpg"))
    target = os.path.join(daemon.home, "moved.jpg")
    assert run("mv", found(daemon), target).returncode != 0
    assert os.path.exists(target)
    run("rm", "-rf", daemon.query("core.extension=.jpg"))
    assert shown(daemon) == ["cat.jpg", "dog.jpg", "owl.jpg"]
    refused(errno.EPERM, os.mkdir, os.path.join(daemon.mountpoint, ".Trash-0"))


def test_mv_out_copies_and_deletes_the_document_alone(daemon, tree):
    target = os.path.join(daemon.home, "moved.jpg")
    assert run("mv", found(daemon), target).returncode == 0
    assert shown(daemon) == ["dog.jpg", "owl.jpg"]
    for path in (target, os.path.join(tree, "cat.jpg")):
        with open(path, encoding="utf-8") as file:
            assert file.read() == "cat.jpg"


def test_there_is_no_trash(daemon):
    """What a file manager tries fails at once, and leaves the document also where rm would not."""
    trash = os.path.join(daemon.mountpoint, ".Trash-0")
    refused(errno.EPERM, os.mkdir, trash)
    refused(errno.ENOENT, os.rename, found(daemon), os.path.join(trash, "files", "cat.jpg"))
    refused(errno.EPERM, os.rename, found(daemon), os.path.join(daemon.mountpoint, "cat.jpg"))
    assert shown(daemon) == ["cat.jpg", "dog.jpg", "owl.jpg"]


def test_rm_deletes_no_version_that_nobody_saw(daemon):
    path = found(daemon)
    get(path, "pxs.etag")
    patch(daemon, path, user__rating=2)
    refused(errno.EBUSY, os.unlink, path)
    get(path, "user.rating")
    os.unlink(path)


def test_rm_deletes_what_its_name_was_shown_to_mean(new_daemon, empty_tree):
    """When the first of two namesakes goes, its name means the second; who saw the first, and whose
    kernel still holds it, must not delete the second."""
    for folder in ("a", "b"):
        os.mkdir(os.path.join(empty_tree, folder))
        write(os.path.join(empty_tree, folder, "cat.jpg"), folder)
    daemon = mounted(new_daemon(), "delete")
    daemon.pxs("ingest", empty_tree)
    folder = daemon.query("core.extension=.jpg")
    assert len(shown(daemon)) == 2
    # A program that looked at the folder once, and goes on in it, as rm -r does.
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.stat("cat.jpg", dir_fd=directory)
        document = get(found(daemon), "pxs.id")
        reply = daemon.http("DELETE", f"/files/{document}", headers={"If-Match": "*"})
        assert reply.status == 204
        with pytest.raises(OSError) as failure:
            os.unlink("cat.jpg", dir_fd=directory)
        assert failure.value.errno in (errno.EBUSY, errno.ENOENT)
    finally:
        os.close(directory)
    assert daemon.pxs("find", "cat", "--count").stdout == b"1\n"


def test_rm_stops_at_the_allowance(new_daemon, empty_tree):
    for i in range(9):
        write(os.path.join(empty_tree, f"f{i}.jpg"), "")
    daemon = mounted(new_daemon(), "delete=4")
    daemon.pxs("ingest", empty_tree)
    assert run("rm", "-rf", daemon.query("core.extension=.jpg")).returncode != 0
    left = shown(daemon)
    assert len(left) == 5
    refused(errno.EAGAIN, os.unlink, found(daemon, left[0]))
    assert "more are not allowed; wait" in reason(daemon.query("core.extension=.jpg"))
    assert len(os.listdir(empty_tree)) == 9


def test_everywhere_that_shows_documents(daemon):
    folder = daemon.query("core.extension=.jpg")
    os.unlink(os.path.join(daemon.mountpoint, "id", get(found(daemon), "pxs.id")))
    below = os.path.join(folder, ".pxs/tree", get(found(daemon, "dog.jpg"), "pxs.path").lstrip("/"))
    os.unlink(below)
    refused(errno.EPERM, os.unlink, os.path.join(folder, ".pxs/meta/owl.jpg.json"))
    refused(errno.EPERM, os.unlink, os.path.join(folder, ".pxs/count"))
    assert shown(daemon) == ["owl.jpg"]


# --- Rights ---


def as_other(code):
    """Runs CODE as nobody; what it printed."""
    return subprocess.run(
        ["/usr/bin/python3", "-c", "import os, sys\n" + code], user=OTHER_UID, group=OTHER_UID,
        extra_groups=[], capture_output=True, text=True, timeout=daemons.PATIENCE_S,
    )  # fmt: skip


@pytest.mark.skipif(os.getuid() != 0, reason="needs another user")
def test_a_user_may_what_his_rights_say(new_daemon, tree):
    daemon = new_daemon()
    config = os.path.join(daemon.home, "pxs.conf")
    write(config, "[rights]\n* = read\n")
    mounted(daemon, "delete", "--config", config, "--public")
    os.chown(os.path.join(tree, "cat.jpg"), OTHER_UID, -1)  # the kernel asks who may write the file
    os.chmod(daemon.home, 0o755)
    daemon.pxs("ingest", tree)
    path = found(daemon)
    change = f"os.setxattr({path!r}, 'user.user.rating', b'4')"
    assert "Operation not permitted" in as_other(change).stderr
    assert "has not the right update_search_metadata" in as_other(
        f"print(os.getxattr({path!r}, 'user.pxs.error').decode())"
    ).stdout
    assert "Operation not permitted" in as_other(f"os.unlink({path!r})").stderr
    daemon.stop()

    write(config, "[rights]\n* = read\nnobody = read,update_search_metadata\n")
    mounted(daemon, "delete", "--config", config, "--public")
    assert as_other(change).returncode == 0
    assert get(path, "user.rating") == "4"
    assert "Operation not permitted" in as_other(f"os.unlink({path!r})").stderr
    daemon.stop()

    write(config, "[rights]\n* = read\nnobody = delete_search_metadata\n")
    mounted(daemon, "delete", "--config", config, "--public")
    assert as_other(f"os.unlink({path!r})").returncode == 0
    assert shown(daemon) == ["dog.jpg", "owl.jpg"]
    assert b"nobody" in daemon.pxs("undelete").stdout
