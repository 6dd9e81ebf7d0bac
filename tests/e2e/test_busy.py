"""What is answered when there is more to do than can be done, and when the daemon ends: 429 for who asks
too much, 503 for everybody, and both say when to try again."""

import http.client
import itertools
import json
import os
import resource
import select
import signal
import socket
from urllib.parse import quote

import pytest

import daemon as daemons
from test_auth import ANN, FORM, Doors, form, slow
from test_cancel import SLOW_TEXT, crowd  # noqa: F401
from test_conformance import error, mismatch

WAITING_PER_USER, WAITING_MAX = 64, 512  # docs/limits-and-errors.md


@pytest.fixture(autouse=True)
def many_files():
    """Each connection is an open file of ours."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


class Asked:
    """Requests of which each has a connection of its own, until it is answered."""

    def __init__(self):
        self.poll = select.poll()
        self.waiting = {}
        self.answers = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection, _ in self.waiting.values():
            connection.close()

    def ask(self, connection, kind, head, body=""):
        connection.settimeout(daemons.PATIENCE_S)
        connection.sendall(f"{kind} HTTP/1.1\r\nHost: x\r\n{head}\r\n{body}".encode())
        self.waiting[connection.fileno()] = (connection, kind)
        self.poll.register(connection, select.POLLIN)

    def hear(self, timeout_s=0):
        """Take in what is answered by now, or within so many seconds. How much that was."""
        ready = self.poll.poll(timeout_s * 1000)
        for number, _ in ready:
            connection, kind = self.waiting.pop(number)
            self.poll.unregister(number)
            response = http.client.HTTPResponse(connection)
            response.begin()
            self.answers.append((kind, daemons.Reply(response)))
            connection.close()
        return len(ready)

    def refused(self, status):
        """The replies with STATUS, each of which must be whole."""
        found = [(kind, reply) for kind, reply in self.answers if reply.status == status]
        for _, reply in found:
            assert reply.headers["Retry-After"] == "2"
            assert mismatch(error(status, "again"), reply.json) is None
            assert reply.collection["error"]["request"] == reply.headers["X-Request-Id"]
        return found


def local(daemon):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(daemon.socket)
    return connection


# --- Searches ---

# Seconds of a core, and the more of them the less each gets of it: none ends within ten. No two are alike.
SECOND = " OR ".join(f"*{a}*{b}*{c}*" for a in "npqrs" for b in "abcdef" for c in "ghijklm")
ENDLESS = f"q=x{{}}%20OR%20{quote(SLOW_TEXT)}&where={quote(json.dumps({'_all': SECOND}))}"


def test_one_user_cannot_have_all(crowd):
    """More than his share is refused, and others are served meanwhile."""
    with Asked() as asked:
        for number in range(WAITING_PER_USER + 40):
            asked.ask(local(crowd), "GET /files?" + ENDLESS.format(number), crowd.credentials)
        while not asked.refused(429):
            assert asked.hear(daemons.PATIENCE_S)
        assert crowd.get("/files?q=core.type:file").collection["items"]
        assert asked.waiting


@slow
def test_all_together_cannot_have_more_than_there_is(crowd):
    """An operator has no share, but the line has an end, and a search too: that of ten seconds."""
    kinds = ["GET /files?{}", "DELETE /files?{}&dry_run=1", "GET /explain?{}"]
    with Asked() as asked:
        for number, kind in zip(range(8 * WAITING_MAX), itertools.cycle(kinds)):
            asked.ask(local(crowd), kind.format(ENDLESS.format(number)), "")
            asked.hear()
            refused = {kind.partition("?")[0] for kind, _ in asked.refused(503)}
            if len(refused) == len(kinds):
                break
        else:
            pytest.fail("nothing was refused")
        assert all("too many requests wait" in told(reply) for _, reply in asked.answers)
        asked.answers.clear()
        while not any("more than 10 s" in told(reply) for _, reply in asked.refused(503)):
            assert asked.hear(daemons.PATIENCE_S)


def told(reply):
    return reply.collection["error"]["message"]


# --- Log-ins ---

PAM_FILE = "/etc/pam.d/pxs-e2e-busy"
CONFIG = "rest = 127.0.0.1:0\nauth = 127.0.0.1:0\nauth-plain = yes\nrobots = {home}/robots\n[rights]\n* = read\n"


@pytest.fixture
def stuck(new_daemon):
    """Log-ins where PAM answers when the file `gate` is gone."""
    daemon = new_daemon()
    script, gate = os.path.join(daemon.home, "wait"), os.path.join(daemon.home, "gate")
    with open(gate, "x", encoding="ascii"), open(script, "x", encoding="ascii") as file:
        file.write(f"#!/bin/sh\nwhile [ -e {gate} ]; do sleep 0.05; done\n")
    os.chmod(script, 0o755)
    with open(PAM_FILE, "x", encoding="ascii") as file:
        file.write(f"auth required pam_exec.so quiet {script}\naccount required pam_permit.so\n")
    try:
        doors = Doors(daemon, CONFIG, "--pam", os.path.basename(PAM_FILE))
        doors.add_user(ANN)
        doors.port = int(doors.auth.rpartition(":")[2])
        yield doors
    finally:
        os.unlink(PAM_FILE)
        os.unlink(gate)


def log_in_from(doors, asked, address):
    body = form({"grant_type": "password", "username": "daemon", "password": "x"})
    head = f"Content-Type: {FORM}\r\nContent-Length: {len(body)}\r\n"
    connection = socket.create_connection(("127.0.0.1", doors.port), 30, (address, 0))
    asked.ask(connection, "POST /oauth2/token", head, body)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to write a PAM service")
def test_log_ins_of_one_address_keep_nobody_else_out(stuck):
    with Asked() as asked:
        for _ in range(WAITING_PER_USER + 20):
            log_in_from(stuck, asked, "127.0.0.2")
        while not asked.refused(429):
            assert asked.hear(daemons.PATIENCE_S)
        assert stuck.login(*ANN).status_code == 200

        # Of many addresses there are too many in all.
        for number in range(3, 255):
            for _ in range(WAITING_PER_USER):
                log_in_from(stuck, asked, f"127.0.0.{number}")
            asked.hear()
            if asked.refused(503):
                break
        else:
            pytest.fail("nobody was refused")
        assert stuck.get("/files", stuck.daemon.http("POST", "/tokens", '{"user": "ann"}').json["token"]).ok


# --- The end ---


def test_who_ends_is_not_ready(new_daemon, tmp_path):
    """Somebody takes his time to take an answer, so that the daemon waits for him."""
    large = tmp_path / "large"
    with open(large, "wb") as file:
        file.truncate(64 << 20)
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", str(tmp_path))
    (item,) = daemon.items(json.dumps({"core.pathname": str(large)}))
    since = daemon.status()["seq"]
    probe = daemons.UnixConnection(daemon.socket)

    def ask(target):
        probe.request("GET", target)
        return daemons.Reply(probe.getresponse())

    with Asked() as taking, Asked() as following:
        taking.ask(local(daemon), f"GET /files/{item['_id']}/content", "")
        assert taking.poll.poll(daemons.PATIENCE_S * 1000)
        following.ask(local(daemon), f"GET /changes?since={since}&wait=60", "")
        assert ask("/readyz").body == b"ready\n"
        daemon.process.send_signal(signal.SIGTERM)
        assert following.hear(daemons.PATIENCE_S)
        assert len(following.refused(503)) == 1
        reply = ask("/readyz")
        assert reply.status == 503 and reply.headers["Retry-After"] == "2"
        assert mismatch(error(503, "about to end"), reply.json) is None
        assert ask("/healthz").body == b"ok\n"
    probe.close()
    assert daemon.process.wait(daemons.PATIENCE_S) == 0
