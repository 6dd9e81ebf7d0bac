"""Who may see what, and what happens where pxs itself may not look."""

import json
import os
import subprocess
from urllib.parse import quote

import pytest

import daemon as daemons

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")
NOBODY = 65534


def as_nobody(*command, **options):
    return subprocess.run(
        command,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        check=False,
        timeout=daemons.PATIENCE_S,
        env=daemons.environment(),
        cwd="/",
        **options,
    )


@needs_root
def test_an_unreadable_folder(new_daemon, empty_tree):
    """The scan by a user who may not read it tells so, and goes on with the rest."""
    for name in ("open", "closed"):
        os.mkdir(os.path.join(empty_tree, name))
        with open(os.path.join(empty_tree, name, "file"), "wb"):
            pass
    os.chmod(os.path.join(empty_tree, "closed"), 0o700)
    daemon = new_daemon()
    os.chmod(daemon.home, 0o777)
    os.mkdir(daemon.index)
    os.chown(daemon.index, NOBODY, NOBODY)
    daemon.announced = [rb"closed", rb"could not be read", rb"failed"]
    daemon.start(mount=False, user=NOBODY, group=NOBODY, extra_groups=[])
    done = daemon.pxs("ingest", empty_tree, code=3)
    assert b"1" in done.stderr + done.stdout
    paths = daemon.pxs("find", "-0", "*").stdout.split(b"\0")[:-1]
    assert os.path.join(os.fsencode(empty_tree), b"open/file") in paths
    assert not any(path.endswith(b"closed/file") for path in paths)
    (line,) = daemon.pxs("status", "--failed").stdout.decode().splitlines()
    path, reason = line.split("\t")
    assert path == os.path.join(empty_tree, "closed") and "ermission" in reason
    assert "1" in daemon.pxs("status").stdout.decode()


@needs_root
def test_content_is_opened_as_the_caller(new_daemon, empty_tree):
    for name, mode in (("secret", 0o600), ("public", 0o644), ("closed/hidden", 0o644)):
        os.makedirs(os.path.dirname(os.path.join(empty_tree, name)), exist_ok=True)
        with open(os.path.join(empty_tree, name), "wb") as file:
            file.write(b"content")
        os.chmod(os.path.join(empty_tree, name), mode)
    os.chmod(os.path.join(empty_tree, "closed"), 0o700)
    daemon = new_daemon().start("--public")
    daemon.pxs("ingest", empty_tree)
    shown = daemon.query("core.type=file")
    assert as_nobody("ls", shown).returncode == 0
    assert as_nobody("cat", os.path.join(shown, "public")).stdout == b"content"
    for name in ("secret", "hidden"):
        denied = as_nobody("cat", os.path.join(shown, name))
        assert denied.returncode != 0 and b"Permission denied" in denied.stderr, name
    found = as_nobody(daemons.BINARY, "find", "--socket", daemon.socket, "*")
    assert found.returncode == 0 and len(found.stdout.splitlines()) == 3
    ingest = as_nobody(daemons.BINARY, "ingest", "--socket", daemon.socket, empty_tree)
    assert ingest.returncode == 12 and ingest.stderr


@needs_root
def test_others_are_kept_out_unless_public(new_daemon, empty_tree):
    daemon = new_daemon().start()
    assert as_nobody("ls", daemon.mountpoint).returncode != 0
    assert as_nobody(daemons.BINARY, "find", "--socket", daemon.socket, "*").returncode not in (
        0,
        1,
    )

ASK = """
import http.client, json, socket, sys
class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
for target in sys.argv[2:]:
    connection = Unix("localhost")
    connection.request("GET", target)
    reply = connection.getresponse()
    print(json.dumps([reply.status, json.loads(reply.read())]))
"""


def ask_as_nobody(daemon, *targets):
    """Status and JSON of each."""
    done = as_nobody("/usr/bin/python3", "-c", ASK, daemon.socket, *targets)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@needs_root
@pytest.mark.parametrize("user", [0, NOBODY - 1], ids=["by-the-kernel", "by-the-modes"])
def test_what_one_could_not_stat_is_not_there(new_daemon, empty_tree, user):
    """In items, counts, facets, changes and content alike; search permission along the path counts,
    permission to read the file does not."""
    modes = {"open": 0o755, "open/deep": 0o755, "blind": 0o711, "closed": 0o700, "group": 0o750}
    for name, mode in modes.items():
        os.mkdir(os.path.join(empty_tree, name))
    os.makedirs(os.path.join(empty_tree, "closed/below"))
    for folder in [*modes, "closed/below"]:
        path = os.path.join(empty_tree, folder, "file.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write("text")
        os.chmod(path, 0o600)
    os.chown(os.path.join(empty_tree, "group"), -1, NOBODY)
    for name in reversed(modes):
        os.chmod(os.path.join(empty_tree, name), modes[name])
    daemon = new_daemon()
    os.chmod(daemon.home, 0o777)
    if user:
        os.mkdir(daemon.index)
        for path, folders, files in os.walk(empty_tree):
            for name in [path] + [os.path.join(path, name) for name in files]:
                os.chown(name, user, -1)
        os.chown(daemon.index, user, user)
    daemon.start("--public", mount=False, user=user, group=user, extra_groups=[])
    daemon.pxs("ingest", empty_tree)
    ids = {item["core.pathname"]: item["_id"] for item in daemon.items()}
    seen = {f"{empty_tree}/{name}/file.txt" for name in ("open", "open/deep", "blind", "group")}
    hidden = ids[f"{empty_tree}/closed/below/file.txt"]

    where = quote('{"core.filename":"file.txt"}')
    found, facet, gone, content, feed, status = ask_as_nobody(
        daemon,
        f"/files?where={where}",
        f"/files?where={where}&projection=" + quote('{"filters":"core.directory"}'),
        f"/files/{hidden}",
        f"/files/{hidden}/content",
        "/changes?since=0",
        "/status",
    )
    items = [
        {field["name"]: field["value"] for field in item["data"]}
        for item in found[1]["collection"]["items"]
    ]
    assert {item["core.pathname"] for item in items} == seen
    assert found[1]["collection"]["properties"][0]["value"] == len(seen)
    assert "closed" not in json.dumps(facet)
    assert gone[0] == content[0] == 404
    told = {
        field["value"]
        for item in feed[1]["collection"]["items"]
        for field in item["data"]
        if field["name"] == "_id"
    }
    assert hidden not in told and {ids[path] for path in seen} <= told
    assert status[1]["documents"] == len(ids) - 3  # not what is in closed/ and below it
    (failures,) = ask_as_nobody(daemon, "/failures")
    assert failures[0] == 403
