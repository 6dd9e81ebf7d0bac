"""Bytes that no client would send, over a real socket: libmicrohttpd's decoding, and ours behind it."""

import re
import socket

import pytest

import daemon as daemons

ROUNDS = 100 if daemons.QUICK else 200
# Some requests never end, for which the door waits longer than we do.
SHORT_S = 0.5
LONG_S = 60

LINES = [
    b"GET /files?q=a%20b&max_results=1 HTTP/1.1\r\n",
    b"GET /api/files/?where={%22_all%22:%22x%22} HTTP/1.1\r\n",
    b"HEAD /files/1 HTTP/1.0\r\n",
    b"PATCH /files/1 HTTP/1.1\r\n",
    b"DELETE /files?where={}&dry_run=1 HTTP/1.1\r\n",
    b"POST /oauth2/token HTTP/1.1\r\n",
    b"OPTIONS * HTTP/1.1\r\n",
]
HEADERS = [
    b"Host: x\r\n",
    b"Accept-Encoding: gzip;q=0.5, *\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Type: application/x-www-form-urlencoded\r\n",
    b"If-Match: W/\"a\", *\r\n",
    b"Range: bytes=0-\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: close\r\n",
    b"X-Request-Id: a b\r\n",
    b" folded: line\r\n",
]
BODIES = [b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"fffffffffffffffff\r\n", b"-1\r\n", b'{"a":']
PIECES = [b"\r\n", b"\n", b"\r", b"\0", b"%", b"%00", b"%c3%28", b"\xff\xfe", b":", b" ", b"\t", b"&" * 100, b"9" * 30]


def mutate(rng, request):
    request = bytearray(request)
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        at = rng.randrange(len(request) + 1)
        what = rng.randrange(4)
        if what == 0:
            request[at:at] = rng.choice(PIECES)
        elif what == 1:
            del request[at : at + rng.randrange(1, 20)]
        elif what == 2 and at < len(request):
            request[at] = rng.randrange(256)
        else:
            request[at:at] = request[: rng.randrange(1, 40)]
    return bytes(request)


def make(rng, token):
    headers = rng.sample(HEADERS, rng.randrange(6))
    if rng.randrange(3):
        headers.append(b"Authorization: Bearer %s\r\n" % token)
    return mutate(rng, rng.choice(LINES) + b"".join(headers) + b"\r\n" + rng.choice(BODIES))


def exchange(port, request, wait_s=LONG_S, half_close=False):
    """What comes until the door ends the connection, or nothing comes any more."""
    reply = b""
    with socket.create_connection(("127.0.0.1", port), LONG_S) as connection:
        connection.settimeout(wait_s)
        try:
            connection.sendall(request)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                reply += piece
        except (ConnectionError, TimeoutError):
            pass  # it was cut, which is an answer, or waits for the rest
    return reply


@pytest.fixture
def door(new_daemon):
    daemon = new_daemon()
    daemon.start("--rest", "127.0.0.1:0", mount=False)
    daemon.port = int(re.findall(r"the catalogue at http://127\.0\.0\.1:(\d+)", daemon.log_text())[-1])
    return daemon


def test_an_expectation_without_a_body(door):
    """libmicrohttpd asked for an answer that it then did not take."""
    head = b"GET /version HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    for lines in (b"", b"Content-Length: 0\r\n", b"Content-Length: 00\r\n"):
        reply = exchange(door.port, head + lines + b"\r\n{more")
        assert reply.startswith(b"HTTP/1.1 400") and b"no body to wait for" in reply, reply


def test_no_bytes_bring_the_door_down(door, rng):
    token = door.pxs("token", "create", "--rights", "read,update_search_metadata").stdout.strip()
    seen = set()
    for _ in range(ROUNDS):
        request = make(rng, token)
        reply = exchange(door.port, request, SHORT_S, half_close=True)
        assert not reply or reply.startswith(b"HTTP/1."), (request, reply)
        statuses = re.findall(rb"^HTTP/1\.[01] (\d{3})", reply, re.MULTILINE)
        assert b"500" not in statuses, (request, reply)
        seen.update(statuses)
    assert {b"400", b"403"} <= seen, seen
    request = b"GET /files?q=x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n" % token
    assert exchange(door.port, request).startswith(b"HTTP/1.1 200")
