"""Who may see what, against the kernel as the oracle: in a tree of random owners, groups, modes and ACLs each of
many users finds at every door exactly those documents that a process of his can stat."""

import json
import os
import pwd
import struct

import pytest

import daemon as daemons
from test_visibility import as_user

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="takes other users")

USERS, FOLDERS = (12, 1700) if daemons.FULL else (6, 80)
FILES = 4  # in each folder
GROUPS = range(62000, 62006)
# Weird ones count, too: what the owner or the group may not, others may.
MODES = [0o755, 0o755, 0o755, 0o750, 0o700, 0o711, 0o710, 0o701, 0o705, 0o077, 0o057, 0o644, 0o000, 0o2770, 0o1777]

# What one user finds, told by a process of his own.
FIND = """
import http.client, json, os, socket, sys
from urllib.parse import quote

class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])

def can(path):
    try:
        os.lstat(path)
    except OSError:
        return False
    return True

def rest():
    connection = Unix("localhost")
    target = "/files/?where={}&max_results=1000&projection=" + quote('{"core.pathname":1}')
    headers = {"Authorization": "Bearer " + sys.argv[2]} if sys.argv[2] else {}
    while target:
        connection.request("GET", target, headers=headers)
        collection = json.loads(connection.getresponse().read())["collection"]
        for item in collection["items"]:
            for field in item["data"]:
                if field["name"] == "core.pathname":
                    yield field["value"]
        following = (link["href"] for link in collection["links"] if link["rel"] == "next")
        target = quote(next(following, ""), safe='%/?&=+:,"{}[]')

def read(folder, name):
    with open(os.path.join(folder, ".pxs", name), "rb") as file:
        return file.read()

def mounted(folder):
    names = os.listdir(folder)
    return {
        "names": [name for name in names if name[0] in "fd" and name[1:].isdigit()],
        "paths": [os.fsdecode(path) for path in read(folder, "paths0").split(b"\\0")[:-1]],
        "count": int(read(folder, "count")),
    }

found = {"stat": [path for path in json.load(sys.stdin) if can(path)], "rest": list(rest())}
if len(sys.argv) > 3:
    found |= mounted(sys.argv[3])
print(json.dumps(found))
"""


def random_users(rng):
    return [
        (61000 + number, rng.choice(GROUPS), rng.sample(GROUPS, rng.randrange(4)))
        for number in range(USERS)
    ]


def accounts():
    """{name: user} of some that every system has, with their groups in /etc/group."""
    found = [pwd.getpwnam(name) for name in ("daemon", "games", "mail", "backup", "www-data")]
    return {
        entry.pw_name: (entry.pw_uid, entry.pw_gid, os.getgrouplist(entry.pw_name, entry.pw_gid))
        for entry in found
    }


def acl(rng, users):
    """system.posix_acl_access with entries for one user and one group (linux/posix_acl_xattr.h)."""
    none = 0xFFFFFFFF
    entries = [(1, 7, none), (2, rng.choice([0, 5]), rng.choice(users)[0]), (4, rng.choice([0, 5]), none),
               (8, rng.choice([0, 5]), rng.choice(GROUPS)), (16, rng.choice([5, 5, 0]), none),
               (32, rng.choice([0, 5]), none)]  # fmt: skip
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def close(folder, rng, users):
    """FOLDER becomes somebody's, with some mode or some ACL."""
    os.chown(folder, rng.choice([0, *(user[0] for user in users)]), rng.choice([0, *GROUPS]))
    os.chmod(folder, rng.choice(MODES))
    if rng.random() < 0.1:
        os.setxattr(folder, "system.posix_acl_access", acl(rng, users))


def make_tree(root, rng, users):
    """Returns the folders; all names differ."""
    os.chmod(root, 0o755)
    folders = [root]
    for number in range(FOLDERS):
        folder = os.path.join(rng.choice(folders), f"d{number}")
        os.mkdir(folder)
        folders.append(folder)
        for name in range(FILES):
            path = os.path.join(folder, f"f{number * FILES + name}")
            with open(path, "wb"):
                pass
            os.chmod(path, rng.choice(MODES))
    for folder in rng.sample(folders[1:], FOLDERS // 2):
        close(folder, rng, users)
    return folders[1:]


def finds(user, daemon, paths, *folder, token=""):
    return json.loads(as_user(user, FIND, daemon.socket, token, *folder, given=json.dumps(paths)))


def has_acl(path):
    while path != "/":
        if "system.posix_acl_access" in os.listxattr(path):
            return True
        path = os.path.dirname(path)
    return False



def test_everybody_finds_what_he_could_stat(new_daemon, empty_tree, rng):
    users = random_users(rng)
    folders = make_tree(empty_tree, rng, users)
    daemon = new_daemon()
    shared = ["--mount", daemon.mountpoint, "-o", "allow_other,visibility=unix", "--public"]
    daemon.start(*shared, mount=False)
    daemon.pxs("ingest", empty_tree)
    paths = sorted(item["core.pathname"] for item in daemon.items())
    assert len(paths) == FOLDERS * (FILES + 1)

    pairs = seen = 0
    for turn in range(2):
        if turn == 1:  # they may see others now; a daemon that has just begun remembers nothing
            for folder in rng.sample(folders, FOLDERS // 4):
                close(folder, rng, users)
            assert daemon.stop() == 0
            daemon.start(*shared, mount=False)
        for user in users:
            found = finds(user, daemon, paths, daemon.query("core.pathname=.."))
            may = set(found["stat"])
            for door in ("rest", "paths"):
                assert len(found[door]) == len(set(found[door]))
                assert set(found[door]) - may == set(), (user, door, "extra")
                assert may - set(found[door]) == set(), (user, door, "missing")
            assert sorted(found["names"]) == sorted(os.path.basename(path) for path in may), user
            assert found["count"] == len(may)
            pairs += len(paths)
            seen += len(may)
    assert pairs / 50 < seen < pairs
    print(f"{pairs} pairs of user and document, {seen} of them seen: none extra, none missing")


def test_a_daemon_that_is_not_root_shows_nothing_extra(new_daemon, empty_tree, rng):
    """It has only the modes to go by, and hides what it cannot be sure of."""
    users = random_users(rng)
    make_tree(empty_tree, rng, users)
    ours = (61000 + USERS, GROUPS[0], [GROUPS[1]])
    daemon = new_daemon().start(mount=False)
    os.chmod(daemon.home, 0o777)
    daemon.pxs("ingest", empty_tree)
    paths = sorted(item["core.pathname"] for item in daemon.items())
    assert daemon.stop() == 0
    for name in ("", *os.listdir(daemon.index)):
        os.chown(os.path.join(daemon.index, name), *ours[:2])
    daemon.start("--public", mount=False, user=ours[0], group=ours[1], extra_groups=ours[2])
    its = set(finds((ours[0], *ours[1:]), daemon, paths)["stat"])
    for user in users:
        found = finds(user, daemon, paths)
        may, shown = set(found["stat"]), set(found["rest"])
        assert shown - may == set(), user
        assert all(has_acl(path) for path in (may - shown) & its), user


def test_a_token_finds_what_its_user_could_stat(new_daemon, empty_tree, rng):
    """Whoever asks with it: the process here is root's."""
    users = accounts()
    for path in make_tree(empty_tree, rng, list(users.values())):
        if rng.random() < 0.3:
            os.chown(path, -1, rng.choice([gid for user in users.values() for gid in user[2]]))
    daemon = new_daemon().start("--public", mount=False)
    daemon.pxs("ingest", empty_tree)
    paths = sorted(item["core.pathname"] for item in daemon.items())
    for name, user in users.items():
        token = daemon.pxs("token", "create", "--user", name, "--rights", "read").stdout.decode().strip()
        may = finds(user, daemon, paths, token=token)["stat"]
        shown = finds((0, 0, []), daemon, paths, token=token)["rest"]
        assert may and sorted(shown) == sorted(may), name
