"""Routes beyond the endpoint table, times every status, as test_conformance.py has the others; and that
between the two no status of /openapi.json is left out."""

import json
import re

import pytest

from test_conformance import ANY, MEDIA_TYPE, ROWS, TIME, Each, documents, error, mismatch  # noqa: F401

JSON, TEXT, OAUTH = "application/json", "text/plain;charset=UTF-8", "application/json;charset=UTF-8"

NODE = {
    "depth": int,
    "occur": "must",
    "text": str,
    "from": "words",
    "terms": 3,
    "found": 40,
    "milliseconds": ANY,
    "words": Each({"word": "txt", "property": str, "documents": 40}, least=3),
}
EXPLAINED = {
    "query": '_all has "txt"',
    "path": "_all=txt",
    "where": {"_all": "txt"},
    "tree": [NODE],
    "hits": 40,
    "generation": int,
    "milliseconds": ANY,
}
SAVED = {"name": "c", "path": "_all=txt", "created": re.compile(TIME.pattern + r"(\.\d{1,9})?"), "parameters": []}
JOB = {
    "job": 1,
    "state": "done",
    "path": str,
    "seen": 40,
    "expected": 40,
    "added": 40,
    **{each: 0 for each in ("changed", "renamed", "removed", "unchanged", "failures")},
    "rate": ANY,
    "elapsed_s": ANY,
    "eta_s": None,
}
STATUS = {
    "version": str,
    "index": str,
    "socket": str,
    "public": False,
    **{
        each: int
        for each in ("pid", "uptime_s", "documents", "versions", "properties", "seq", "docs_bytes")
        + ("fts_bytes", "column_bytes", "rss_bytes", "failures")
    },
    "changed": TIME,
    "sources": [{"path": str, "scanned": TIME, "failures": 0}],
    "watching": False,
    "trouble": None,
    "upstreams": [],
    "mounts": [],
    "job": None,
    "last_job": JOB,
}
SOUND = {"sound": True, "faults": []}
USER = {"name": "u1", "rights": ["read"], "created": int}
TOKEN = {"token": re.compile(r"pxs_[\w-]{48}"), "id": 1, "user": "nobody", "rights": ["read"], "expires": int}
LISTED = {
    "id": 1,
    "user": "nobody",
    "begins": re.compile(r"pxs_[\w-]{8}"),
    "label": "",
    "granted": True,
    "rights": ["read"],
    "created": int,
    "expires": int,
    "used": None,
}
METADATA = {
    "issuer": str,
    "token_endpoint": re.compile(".*/oauth2/token"),
    "revocation_endpoint": re.compile(".*/oauth2/revoke"),
    "response_types_supported": [],
    "grant_types_supported": ["password"],
    "token_endpoint_auth_methods_supported": ["none"],
    "revocation_endpoint_auth_methods_supported": ["none"],
    "scopes_supported": Each(str, least=4),
}
C, NOWHERE = '{"name": "c", "path": "_all=txt"}', "/nowhere-at-all"
NEW_USER = '{"name": "u1", "password": "pppppppp12", "rights": "read"}'

# METHOD, TARGET ({id}: a document that there is), HEADERS, BODY, STATUS, TYPE, SHAPE. One after the other.
OURS = [
    ("GET", "/explain?q=txt", {}, None, 200, JSON, EXPLAINED),
    ("GET", "/explain?q=%22a", {}, None, 400, MEDIA_TYPE, error(400)),
    ("GET", "/files/{id}/content", {}, None, 200, "text/plain", b"x" * 20),
    ("GET", "/files/{id}/content", {"If-None-Match": "*"}, None, 304, "text/plain", b""),
    ("GET", "/saved", {}, None, 200, JSON, {"saved": []}),
    ("POST", "/saved", {}, C, 201, JSON, {"saved": [SAVED]}),
    ("GET", "/saved", {}, None, 200, JSON, {"saved": [SAVED]}),
    ("POST", "/saved", {}, C, 400, MEDIA_TYPE, error(400, "already")),
    ("DELETE", "/saved?name=c", {}, None, 204, None, b""),
    ("DELETE", "/saved?name=c", {}, None, 404, MEDIA_TYPE, error(404)),
    ("DELETE", "/saved", {}, None, 400, MEDIA_TYPE, error(400, "name")),
    ("GET", "/removed?before=x", {}, None, 400, MEDIA_TYPE, error(400, "before")),
    ("GET", "/status", {}, None, 200, JSON, STATUS),
    ("GET", "/failures", {}, None, 200, JSON, {"page": 1, "next": None, "failures": []}),
    ("GET", "/check", {}, None, 200, JSON, SOUND),
    ("POST", "/repair", {}, None, 200, JSON, SOUND),
    ("GET", "/ingest", {}, None, 200, JSON, {"current": None, "jobs": [JOB]}),
    ("GET", "/ingest/1", {}, None, 200, JSON, JOB),
    ("GET", "/ingest/999", {}, None, 404, MEDIA_TYPE, error(404, "999")),
    ("POST", "/ingest", {}, '{"path": "x"}', 400, MEDIA_TYPE, error(400, "absolute")),
    ("POST", "/ingest", {}, json.dumps({"path": NOWHERE}), 404, MEDIA_TYPE, error(404, NOWHERE)),
    ("GET", "/sync", {}, None, 200, JSON, {"upstreams": []}),
    ("POST", "/sync", {}, "{}", 404, MEDIA_TYPE, error(404, "upstream")),
    ("POST", "/sync", {}, "{", 400, MEDIA_TYPE, error(400, "JSON")),
    ("GET", "/mounts", {}, None, 200, JSON, {"mounts": []}),
    ("POST", "/mounts", {}, '{"mountpoint": "x"}', 400, MEDIA_TYPE, error(400, "absolute")),
    ("POST", "/mounts", {}, json.dumps({"mountpoint": NOWHERE}), 404, MEDIA_TYPE, error(404, NOWHERE)),
    ("DELETE", "/mounts", {}, None, 400, MEDIA_TYPE, error(400, "mountpoint")),
    ("DELETE", "/mounts?mountpoint=/nowhere", {}, None, 404, MEDIA_TYPE, error(404, "/nowhere")),
    ("GET", "/version", {}, None, 200, JSON, {"version": str, "pid": int, "index": str}),
    ("GET", "/metrics", {}, None, 200, "text/plain; version=0.0.4; charset=utf-8", None),
    ("GET", "/healthz", {}, None, 200, TEXT, b"ok\n"),
    ("GET", "/readyz", {}, None, 200, TEXT, b"ready\n"),
    ("GET", "/openapi.json", {}, None, 200, JSON, None),
    ("POST", "/users", {}, NEW_USER, 201, JSON, {}),
    ("POST", "/users", {}, NEW_USER, 400, MEDIA_TYPE, error(400, "u1")),
    ("GET", "/users", {}, None, 200, JSON, {"users": [USER]}),
    ("PATCH", "/users/u1", {}, '{"rights": "read"}', 204, None, b""),
    ("PATCH", "/users/u1", {}, '{"rights": "x"}', 400, MEDIA_TYPE, error(400, "unknown right")),
    ("PATCH", "/users/u2", {}, '{"rights": "read"}', 404, MEDIA_TYPE, error(404, "u2")),
    ("DELETE", "/users/u1", {}, None, 204, None, b""),
    ("DELETE", "/users/u1", {}, None, 404, MEDIA_TYPE, error(404, "u1")),
    ("POST", "/tokens", {}, '{"rights": "x"}', 400, MEDIA_TYPE, error(400, "unknown right")),
    ("POST", "/tokens", {}, '{"user": "nobody"}', 201, JSON, TOKEN),
    ("GET", "/tokens", {}, None, 200, JSON, {"tokens": [LISTED]}),
    ("DELETE", "/tokens/1", {}, None, 204, None, b""),
    ("DELETE", "/tokens/1", {}, None, 404, MEDIA_TYPE, error(404, "1")),
    ("GET", "/certificate", {}, None, 404, MEDIA_TYPE, error(404, "TLS")),
    ("GET", "/oauth2/token_info", {}, None, 400, OAUTH, {"error": str, "error_description": str}),
    ("GET", "/.well-known/oauth-authorization-server", {}, None, 200, OAUTH, METADATA),
]

# What this daemon does not say at its Unix socket, and where it is tried instead.
ELSEWHERE = [
    # When it ends: test_busy.py.
    ("GET", "/readyz", "503"),
    # A full disk: how errors become statuses is in rest/test_rest.c.
    ("POST", "/repair", "507"),
    # A real scan, upstream or mount: each of their tests begins so. Without FUSE: rest/test_server.c.
    ("POST", "/ingest", "202 403"),
    ("POST", "/sync", "202"),
    ("POST", "/mounts", "201 501"),
    ("DELETE", "/mounts", "204 501"),
    # A file that lies at an upstream: test_remote_content.py.
    ("GET", "/files/{id}/content", "502"),
    # Log-ins and certificates: test_auth.py.
    ("POST", "/oauth2/token", "200 400 401"),
    ("GET", "/oauth2/token_info", "200"),
    ("POST", "/oauth2/revoke", "200 400 401"),
    ("GET", "/.well-known/oauth-authorization-server", "400"),
    ("GET", "/certificate", "200"),
    # A daemon always keeps users; without them: rest/test_server.c.
    ("GET", "/users", "501"),
    ("POST", "/users", "501"),
    ("PATCH", "/users/{name}", "501"),
    ("DELETE", "/users/{name}", "501"),
    ("GET", "/tokens", "501"),
    ("POST", "/tokens", "501"),
    ("DELETE", "/tokens/{id}", "501"),
]


def ask(daemon, row, target):
    method, _, headers, body, status, kind, shape = row
    reply = daemon.http(method, target, body=body, headers=headers)
    assert reply.status == status, reply.body[:500]
    assert reply.headers["X-Request-Id"]
    assert reply.headers.get("Content-Type") == kind
    if isinstance(shape, bytes):
        assert reply.body == shape
    elif shape is not None:
        assert mismatch(shape, reply.json) is None
    return reply


def test_one_after_the_other(documents):
    for row in OURS:
        target = row[1].replace("{id}", str(documents.id))
        ask(documents.daemon, row, target)
        if row[0] != "GET":
            continue
        path, mark, parameters = target.partition("?")
        ask(documents.daemon, row, "/api" + path + "/" + mark + parameters)
        head = documents.daemon.http("HEAD", target, headers=row[2])
        assert (head.status, head.body) == (row[4], b"")


def route_of(routes, method, target):
    path = re.sub(r"\{\w+\}", "1", target.partition("?")[0])
    exact = [each for each in routes if each == (method, path)]
    fits = exact or [
        (way, each)
        for way, each in routes
        if way == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path)
    ]
    return fits[0] if fits else None


# At once, with a turn for nobody: whoever asks anything else can be told that too many wait: test_busy.py.
BUSY = {"429", "503"}
AT_ONCE = {
    ("GET", path)
    for path in ("/", "/files/{id}", "/version", "/healthz", "/readyz", "/openapi.json", "/certificate")
    + ("/oauth2/token_info", "/.well-known/oauth-authorization-server")
}


def test_who_waits_his_turn_is_told_what_he_may_hear(documents):
    paths = documents.daemon.get("/openapi.json").json["paths"]
    routes = {(way.upper(), path): operation for path in paths for way, operation in paths[path].items()}
    assert {route for route in routes if not BUSY <= set(routes[route]["responses"])} == AT_ONCE


def test_no_status_is_left_out(documents):
    paths = documents.daemon.get("/openapi.json").json["paths"]
    routes = {(way.upper(), path): operation for path in paths for way, operation in paths[path].items()}
    told = {(*route, status) for route in routes for status in routes[route]["responses"]}
    told -= {(*route, "default") for route in routes}
    told -= {(*route, status) for route in routes if route not in AT_ONCE for status in BUSY}
    tried = {(*route_of(routes, *row[:2]), str(row[4])) for row in ROWS + OURS if route_of(routes, *row[:2])}
    elsewhere = {(method, path, status) for method, path, all_ in ELSEWHERE for status in all_.split()}
    assert sorted(told - tried) == sorted(elsewhere)
