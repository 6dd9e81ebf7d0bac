"""Random operations on one catalogue, and after each of them what a model says of it.

Inserts, updates and removals, committed together or given up; queries; compaction; restarts; and
crashes, between operations and in the middle of a commit. What was acknowledged is there, what was
not committed is not, and a commit that a crash met happened as a whole or not at all.
"""

import collections

from catalogue import Catalogue, Difference
from queries import Queries

DOCS_MAX = 150


class Operations:
    def __init__(self, engine, rng):
        self.engine, self.rng = engine, rng
        self.catalogue = Catalogue(engine, rng)
        self.catalogue.fill(10)
        self.queries = Queries(self.catalogue, rng)
        self.counts = collections.Counter()

    def known(self):
        docs, _ = self.catalogue.begin()
        return self.rng.choice(list(docs)) if docs else self.catalogue.new_id()

    def insert(self):
        docs, _ = self.catalogue.begin()
        if len(docs) < DOCS_MAX:
            self.catalogue.put(self.catalogue.new_id())
        else:
            self.catalogue.remove(self.known())

    def update(self):
        self.catalogue.put(self.known())

    def remove(self):
        self.catalogue.remove(self.known())

    def remove_unknown(self):
        self.catalogue.remove(self.catalogue.new_id())

    def commit(self):
        self.catalogue.commit()

    def abort(self):
        self.catalogue.abort()

    def query(self):
        """Of what is committed; the open write is not seen."""
        if self.catalogue.docs:
            self.queries.one()

    def restart(self):
        """Closing gives up the open write."""
        self.engine.reopen()
        self.catalogue.draft = None
        self.catalogue.holds()

    def crash(self):
        self.engine.crash()
        self.catalogue.draft = None
        self.catalogue.holds()

    def crash_in_commit(self):
        """Whether it happened is for the engine to say; half of it would be a fault."""
        self.engine.crash_in("commit", self.rng.random() * 0.003)
        try:
            before = self.catalogue.draft
            self.catalogue.draft = None
            self.catalogue.holds()
        except Difference:
            self.catalogue.draft = before
            self.catalogue.committed()
            self.catalogue.holds()

    def compact(self):
        self.catalogue.commit()
        self.engine.ask("compact")
        self.catalogue.holds()

    def crash_in_compact(self):
        self.catalogue.commit()
        self.engine.crash_in("compact", self.rng.random() * 0.03)
        self.catalogue.holds()
        self.catalogue.sound()

    def check(self):
        self.catalogue.commit()
        self.catalogue.sound()

    # How often, of 1,000.
    WEIGHTS = {
        insert: 330,
        update: 180,
        remove: 120,
        remove_unknown: 5,
        commit: 100,
        abort: 5,
        query: 251,
        restart: 2,
        crash: 2,
        crash_in_commit: 1,
        compact: 2,
        crash_in_compact: 1,
        check: 1,
    }

    def one(self):
        (operation,) = self.rng.choices(list(self.WEIGHTS), self.WEIGHTS.values())
        operation(self)
        self.counts[operation.__name__] += 1


def run(engine, rng, n):
    """N operations; raises Difference. What was done, by kind."""
    operations = Operations(engine, rng)
    for _ in range(n):
        operations.one()
    operations.commit()
    operations.catalogue.holds()
    operations.catalogue.sound()
    return operations.counts
