import itertools
import os
import random
import shutil
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import daemon as daemons  # noqa: E402
import model  # noqa: E402
import tree  # noqa: E402

# What a shell starts in the background ignores SIGINT, and so would all that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

SEED = daemons.seed()
NUMBERS = itertools.count(1)

# Real files beside the generated ones, as far as the machine has them.
REAL_SOURCES = ["/usr/share/doc", "/usr/share/mime", "/usr/share/zoneinfo", "/usr/share/locale/de"]


def pytest_report_header():
    return f"PXS_SEED={SEED}"


def pytest_addoption(parser):
    parser.addoption("--keep", action="store_true", help="keep the folders of failed tests")


@pytest.fixture(scope="session")
def work(request):
    """A short path for everything of this run."""
    path = os.path.join(daemons.WORK, f"e2e-{os.getpid()}")
    os.makedirs(path)
    yield path
    if not request.config.getoption("--keep"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def rng(request):
    """Another one for each test, the same in each run of one seed."""
    return random.Random(f"{SEED} {request.node.nodeid}")


class Catalogue:
    """A daemon whose index holds known trees, and the model of these."""

    def __init__(self, daemon, tree_root, sources):
        self.daemon = daemon
        self.tree = tree_root
        self.sources = sources
        self.documents = model.documents(sources)
        self.by_path = {doc.path: doc for doc in self.documents}
        self.adopt_mimetypes()

    def adopt_mimetypes(self):
        """MIME types are libmagic's knowledge, not ours: taken over here, and checked by rows in
        test_catalogue.py."""
        by_text = {}
        for doc in self.documents:
            by_text.setdefault(doc.values["core.pathname"], []).append(doc)
        for item in self.daemon.items(projection='{"core.pathname":1,"core.mimetype":1}'):
            for doc in by_text.get(item["core.pathname"], []):
                if "core.mimetype" in item:
                    doc.values["core.mimetype"] = item["core.mimetype"]


@pytest.fixture(scope="session")
def catalogue(work):
    """Shared by all tests that change nothing."""
    source = os.path.join(work, "tree")
    tree.make(source, SEED, 600 if daemons.QUICK else 4000)
    real = [] if daemons.QUICK else [path for path in REAL_SOURCES if os.path.isdir(path)]
    sources = [os.path.realpath(path) for path in [source, *real]]

    daemon = daemons.Daemon(os.path.join(work, "main"))
    try:
        daemon.start()
        for path in sources:
            daemon.pxs("ingest", path)
        yield Catalogue(daemon, source, sources)
        assert daemon.stop() == 0
        assert not daemons.is_mounted(daemon.mountpoint)
        assert not daemon.new_alarms()
    finally:
        daemon.destroy()


@pytest.fixture
def mount(catalogue):
    """The shared daemon; the test fails if its log holds an error that the test did not announce."""
    catalogue.daemon.announced = []
    yield catalogue.daemon
    assert catalogue.daemon.process.poll() is None, catalogue.daemon.log_text()
    assert not catalogue.daemon.new_alarms()


@pytest.fixture
def new_daemon(work):
    """Makes daemons that are this test's own."""
    made = []

    def make():
        made.append(daemons.Daemon(os.path.join(work, f"d{next(NUMBERS)}")))
        return made[-1]

    yield make
    alarms = []
    for daemon in made:
        if daemon.process and daemon.process.poll() is None:
            assert daemon.stop() == 0
        alarms += daemon.new_alarms() if os.path.exists(daemon.log) else []
        daemon.destroy()
    assert not alarms


@pytest.fixture
def small_tree(work):
    """A tree of its own for a test that changes files."""
    path = os.path.join(work, f"t{next(NUMBERS)}")
    tree.make(path, SEED, 150)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def empty_tree(work):
    path = os.path.join(work, f"t{next(NUMBERS)}")
    os.makedirs(path)
    yield path
    shutil.rmtree(path)
