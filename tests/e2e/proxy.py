"""Between a replica and its core: hands requests on, and does to those of one phase what a bad network or a bad core
may do (research of the field: reliability.md S1)."""

import http.client
import json
import re
import select
import socket
import struct
import threading
import time
from email.utils import formatdate

BIG = 200 << 20  # bytes: enough to tell whether somebody keeps them


def phase_of(method, path):
    if path.startswith("/oauth2/token"):
        return "token"
    if method != "GET":
        return "change"
    if path.startswith("/changes"):
        return "delta"
    if path.endswith("/content"):
        return "content"
    if re.match(r"/files/\d", path):
        return "item"
    if path.startswith("/files"):
        return "page" if "max_results=500" in path or "max_results=1000" in path else "list"
    return "other"


class Answer:
    """What the core said; TEXT is its body."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {k: v for k, v in response.getheaders() if k.lower() not in ("content-length", "connection")}
        self.body = response.read()

    def json(self):
        return json.loads(self.body) if self.body else {}

    def bytes(self, body=None, status=None, length=None, **headers):
        body = self.body if body is None else body
        lines = [f"HTTP/1.1 {status or self.status} X"]
        lines += [f"{k}: {v}" for k, v in {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}.items()]
        lines += [f"Content-Length: {value}" for value in (length if length is not None else [len(body)])]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


# --- Faults: (client, answer, proxy), and what is to be sent, or None ---


def status(code, **headers):
    return lambda _, answer, __: answer.bytes(b'{"error":"made up"}', code, **headers)


def reset(client, *_):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def closed(*_):
    pass


def stall(_, __, proxy):
    proxy.wait_cleared()


def stall_inside(client, answer, proxy):
    client.sendall(answer.bytes()[:-20])
    proxy.wait_cleared()


def drip(client, answer, proxy):
    for byte in answer.bytes():
        client.sendall(bytes([byte]))
        if proxy.wait_cleared(0.05):
            return


def truncated(_, answer, __):
    return answer.bytes(answer.body[: len(answer.body) // 2])


def length(*values):
    return lambda _, answer, __: answer.bytes(length=[v(len(answer.body)) if callable(v) else v for v in values])


def bad_chunk(_, answer, __):
    head = answer.bytes(b"", length=[], Transfer_Encoding="chunked")
    return head + b"5\r\n{\"col\r\nzz\r\n" + answer.body


def bomb(_, answer, __):
    import gzip

    return answer.bytes(gzip.compress(b"[" + b" " * BIG + b"]"), Content_Encoding="gzip")


def endless(client, answer, proxy):
    client.sendall(answer.bytes(b'{"collection":{"items":[', length=[BIG * 50]))
    try:
        for _ in range(BIG >> 16):
            client.sendall(b" " * (1 << 16))
            if proxy.wait_cleared(0):
                return
    except OSError:
        pass


def body(make):
    return lambda _, answer, __: answer.bytes(make(answer.body))


def edited(change):
    """The core's JSON, changed."""

    def fault(_, answer, __):
        document = answer.json()
        change(document.get("collection", document))
        return answer.bytes(json.dumps(document).encode())

    return fault


def loop(collection):
    here = collection.get("href", "/files")
    links = [link for link in collection.get("links", []) if link["rel"] != "next"]
    collection["links"] = [*links, {"rel": "next", "href": here + "?where={}&max_results=1000&page=1"}]
    collection["items"] = []


def shrink(collection):
    collection["links"] = [link for link in collection.get("links", []) if link["rel"] != "next"]
    collection["items"] = collection.get("items", [])[::2][:-1]


def duplicate(collection):
    collection["items"] = [item for item in collection.get("items", []) for _ in range(2)]


def flip(collection):
    for key, value in list(collection.items()):
        if isinstance(value, list):
            collection[key] = {"0": value}
        elif isinstance(value, str):
            collection[key] = 5


def redirect(to):
    return lambda _, answer, proxy: answer.bytes(b"", 307, Location=to(proxy))


FAULTS = {
    "reset": reset,
    "closed": closed,
    "stalls": stall,
    "stalls inside": stall_inside,
    "drips": drip,
    **{str(code): status(code) for code in (401, 403, 404, 409, 410, 500, 502, 503, 504)},
    "429 seconds": status(429, Retry_After="1"),
    "429 date": status(429, Retry_After=formatdate(time.time() + 1, usegmt=True)),
    "truncated": truncated,
    "length too big": length(lambda n: n + 100),
    "length too small": length(lambda n: n // 2),
    "length negative": length(-1),
    "length 2^63": length(1 << 63),
    "length twice": length(lambda n: n, lambda n: n - 7),
    "bad chunk": bad_chunk,
    "gzip bomb": bomb,
    "wrong type": body(lambda b: b"<html>Log in, please</html>"),
    "bad UTF-8": body(lambda b: b.replace(b'"', b'"\xff\xfe', 20)),
    "NUL": body(lambda b: b.replace(b'"name"', b'"na\0me"')),
    "BOM": body(lambda b: b"\xef\xbb\xbf" + b[:-1]),
    "depth bomb": body(lambda b: b"[" * 3_000_000),
    "10 GB": endless,
    "page loop": edited(loop),
    "page shrink": edited(shrink),
    "duplicate ids": edited(duplicate),
    "type flip": edited(flip),
    "redirect loop": redirect(lambda proxy: proxy.url + "/files"),
    "redirect elsewhere": redirect(lambda proxy: "http://127.0.0.2:9/"),
    "redirect to a file": redirect(lambda proxy: "file:///etc/passwd"),
}


class Proxy:
    """FAULT is done to each request of PHASE; "lost request" and "lost answer": nobody hears of it; "late": the
    answer waits until the fault is cleared."""

    def __init__(self, port):
        self.port = port
        self.fault = self.phase = None
        self.hits = self.held = 0  # requests; answers that wait until the fault is cleared
        self.seen = set()  # phases that came along
        self.cleared = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def set(self, fault, phase):
        self.hits = self.held = 0
        self.cleared.clear()
        self.fault, self.phase = fault, phase

    def clear(self):
        self.fault = self.phase = None
        self.cleared.set()

    def wait_cleared(self, seconds=60):
        return self.cleared.wait(seconds)

    def close(self):
        self.clear()
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client:
            try:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.exchange(client)
            except (OSError, http.client.HTTPException):
                pass

    def exchange(self, client):
        file = client.makefile("rb")
        line = file.readline().decode().split(" ")
        if len(line) != 3:
            return
        method, path, _ = line
        headers = http.client.parse_headers(file)
        sent = file.read(int(headers.get("Content-Length") or 0))
        phase = phase_of(method, path)
        self.seen.add(phase)
        fault = self.fault if phase == self.phase else None
        self.hits += fault is not None
        if fault == "lost request":
            return
        answer = self.ask(client, method, path, sent, headers)
        if not answer or fault == "lost answer":
            return
        if fault == "late":
            self.held += 1
            self.wait_cleared()
        reply = FAULTS[fault](client, answer, self) if fault in FAULTS else answer.bytes()
        if reply:
            client.sendall(reply)
            client.shutdown(socket.SHUT_WR)
            client.recv(1)

    def ask(self, client, method, path, sent, headers):
        server = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            kept = {k: v for k, v in headers.items() if k.lower() not in ("connection", "accept-encoding", "content-length")}
            server.request(method, path, sent or None, {**kept, "Connection": "close"})
            # Who has gone away does not keep the core waiting for changes.
            ready, _, _ = select.select([client, server.sock], [], [], 120)
            return Answer(server.getresponse()) if server.sock in ready else None
        finally:
            server.close()
