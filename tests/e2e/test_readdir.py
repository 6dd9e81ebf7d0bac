"""readdir as strange programs and NFS servers use it: small buffers, seeks, reopened folders."""

import ctypes
import errno
import json
import os
import struct
import threading

import pytest

import daemon as daemons

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_GETDENTS64 = {"x86_64": 217}.get(os.uname().machine, 61)


def getdents(fd, size=4096):
    """The next entries as (name, inode, cookie after it, type)."""
    buffer = ctypes.create_string_buffer(size)
    got = LIBC.syscall(SYS_GETDENTS64, fd, buffer, size)
    if got < 0:
        raise OSError(ctypes.get_errno(), "getdents64")
    entries, at = [], 0
    while at < got:
        inode, cookie, length, kind = struct.unpack_from("=QqHB", buffer.raw, at)
        name = buffer.raw[at + 19 : at + length].split(b"\0", 1)[0]
        entries.append((name, inode, cookie, kind))
        at += length
    return entries


def read_all(fd, size=4096):
    found = []
    while entries := getdents(fd, size):
        found += entries
    return found


@pytest.fixture(
    params=[
        "_all=readme",
        "core.type=file",
        "_sort=-core.size",
        "core.type=file/core.size",
        "",
        "core.type=file/.pxs",
    ]
)
def folder(request, mount):
    return mount.query(*request.param.split("/"))


def opened(folder):
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


def test_any_buffer_lists_the_same(folder):
    fd = opened(folder)
    whole = read_all(fd, 2**20)
    names = [name for name, *_ in whole]
    assert names[:2] == [b".", b".."] and len(set(names)) == len(names)
    for size in (600, 4096, 32768):
        os.lseek(fd, 0, os.SEEK_SET)
        assert [name for name, *_ in read_all(fd, size)] == names
    os.close(fd)


def test_inode_and_type_are_those_of_stat(folder):
    fd = opened(folder)
    for name, inode, _, kind in read_all(fd)[2:300]:
        st = os.lstat(os.path.join(os.fsencode(folder), name))
        assert (st.st_ino, st.st_mode >> 12) == (inode, kind)
    os.close(fd)


def test_cookies_are_positive_and_differ(folder):
    fd = opened(folder)
    cookies = [cookie for _, _, cookie, _ in read_all(fd)]
    assert len(set(cookies)) == len(cookies)
    assert all(0 < cookie < 2**63 for cookie in cookies)
    os.close(fd)


def test_seeking_back_to_any_place(folder, rng):
    fd = opened(folder)
    whole = read_all(fd)
    for at in rng.sample(range(len(whole)), min(20, len(whole))):
        os.lseek(fd, whole[at][2], os.SEEK_SET)
        assert read_all(fd) == whole[at + 1 :]
    os.close(fd)


def test_a_cookie_is_valid_in_a_folder_opened_anew(folder, rng):
    """NFS servers open, seek and read again for every few entries."""
    fd = opened(folder)
    whole = read_all(fd)
    os.close(fd)
    for at in rng.sample(range(len(whole)), min(20, len(whole))):
        fd = opened(folder)
        os.lseek(fd, whole[at][2], os.SEEK_SET)
        assert read_all(fd, 600) == whole[at + 1 :]
        os.close(fd)


def test_a_cookie_from_nowhere_ends_or_fails(mount):
    fd = opened(mount.query("_all=readme"))
    os.lseek(fd, 2**62 + 12345, os.SEEK_SET)
    try:
        assert read_all(fd) == []
    except OSError as reason:
        assert reason.errno == errno.EINVAL
    os.close(fd)


def test_dot_and_dotdot_are_the_folders_themselves(mount):
    folder = mount.query("_all=readme", "core.type=file")
    fd = opened(folder)
    entries = {name: inode for name, inode, *_ in getdents(fd)}
    os.close(fd)
    assert entries[b"."] == os.stat(folder).st_ino
    assert entries[b".."] == os.stat(mount.query("_all=readme")).st_ino


def test_a_listing_survives_changes_underneath(new_daemon, empty_tree):
    """What stays throughout is told once, even when documents come and go between two reads."""
    for number in range(500):
        with open(os.path.join(empty_tree, f"f{number:03}"), "wb"):
            pass
    daemon = new_daemon().start()
    daemon.pxs("ingest", empty_tree)
    folder = daemon.query("core.type=file")
    fd = opened(folder)
    first = getdents(fd)
    for number in range(0, 500, 10):
        os.unlink(os.path.join(empty_tree, f"f{number:03}"))
    for number in range(500, 600):
        with open(os.path.join(empty_tree, f"f{number:03}"), "wb"):
            pass
    daemon.pxs("ingest", empty_tree)
    os.close(fd)
    fd = opened(folder)
    os.lseek(fd, first[-1][2], os.SEEK_SET)
    names = [name for name, *_ in first + read_all(fd)]
    os.close(fd)
    assert len(set(names)) == len(names)
    assert {f"f{number:03}".encode() for number in range(500) if number % 10} <= set(names)


MANY, REOPENED = (1_000_000, 200) if daemons.FULL else (20_000, 50)


class Changes(threading.Thread):
    """Documents that change, others that leave the query user.tags=!gone, come back or are deleted, and new ones."""

    def __init__(self, daemon, source, ids, staying, rng):
        super().__init__(daemon=True)
        self.catalogue, self.source, self.ids, self.rng = daemon, source, ids, rng
        self.staying = sorted(staying)
        self.others = sorted(ids.keys() - staying)
        self.connection = daemons.UnixConnection(daemon.socket)
        self.ending, self.fault, self.turns = threading.Event(), None, 0

    def ask(self, method, name, **values):
        data = [{"name": "user." + key, "value": value} for key, value in values.items()]
        headers = {"If-Match": "*", "Content-Type": "application/json"}
        body = json.dumps({"template": {"data": data}}) if values else None
        self.connection.request(method, f"/files/{self.ids[name]}", body, headers)
        reply = daemons.Reply(self.connection.getresponse())
        assert reply.status in (200, 204), reply.body

    def turn(self):
        for name in self.rng.sample(self.staying, 10):
            self.ask("PATCH", name, rating=self.turns)
        for name in self.rng.sample(self.others, 10):
            self.ask("PATCH", name, tags=[self.rng.choice(["gone", "here"])])
        self.ask("DELETE", self.others.pop(self.rng.randrange(len(self.others))))
        with open(os.path.join(self.source, f"new{self.turns}"), "wb"):
            pass
        self.catalogue.pxs("ingest", self.source)
        self.turns += 1

    def run(self):
        try:
            while not self.ending.is_set():
                self.turn()
        except BaseException as fault:
            self.fault = fault

    def wait_for_more(self):
        before = self.turns
        while self.turns == before and self.is_alive():
            self.join(0.005)

    def end(self):
        self.ending.set()
        self.join(daemons.PATIENCE_S)
        assert not self.fault, self.fault


def read_and_reopen(folder, between):
    """All names by pages of 4 KiB and, as NFS does, from time to time in a folder that is opened anew."""
    fd, names, pages = opened(folder), [], 0
    while entries := getdents(fd):
        names += [name for name, *_ in entries]
        pages += 1
        if pages % REOPENED == 0:
            os.close(fd)
            between()
            fd = opened(folder)
            os.lseek(fd, entries[-1][2], os.SEEK_SET)
    os.close(fd)
    return names


def test_what_stays_comes_once_while_others_come_and_go(new_daemon, empty_tree, rng):
    many, few = os.path.join(empty_tree, "many"), os.path.join(empty_tree, "few")
    os.mkdir(many)
    os.mkdir(few)
    for number in range(MANY):
        os.close(os.open(os.path.join(many, f"f{number:07}"), os.O_CREAT | os.O_WRONLY))
    daemon = new_daemon().start()
    daemon.pxs("ingest", many)
    daemon.pxs("ingest", few)
    ids = {item["core.filename"]: item["_id"] for item in daemon.items(projection='{"core.filename":1}')}
    staying = set(rng.sample(sorted(ids), len(ids) * 9 // 10))

    changes = Changes(daemon, few, ids, staying, rng)
    changes.start()
    names = read_and_reopen(daemon.query("user.tags=!gone", "core.type=file"), changes.wait_for_more)
    changes.end()
    assert changes.turns > 5
    assert len(set(names)) == len(names)
    assert staying <= {name.decode() for name in names}
    print(f"{len(names)} entries, {len(staying)} of which stayed, over {changes.turns} turns of changes")
