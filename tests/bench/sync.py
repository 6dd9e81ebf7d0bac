"""A replica's first crawl of a core and what following costs after it; and setxattr on a mount of a core.

Core, replica and what measures share the processors of one machine, and speak plain HTTP over loopback. A
generic core is one of the specification's shape (tests/e2e/pixstor.py) whose documents are rendered before the
clock starts, so that it is not the bottleneck; what it can do by itself is measured beside."""

import bisect
import http.client
import json
import os
import resource
import statistics
import threading
import time
import urllib.parse

import rest
import search
from bench import row
from rest import daemons

import cores
import pixstor

# Names by which any core can be divided (docs/upstream.md), for those of the corpus.
RENAMED = {"file.modified": "core.modificationtime", "file.serial": "core.inode", "file.size": "core.size"}
PATCHED = "job.priority"
CONNECTIONS = 4  # as many as a crawl has
OTHER_REQUESTS_MAX = 7  # of a cycle, beside one for each part


def make_corpus(home, documents):
    """The corpus as it is, with these properties under other names."""
    made = search.make_corpus(documents)
    folder = os.path.join(home, "corpus")
    os.mkdir(folder)
    os.symlink(os.path.join(made, "documents.tsv"), os.path.join(folder, "documents.tsv"))
    with open(os.path.join(made, "schema.tsv")) as file:
        lines = [line.split("\t") for line in file]
    with open(os.path.join(folder, "schema.tsv"), "w") as file:
        file.writelines("\t".join([RENAMED.get(name, name), *rest]) for name, *rest in lines)
    return folder


def processor_s(daemon):
    """Of all its threads until now."""
    with open(f"/proc/{daemon.process.pid}/stat") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- A core that is no pxs ---


class Prepared(pixstor.Handler):
    """Answers with texts that are ready; of where-clauses it knows ranges of times, as a crawl sends them."""

    def get(self):
        if self.path_ == "/schema/files":
            self.answer(200, self.server.schema, "application/json")
        else:
            super().get()

    def search(self):
        where = self.where()
        brief = "projection" in self.query
        core = self.server
        if self.query.get("sort") == "-_updated":
            found, start, end = core.newest, 0, len(core.newest)
        else:
            found = core.by_time
            start, end = core.span(where)
        size = self.number("max_results", 25, 1000)
        first = start + (self.number("page", 1, pixstor.WINDOW // size) - 1) * size
        texts = core.briefs if brief else core.texts
        items = b",".join([texts[at] for at in found[first : min(first + size, end)]])
        links = []
        if first + size < end:
            query = {**self.query, "page": self.number("page", 1, pixstor.WINDOW) + 1}
            href = "/files/?" + "&".join(f"{name}={value}" for name, value in query.items())
            links.append({"rel": "next", "href": href, "prompt": "Next", "render": "link"})
        hits = {"prompt": "Number of matching documents", "name": "hits", "value": end - start}
        head = {"version": "1.0", "href": "/files", "links": links, "properties": [hits]}
        head = json.dumps({"collection": head}).encode()
        self.answer(200, head[:-2] + b',"items":[' + items + b"]}}")


class Generic(pixstor.Pixstor):
    """Shows the documents of DAEMON."""

    def __init__(self, daemon):
        super().__init__()
        self.RequestHandlerClass = Prepared
        self.schema = daemon.get("/schema/files").body
        self.texts, self.briefs, times = [], [], []
        for item in items(daemon):
            data = {datum["name"]: datum["value"] for datum in item["data"]}
            times.append(data["core.modificationtime"][:19])
            self.texts.append(json.dumps(item).encode())
            kept = [d for d in item["data"] if d["name"][0] == "_" or d["name"] in RENAMED.values()]
            self.briefs.append(json.dumps({**item, "data": kept}).encode())
        self.by_time = sorted(range(len(times)), key=times.__getitem__)
        self.times = sorted(times)
        self.newest = list(reversed(range(len(times))))

    def span(self, where):
        if where.keys() - {"core.modificationtime"}:
            if where.keys() == {"_all"}:  # NOT _exists_: all have these
                return 0, 0
            raise pixstor.Refused(400, f"where={where} is not prepared")
        bounds = where.get("core.modificationtime", {})
        start = bisect.bisect_left(self.times, bounds.get("gte", ""))
        return start, max(start, bisect.bisect_left(self.times, bounds.get("lt", "~")))


def items(daemon):
    """All of them, as they are told."""
    target = "/files?where={}&max_results=1000&after="
    while target:
        collection = daemon.get(target).collection
        yield from collection["items"]
        target = next((link["href"] for link in collection["links"] if link["rel"] == "next"), None)


# --- The first crawl ---


def crawl(home, core_options, documents):
    """A new replica, its seconds from its start until it follows, and its processor time then."""
    replica = daemons.Daemon(home)
    started = time.perf_counter()
    replica.start(*core_options(home), mount=False)
    replica.pxs("status", "--wait")
    took = time.perf_counter() - started
    status = replica.status()
    if status["documents"] != documents:
        raise SystemExit(f"of {documents} documents, {status['documents']} are in the replica")
    return replica, took, processor_s(replica)


def microseconds(seconds, documents):
    return f"{statistics.median(seconds) / documents * 1e6:,.0f} us"


def measure_crawls(homes, core, documents, target):
    """One in each of HOMES, from CORE: its name, its options, how to tell its processor time so far, and what
    it is called. The last replica, which follows."""
    name, options, core_s, called = core
    took, ours, theirs = [], [], []
    for home in homes:
        before = core_s()
        replica, seconds, processor = crawl(home, options, documents)
        took.append(seconds)
        ours.append(processor)
        theirs.append(core_s() - before)
        if home != homes[-1]:
            replica.destroy()
    rate = documents / statistics.median(took)
    row(f"first crawl of {documents:,} documents, from a {name}", f"{rate:,.0f}/s", f">= {target:,}", rate >= target)
    row(
        "  processor time a document",
        f"{called} {microseconds(theirs, documents)}, replica {microseconds(ours, documents)}",
    )
    return replica


def measure_pxs(home, core, documents, rounds):
    """The last replica, which follows."""
    homes = [os.path.join(home, f"r{number}") for number in range(rounds)]
    pxs = ("pxs", lambda _: core.options(), lambda: processor_s(core.daemon), "core")
    return measure_crawls(homes, pxs, documents, 10000)


# --- From a generic core ---


def pages_alone(generic, documents):
    """Documents a second that it tells when nothing is done with them, to as many as a crawl has connections."""
    token = "bench"
    generic.tokens.add(token)
    headers = {"Authorization": f"Bearer {token}", "Accept": pixstor.TYPE}
    targets = []
    for at in range(0, documents, 500):
        times = {"gte": generic.times[at]}
        where = urllib.parse.quote(json.dumps({"core.modificationtime": times}))
        targets.append(f"/files?where={where}&sort=core.modificationtime&max_results=500")

    def fetch(mine):
        connection = http.client.HTTPConnection("127.0.0.1", generic.port)
        for target in mine:
            connection.request("GET", target, headers=headers)
            connection.getresponse().read()
        connection.close()

    threads = [threading.Thread(target=fetch, args=(targets[n::CONNECTIONS],)) for n in range(CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(targets) * 500 / (time.perf_counter() - started)


def own_processor_s():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure_generic(home, daemon, documents, rounds):
    generic = Generic(daemon)
    homes = [os.path.join(home, f"g{number}") for number in range(rounds)]
    try:
        row("pages of 500 from the generic server, nothing done with them", f"{pages_alone(generic, documents):,.0f}/s")
        server = ("generic server", generic.options, own_processor_s, "server")
        replica = measure_crawls(homes, server, documents, 5000)
        measure_cycle(generic, replica)
        replica.destroy()
    finally:
        generic.shutdown()
        generic.server_close()


def measure_cycle(generic, replica):
    generic.requests.clear()
    replica.pxs("sync", "--wait")
    parts = sum("max_results=1" in request.split("&") for request in generic.requests)
    requests = len(generic.requests)
    limit = parts + OTHER_REQUESTS_MAX
    row(
        "  requests of a cycle with nothing new",
        f"{requests}, of {parts} parts",
        f"<= parts + {OTHER_REQUESTS_MAX}",
        requests <= limit,
    )


# --- After it ---


def some_ids(daemon, wanted):
    return [item["href"].rsplit("/", 1)[1] for _, item in zip(range(wanted), items(daemon))]


def percentile(values, percent):
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def times_row(what, seconds, limit_ms, judged):
    median, p99 = statistics.median(seconds) * 1e3, percentile(seconds, 99) * 1e3
    row(
        what,
        f"{median:.2f} ms, p99 {p99:.2f} ms, the longest {max(seconds) * 1e3:.1f} ms",
        f"<= {limit_ms:,} ms",
        {"median": median, "longest": max(seconds) * 1e3}[judged] <= limit_ms,
    )


def measure_feed(core, replica, changes):
    """From before the change is sent to the core until the replica tells it."""
    seconds = []
    shown = daemons.UnixConnection(replica.socket)
    headers = {"If-Match": "*", "Content-Type": "application/json"}
    for number, id_ in enumerate(some_ids(core.daemon, changes)):
        data = [{"name": PATCHED, "value": 1000 + number}]
        wanted = b'"value":%d}' % (1000 + number)
        started = time.perf_counter()
        reply = core.daemon.http("PATCH", f"/files/{id_}", json.dumps({"template": {"data": data}}), headers)
        if reply.status != 200:
            raise SystemExit(f"PATCH was answered {reply.status}: {reply.body}")
        while True:
            shown.request("GET", f"/files/{id_}")
            if wanted in shown.getresponse().read():
                break
        seconds.append(time.perf_counter() - started)
    shown.close()
    times_row(f"change at a pxs until it is visible, of {changes}", seconds, 1000, "longest")


def measure_setxattr(daemon, calls):
    """Of as many documents, whose version was shown before."""
    paths = [os.path.join(daemon.mountpoint, "id", id_) for id_ in some_ids(daemon, calls)]
    seconds = []
    for number, path in enumerate(paths):
        os.getxattr(path, "user.pxs.etag")
        value = str(2000 + number).encode()
        started = time.perf_counter()
        os.setxattr(path, f"user.{PATCHED}", value)
        seconds.append(time.perf_counter() - started)
    times_row(f"setxattr to a local core, of {calls:,}", seconds, 1, "median")


def measure(home, options):
    documents = 20000 if options.quick else 100000
    rounds = 1 if options.quick else 3
    daemons.WORK = home
    daemon = daemons.Daemon(os.path.join(home, "core"))
    search.output([search.tool("bench_pxs"), "load", make_corpus(home, documents), daemon.index])
    core = cores.Core(daemon)
    try:
        replica = measure_pxs(home, core, documents, rounds)
        measure_feed(core, replica, 100)
        replica.destroy()
        measure_generic(home, daemon, documents, rounds)
        daemon.stop()
        daemon.start()
        measure_setxattr(daemon, 1000)
    finally:
        daemon.destroy()
