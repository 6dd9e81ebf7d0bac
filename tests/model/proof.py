"""How much is proved where, and how a part is run: many catalogues, each with a seed of its own."""

import collections
import os
import random
import shutil
import tempfile
import time

import hostile
import operations
import queries
import syntax
from engine import Engine

# Cases of:          tests/run --quick   tests/run   tests/model/run --full
AMOUNTS = {
    "queries": (1000, 4000, 100_000),
    "crowds": (40, 200, 5000),  # queries, too, beside many documents
    "operations": (1500, 6000, 1_000_000),
    "hostile": (2000, 20_000, 200_000),  # documents beside which all the queries of a table are
    "syntax": (0, 0, 5000),  # in .ci/run, too: a Java runtime is a lot to install for one test
}
QUICK, USUAL, FULL = range(3)

# Cases of one catalogue; then another one is made.
PARTS = {
    "queries": (queries.run, 200),
    "crowds": (queries.run_crowd, 40),
    "operations": (operations.run, 1500),
    "hostile": (hostile.run, 1_000_000),
    "syntax": (syntax.run, 5000),
}

SEED = os.environ.get("PXS_SEED") or str(time.time_ns() % 1_000_000_000)
WORK = os.environ.get("PXS_WORK", "/tmp")


def one(part, number, n):
    """Catalogue NUMBER of PART: N cases."""
    run, _ = PARTS[part]
    directory = tempfile.mkdtemp(prefix="pxs-model-", dir=WORK)
    engine = Engine(os.path.join(directory, "index"))
    try:
        counts = run(engine, random.Random(f"{SEED} {part} {number}"), n)
        engine.close()
        return counts
    except BaseException as fault:
        fault.add_note(f"again: PXS_SEED={SEED} tests/model/run --{part} {n} --only {number}")
        raise
    finally:
        engine.kill()
        shutil.rmtree(directory)


def all_of(part, n, report=lambda *_: None):
    """N cases of PART. What was done, by kind; raises what one() raises."""
    counts = collections.Counter()
    size = PARTS[part][1]
    for number, start in enumerate(range(0, n, size)):
        counts += one(part, number, min(size, n - start))
        report(min(start + size, n), counts)
    return counts
