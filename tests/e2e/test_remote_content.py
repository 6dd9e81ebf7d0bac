"""Files that lie at the upstream alone: their content is read there, in parts."""

import contextlib
import errno
import http.client
import os
import random
import shutil
import ssl
import subprocess
import threading
import time

import pytest
from cores import Core
from daemon import UnixConnection, is_mounted
from proxy import FAULTS, Proxy

BIG = 5 << 20

# What reading may answer when the core cannot be asked.
ERRORS = {
    errno.ENOENT, errno.EACCES, errno.EAGAIN, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.EPROTO, errno.EREMOTEIO,
}  # fmt: skip


@pytest.fixture
def core(new_daemon, empty_tree):
    big = random.Random(7).randbytes(BIG)
    for name, data in (("cat.txt", b"meow\n"), ("big-cat.bin", big), ("no-cat.txt", b"")):
        with open(os.path.join(empty_tree, name), "wb") as file:
            file.write(data)
    core = Core(new_daemon())
    core.daemon.pxs("ingest", empty_tree)
    yield core


def follow(core, replica, *extra):
    """Here nothing lies where the core says that the files are."""
    nowhere = ("--path-map", f"{os.path.dirname(core.tree)}=/nowhere/here")
    replica.start(*core.options(), *nowhere, *extra)
    replica.pxs("status", "--wait")
    return replica


@pytest.fixture
def replica(core, new_daemon, empty_tree):
    core.tree = empty_tree
    return follow(core, new_daemon())


def shown(replica, name):
    return replica.query("_all=*cat*", name)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def fails(code, path):
    with pytest.raises(OSError) as info:
        read(path)
    assert info.value.errno == code, info.value


def requests_for_content(core):
    metrics = core.daemon.get("/metrics").body.decode().splitlines()
    return sum(
        int(line.rsplit(" ", 1)[1])
        for line in metrics
        if line.startswith("pxs_http_requests_total") and "/content" in line
    )


def test_a_file_is_read_at_the_core(replica, empty_tree):
    assert read(shown(replica, "cat.txt")) == b"meow\n"
    assert read(shown(replica, "no-cat.txt")) == b""
    assert read(shown(replica, "big-cat.bin")) == read(os.path.join(empty_tree, "big-cat.bin"))
    copy = os.path.join(replica.home, "copy")
    subprocess.run(["cp", "-p", shown(replica, "big-cat.bin"), copy], check=True)
    assert read(copy) == read(os.path.join(empty_tree, "big-cat.bin"))


def test_parts_are_read_at_random_by_many(replica, empty_tree, rng):
    whole = read(os.path.join(empty_tree, "big-cat.bin"))
    path = shown(replica, "big-cat.bin")
    wrong = []

    def look(seed):
        mine = random.Random(seed)
        with open(path, "rb", buffering=0) as file:
            for _ in range(30):
                at, size = mine.randrange(BIG + 10), mine.randrange(1, 400_000)
                part = os.pread(file.fileno(), size, at)
                if part != whole[at : at + size]:
                    wrong.append((at, size, len(part)))

    threads = [threading.Thread(target=look, args=(rng.random(),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_head_alone_is_not_the_whole(core, replica):
    before = requests_for_content(core)
    with open(shown(replica, "big-cat.bin"), "rb", buffering=0) as file:
        assert len(file.read(16)) == 16
    assert requests_for_content(core) - before <= 2
    read(shown(replica, "big-cat.bin"))
    assert requests_for_content(core) - before <= 12  # 5 MB in pieces that grow


def test_what_is_kept_is_asked_for_before_it_is_shown_again(core, replica, empty_tree):
    assert read(shown(replica, "cat.txt")) == b"meow\n"
    with open(os.path.join(empty_tree, "cat.txt"), "wb") as file:
        file.write(b"hiss\n")
    core.daemon.pxs("ingest", empty_tree)
    assert read(shown(replica, "cat.txt")) == b"hiss\n"


def test_a_file_that_changes_while_it_is_read_is_no_mixture(replica, empty_tree):
    with open(shown(replica, "big-cat.bin"), "rb", buffering=0) as file:
        assert file.read(16)
        with open(os.path.join(empty_tree, "big-cat.bin"), "r+b") as at_core:
            at_core.seek(BIG - 10)
            at_core.write(b"other")
        with pytest.raises(OSError) as info:
            os.pread(file.fileno(), 100, BIG - 200)
        assert info.value.errno == errno.ESTALE
    assert "changed at the upstream" in replica.errors()


def test_a_file_that_is_gone_there_too(replica, empty_tree):
    os.unlink(os.path.join(empty_tree, "cat.txt"))
    fails(errno.ENOENT, shown(replica, "cat.txt"))
    assert "does not have it either" in replica.errors()


def test_a_file_that_we_may_not_read_there(replica, empty_tree):
    os.chmod(os.path.join(empty_tree, "cat.txt"), 0)
    if os.geteuid() == 0:
        fails(errno.EACCES, shown(replica, "cat.txt"))
        assert "does not let robby read this file" in replica.errors()


def test_a_core_that_is_away(core, replica):
    core.daemon.stop()
    fails(errno.EHOSTUNREACH, shown(replica, "cat.txt"))
    assert "no answer from" in replica.errors()
    core.start()
    assert read(shown(replica, "cat.txt")) == b"meow\n"


def test_a_file_that_lies_here_is_read_here(core, new_daemon, empty_tree):
    core.tree = empty_tree
    here = os.path.join(core.daemon.home, "here")
    shutil.copytree(empty_tree, here, copy_function=shutil.copy2)
    replica = new_daemon()
    replica.start(*core.options(), "--path-map", f"{empty_tree}={here}")
    replica.pxs("status", "--wait")
    before = requests_for_content(core)
    assert read(shown(replica, "cat.txt")) == b"meow\n"
    assert requests_for_content(core) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")
def test_others_do_not_read_with_our_rights(core, new_daemon, empty_tree):
    core.tree = empty_tree
    replica = follow(core, new_daemon(), "--public")
    path = shown(replica, "cat.txt")
    assert is_mounted(replica.mountpoint)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", "cat", path], capture_output=True, check=False
    )
    assert done.returncode == 1 and b"Permission denied" in done.stderr
    assert "only the daemon's user and root" in replica.errors()


@pytest.fixture
def far(core, new_daemon, empty_tree):
    """A replica behind a proxy that may do harm."""
    core.tree = empty_tree
    proxy = Proxy(core.port)
    core.url = proxy.url
    replica = follow(core, new_daemon())
    replica.proxy = proxy
    yield replica
    proxy.close()


def faults_of_content(proxy):
    """One after the other, each while it is done: those that end by themselves."""
    for fault in [*FAULTS, "lost request", "lost answer"]:
        if fault in ("stalls", "stalls inside", "drips"):
            continue
        proxy.set(fault, "content")
        yield fault
        assert proxy.hits, fault
        proxy.clear()


def test_whatever_goes_wrong_nothing_wrong_is_read(far):
    path = shown(far, "cat.txt")
    for fault in faults_of_content(far.proxy):
        try:
            assert read(path) == b"meow\n", fault
        except OSError as error:
            assert error.errno in ERRORS, (fault, error)
    assert read(path) == b"meow\n"


@pytest.mark.parametrize("fault", ["stalls", "stalls inside"])
def test_who_waits_for_a_core_that_says_nothing_can_be_killed(far, fault):
    far.proxy.set(fault, "content")
    reader = subprocess.Popen(["cat", shown(far, "cat.txt")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not far.proxy.hits:
        time.sleep(0.01)
    assert os.listdir(far.query("_all=*cat*"))  # others are served
    start = time.monotonic()
    reader.kill()
    reader.communicate()
    assert time.monotonic() - start < 10  # a second, where the machine is idle
    far.proxy.clear()
    assert read(shown(far, "cat.txt")) == b"meow\n"


# --- Over REST ---


def content_of(daemon, name):
    (item,) = daemon.items('{"core.filename":"%s"}' % name)
    return f"/files/{item['_id']}/content"


def alike(reply):
    """What must be the same at the core and here."""
    names = ("ETag", "Last-Modified", "Content-Type", "Content-Length", "Content-Range", "Accept-Ranges",
             "Content-Disposition", "Cache-Control", "Content-Security-Policy")  # fmt: skip
    return reply.status, {name: reply.headers[name] for name in names}, reply.body


def test_over_rest_it_is_as_at_the_core(core, replica):
    big = content_of(replica, "big-cat.bin")
    first = core.daemon.get(big)
    etag, date = first.headers["ETag"], first.headers["Last-Modified"]
    asked = [
        {}, {"If-None-Match": etag}, {"If-None-Match": '"other"'}, {"If-Modified-Since": date},
        {"Range": "bytes=0-0"}, {"Range": "bytes=-7"}, {"Range": f"bytes={BIG - 1}-"}, {"Range": f"bytes={BIG}-"},
        {"Range": "bytes=200000-3000000"}, {"Range": "bytes=3-1"}, {"Range": "bytes=1-2,5-6"},
        {"Range": "bytes=5-9", "If-Range": etag}, {"Range": "bytes=5-9", "If-Range": '"other"'},
        {"Range": "bytes=5-9", "If-Range": date}, {"Range": "bytes=5-9", "If-Range": "Sun, 06 Nov 1994 08:49:37 GMT"},
    ]  # fmt: skip
    for headers in asked:
        for method in ("GET", "HEAD"):
            there, here = (daemon.http(method, big, headers=headers) for daemon in (core.daemon, replica))
            if there.status == 416:  # a sentence with the request's number
                assert here.status == 416 and here.headers["Content-Range"] == there.headers["Content-Range"]
            else:
                assert alike(here) == alike(there), (method, headers)
    cat, empty = content_of(replica, "cat.txt"), content_of(replica, "no-cat.txt")
    assert alike(replica.get(cat)) == alike(core.daemon.get(cat))
    reply = replica.get(empty)  # of which the core tells no version where a part is asked for
    assert (reply.body, reply.headers["Content-Length"]) == (b"", "0")


def test_over_rest_parts_are_read_at_random_by_many(replica, empty_tree, rng):
    whole = read(os.path.join(empty_tree, "big-cat.bin"))
    target = content_of(replica, "big-cat.bin")
    wrong = []

    def look(seed):
        mine = random.Random(seed)
        for _ in range(10):
            at, size = mine.randrange(BIG), mine.randrange(1, 1_000_000)
            reply = replica.http("GET", target, headers={"Range": f"bytes={at}-{at + size - 1}"})
            if (reply.status, reply.body) != (206, whole[at : at + size]):
                wrong.append((at, size, reply.status, len(reply.body)))

    threads = [threading.Thread(target=look, args=(rng.random(),)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def refused(daemon, target, status, sentence):
    reply = daemon.http("GET", target)
    message = reply.collection["error"]["message"]
    assert reply.status == status and "does not lie here, and" in message and sentence in message, message


def test_over_rest_failures_have_their_reasons(core, replica, empty_tree):
    target = content_of(replica, "cat.txt")
    if os.geteuid() == 0:
        os.chmod(os.path.join(empty_tree, "cat.txt"), 0)
        refused(replica, target, 403, "does not let robby read this file")
    os.unlink(os.path.join(empty_tree, "cat.txt"))
    refused(replica, target, 404, "does not have it either")
    core.daemon.stop()
    refused(replica, target, 502, "no answer from")


def test_over_rest_others_do_not_read_with_our_rights(core, new_daemon, empty_tree):
    core.tree = empty_tree
    replica = follow(core, new_daemon(), "--rest", "127.0.0.1:0", "--rest-tls", "always")
    target = content_of(replica, "big-cat.bin")
    port = int(replica.log_text().split("catalogue at https://127.0.0.1:")[1].split()[0])
    tls = ssl._create_unverified_context()
    for rights, status in (("read,bypass_file_access_security", 403), ("read,bypass_file_access_security,operate", 200)):
        token = replica.pxs("token", "create", "--rights", rights).stdout.decode().split()[-1]
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=tls)
        connection.request("GET", target, headers={"Authorization": f"Bearer {token}"})
        reply = connection.getresponse()
        body = reply.read()
        assert reply.status == status, rights
        assert b"the right operate" in body if status == 403 else body == read(os.path.join(empty_tree, "big-cat.bin"))
        connection.close()


def begin(daemon, target):
    """A reply whose body has not been read."""
    connection = UnixConnection(daemon.socket)
    connection.request("GET", target)
    return connection.getresponse()


def test_over_rest_a_file_that_changes_meanwhile_is_no_mixture(replica, empty_tree):
    reply = begin(replica, content_of(replica, "big-cat.bin"))
    assert reply.status == 200 and len(reply.read(1000)) == 1000
    with open(os.path.join(empty_tree, "big-cat.bin"), "r+b") as at_core:
        at_core.seek(BIG - 10)
        at_core.write(b"other")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        reply.read()


def test_over_rest_whatever_goes_wrong_nothing_wrong_is_read(far):
    target = content_of(far, "cat.txt")
    for fault in faults_of_content(far.proxy):
        with contextlib.suppress(http.client.IncompleteRead):  # the head was right
            reply = far.http("GET", target)
            assert reply.status in (403, 404, 502, 503) or (reply.status, reply.body) == (200, b"meow\n"), (fault, reply.status)
    assert far.get(target).body == b"meow\n"


def test_over_rest_a_core_that_says_nothing_delays_nobody_else(far, empty_tree):
    """Neither before the answer nor within it, and whoever goes away or ends the daemon does not wait."""
    cat, big = content_of(far, "cat.txt"), content_of(far, "big-cat.bin")
    begun = begin(far, big)
    assert begun.read(1000) == read(os.path.join(empty_tree, "big-cat.bin"))[:1000]
    far.proxy.set("stalls", "content")
    waiting = []
    for _ in range(40):  # more than there are threads for them
        waiting.append(UnixConnection(far.socket))
        waiting[-1].request("GET", cat)

    def read_on():
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            begun.read()

    reader = threading.Thread(target=read_on)
    reader.start()
    while far.proxy.hits < 4:  # as many connections as there are to a core
        time.sleep(0.01)
    start = time.monotonic()
    for _ in range(20):
        assert far.get("/version").status == 200
        assert list(far.items('{"_all":"cat"}'))
    assert time.monotonic() - start < 10  # 0.1 s, where the machine is idle
    for connection in waiting:
        connection.close()
    start = time.monotonic()
    far.stop()
    assert time.monotonic() - start < 20  # a second; not the 30 s that the core is given
    reader.join()
