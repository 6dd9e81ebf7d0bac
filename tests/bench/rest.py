"""The REST API under load (wrk), beside a bare libmicrohttpd that returns a constant of the same size.

Pairs are measured in turns, one after the other, several times; figures are medians, ratios are medians
of the ratios of pairs. The load comes from the same processors, so that rates are of both together."""

import contextlib
import json
import os
import re
import resource
import selectors
import socket
import statistics
import subprocess
import sys
import time
from urllib.parse import quote

import search
from bench import BUILD, row

os.environ["PXS_BINARY"] = os.path.join(BUILD, "pxs")
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../e2e"))

import daemon as daemons  # noqa: E402

CONNECTIONS = 16
IDLE, SLOW = 1000, 200
SERVER_THREADS = min(os.cpu_count() or 1, 4)  # as count_threads() of rest/server.c
# Every request another query, of the same hits: no result of it is kept.
NEW_QUERIES = """
local n = %d
request = function()
  n = n + 1
  return wrk.format("GET", "/files?q=%s&where=%%7B%%22file.size%%22:%%7B%%22gte%%22:-" .. n .. "%%7D%%7D")
end
"""


# Every request another document.
OTHER_ITEMS = """
local paths = {"%s"}
local n = 0
request = function()
  n = n %% #paths + 1
  return wrk.format("GET", paths[n])
end
"""


class Load:
    """What wrk saw of one address."""

    UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}

    def __init__(self, text):
        if re.search(r"Non-2xx|Socket errors", text):
            raise SystemExit(f"wrk saw failures:\n{text}")
        self.rate = float(re.search(r"Requests/sec:\s+([0-9.]+)", text)[1])
        self.median_s = self.percentile(text, 50)
        self.p99_s = self.percentile(text, 99)
        self.requests = int(re.search(r"(\d+) requests in", text)[1])

    def percentile(self, text, percent):
        number, unit = re.search(rf"^\s+{percent}%\s+([0-9.]+)(us|ms|s|m)$", text, re.MULTILINE).groups()
        return float(number) * self.UNITS[unit]


def load(url, token, seconds, script=None, connections=CONNECTIONS):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["-H", f"Authorization: Bearer {token}"]
    if script:
        command += ["-s", script]
    done = subprocess.run([*command, url], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"wrk failed: {done.stderr}{done.stdout}")
    return Load(done.stdout)


@contextlib.contextmanager
def bare(size):
    """The address of a bare server."""
    program = os.path.join(BUILD, "tests/bench/bare_http")
    process = subprocess.Popen(
        [program, str(SERVER_THREADS), str(size)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
    finally:
        process.communicate()


class Door:
    """A daemon whose catalogue is open over TCP."""

    def __init__(self, home):
        self.daemon = daemons.Daemon(home)

    def start(self):
        self.daemon.start("--rest", "127.0.0.1:0", mount=False)
        self.url = re.findall(r"the catalogue at (http://\S+)", self.daemon.log_text())[-1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def token(self, *options):
        return self.daemon.pxs("token", "create", *options).stdout.decode().strip()


def in_turns(rounds, *measures):
    """Of each of MEASURES (functions that return a Load), the loads of all rounds."""
    return list(zip(*[[measure() for measure in measures] for _ in range(rounds)]))


def rate(loads):
    return statistics.median(one.rate for one in loads)


def tail(loads):
    return statistics.median(one.p99_s / one.median_s for one in loads)


def ratio(ours, theirs):
    return statistics.median(a.rate / b.rate for a, b in zip(ours, theirs))


def tail_row(what, loads):
    p50 = statistics.median(one.median_s for one in loads) * 1e3
    p99 = statistics.median(one.p99_s for one in loads) * 1e3
    row(
        f"{what}: p99 under load",
        f"{p99:.2f} ms, {tail(loads):.1f} of the median {p50:.2f} ms",
        "<= 10 of the median",
        tail(loads) <= 10,
    )


# --- One item ---


def other_paths(door, wanted):
    """Of more documents than pxs keeps replies of."""
    paths, page = [], "/files?q=*&max_results=1000&projection=" + quote('{"file.size":1}')
    while len(paths) < wanted and page:
        collection = door.daemon.get(page).collection
        paths += [item["href"] for item in collection["items"]]
        page = next((link["href"] for link in collection["links"] if link["rel"] == "next"), None)
    return paths


def measure_item(door, token, seconds, rounds, home):
    items = door.daemon.get("/files?q=*&max_results=1").collection["items"]
    path = items[0]["href"]
    size = len(door.daemon.get(path).body)
    script = os.path.join(home, "items.lua")
    with open(script, "w", encoding="ascii") as file:
        file.write(OTHER_ITEMS % '","'.join(other_paths(door, 20000)))
    with bare(size) as url:
        ours, others, theirs = in_turns(
            rounds,
            lambda: load(door.url + path, token, seconds),
            lambda: load(door.url, token, seconds, script),
            lambda: load(url, token, seconds),
        )
    row(f"bare server, {size:,} bytes", f"{rate(theirs):,.0f}/s")
    row(
        f"GET of one item, {size:,} bytes",
        f"{rate(ours):,.0f}/s, {ratio(ours, theirs):.0%} of the bare server",
        ">= 50%",
        ratio(ours, theirs) >= 0.5,
    )
    tail_row("GET of one item", ours)
    row(
        "GET of 20,000 items in turn",
        f"{rate(others):,.0f}/s, {ratio(others, theirs):.0%} of the bare server",
    )


# --- A page of 25 ---


def selective_word(door):
    """A word of the corpus that 25 to 1,000 documents have."""
    items = door.daemon.get("/files?q=*&max_results=100").collection["items"]
    texts = " ".join(str(datum["value"]) for item in items for datum in item["data"])
    for word in sorted(set(re.findall(r"\b[a-z]{5,}\b", texts))):
        found = door.daemon.get(f"/files?q={quote(word)}&max_results=1").collection["properties"]
        if 25 <= found[0]["value"] <= 1000:
            return word
    raise SystemExit("the corpus has no word that 25 to 1,000 documents have")


def measure_page(door, token, seconds, rounds, home):
    word = quote(selective_word(door))
    path = f"/files?q={word}&where=%7B%22file.size%22:%7B%22gte%22:0%7D%7D"
    size = len(door.daemon.get(path).body)
    script = os.path.join(home, "queries.lua")
    numbers = iter(range(1, 1 << 30, 10000000))

    def new_queries():
        with open(script, "w", encoding="ascii") as file:
            file.write(NEW_QUERIES % (next(numbers), word))
        return load(door.url, token, seconds, script)

    with bare(size) as url:
        kept, new, theirs = in_turns(
            rounds,
            lambda: load(door.url + path, token, seconds),
            new_queries,
            lambda: load(url, token, seconds),
        )
    row(f"bare server, {size:,} bytes", f"{rate(theirs):,.0f}/s")
    for what, loads, target in (("kept", kept, 2000), ("new", new, 1000)):
        row(
            f"page of 25 full items, {size:,} bytes, results {what}",
            f"{rate(loads):,.0f}/s, {ratio(loads, theirs):.0%} of the bare server",
            f">= {target:,}",
            rate(loads) >= target,
        )
        tail_row(f"page, results {what}", loads)


def measure_guided(door, documents, rounds):
    """Of searches that are new to the daemon and find everything; the search itself is not timed."""
    times = []
    for number in range(rounds * 3):
        where = quote(json.dumps({"file.size": {"gte": -1 - number}}))
        door.daemon.get(f"/files/?where={where}&max_results=1")
        started = time.perf_counter()
        door.daemon.get(f"/files/?where={where}&projection=" + quote('{"filters":"."}'))
        times.append(time.perf_counter() - started)
    took = statistics.median(times) * 1e3
    at_target = documents >= 1000000
    row(
        f"guided response over {documents:,} documents",
        f"{took:.1f} ms",
        "<= 80 ms at 1,000,000",
        took <= 80 if at_target else None,
    )


# --- Nonsense ---


def measure_deep(door, rounds):
    """JSON of 100,000 levels, in a body and in a parameter (as many as a line may be long)."""
    headers, times = {"If-Match": "*"}, []
    path = door.daemon.get("/files?q=*&max_results=1").collection["items"][0]["href"]
    requests = [
        ("PATCH", path, "[" * 100000),
        ("PATCH", path, '{"a":' * 100000),
        ("PATCH", path, "[" * 100000 + "]" * 100000),
        ("GET", "/files?where=" + quote('{"core.size":') + "%5B" * 10000, None),
    ]
    for request in requests * rounds * 5:
        method, target, body = request
        started = time.perf_counter()
        reply = door.daemon.http(method, target, body=body, headers=headers)
        times.append((time.perf_counter() - started) * 1e3)
        if reply.status != 400:
            raise SystemExit(f"{method} of deep JSON was answered {reply.status}")
    took = statistics.median(times)
    row(
        "JSON of 100,000 levels, until it is refused",
        f"{took:.2f} ms, the slowest {max(times):.2f}",
        "<= 5 ms",
        took <= 5,
    )


# --- Those who are idle or slow ---


class Slow(contextlib.AbstractContextManager):
    """Connections that say nothing, and others that send their requests by a byte a second. Who is cut
    comes back at once."""

    REQUEST = b"GET /files?q=cats HTTP/1.1\r\nHost: slow\r\nX-Slow: " + b"x" * 1000

    def __init__(self, port):
        self.port = port
        self.idle = [self.connect() for _ in range(IDLE)]
        self.slow = [[self.connect(), 0] for _ in range(SLOW)]
        self.turn = 0

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port))

    def drip(self):
        """The next one's byte; in a second everybody has a turn."""
        client = self.slow[self.turn]
        self.turn = (self.turn + 1) % SLOW
        try:
            client[0].send(self.REQUEST[client[1] : client[1] + 1] or b"x")
            client[1] += 1
        except OSError:
            client[0].close()
            client[:] = [self.connect(), 0]

    def __exit__(self, *_):
        for connection in self.idle + [client[0] for client in self.slow]:
            connection.close()


def drip_until_end(slow, process):
    """What PROCESS printed, while the slow clients went on."""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        parts = []
        while True:
            if not selector.select(1 / SLOW):
                slow.drip()
                continue
            part = os.read(process.stdout.fileno(), 65536)
            if not part:
                process.wait()
                return b"".join(parts).decode()
            parts.append(part)


def measure_crowd(door, token, seconds, rounds):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit[1], 65536), limit[1]))
    url = door.url + "/files?q=cats&max_results=1"
    command = ["wrk", "-t1", "-c1", f"-d{seconds}s", "--latency"]
    command += ["-H", f"Authorization: Bearer {token}", url]
    alone, crowded = [], []
    for _ in range(rounds):
        alone.append(load(url, token, seconds, connections=1))
        with Slow(door.port) as slow:
            with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
                crowded.append(Load(drip_until_end(slow, process)))
    before = statistics.median(one.p99_s for one in alone)
    after = statistics.median(one.p99_s for one in crowded)
    row("an honest client's p99, alone", f"{before * 1e3:.2f} ms")
    row(
        f"  beside {IDLE:,} idle and {SLOW} slow clients",
        f"{after * 1e3:.2f} ms, {after / before:.2f} times",
        "<= 2 times",
        after <= 2 * before,
    )


# --- Memory ---


def resident_bytes(door):
    return door.daemon.status()["rss_bytes"]


def measure_memory(door, token, requests):
    """Of an item, after a tenth of the requests and after all of them."""
    path = door.daemon.get("/files?q=*&max_results=1").collection["items"][0]["href"]
    load(door.url + path, token, 2)
    done, first = 0, 0
    while done < requests:
        done += load(door.url + path, token, 2).requests
        if not first and done >= requests / 10:
            first = resident_bytes(door)
    last = resident_bytes(door)
    row(
        f"memory after {done:,} requests",
        f"{last / 2**20:,.1f} MiB, {(last - first) / 2**20:+.1f} MiB since a tenth of them",
        "flat (1 MiB)",
        last - first <= 2**20,
    )


# --- What it costs to see only one's own ---


def measure_restricted(home, source, seconds, rounds):
    door = Door(os.path.join(home, "own"))
    try:
        door.start()
        door.daemon.pxs("ingest", source, code=None)
        door.daemon.pxs("status", "--wait", code=None)
        url = door.url + "/files?q=core.type:file"
        everything = door.token("--rights", "read,bypass_file_access_security")
        own = door.token("--rights", "read", "--user", "nobody")
        free, seen = in_turns(
            rounds, lambda: load(url, everything, seconds), lambda: load(url, own, seconds)
        )
    finally:
        door.daemon.destroy()
    row(f"page of 25 files of {source}, to who may see all", f"{rate(free):,.0f}/s")
    row("  to who sees what he may stat", f"{rate(seen):,.0f}/s, {ratio(seen, free):.0%}")


def measure(home, options):
    documents = int(options.documents.split(",")[0])
    seconds, rounds = (2, 3) if options.quick else (5, 5)
    corpus = search.make_corpus(documents)
    door = Door(os.path.join(home, "rest"))
    search.output([search.tool("bench_pxs"), "load", corpus, door.daemon.index])
    try:
        door.start()
        token = door.token("--rights", "read,bypass_file_access_security")
        measure_item(door, token, seconds, rounds, home)
        measure_page(door, token, seconds, rounds, home)
        measure_guided(door, documents, rounds)
        measure_deep(door, rounds)
        measure_crowd(door, token, seconds, rounds)
        measure_memory(door, token, options.requests)
    finally:
        door.daemon.destroy()
    measure_restricted(home, options.source, seconds, rounds)
