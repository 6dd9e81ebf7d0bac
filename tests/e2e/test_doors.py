"""The same behaviour of a mount through each of its doors: locally, over NFS, over SMB. In what they differ
stands in differences.py."""

import contextlib
import errno
import os
import re
import stat

import pytest

import daemon as daemons
import differences
import nfs4
import shares

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="serving takes root")

FILES = 12
# File names, and how the mount shows them: text that is none is escaped to be some, and once more for the name.
ODD = {
    b'odd: a*b "c"?\n.txt': "odd%3A a%2Ab %22c%22%3F%0A.txt",
    b"odd 100%\xff.txt": "odd 100%2525%25FF.txt",
    "odd stra\u00dfe \U0001f408.txt".encode(): "odd stra\u00dfe \U0001f408.txt",
}


class Refused(Exception):
    """As the door calls the reason."""


class Local:
    def __init__(self, daemon):
        self.root = daemon.mountpoint

    def path(self, names):
        return os.path.join(self.root, *names)

    def ask(self, call, *arguments):
        try:
            return call(*arguments)
        except OSError as fault:
            raise Refused(errno.errorcode[fault.errno]) from None

    def list(self, *names):
        return sorted(self.ask(os.listdir, self.path(names)))

    def size(self, *names):
        return self.ask(os.stat, self.path(names)).st_size

    def kind(self, *names):
        mode = self.ask(os.lstat, self.path(names)).st_mode
        return {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}[stat.S_IFMT(mode)]

    def read(self, *names):
        with self.ask(open, self.path(names), "rb") as file:
            return file.read()

    def create(self, *names):
        self.ask(open, self.path(names), "xb")

    def remove(self, *names):
        self.ask(os.unlink, self.path(names))

    def rename(self, names, name):
        self.ask(os.rename, self.path(names), self.path([*names[:-1], name]))

    def mkdir(self, *names):
        self.ask(os.mkdir, self.path(names))


class Nfs:
    def __init__(self, ganesha):
        self.client = nfs4.Client(ganesha.port)

    def ask(self, call, *arguments):
        try:
            return call(*arguments)
        except nfs4.NfsError as fault:
            raise Refused(str(fault)) from None

    def handle(self, names):
        return self.ask(self.client.handle, "pxs", *names)

    def list(self, *names):
        """Of what a link leads to: that is for the client to find out."""
        if self.kind(*names) == "link":
            target = self.ask(self.client.readlink, self.handle(names))
            names = os.path.normpath("/".join([*names[:-1], target])).split("/")
        return sorted(self.ask(self.client.listing, self.handle(names)))

    def size(self, *names):
        return self.ask(self.client.attributes, self.handle(names))["size"]

    def kind(self, *names):
        return self.ask(self.client.attributes, self.handle(names))["type"]

    def read(self, *names):
        return self.ask(self.client.read, self.handle(names))

    def create(self, *names):
        self.ask(self.client.create, self.handle(names[:-1]), names[-1])

    def remove(self, *names):
        self.ask(self.client.remove, self.handle(names[:-1]), names[-1])

    def rename(self, names, name):
        self.ask(self.client.rename, self.handle(names[:-1]), names[-1], name)

    def mkdir(self, *names):
        self.ask(self.client.mkdir, self.handle(names[:-1]), names[-1])


class Smb:
    def __init__(self, samba, home):
        self.samba = samba
        self.copy = os.path.join(home, "copy")

    def ask(self, command, *names):
        """A command of smbclient's with a path for each {}."""
        quoted = ['"' + "\\".join(path) + '"' for path in names]
        told = self.samba.ask(command.format(*quoted))
        fault = re.search(r"NT_STATUS_(\w+)", told)
        if fault:
            raise Refused(fault[1])
        return told

    def list(self, *names):
        told = self.ask("cd {}; ls", names)
        return sorted(set(re.findall(r"^  (.+?) +[A-Z]* +\d+  \w{3} \w{3} .*$", told, re.M)) - {".", ".."})

    def info(self, names):
        return self.ask("allinfo {}", names)

    def size(self, *names):
        return int(re.search(r"\$DATA\], (\d+) bytes", self.info(names))[1])

    def kind(self, *names):
        return "folder" if re.search(r"^attributes: D", self.info(names), re.M) else "file"

    def read(self, *names):
        self.ask("get {} " + self.copy, names)
        with open(self.copy, "rb") as file:
            return file.read()

    def create(self, *names):
        self.ask("put /etc/hostname {}", names)

    def remove(self, *names):
        self.ask("del {}", names)

    def rename(self, names, name):
        self.ask("rename {} {}", names, [*names[:-1], name])

    def mkdir(self, *names):
        self.ask("mkdir {}", names)


@pytest.fixture(scope="module")
def doors(work):
    """Opens each of them when it is first asked for."""
    tree, home = os.path.join(work, "doors-tree"), os.path.join(work, "doors")
    os.makedirs(tree)
    for number in range(FILES):
        with open(os.path.join(tree, f"cats-{number}.txt"), "w", encoding="ascii") as file:
            file.write(f"cat {number}\n")
    for name in ODD:
        with open(os.path.join(os.fsencode(tree), name), "wb") as file:
            file.write(name)
    daemon = daemons.Daemon(home)
    opened = {}
    try:
        with contextlib.ExitStack() as stack:
            daemon.start("--public")
            daemon.pxs("ingest", tree)

            def open_door(name):
                if name == "local":
                    return Local(daemon)
                place = os.path.join(home, name)
                os.mkdir(place)
                if name == "nfs":
                    server = shares.Ganesha(place, daemon.mountpoint)
                    stack.enter_context(server.serving())
                    return Nfs(server)
                shares.need("smbclient")
                server = shares.Samba(place, daemon.mountpoint)
                stack.enter_context(server.serving())
                return Smb(server, place)

            def get(name):
                if name not in opened:
                    opened[name] = open_door(name)
                return opened[name]

            yield get
        assert daemon.stop() == 0
        assert not daemon.new_alarms()
    finally:
        daemon.destroy()


@pytest.fixture(params=differences.DOORS)
def door(request, doors):
    found = doors(request.param)
    found.name = request.param
    return found


CATS = ("query", "_all=cats")


def refused(door, what, call, *arguments):
    with pytest.raises(Refused) as raised:
        call(*arguments)
    assert str(raised.value) == differences.refused(what, door.name)


def results(names):
    return [name for name in names if name.endswith(".txt")]


def test_a_query_is_listed(door):
    assert results(door.list(*CATS)) == sorted(f"cats-{number}.txt" for number in range(FILES))
    assert {"core.size", ".pxs"} <= set(door.list(*CATS))


def test_attributes(door):
    assert door.size(*CATS, "cats-11.txt") == len("cat 11\n")
    assert door.kind(*CATS, "cats-11.txt") == "file"
    assert door.kind(*CATS) == door.kind(*CATS, "core.size") == "folder"


def test_content(door):
    assert door.read(*CATS, "cats-7.txt") == b"cat 7\n"
    assert door.read(*CATS, ".pxs", "count") == f"{FILES}\n".encode()


def test_a_choice_of_a_facet_is_a_folder(door):
    assert {"6", "7"} <= set(door.list(*CATS, "core.size"))
    assert door.kind(*CATS, "core.size", "7") == differences.shown("a choice of a facet", door.name)
    assert results(door.list(*CATS, "core.size", "7")) == ["cats-10.txt", "cats-11.txt"]


def test_a_deep_path(door):
    deep = (*CATS, *(f"core.size=..{size}" for size in range(1000, 1040)), "core.extension=.txt", "_sort=-core.size")
    assert len("/".join(deep)) > 700
    assert len(results(door.list(*deep))) == FILES
    assert door.read(*deep, "cats-3.txt") == b"cat 3\n"


def test_names_of_odd_bytes(door):
    folder = ("query", "_all=odd")
    assert results(door.list(*folder)) == sorted(ODD.values())
    for name, shown in ODD.items():
        assert door.size(*folder, shown) == len(name)
        assert door.read(*folder, shown) == name


def test_a_name_that_is_not_there(door):
    refused(door, "a name that is not there", door.size, *CATS, "dogs.txt")
    refused(door, "a name that is not there", door.read, *CATS, "dogs.txt")


def test_a_query_that_is_none(door):
    refused(door, "a query that is none", door.list, "query", "nonsense=1")


CHANGES = {
    "removing a result": lambda door: door.remove(*CATS, "cats-7.txt"),
    "making a file": lambda door: door.create(*CATS, "new.txt"),
    "renaming a result": lambda door: door.rename((*CATS, "cats-7.txt"), "other.txt"),
    "making a folder": lambda door: door.mkdir(*CATS, "folder"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_shown_is_not_changed(door, change):
    before = door.list(*CATS)
    refused(door, change, CHANGES[change], door)
    assert door.list(*CATS) == before
    assert door.read(*CATS, "cats-7.txt") == b"cat 7\n"


def test_a_group_of_saved_searches(door):
    change = "making a group of saved searches"
    if differences.refused(change, door.name):
        refused(door, change, door.mkdir, "saved", door.name)
    else:
        door.mkdir("saved", door.name)
        assert door.name in door.list("saved")
