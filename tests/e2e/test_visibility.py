"""visibility=unix: everybody sees in a shared mount what he could stat, and hears of nothing else."""

import errno
import json
import os
import subprocess

import pytest

import daemon as daemons

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="takes other users")

# (uid, gid, more groups), none of which needs to be in /etc/passwd.
USERS = [(65534, 65534, []), (61001, 61001, []), (61002, 61002, [61001]), (61003, 61001, [61002])]
FOLDERS = int(os.environ.get("PXS_VISIBILITY_FOLDERS", 30))
FILES = 5  # in each: FOLDERS * FILES * users pairs

# What one user sees, told by a process of his own.
LOOK = """
import json, os, sys
query, paths = sys.argv[1], json.load(sys.stdin)

def can(path):
    try:
        os.lstat(path)
    except OSError:
        return False
    return True

def read(*names):
    with open(os.path.join(query, ".pxs", *names), "rb") as file:
        return file.read()

def names_of(folder):
    return sorted(n for n in os.listdir(folder) if os.path.isfile(os.path.join(folder, n)))

rows = [row.split("\\t") for row in read("facets.tsv").decode().splitlines()[1:]]
results = json.loads(read("results.json"))["collection"]["items"]
print(json.dumps({
    "stat": sorted(path for path in paths if can(path)),
    "paths": sorted(os.fsdecode(p) for p in read("paths0").split(b"\\0")[:-1]),
    "count": int(read("count")),
    "xattr_count": int(os.getxattr(query, "user.pxs.count")),
    "names": names_of(query),
    "opened": sum(can(os.path.join(query, name)) for name in names_of(query)),
    "facets": [[row[0], row[1], int(row[2])] for row in rows],
    "results": len(results),
    "files": os.statvfs(query).f_files,
    "by_id": sorted(n for n in json.loads(sys.argv[2]) if can(os.path.join(sys.argv[3], "id", n))),
    "tree": sum(len(files) for _, _, files in os.walk(os.path.join(query, ".pxs/tree"))),
}))
"""


def as_user(user, script, *arguments, given="", code=0):
    uid, gid, groups = user
    done = subprocess.run(
        ["/usr/bin/python3", "-c", script, *arguments],
        user=uid,
        group=gid,
        extra_groups=groups,
        input=given.encode(),
        capture_output=True,
        check=False,
        timeout=daemons.PATIENCE_S,
        cwd="/",
    )
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode()


def make_folders(root, rng):
    """Nested folders of any owner and mode; what is in them has names of its own."""
    folders = [root]
    os.chmod(root, 0o755)
    for number in range(FOLDERS):
        folder = os.path.join(rng.choice(folders), f"d{number}")
        os.mkdir(folder)
        for name in range(FILES):
            with open(os.path.join(folder, f"f{number}x{name}.jpg"), "wb") as file:
                file.write(b"x" * rng.randrange(1, 5000))
        folders.append(folder)
    for folder in folders[1:]:
        uid, gid, _ = rng.choice([*USERS, (0, 0, [])])
        os.chown(folder, uid, gid)
        os.chmod(folder, rng.choice([0o755, 0o755, 0o750, 0o700, 0o711, 0o710, 0o644, 0o000]))
    # One for everybody, one for nobody.
    os.chmod(folders[1], 0o755)
    os.chown(folders[-1], 0, 0)
    os.chmod(folders[-1], 0o700)


@pytest.fixture
def daemon(new_daemon, empty_tree, rng):
    make_folders(empty_tree, rng)
    daemon = new_daemon()
    daemon.start("--mount", daemon.mountpoint, "-o", "allow_other,visibility=unix", mount=False)
    daemon.pxs("ingest", empty_tree)
    return daemon


def test_everybody_sees_what_he_could_stat(daemon):
    """The oracle is the kernel: real access as that user."""
    query = daemon.query("core.extension=.jpg")
    found = list(daemon.items(json.dumps({"core.extension": ".jpg"})))
    by_path = {item["core.pathname"]: str(item["_id"]) for item in found}
    assert len(by_path) == FOLDERS * FILES
    # Root has seen everything, so the kernel has what it would remember.
    assert len(subprocess.check_output(["ls", "-l", query]).splitlines()) > len(by_path)

    for user in USERS:
        told = as_user(
            user, LOOK, query, json.dumps(sorted(by_path.values())), daemon.mountpoint,
            given=json.dumps(sorted(by_path)),
        )  # fmt: skip
        seen = json.loads(told)
        may = seen["stat"]
        assert 0 < len(may) < len(by_path), user
        assert seen["paths"] == may, user
        assert seen["names"] == sorted(os.path.basename(path) for path in may)
        assert seen["by_id"] == sorted(by_path[path] for path in may)
        assert {seen[key] for key in ("count", "xattr_count", "opened", "results", "tree")} == {
            len(may)
        }
        folders = {os.path.dirname(path) for path in may}
        for name, bucket, count in seen["facets"]:
            assert 0 < count <= len(may)
            if name == "core.directory" and bucket != "(none)":
                # A value, or a range; a bound of it may be cut short.
                for bound in bucket.replace("%2F", "/").split(".."):
                    assert any(folder.startswith(bound) for folder in folders), (user, bucket)


def test_what_others_looked_up_is_not_there(daemon, empty_tree):
    """Neither names nor numbers that the kernel holds for another user lead to a document."""
    os.mkdir(os.path.join(empty_tree, "secret"))
    path = os.path.join(empty_tree, "secret", "hidden.jpg")
    with open(path, "wb") as file:
        file.write(b"x")
    os.chmod(os.path.dirname(path), 0o700)
    daemon.pxs("ingest", empty_tree)
    shown = daemon.query("core.extension=.jpg", "hidden.jpg")
    document = os.getxattr(shown, "user.pxs.id").decode()
    open_file = os.open(shown, os.O_RDONLY)
    try:
        for name in (shown, os.path.join(daemon.mountpoint, "id", document)):
            code = as_user(
                USERS[0],
                """
import os, sys
for do in (os.stat, os.listxattr, lambda p: os.getxattr(p, "user.pxs.path"), lambda p: open(p),
           lambda p: os.setxattr(p, "user.user.rating", b"5")):
    os.path.exists(sys.argv[1])
    try:
        do(sys.argv[1])
        print("done")
    except OSError as fault:
        print(fault.errno)
""",
                name,
            )
            assert set(code.split()) == {str(errno.ENOENT)}
    finally:
        os.close(open_file)
    # A search for what only others have tells nothing.
    empty = daemon.query("core.filename=hidden.jpg", ".pxs/count")
    assert as_user(USERS[0], "import sys; print(open(sys.argv[1]).read())", empty).split() == ["0"]
    assert open(empty, encoding="ascii").read() == "1\n"


def test_status_tells_no_count_of_all(daemon):
    status = os.path.join(daemon.mountpoint, ".pxs/status")
    told = as_user(USERS[0], "import sys; print(open(sys.argv[1]).read())", status)
    everything = open(status, encoding="utf-8").read()
    total = everything.split("documents\t")[1].split("\n")[0]
    assert 0 < int(told.split("documents\t")[1].split("\n")[0]) < int(total)
    assert total not in told.split() and total in everything.split()
    told = as_user(USERS[0], "import sys; print(open(sys.argv[1]).read())",
                   daemon.query("core.extension=.jpg", ".pxs/query.json"))  # fmt: skip
    assert "generation" not in json.loads(told)


@pytest.mark.skipif(daemons.QUICK, reason="what somebody may see is remembered for 10 seconds")
def test_a_permission_that_is_taken_away_counts_soon(daemon, empty_tree):
    folder = os.path.join(empty_tree, "d0")
    os.chmod(folder, 0o755)
    os.chown(folder, 0, 0)
    name = daemon.query("core.extension=.jpg", "f0x0.jpg")
    script = """
import os, sys, time
end = time.monotonic() + 60
while os.path.exists(sys.argv[1]) != (sys.argv[2] == "there") and time.monotonic() < end:
    time.sleep(0.2)
print(os.path.exists(sys.argv[1]))
"""
    assert as_user(USERS[0], script, name, "there").split() == ["True"]
    os.chmod(folder, 0o700)
    assert as_user(USERS[0], script, name, "gone").split() == ["False"]


def test_an_unknown_visibility_is_refused(new_daemon):
    with pytest.raises(RuntimeError, match="visibility=all|unix"):
        daemon = new_daemon()
        daemon.start("--mount", daemon.mountpoint, "-o", "visibility=none", mount=False)
