"""Many threads that walk, list, look and read properties while documents change all the time: no call fails or
hangs, and every answer is one that was true while it was asked for."""

import errno
import json
import math
import os
import random
import subprocess
import threading
import time

import daemon as daemons

THREADS, DURATION_S = (64, 600) if daemons.FULL else (8, 4)
FILES = 300
UPDATES_PER_S = 100
RATINGS = range(5)
HUNG_S = 20
PAUSE_S = THREADS / 3200  # between two calls of a thread: all here share Python's lock, and the updates need it, too
# How long a name in a query's folder may be believed by the kernel to lead somewhere, and to lead nowhere.
KNOWN_S, ABSENT_S = 5, 1
SLACK_S = 2  # for an answer to come to the kernel, on a busy machine


class History:
    """The values of one property of one document, with the times between which each may have been the one."""

    def __init__(self):
        self.versions = []  # [value, begin of its writing, end of it]

    def begin(self, value):
        self.versions.append([value, time.monotonic(), math.inf])

    def end(self):
        self.versions[-1][2] = time.monotonic()

    def possible(self, since, until):
        """All that may have been read between the two times."""
        found, end = set(), math.inf
        for value, begun, written in reversed(self.versions):
            if end < since:
                break
            if begun <= until:
                found.add(value)
            end = written
        return found


class Catalogue:
    """The daemon, and what its documents are and were."""

    def __init__(self, daemon, tree):
        self.daemon = daemon
        self.tree = tree
        self.names = [f"cats-{number}.txt" for number in range(FILES)]
        self.ratings = {name: History() for name in self.names}
        self.sizes = {name: {0} for name in self.names}
        for name in self.names:
            with open(os.path.join(tree, name), "wb"):
                pass
        daemon.pxs("ingest", tree)
        self.ids = {item["core.filename"]: item["_id"] for item in daemon.items()}
        self.all = daemon.query("_all=cats", "core.type=file")
        self.connection = daemons.UnixConnection(daemon.socket)
        for name in self.names:
            self.rate(name, 0)

    def rate(self, name, value):
        self.ratings[name].begin(value)
        data = {"template": {"data": [{"name": "user.rating", "value": value}]}}
        headers = {"If-Match": "*", "Content-Type": "application/json"}
        self.connection.request("PATCH", f"/files/{self.ids[name]}", json.dumps(data), headers)
        reply = daemons.Reply(self.connection.getresponse())
        assert reply.status == 200, reply.body
        self.ratings[name].end()

    def rated(self, value):
        return self.daemon.query("_all=cats", f"user.rating={value}")


class Thread(threading.Thread):
    """Calls STEP until the end. Whatever a call raises is a fault, and so is one that takes long."""

    def __init__(self, step, ending, pause_s=PAUSE_S):
        super().__init__(daemon=True)
        self.step, self.ending, self.pause_s = step, ending, pause_s
        self.fault, self.steps, self.longest_s = None, 0, 0
        self.start()

    def run(self):
        try:
            while not self.ending.is_set():
                started = time.monotonic()
                self.step()
                self.steps += 1
                self.longest_s = max(self.longest_s, time.monotonic() - started)
                self.ending.wait(self.pause_s)
        except BaseException as fault:
            self.fault = fault
            self.ending.set()


# --- Who changes ---


class Updates:
    """UPDATES_PER_S changes of properties, and ten files a second that grow or shrink."""

    def __init__(self, catalogue, rng):
        self.catalogue, self.rng = catalogue, rng
        self.done, self.started = 0, time.monotonic()

    def __call__(self):
        name = self.rng.choice(self.catalogue.names)
        last = self.catalogue.ratings[name].versions[-1][0]
        self.catalogue.rate(name, self.rng.choice([value for value in RATINGS if value != last]))
        self.done += 1
        if self.done % UPDATES_PER_S == 0:
            self.resize()
        time.sleep(max(0, self.started + self.done / UPDATES_PER_S - time.monotonic()))

    def resize(self):
        for name in self.rng.sample(self.catalogue.names, 10):
            path = os.path.join(self.catalogue.tree, name)
            size = self.rng.randrange(10000)
            self.catalogue.sizes[name].add(size)
            os.truncate(path, size)
        self.catalogue.daemon.pxs("ingest", "--no-wait", self.catalogue.tree)


# --- Who reads: each a call, and what may come of it ---


def list_all(catalogue, _):
    """Nothing comes or goes here."""
    assert files_in(catalogue.all) == set(catalogue.names)


def files_in(folder):
    return {name for name in os.listdir(folder) if name.startswith("cats-")}


def list_rated(catalogue, rng):
    value = rng.choice(RATINGS)
    since = time.monotonic()
    found = files_in(catalogue.rated(value))
    until = time.monotonic()
    for name in catalogue.names:
        possible = catalogue.ratings[name].possible(since, until)
        assert value in possible if name in found else possible != {value}, (name, value, possible)


def find(catalogue, _):
    """With a condition for which it looks at each file."""
    done = subprocess.run(
        ["find", catalogue.all, "-type", "f", "-size", "-11k", "-printf", "%f\\n"],
        capture_output=True, timeout=HUNG_S, check=True,
    )  # fmt: skip
    found = [name for name in done.stdout.decode().splitlines() if name.startswith("cats-")]
    assert sorted(found) == sorted(catalogue.names)


def stat(catalogue, rng):
    name = rng.choice(catalogue.names)
    size = os.stat(os.path.join(catalogue.all, name)).st_size
    assert size in catalogue.sizes[name]


def stat_rated(catalogue, rng):
    name, value = rng.choice(catalogue.names), rng.choice(RATINGS)
    since = time.monotonic()
    try:
        os.stat(os.path.join(catalogue.rated(value), name))
        found = True
    except OSError as fault:
        assert fault.errno == errno.ENOENT
        found = False
    possible = catalogue.ratings[name].possible(
        since - SLACK_S - (KNOWN_S if found else ABSENT_S), time.monotonic()
    )
    assert value in possible if found else possible != {value}, (name, value, possible)


def getfattr(catalogue, rng):
    name = rng.choice(catalogue.names)
    since = time.monotonic()
    rating = int(os.getxattr(os.path.join(catalogue.all, name), "user.user.rating"))
    possible = catalogue.ratings[name].possible(since, time.monotonic())
    assert rating in possible, (name, rating, possible)


def getfattr_all(catalogue, rng):
    """As getfattr -d does. The properties are those of one version."""
    path = os.path.join(catalogue.all, rng.choice(catalogue.names))
    values = {name: os.getxattr(path, name) for name in os.listxattr(path)}
    assert os.path.basename(path).encode() == values["user.core.filename"]
    assert int(values["user.core.size"]) in catalogue.sizes[os.path.basename(path)]


def count(catalogue, _):
    with open(os.path.join(catalogue.all, ".pxs/count"), encoding="ascii") as file:
        assert int(file.read()) == FILES


READINGS = [list_all, list_rated, find, stat, stat_rated, getfattr, getfattr_all, count]


def test_every_answer_is_true(new_daemon, empty_tree, rng):
    daemon = new_daemon().start()
    catalogue = Catalogue(daemon, empty_tree)
    ending = threading.Event()
    updates = Updates(catalogue, rng)
    threads = [Thread(updates, ending, 0)]
    for number in range(THREADS):
        reading = READINGS[number % len(READINGS)]
        own = random.Random(rng.random())
        threads.append(Thread(lambda call=reading, own=own: call(catalogue, own), ending))
    ending.wait(DURATION_S)
    ending.set()
    for thread in threads:
        thread.join(HUNG_S)
        assert not thread.is_alive(), "it hangs"
        if thread.fault:
            raise thread.fault
        assert thread.steps and thread.longest_s < HUNG_S
    took_s = time.monotonic() - updates.started
    if daemons.FULL:
        assert updates.done > 0.9 * UPDATES_PER_S * took_s
    assert daemon.pxs("check").returncode == 0
    print(
        f"{THREADS} threads, {took_s:.0f} s: {sum(t.steps for t in threads[1:])} readings, the longest"
        f" {max(t.longest_s for t in threads[1:]):.2f} s, {updates.done / took_s:.0f} updates/s"
    )
