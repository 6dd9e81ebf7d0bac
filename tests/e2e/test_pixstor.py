"""A replica of a core that is no pxs: crawled in parts, and compared again and again.

With PXS_FULL set, of 100,000 documents."""

import os
import re
import time

import pytest

from cores import documents, upstream, wait_for
from pixstor import Pixstor, iso

AMOUNT = 100_000 if os.environ.get("PXS_FULL") else 16_000


def there(core):
    return {
        id_: {k: sorted(v) if isinstance(v, list) else v for k, v in document.items()}
        for id_, document in core.documents.shown().items()
    }


def assert_equal(core, replica):
    ours, theirs = documents(replica), there(core)
    assert ours.keys() == theirs.keys()
    assert not [(ours[id_], theirs[id_]) for id_ in ours if ours[id_] != theirs[id_]]


@pytest.fixture
def new_core():
    cores = []

    def make(**options):
        cores.append(Pixstor(**options))
        return cores[-1]

    yield make
    for core in cores:
        core.shutdown()
        core.server_close()


def follow(core, replica):
    replica.start(*core.options(replica.home), mount=False)
    replica.pxs("status", "--wait")
    return replica


def cycle(replica):
    replica.pxs("sync", "--wait")


def counts(requests):
    return [request for request in requests if "max_results=1" in request.split("&")]


def test_all_of_a_large_core(new_core, new_daemon, rng):
    """Most of it once, whatever it holds of one second; then what changed; then nothing."""
    core = new_core()
    core.fill(rng, AMOUNT)
    started = time.monotonic()
    replica = follow(core, new_daemon())
    print(f"{AMOUNT / (time.monotonic() - started):.0f} documents a second, {len(core.requests)} requests")
    assert_equal(core, replica)
    assert all(int(page) * 500 <= 10_000 for r in core.requests for page in re.findall(r"page=(\d+)", r))

    core.requests.clear()
    cycle(replica)
    parts = len(counts(core.requests))
    assert len(core.requests) <= parts + 7  # and not one listing
    assert parts <= AMOUNT / 1000 + 15
    print(f"{len(core.requests)} requests with nothing new, {parts} parts")

    ids = rng.sample(sorted(core.documents.by_id), 200)
    for id_ in ids[:40]:
        core.documents.change(id_, user__rating=rng.randrange(100))
    for id_ in ids[40:60]:  # to another part
        core.documents.change(id_, core__modificationtime=iso(1_300_000_000 + id_))
    for id_ in ids[60:120]:
        core.documents.remove(id_)
    core.fill(rng, 70, first=AMOUNT + 1)
    cycle(replica)
    assert_equal(core, replica)
    assert replica.pxs("check").returncode == 0


def test_what_numbers_do_not_tell(new_core, new_daemon, rng):
    """As many come as go, in the same part."""
    core = new_core()
    core.fill(rng, 300)
    replica = follow(core, new_daemon())
    core.documents.remove(7)
    core.fill(rng, 1, first=1001)
    cycle(replica)
    assert_equal(core, replica)


def test_a_core_that_does_not_sort_by_update(new_core, new_daemon, rng):
    core = new_core(sorts_updated=False)
    core.fill(rng, 1500)
    replica = follow(core, new_daemon())
    for id_ in range(1, 200, 7):
        core.documents.change(id_, user__tags=["later"])
    core.documents.remove(8)
    cycle(replica)
    assert_equal(core, replica)


def test_files_that_we_may_not_see(new_core, new_daemon, rng):
    """Pages are short, or empty, and are not the end; what is hidden later goes, and may come back."""
    core = new_core(page_max=40)
    core.fill(rng, 1200)
    core.documents.hidden.update(rng.sample(range(1, 1201), 500))
    for id_ in range(1, 200):
        core.documents.change(id_, core__modificationtime=iso(1_450_000_000))
    core.documents.hidden.update(range(1, 180))
    replica = follow(core, new_daemon())
    assert_equal(core, replica)
    core.documents.hidden.discard(5)
    core.documents.hidden.add(190)
    cycle(replica)
    assert_equal(core, replica)


def test_without_a_schema(new_core, new_daemon, rng):
    """Types are those of the prompts, and stay."""
    core = new_core(has_schema=False)
    core.fill(rng, 100)
    core.documents.change(1, user__tags=["one"], video__codec__audio="aac")
    replica = follow(core, new_daemon())
    assert_equal(core, replica)
    assert replica.pxs("find", "--where", '{"core.size":{"gte":0}}', "--count").stdout == b"100\n"
    core.documents.change(2, core__size="large")
    cycle(replica)
    assert upstream(replica)["errors"]["value"] >= 1
    assert "core.size" not in documents(replica)[2]


def test_kill_9_while_it_is_read(new_core, new_daemon, rng):
    core = new_core()
    core.fill(rng, 16_000)
    replica = new_daemon()
    for part in (5000, 14_000):
        replica.start(*core.options(replica.home), mount=False)
        wait_for(lambda n=part: replica.status()["documents"] > n, "nothing comes")
        replica.kill()
    core.told = 0
    follow(core, replica)
    assert_equal(core, replica)
    assert core.told < 15_500, "it began anew"
    assert replica.pxs("check").returncode == 0


def test_many_that_go_ask_first(new_core, new_daemon, rng):
    core = new_core()
    core.fill(rng, 1500)
    replica = follow(core, new_daemon())
    for id_ in range(1, 1200):
        core.documents.remove(id_)
    replica.pxs("sync", "--wait", code=1)
    assert upstream(replica)["state"] == "held" and len(documents(replica)) == 1500
    replica.pxs("sync", "--confirm")
    wait_for(lambda: documents(replica) == there(core), "it does not go on")


def test_changes_through_it(new_core, new_daemon, rng):
    core = new_core()
    core.fill(rng, 50)
    replica = follow(core, new_daemon())
    replica.pxs("set", "3", "user.rating=5")
    assert core.documents.by_id[3]["user.rating"] == 5
    replica.pxs("rm", "4")
    assert 4 not in core.documents.by_id
    assert_equal(core, replica)
