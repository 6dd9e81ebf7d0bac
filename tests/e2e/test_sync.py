"""A replica that follows a core: two real daemons."""

import http.server
import json
import os
import sqlite3
import threading
import time

import pytest

import daemon as daemons
from cores import ROBOT, Core, documents, upstream, wait_for
from proxy import FAULTS, Proxy

WORDS = "alpha beta gamma delta epsilon zeta".split()


def differences(core, replica):
    ours, theirs = documents(replica), documents(core)
    for id_ in sorted(ours.keys() | theirs.keys()):
        a, b = theirs.get(id_, {}), ours.get(id_, {})
        for name in sorted(a.keys() | b.keys()):
            if a.get(name) != b.get(name):
                yield id_, name, a.get(name), b.get(name)


def assert_equal(core, replica):
    assert not list(differences(core, replica))


def wait_equal(core, replica):
    wait_for(lambda: documents(core) == documents(replica), "the replica does not become the core")


def change_at_random(core, rng, n, ids=None):
    """IDS may name documents that are gone, which then come back."""
    ids = ids or sorted(documents(core))
    for _ in range(n):
        target = f"/files/{rng.choice(ids)}"
        kind = rng.randrange(4)
        if kind == 0:
            core.http("DELETE", target, headers={"If-Match": "*"})
        elif kind == 1:
            core.http("POST", target + "/undelete")
        else:
            data = [{"name": "user.tags", "value": rng.sample(WORDS, rng.randrange(1, 4))},
                    {"name": "user.rating", "value": rng.randrange(1000)}]  # fmt: skip
            core.http(
                "PATCH",
                target,
                json.dumps({"template": {"data": data}}),
                {"If-Match": "*", "Content-Type": "application/json"},
            )


@pytest.fixture
def core(new_daemon, small_tree):
    core = Core(new_daemon())
    core.daemon.pxs("ingest", small_tree)
    return core


def facets(daemon):
    target = '/files?where={}&projection={"filters":"core.extension"}'
    return [link for link in daemon.get(target).collection["links"] if link["rel"] == "collection"]


def test_a_replica_is_its_core(core, new_daemon, rng):
    change_at_random(core.daemon, rng, 40)
    replica = new_daemon().start(*core.options(), mount=False)
    replica.pxs("status", "--wait")
    assert_equal(core.daemon, replica)
    assert facets(core.daemon) == facets(replica)
    assert upstream(replica)["state"] == "following"

    change_at_random(core.daemon, rng, 40)
    wait_equal(core.daemon, replica)
    assert facets(core.daemon) == facets(replica)

    # What changes one document reads one document.
    before = upstream(replica)
    change_at_random(core.daemon, rng, 1)
    wait_equal(core.daemon, replica)
    assert upstream(replica)["received"] - before["received"] <= 1


def test_it_goes_on_after_the_core_was_away(core, new_daemon, rng):
    replica = new_daemon().start(*core.options(), mount=False)
    replica.pxs("status", "--wait")
    core.daemon.stop()
    wait_for(lambda: upstream(replica)["state"] == "away", "it does not notice")
    status = upstream(replica)
    assert status["errors"]["connection"] + status["errors"]["server"] >= 1
    assert status["next_attempt"] and status["reason"]
    assert b"away" in replica.pxs("status").stdout
    assert len(documents(replica)) > 100
    core.start()
    change_at_random(core.daemon, rng, 20)
    replica.pxs("sync")
    wait_equal(core.daemon, replica)


def test_kill_9_of_either_loses_nothing(core, new_daemon, rng):
    """At 200 random points with PXS_FULL set."""
    replica = new_daemon().start(*core.options(), mount=False)
    ids = sorted(documents(core.daemon))
    for _ in range(200 if os.environ.get("PXS_FULL") else 4 if daemons.QUICK else 8):
        change_at_random(core.daemon, rng, 10, ids)
        time.sleep(rng.random() * 0.3)
        victim = rng.choice(["core", "replica", "both"])
        if victim != "core":
            replica.kill()
        if victim != "replica":
            core.daemon.kill()
            core.start()
        if victim != "core":
            replica.start(*core.options(), mount=False)
        replica.pxs("sync")
    wait_equal(core.daemon, replica)
    assert facets(core.daemon) == facets(replica)
    assert replica.pxs("check").returncode == 0


def test_another_index_at_the_same_address_is_compared(core, new_daemon, small_tree):
    replica = new_daemon().start(*core.options(), mount=False)
    replica.pxs("status", "--wait")
    before = documents(replica)
    core.daemon.stop()
    other = Core(new_daemon(), core.port, core.auth_port)
    other.daemon.pxs("ingest", os.path.join(small_tree, sorted(os.listdir(small_tree))[0]), code=None)
    replica.pxs("sync")
    wait_equal(other.daemon, replica)
    assert len(documents(replica)) < len(before)


def test_mass_removal_asks_first(new_daemon, empty_tree):
    core = Core(new_daemon())
    for i in range(1500):
        with open(os.path.join(empty_tree, f"f{i}"), "w", encoding="ascii"):
            pass
    core.daemon.pxs("ingest", empty_tree)
    replica = new_daemon().start(*core.options(), mount=False)
    replica.pxs("status", "--wait")
    n = len(documents(replica))
    core.daemon.stop()
    other = Core(new_daemon(), core.port, core.auth_port)
    replica.pxs("sync")
    wait_for(lambda: upstream(replica)["state"] == "held", "it does not stop")
    assert "--confirm" in upstream(replica)["reason"]
    assert replica.pxs("sync", "--wait", code=None).returncode in (0, 1)
    wait_for(lambda: upstream(replica)["state"] == "held", "it goes on")
    assert len(documents(replica)) == n
    replica.pxs("sync", "--confirm")
    wait_equal(other.daemon, replica)
    assert not documents(replica)


@pytest.fixture
def hooked(new_daemon, empty_tree, monkeypatch):
    """A core of 1,500 files, and the proxy before it; hooked(HOOK) lets HOOK do something once, when a page was
    answered and has not arrived yet."""
    for i in range(1500):
        with open(os.path.join(empty_tree, f"f{i}"), "w", encoding="ascii"):
            pass
    core = Core(new_daemon())
    core.daemon.pxs("ingest", empty_tree)
    proxy = Proxy(core.port)
    core.url = proxy.url

    def hooked(hook):
        def fault(_, answer, __):
            proxy.fault = None
            hook(answer.json()["collection"]["items"])
            return answer.bytes()

        monkeypatch.setitem(FAULTS, "hook", fault)
        proxy.set("hook", "page")

    hooked.core, hooked.proxy = core, proxy
    yield hooked
    proxy.close()


def test_what_goes_during_the_listing_takes_nothing_along(hooked, new_daemon):
    """All that stands behind it moves up, from a later page to one that was read."""
    core = hooked.core
    hooked(lambda items: core.daemon.http("DELETE", items[3]["href"], headers={"If-Match": "*"}))
    replica = new_daemon().start(*core.options(), mount=False)
    replica.pxs("status", "--wait")
    assert_equal(core.daemon, replica)
    assert len(documents(replica)) >= 1499


def test_what_is_written_during_a_listing_stays(hooked, new_daemon):
    """A page that was read before is older than what is here now."""
    core, shown = hooked.core, []
    replica = new_daemon().start(*core.options(), mount=False)
    replica.pxs("status", "--wait")

    def write(items):
        replica.pxs("set", items[5]["href"].rsplit("/", 1)[1], "user.rating=5")
        shown.append(items[5]["href"])

    hooked(write)
    replica.stop()
    with sqlite3.connect(os.path.join(replica.index, "state.db")) as notes:  # all is compared then
        notes.execute("DELETE FROM meta WHERE key GLOB 'sync.*'")
    notes.close()
    replica.start(*core.options(), mount=False)
    wait_for(lambda: shown, "no page is read")
    for _ in range(100):
        item = replica.get(shown[0]).collection["items"][0]
        assert {"user.rating": 5}.items() <= {d["name"]: d["value"] for d in item["data"]}.items()
        time.sleep(0.01)
    replica.pxs("status", "--wait")
    assert_equal(core.daemon, replica)


def test_a_wrong_password_is_told(core, new_daemon):
    replica = new_daemon().start(*core.options("wrong"), mount=False)
    wait_for(lambda: upstream(replica)["state"] == "not authorised", "it is not refused")
    assert replica.pxs("status", "--wait", code=1).returncode == 1
    assert upstream(replica)["errors"]["authorisation"] >= 1
    core.options()
    replica.pxs("sync")
    wait_equal(core.daemon, replica)


def test_a_token_that_ended_is_renewed(core, new_daemon, rng):
    replica = new_daemon().start(*core.options(), mount=False)
    replica.pxs("status", "--wait")
    for token in core.daemon.get("/tokens").json["tokens"]:
        assert core.daemon.http("DELETE", f"/tokens/{token['id']}").status == 204
    change_at_random(core.daemon, rng, 10)
    wait_equal(core.daemon, replica)
    assert upstream(replica)["errors"]["authorisation"] == 0


def test_an_index_with_files_of_its_own_follows_nobody(core, new_daemon, small_tree):
    replica = new_daemon().start(mount=False)
    replica.pxs("ingest", small_tree)
    replica.stop()
    with pytest.raises(RuntimeError) as failure:
        replica.start(*core.options(), mount=False)
    assert "name an index for it alone with --index" in str(failure.value)
    replica.announced = [b"error"]


def test_a_replica_ingests_nothing(core, new_daemon, small_tree):
    replica = new_daemon().start(*core.options(), mount=False)
    reply = replica.pxs("ingest", small_tree, code=12)
    assert b"takes no files of its own" in reply.stderr


def test_a_certificate_is_trusted_by_name_alone(new_daemon, small_tree):
    core = Core(new_daemon(), tls="always")
    core.daemon.pxs("ingest", small_tree)
    assert core.url.startswith("https://")
    shown = core.daemon.pxs("cert", "show").stdout.decode()
    pin = next(line.split()[-1] for line in shown.splitlines() if "sha256//" in line)
    pem = os.path.join(core.daemon.home, "core.pem")
    with open(pem, "wb") as file:
        file.write(core.daemon.pxs("cert", "show", "--pem").stdout)

    for trust in (["--cacert", pem], ["--fingerprint", pin], ["--insecure"]):
        replica = new_daemon().start(*core.options(), *trust, mount=False)
        replica.pxs("status", "--wait")
        assert_equal(core.daemon, replica)
        replica.stop()

    replica = new_daemon().start(*core.options(), mount=False)
    assert b"not trusted; name one with --cacert" in replica.pxs("status", "--wait", code=1).stderr
    replica = new_daemon().start(*core.options(), "--fingerprint", "sha256//" + 43 * "A" + "=", mount=False)
    assert b"not the one that --fingerprint names" in replica.pxs("status", "--wait", code=1).stderr


class Elsewhere(http.server.ThreadingHTTPServer):
    """Sends whoever asks to TARGET, and notes what it was told."""

    def __init__(self, target=None):
        super().__init__(("127.0.0.1", 0), Redirect)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.target = target
        self.headers = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Redirect(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.headers.append(self.headers)
        self.send_response(307)
        self.send_header("Location", self.server.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_credentials_go_nowhere_else(core, new_daemon):
    with Elsewhere() as thief, Elsewhere() as upstream_:
        thief.target, upstream_.target = thief.url, thief.url + "/api"
        options = core.options()
        options[options.index("--upstream") + 1] = upstream_.url
        replica = new_daemon().start(*options, mount=False)
        told = replica.pxs("status", "--wait", code=1).stderr.decode()
        assert f"sends us to {thief.url}/api; if that is right, name it as the upstream" in told
        assert upstream_.headers[0]["Authorization"].startswith("Bearer ")
        assert not thief.headers

        upstream_.target = upstream_.url + "/again"
        replica.pxs("sync")
        wait_for(lambda: "round in a circle" in upstream(replica)["reason"], "it follows for ever")
        upstream_.shutdown()
        thief.shutdown()


def test_secrets_stay_where_they_are(core, new_daemon):
    """Not on the command line, not in the environment, not in the log."""
    replica = new_daemon().start(*core.options(), mount=False)
    replica.pxs("status", "--wait")
    for name in ("cmdline", "environ"):
        with open(f"/proc/{replica.process.pid}/{name}", "rb") as file:
            assert ROBOT[1].encode() not in file.read()
    assert ROBOT[1] not in replica.log_text() + core.daemon.log_text()


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--upstream", "core.example"], "no https:// URL"),
        (["--upstream", "http://core.example/"], "for this machine only"),
        (["--upstream", "https://a:b@core.example/"], "no place for a name and a password"),
        (["--upstream", "https://core.example/", "--user", "x"], "belong together"),
        (["--upstream", "https://c/", "--insecure", "--cacert", "/x"], "exclude each other"),
        (["--upstream", "https://c/", "--fingerprint", "AB:CD"], "pxs cert show"),
        (["--user", "x"], "name it with --upstream"),
    ],
)
def test_options_that_do_not_fit(new_daemon, options, sentence):
    daemon = new_daemon()
    with pytest.raises(RuntimeError) as failure:
        daemon.start(*options, mount=False)
    assert sentence in str(failure.value)
    daemon.announced = [b"error"]
