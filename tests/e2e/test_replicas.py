"""A core and its replica, both written to through REST and mount, both killed again and again: what was answered
as done is there, and nothing is lost, doubled or resurrected."""

import collections
import random
import threading
import time

import daemon as daemons
from cores import Core, documents, upstream, wait_for
from writers import DONE, REFUSED, UNKNOWN, Away, Mount, Rest

KILLS = 200 if daemons.FULL else 12
PAUSE_S = 0.2 if daemons.FULL else 0.05  # at most, between two kills
WRITERS = 4
OPEN = "delete=1000000"
FACETS = ["core.extension", "user.tags", "user.rating"]
WORDS = "alpha beta gamma delta epsilon zeta".split()


class Writer(threading.Thread):
    """Changes documents that nobody else changes, through any door, one change after the other.

    BELIEVED holds, for each, all that it may be: (is it deleted, what it is or was before)."""

    def __init__(self, doors, ids, rng):
        super().__init__(daemon=True)
        self.doors, self.ids, self.rng = doors, ids, rng
        self.ending = threading.Event()
        self.fault = None
        self.counts = collections.Counter()
        self.number = 0
        self.believed = {}
        self.told = collections.defaultdict(list)  # for whoever reads of a fault
        for id_ in ids:
            self.believed[id_] = {(False, doors["core REST"].see(id_).state)}
        self.start()

    def run(self):
        try:
            while not self.ending.is_set():
                try:
                    self.step()
                except Away:
                    time.sleep(0.02)
        except BaseException as fault:
            self.fault = fault

    def step(self):
        id_ = self.rng.choice(self.ids)
        name = self.rng.choice(sorted(self.doors))
        door = self.doors[name]
        seen = door.see(id_)
        if name == "core REST":
            self.check(name, id_, seen)
        change, result, maybe = self.change(door, id_, seen)
        self.counts[name, change, result] += 1
        self.told[id_].append((name, change, result))
        if result == DONE:
            self.believed[id_] = maybe
            self.check_unless_away("core REST", id_)
            if "replica" in name:
                self.check_unless_away("replica REST", id_)
        elif result == UNKNOWN:
            self.believed[id_] = self.believed[id_] | maybe

    def change(self, door, id_, seen):
        """Of the change that it makes: its kind, the result, and all that the document is if it was made."""
        if not seen:
            return "undelete", door.undelete(id_), {(False, state) for _, state in self.believed[id_]}
        if self.rng.random() < 0.2:
            return "delete", door.delete(id_, seen), {(True, seen.state)}
        self.number += 1
        values = {"user.rating": self.number}
        if self.rng.random() < 0.5:
            values["user.tags"] = self.rng.sample(WORDS, self.rng.randrange(1, 4))
        state = (self.number, frozenset(values.get("user.tags", seen.tags)))
        return "patch", door.patch(id_, seen, values), {(False, state)}

    def check(self, name, id_, seen):
        for gone, state in self.believed[id_]:
            if gone if not seen else not gone and state == seen.state:
                return
        raise AssertionError((name, id_, seen and seen.state, self.believed[id_], self.told[id_][-4:]))

    def check_unless_away(self, name, id_):
        try:
            self.check(name, id_, self.doors[name].see(id_))
        except Away:
            pass


def facets(daemon, name):
    target = '/files?where={}&projection={"filters":"%s"}' % name
    return [link for link in daemon.get(target).collection["links"] if link["rel"] == "collection"]


def test_writes_on_both_sides_survive_kills_of_either(new_daemon, small_tree, rng):
    core = Core(new_daemon(), mount=OPEN)
    core.daemon.pxs("ingest", small_tree)
    replica = new_daemon()

    def start_replica():
        replica.start(*core.options(), "--mount", replica.mountpoint, "-o", OPEN, mount=False)

    start_replica()
    replica.pxs("status", "--wait")
    before = documents(core.daemon)
    ids = sorted(id_ for id_, item in before.items() if item["core.type"] == "file")
    ours = ids[: len(ids) * 3 // 4]
    doors = {
        "core REST": Rest(core.daemon),
        "core mount": Mount(core.daemon),
        "replica REST": Rest(replica),
        "replica mount": Mount(replica),
    }
    writers = [Writer(doors, ours[i::WRITERS], random.Random(rng.random())) for i in range(WRITERS)]

    killed = collections.Counter()
    started = time.monotonic()
    for _ in range(KILLS):
        time.sleep(rng.random() * PAUSE_S)
        victim = rng.choice(["core", "replica", "both"])
        end = rng.choice(["kill"] * 7 + ["stop"])
        killed[victim, end] += 1
        if victim != "core":
            getattr(replica, end)()
        if victim != "replica":
            getattr(core.daemon, end)()
            core.start()
        if victim != "core":
            start_replica()
        replica.pxs("sync")
        faults = [writer.fault for writer in writers if writer.fault]
        assert not faults, faults
    took_s = time.monotonic() - started
    for writer in writers:
        writer.ending.set()
    for writer in writers:
        writer.join(daemons.PATIENCE_S)
        assert not writer.is_alive(), "it hangs"
        assert not writer.fault, writer.fault

    wait_for(lambda: upstream(replica)["state"] == "following", "it does not follow")
    replica.pxs("sync")
    wait_for(lambda: documents(core.daemon) == documents(replica), "the replica does not become the core")
    after = documents(core.daemon)
    for daemon in (core.daemon, replica):
        assert len(list(daemon.items())) == len(after)
        assert daemon.pxs("check").returncode == 0
    for name in FACETS:
        assert facets(core.daemon, name) == facets(replica, name)
    for writer in writers:
        for id_ in writer.ids:
            writer.check("core REST", id_, doors["core REST"].see(id_))
    assert after.keys() <= before.keys()
    for id_ in before.keys() - set(ours):
        assert after[id_] == before[id_]

    counts = sum((writer.counts for writer in writers), collections.Counter())
    done = {key[:2]: n for key, n in counts.items() if key[2] == DONE}
    print(f"{KILLS} ends in {took_s:.0f} s: {dict(killed)}; done: {done}")
    for result in (REFUSED, UNKNOWN):
        print(result, {key[:2]: n for key, n in counts.items() if key[2] == result})
    for name in doors:
        assert any(key[0] == name for key in done), name
