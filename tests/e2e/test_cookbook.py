"""The recipes of the PixStor cookbook, as its readers would write them for Python 3, and who may do what
to which document: over TCP, with tokens."""

import json
import os
import re
import shutil
import subprocess
import time
from urllib.parse import quote

import pytest
import requests

import daemon as daemons
from test_auth import Doors
from test_conformance import error, mismatch

ROLES = {
    "nobody": None,
    "reader": "read",
    "updater": "read, update_search_metadata",
    "deleter": "read, delete_search_metadata",
    "seer": "read, bypass_file_access_security",
}
CONFIG = """
rest = 127.0.0.1:0
auth = localhost:0
robots = {home}/robots

[rights]
* = read
robby = all
"""


@pytest.fixture(scope="module")
def shop(work):
    """A daemon with users of every role, some files, and two folders: one that all may enter, one that
    nobody but its owner may."""
    daemon = daemons.Daemon(os.path.join(work, "cookbook"))
    tree = os.path.join(work, "cookbook-tree")
    try:
        for folder in ("open", "closed"):
            os.makedirs(os.path.join(tree, folder))
            for i in range(30):
                with open(os.path.join(tree, folder, f"cat-{i}.{'tmp' if i % 3 else 'jpg'}"), "w", encoding="utf-8") as file:
                    file.write("x" * i)
        os.chmod(os.path.join(tree, "closed"), 0o700)
        doors = Doors(daemon, CONFIG)
        for role, rights in ROLES.items():
            if rights:
                doors.add_user((role, "password of " + role), rights)
        daemon.pxs("ingest", tree)
        doors.tree = tree
        doors.tokens = {
            role: doors.token((role, "password of " + role)) if rights else None
            for role, rights in ROLES.items()
        }
        yield doors
        assert daemon.stop() == 0
        assert not daemon.new_alarms()
    finally:
        daemon.destroy()
        shutil.rmtree(tree, ignore_errors=True)


# --- Batch operations ---


def batch_token(shop):
    """A password shared by a group-readable file, and a token for it."""
    user, _, password = open(shop.robots, encoding="utf-8").readline().strip().partition(":")
    resp = requests.post(
        shop.auth + "/oauth2/token",
        data={"grant_type": "password", "username": user, "password": password},
        verify=shop.certificate,
        timeout=30,
    )
    return resp.json()["access_token"]


def test_a_batch_user_needs_no_person(shop):
    assert os.stat(shop.robots).st_mode & 0o007 == 0
    token = batch_token(shop)
    server = shop.search
    data = requests.get(
        server + '/files?where={"_all":"cat"}', auth=(token, ""), timeout=30
    ).json()
    assert data["collection"]["properties"][0]["value"] == 60


# --- Locating files ---


def changed_since(server, token, since_s, emitter):
    """Seconds become milliseconds, which is what the API counts in."""
    href = '/files?where={"core.modificationtime": {"gte": %d}}' % round(since_s * 1000)
    while href:
        data = requests.get(server + href, auth=(token, ""), timeout=30).json()
        for file_ in data["collection"]["items"]:
            emitter([c["value"] for c in file_["data"] if c["name"] == "core.pathname"][0])
        href = next((l["href"] for l in data["collection"]["links"] if l["rel"] == "next"), None)


def test_all_files_that_changed_recently(shop):
    token, before = batch_token(shop), time.time()
    path = os.path.join(shop.tree, "open/cat-3.jpg")
    time.sleep(0.01)
    os.utime(path)
    shop.daemon.pxs("ingest", shop.tree)
    seen = []
    changed_since(shop.search, token, before - 0.005, seen.append)
    assert seen == [path]
    every = []
    changed_since(shop.search, token, 0, every.append)
    assert len(every) == len(set(every)) > 60


# --- The command line ---


def curl(shop, target, token):
    done = subprocess.run(
        ["curl", "-sSg", shop.search + target, "-u", token + ":"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode()


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not there")
def test_curl_and_awk(shop):
    token = batch_token(shop)
    page = curl(shop, '/files?where={"_all":"jpg"}&max_results=10&pretty', token)
    assert len(json.loads(page)["collection"]["items"]) == 10
    text = curl(shop, '/files?where={"core.extension":".tmp"}&max_results=1000&pretty', token)
    awk = r"""awk -F': ' '/core\.pathname/ {getline; gsub(/\"/, ""); print $2}'"""
    paths = subprocess.run(
        awk, shell=True, input=text.encode(), capture_output=True, check=True
    ).stdout.decode().split()
    expected = [
        os.path.join(shop.tree, folder, name)
        for folder in ("open", "closed")
        for name in os.listdir(os.path.join(shop.tree, folder))
        if name.endswith(".tmp")
    ]
    assert sorted(paths) == sorted(expected)


# --- Who may do what to which document ---

FINE = json.dumps({"template": {"data": [{"name": "user.comment", "value": "x"}]}})
READERS = {"reader", "updater", "deleter", "seer"}
# what, method, path, body, who may
ACTIONS = [
    ("read", "GET", "/files/{id}", None, READERS),
    ("head", "HEAD", "/files/{id}", None, READERS),
    ("content", "GET", "/files/{id}/content", None, READERS),
    ("patch", "PATCH", "/files/{id}", FINE, {"updater"}),
    ("delete", "DELETE", "/files/{id}", None, {"deleter"}),
    ("undelete", "POST", "/files/{id}/undelete", None, {"deleter"}),
]
OK = {"read": 200, "head": 200, "content": 200, "patch": 200, "delete": 204, "undelete": 409}


@pytest.mark.parametrize("which", ["open", "closed", "absent"])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action[0])
def test_rights_by_document(shop, action, role, which):
    """Own, other and absent ids: what one may not see is told from what is not there by nothing."""
    what, method, path, body, who = action
    number = {"absent": 5}.get(which)
    if number is None:
        name = os.path.join(shop.tree, which, "cat-1.tmp")
        (found,) = shop.daemon.items(json.dumps({"core.pathname": name}))
        number = found["_id"]
    token = shop.tokens[role]
    reply = requests.request(
        method,
        shop.search + path.replace("{id}", str(number)),
        data=body,
        headers={"If-Match": "*", **({"Authorization": f"Bearer {token}"} if token else {})},
        timeout=30,
    )
    sees = which == "open" or (which == "closed" and role == "seer")
    if role not in who:
        assert reply.status_code == 403
    elif what == "content" and which == "closed" and role == "seer":
        assert reply.status_code == 403  # he sees that it is there, but the file system says no
    else:
        assert reply.status_code == (OK[what] if sees else 404)
    if reply.status_code in (403, 404) and which == "closed":
        assert "closed" not in reply.text
    if what == "delete" and reply.status_code == 204:
        assert shop.daemon.http("POST", f"/files/{number}/undelete").status == 200


def bring_back(shop, role, number):
    return requests.post(
        f"{shop.search}/files/{number}/undelete",
        headers={"Authorization": f"Bearer {shop.tokens[role]}"},
        timeout=30,
    )


@pytest.mark.parametrize("which", ["open", "closed"])
def test_what_others_removed(shop, which):
    """Who could not see a document cannot bring it back either, and learns nothing of it."""
    name = os.path.join(shop.tree, which, "cat-2.tmp")
    (found,) = shop.daemon.items(json.dumps({"core.pathname": name}))
    number = found["_id"]
    assert shop.get(f"/files/{number}", shop.tokens["deleter"]).status_code == (200 if which == "open" else 404)
    assert shop.daemon.http("DELETE", f"/files/{number}", headers={"If-Match": "*"}).status == 204
    reply = bring_back(shop, "deleter", number)
    if which == "open":
        assert reply.status_code == 200
        return
    never = bring_back(shop, "deleter", number - 1)
    assert (reply.status_code, never.status_code) == (404, 404)
    tell = [r.json()["collection"]["error"]["message"] for r in (reply, never)]
    assert tell[0].replace(str(number), "N") == tell[1].replace(str(number - 1), "N")
    assert shop.daemon.http("POST", f"/files/{number}/undelete").status == 200


def test_an_explanation_has_no_words_of_what_is_hidden(shop):
    path = os.path.join(shop.tree, "closed", "zyzzogeton-unheard.of")
    with open(path, "w", encoding="utf-8"):
        pass
    shop.daemon.pxs("ingest", shop.tree)
    for role, hits in ("seer", 1), ("reader", 0):
        for text in "zyzzo*", "zyzzogetom~", "*zzoget*", "/zyzz.*/", '"zyzzogeton unheard"', "zyzzogeton":
            reply = shop.get("/explain?q=" + quote(text), shop.tokens[role])
            told = reply.json()
            assert told["hits"] == hits, text
            words = [word["word"] for node in told["tree"] for word in node.get("words", [])]
            if role == "reader":
                assert not words, text
                # The same as of what nobody has.
                never = shop.get("/explain?q=" + quote(text.replace("zz", "qq")), shop.tokens[role])
                terms = [[node.get("terms") for node in each["tree"]] for each in (told, never.json())]
                assert terms[0] == terms[1], text
            elif '"' not in text:
                assert words and all(word["documents"] for node in told["tree"] for word in node.get("words", []))
    os.unlink(path)
    shop.daemon.pxs("ingest", shop.tree)


# method, target, who may, what these are answered
ROUTES = [
    ("GET", "/", READERS, 200),
    ("GET", "/files", READERS, 200),
    ("GET", "/files?where={}", READERS, 200),
    ("DELETE", '/files?where={"core.size":9999}', {"deleter"}, 204),
    ("GET", "/explain?q=x", READERS, 200),
    ("GET", "/changes", READERS, 200),
    ("GET", "/schema/files", READERS, 200),
    ("GET", "/status", READERS, 200),
    ("GET", "/metrics", READERS, 200),
    ("GET", "/version", READERS, 200),
    ("GET", "/certificate", READERS, 200),
    ("GET", "/removed", {"deleter"}, 200),
    ("GET", "/failures", {"seer"}, 200),
    ("GET", "/saved", READERS, 200),
    ("POST", "/saved", {"updater"}, 400),
    ("DELETE", "/saved?name=none", {"updater"}, 404),
    ("GET", "/ingest", READERS, 200),
    ("GET", "/ingest/1", READERS, 200),
    ("GET", "/ingest/99999", READERS, 404),
    ("GET", "/sync", READERS, 200),
    ("GET", "/mounts", READERS, 200),
    ("GET", "/check", set(), None),
    ("POST", "/repair", set(), None),
    ("POST", "/ingest", set(), None),
    ("POST", "/sync", set(), None),
    ("POST", "/mounts", set(), None),
    ("DELETE", "/mounts?mountpoint=/x", set(), None),
    ("GET", "/users", set(), None),
    ("POST", "/users", set(), None),
    ("PATCH", "/users/reader", set(), None),
    ("PATCH", "/users/nobody-there", set(), None),
    ("DELETE", "/users/reader", set(), None),
    ("DELETE", "/users/nobody-there", set(), None),
    ("GET", "/tokens", set(), None),
    ("POST", "/tokens", set(), None),
    ("DELETE", "/tokens/1", set(), None),
    ("DELETE", "/tokens/99999", set(), None),
    ("GET", "/healthz", set(ROLES), 200),
    ("GET", "/readyz", set(ROLES), 200),
    ("GET", "/openapi.json", set(ROLES), 200),
]


def test_the_matrix_has_every_route(shop):
    """But those of log-ins (test_auth.py)."""
    routes = {
        (method.upper(), path)
        for path, methods in shop.daemon.get("/openapi.json").json["paths"].items()
        for method in methods
        if method != "parameters" and not path.startswith(("/oauth2/", "/.well-known/"))
    }
    tried = {(method, path) for _, method, path, _, _ in ACTIONS if method != "HEAD"}
    for method, target, _, _ in ROUTES:
        path = target.partition("?")[0]
        fits = [
            (method, each)
            for way, each in routes
            if way == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path)
        ]
        assert len(fits) == 1, (method, target)
        tried.update(fits)
    assert tried == routes


@pytest.mark.parametrize("method, target, who, status", ROUTES, ids=lambda v: v if isinstance(v, str) else "")
@pytest.mark.parametrize("role", ROLES)
def test_rights_by_route(shop, method, target, who, status, role):
    token = shop.tokens[role]
    reply = requests.request(
        method,
        shop.search + quote(target, safe="/?=&"),
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=30,
    )
    assert reply.status_code == (status if role in who else 403), reply.text[:300]
    if role not in who:
        assert mismatch(error(403), reply.json()) is None


@pytest.mark.parametrize("role", ["reader", "seer"])
def test_counts_tell_nothing(shop, role):
    """Hits, facets and feed are those of what one may see."""
    hits = 60 if role == "seer" else 30
    headers = {"Authorization": f"Bearer {shop.tokens[role]}"}
    where = quote('{"core.type":"file"}')
    found = shop.get(f"/files?where={where}", headers=headers).json()["collection"]
    assert found["properties"][0]["value"] == hits
    facets = shop.get(
        f"/files?where={where}&projection=" + quote('{"filters":"core.directory"}'), headers=headers
    ).json()["collection"]
    counts = [link["count"] for link in facets["links"] if link["rel"] == "collection"]
    assert counts == [30] * (hits // 30)
    told = shop.get("/changes?since=0&max_results=1000", headers=headers).json()["collection"]
    files = {item["href"] for item in told["items"]}
    assert all(
        shop.get(href, headers=headers).status_code == 200
        for href in files
        if not any(d["name"] == "_deleted" and d["value"] for i in told["items"] if i["href"] == href for d in i["data"])
    )
