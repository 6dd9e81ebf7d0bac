"""Several people change, delete and bring back the same documents through REST and mount of a core and of a replica; of
what they did and saw there must be an order in which each saw the version that he changed."""

import collections
import itertools
import random
import threading
import time

import pytest

import daemon as daemons
from cores import Core
from writers import DONE, REFUSED, Mount, Rest

DURATION_S = 60 if daemons.FULL else 3
DOCUMENTS = 3
PEOPLE = 2  # at each door
OPEN = "delete=1000000"

# One call: from when to when, of what kind; the version that it saw (None: no document) and the one that it made.
Call = collections.namedtuple("Call", "begin end kind seen made", defaults=[None])


def apply(call, state):
    """What becomes of STATE, (is it there, which version); None: CALL cannot have happened then."""
    there, version = state
    if call.kind == "undelete":
        return None if there else (True, version)
    if call.kind == "see":
        return state if there == (call.seen is not None) and (not there or version == call.seen) else None
    if not there or version != call.seen:
        return None
    return (False, version) if call.kind == "delete" else (True, call.made)


def reach(found, under_way):
    """All that may be once any of the calls UNDER_WAY have taken effect, in any order."""
    left = list(found)
    while left:
        state, effective = left.pop()
        for number, call in under_way.items():
            after = None if number in effective else apply(call, state)
            if after and (after, effective | {number}) not in found:
                found.add((after, effective | {number}))
                left.append((after, effective | {number}))
    return found


def first_contradiction(calls, initial):
    """The call by whose end no order is possible any more; None: there is an order of all.

    Each call takes effect at once at some time between its begin and its end."""
    events = [(call.begin, False, number) for number, call in enumerate(calls)]
    events += [(call.end, True, number) for number, call in enumerate(calls)]
    found, under_way = {((True, initial), frozenset())}, {}
    for _, is_end, number in sorted(events):
        if not is_end:
            under_way[number] = calls[number]
            continue
        found = {
            (state, effective - {number})
            for state, effective in reach(found, under_way)
            if number in effective
        }
        del under_way[number]
        if not found:
            return calls[number]
    return None


HISTORIES = [
    ("one after the other", [Call(0, 1, "patch", "a", "b"), Call(2, 3, "patch", "b", "c"), Call(4, 5, "see", "c")], True),
    ("at the same time", [Call(0, 3, "patch", "b", "c"), Call(1, 2, "patch", "a", "b")], True),
    ("a lost update", [Call(0, 3, "patch", "a", "b"), Call(1, 2, "patch", "a", "c")], False),
    ("a change that vanishes", [Call(0, 1, "patch", "a", "b"), Call(2, 3, "see", "a")], False),
    ("deleted and brought back", [Call(0, 1, "delete", "a"), Call(2, 3, "undelete", None), Call(4, 5, "see", "a")], True),
    ("a deletion that vanishes", [Call(0, 1, "delete", "a"), Call(2, 3, "see", "a")], False),
    ("deleted without having seen it", [Call(0, 1, "patch", "a", "b"), Call(2, 3, "delete", "a")], False),
    ("changed when it is gone", [Call(0, 1, "delete", "a"), Call(2, 3, "patch", "a", "b")], False),
    ("deleted twice", [Call(0, 3, "delete", "a"), Call(1, 2, "delete", "a")], False),
    ("brought back twice", [Call(0, 1, "delete", "a"), Call(2, 5, "undelete", None), Call(3, 4, "undelete", None)], False),
    ("brought back as an older version", [Call(0, 1, "patch", "a", "b"), Call(2, 3, "delete", "b"),
                                          Call(4, 5, "undelete", None), Call(6, 7, "see", "a")], False),
    ("gone by itself", [Call(0, 1, "see", None)], False),
]  # fmt: skip


@pytest.mark.parametrize("calls, is_possible", [row[1:] for row in HISTORIES], ids=[row[0] for row in HISTORIES])
def test_the_checker(calls, is_possible):
    assert (first_contradiction(calls, "a") is None) == is_possible


class Person(threading.Thread):
    def __init__(self, name, door, ids, rng, number, ending):
        super().__init__(daemon=True)
        self.door, self.ids, self.rng, self.number, self.ending = door, ids, rng, number, ending
        # The kernel's memory of names is behind by a little, and so is a replica: what is read there counts
        # for what is changed by it.
        self.is_witness = name == "REST"
        self.replaced = set()  # documents and versions, by this person
        self.calls = {id_: [] for id_ in ids}
        self.counts = collections.Counter()
        self.fault = None

    def run(self):
        try:
            while not self.ending.is_set():
                self.step(self.rng.choice(self.ids))
        except BaseException as fault:
            self.fault = fault
            self.ending.set()

    def step(self, id_):
        begin = time.monotonic()
        seen = self.door.see(id_)
        version = seen.state if seen else None
        if self.is_witness:
            self.calls[id_].append(Call(begin, time.monotonic(), "see", version))
        assert (id_, version) not in self.replaced, "his own change is not there"
        made = None
        begin = time.monotonic()
        if not seen:
            kind, result = "undelete", self.door.undelete(id_)
        elif self.rng.random() < 0.25:
            kind, result = "delete", self.door.delete(id_, seen)
        else:
            rating = next(self.number)
            made = (rating, frozenset([f"n{rating}"]))
            kind = "patch"
            result = self.door.patch(id_, seen, {"user.rating": rating, "user.tags": list(made[1])})
        assert result in (DONE, REFUSED), (kind, result)
        self.counts[kind, result] += 1
        if result == DONE:
            self.calls[id_].append(Call(begin, time.monotonic(), kind, version, made))
            if kind == "patch":
                self.replaced.add((id_, version))


def test_changes_and_deletions_have_an_order(new_daemon, small_tree, rng):
    core = Core(new_daemon(), mount=OPEN)
    core.daemon.pxs("ingest", small_tree)
    ids = rng.sample([item["_id"] for item in core.daemon.items('{"core.type":"file"}')], DOCUMENTS)
    replica = new_daemon()
    replica.start(*core.options(), "--mount", replica.mountpoint, "-o", OPEN, mount=False)
    replica.pxs("status", "--wait")
    doors = {
        "REST": Rest(core.daemon),
        "mount": Mount(core.daemon),
        "REST of the replica": Rest(replica),
        "mount of the replica": Mount(replica),
    }
    initial = {id_: doors["REST"].see(id_).state for id_ in ids}
    ending = threading.Event()
    number = itertools.count(1)  # next() of it is atomic
    people = [
        Person(name, door, ids, random.Random(rng.random()), number, ending)
        for name, door in doors.items()
        for _ in range(PEOPLE)
    ]
    for person in people:
        person.start()
    ending.wait(DURATION_S)
    ending.set()
    for person in people:
        person.join(daemons.PATIENCE_S)
        assert not person.is_alive(), "it hangs"
        assert not person.fault, person.fault

    for id_ in ids:
        now = doors["REST"].see(id_)
        end = time.monotonic()
        calls = [call for person in people for call in person.calls[id_]]
        calls.append(Call(end, time.monotonic(), "see", now.state if now else None))
        wrong = first_contradiction(calls, initial[id_])
        near = [call for call in sorted(calls) if wrong and wrong.begin - 0.05 < call.end and call.begin < wrong.end]
        assert not wrong, "\n".join(map(str, [wrong, "among", *near]))
    counts = sum((person.counts for person in people), collections.Counter())
    print(dict(counts))
    for kind in ("patch", "delete", "undelete"):
        assert counts[kind, DONE], kind
