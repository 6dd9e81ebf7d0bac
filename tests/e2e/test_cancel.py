"""A query ends with whoever asked it, at every door.

How much the daemon still computes afterwards is measured, not how long it takes, so a busy machine
makes no difference. Left alone, each of these queries computes for seconds."""

import glob
import http.client
import os
import random
import re
import signal
import socket
import ssl
import string
import struct
import subprocess
import sys
import time
from urllib.parse import quote, urlsplit

import pytest

import daemon as daemons

BEGUN_S = 0.2  # computed by then, it is surely searching
LEFT_S = 0.5  # what it may still compute: ten times what we promise
FREED_S = 1  # who is killed; it takes some milliseconds
IDLE_LOOKS = 10  # so many times in turn no thread of it was about to run

FILES = 5000
WORDS = 40  # in each name, and hardly one of them twice
SEGMENTS = 15  # as much as fits a path


def few_match(first):
    """Wildcards that look at every word and match few, as many as fit a name."""
    return " OR ".join(f"*{first}*{b}*{c}*" for b in "bdfhj" for c in "kmpt")


SLOW_TEXT = " OR ".join(f"*{a}*{b}*{c}*" for a in "abc" for b in "defghjkm" for c in "npqrstuwxz")
SLOW = f"/files?max_results=1&q={quote(SLOW_TEXT)}"
SLOWER = f"/files?max_results=1&q={quote(few_match('a'))}"  # than what is answered at once


@pytest.fixture(scope="module")
def crowd(work):
    """A catalogue of very many words, with all of its doors open."""
    tree = os.path.join(work, "crowd")
    rng = random.Random(1)
    for i in range(FILES):
        words = ("".join(rng.choices(string.ascii_lowercase, k=5)) for _ in range(WORDS))
        os.makedirs(f"{tree}/{i % 50}", exist_ok=True)
        with open(f"{tree}/{i % 50}/{' '.join(words)}", "wb"):
            pass
    daemon = daemons.Daemon(os.path.join(work, "crowded"))
    try:
        with open(os.path.join(daemon.home, "pxs.conf"), "w", encoding="ascii") as file:
            file.write("rest = 127.0.0.1:0\n[rights]\n* = read, bypass_file_access_security\n")
        daemon.start("--config", file.name, "--rest-tls", "always")
        daemon.pxs("ingest", tree)
        daemon.pxs("user", "add", "ann", "--password-file", file.name, "--rights", "read")
        token = daemon.pxs("token", "create", "--user", "ann").stdout.decode().strip()
        daemon.credentials = f"Authorization: Bearer {token}\r\n"
        yield daemon
        assert daemon.stop() == 0
        assert not daemon.new_alarms()
    finally:
        daemon.destroy()


# --- What the daemon does ---


def spent_s(daemon):
    with open(f"/proc/{daemon.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_running(daemon):
    """Whether a thread of it runs, or would if it had a core."""
    for path in glob.glob(f"/proc/{daemon.process.pid}/task/*/stat"):
        try:
            with open(path, encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] == "R":
                    return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False


def wait_until_idle(daemon):
    looks = 0
    deadline = time.monotonic() + daemons.PATIENCE_S
    while looks < IDLE_LOOKS:
        looks = 0 if is_running(daemon) else looks + 1
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Searching:
    """Within it, the daemon is asked, and searches; when it ends, whoever asked must be gone."""

    def __init__(self, daemon):
        self.daemon = daemon

    def __enter__(self):
        wait_until_idle(self.daemon)
        self.before = spent_s(self.daemon)
        return self

    def wait(self):
        """Until the search is on its way."""
        deadline = time.monotonic() + daemons.PATIENCE_S
        while spent_s(self.daemon) < self.before + BEGUN_S:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        self.begun = spent_s(self.daemon)

    def __exit__(self, kind, *_):
        wait_until_idle(self.daemon)
        if not kind:
            assert spent_s(self.daemon) - self.begun < LEFT_S


# --- HTTP ---


def connect_socket(daemon):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(daemon.socket)
    return connection


def connect_tls(daemon):
    url = re.search(r"serves the catalogue at (\S+)", daemon.log_text())[1]
    assert url.startswith("https://")
    parts = urlsplit(url)
    context = ssl.create_default_context(cafile=os.path.join(daemon.index, "tls-cert.pem"))
    context.check_hostname = False
    tcp = socket.create_connection((parts.hostname, parts.port))
    return context.wrap_socket(tcp)


CONNECT = [connect_socket, connect_tls]


def ask(daemon, connection, target):
    head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{daemon.credentials}\r\n"
    connection.settimeout(daemons.PATIENCE_S)
    connection.sendall(head.encode())


def close(connection):
    connection.close()


def reset(connection):
    """As a machine does that has lost it, or a program that ends with bytes unread."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def pipeline_and_close(connection):
    connection.sendall(b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
    connection.close()


def status_of(connection):
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read()


@pytest.mark.parametrize("leave", [close, reset, pipeline_and_close])
@pytest.mark.parametrize("connect", CONNECT)
def test_a_search_ends_with_its_connection(crowd, connect, leave):
    with Searching(crowd) as searching, connect(crowd) as connection:
        ask(crowd, connection, SLOW)
        searching.wait()
        leave(connection)


def test_searches_that_wait_end_with_their_connections(crowd):
    with Searching(crowd) as searching:
        connections = [connect_socket(crowd) for _ in range(40)]
        for number, connection in enumerate(connections):
            ask(crowd, connection, SLOW.replace("max_results=1&q=", f"q=nosuch{number}%20OR%20"))
        searching.wait()
        for connection in connections:
            connection.close()
    assert crowd.get("/files?q=core.type:file").collection["items"]


def test_who_ends_his_sending_half_still_listens(crowd):
    """Unless nobody can tell him from one who is gone."""
    with connect_socket(crowd) as connection:
        ask(crowd, connection, SLOWER)
        connection.shutdown(socket.SHUT_WR)
        assert status_of(connection)[0] == 200
    with connect_tls(crowd) as connection:
        ask(crowd, connection, "/version")
        socket.socket.shutdown(connection, socket.SHUT_WR)  # of what is below TLS
        assert status_of(connection)[0] == 200


def test_who_ends_his_sending_half_over_tcp_is_told_why_he_gets_nothing(crowd):
    with connect_tls(crowd) as connection:
        ask(crowd, connection, SLOW)
        socket.socket.shutdown(connection, socket.SHUT_WR)
        status, body = status_of(connection)
        assert status == 503 and b"keep its sending half open" in body


# --- The mount ---


def slow_folder(daemon, *segments):
    letters = string.ascii_lowercase[:SEGMENTS]
    return daemon.query(*segments, *(f"_all={few_match(a)}" for a in letters))


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("command, name", [("ls", ""), ("stat", "0"), ("cat", ".pxs/count")])
def test_a_search_ends_with_the_command(crowd, command, name, signal_):
    with Searching(crowd) as searching:
        process = subprocess.Popen(
            [command, os.path.join(slow_folder(crowd), name)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        searching.wait()
        process.send_signal(signal_)
        assert process.wait(daemons.PATIENCE_S) == -signal_


def test_ls_is_freed_within_a_second(crowd):
    """A process that is killed stays until its call is answered."""
    freed_s = []
    for _ in range(30 if daemons.FULL else 3):
        with Searching(crowd) as searching:
            process = subprocess.Popen(["ls", slow_folder(crowd)], stdout=subprocess.DEVNULL)
            searching.wait()
            killed = time.monotonic()
            process.kill()
            assert process.wait(daemons.PATIENCE_S) == -signal.SIGKILL
            freed_s.append(time.monotonic() - killed)
    print(f"freed after {max(freed_s) * 1000:.0f} ms at most, of {len(freed_s)}")
    assert max(freed_s) < FREED_S


def test_an_interrupted_call_says_so(crowd):
    """To a program that lives on."""
    program = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGUSR1, lambda *_: None)\n"
        "try: os.listdir(sys.argv[1])\n"
        "except InterruptedError: print('interrupted')\n"
    )
    with Searching(crowd) as searching:
        process = subprocess.Popen(
            [sys.executable, "-c", program, slow_folder(crowd)], stdout=subprocess.PIPE
        )
        searching.wait()
        process.send_signal(signal.SIGUSR1)
        assert process.communicate(timeout=daemons.PATIENCE_S)[0] == b"interrupted\n"


def test_many_that_search_at_once_end_together(crowd):
    """More than there are threads that could hear of it."""
    with Searching(crowd) as searching:
        processes = [
            subprocess.Popen(
                ["ls", "-U", slow_folder(crowd, f"_all=f{i}")],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for i in range(24)
        ]
        searching.wait()
        for process in processes:
            process.kill()
        for process in processes:
            process.wait(daemons.PATIENCE_S)
