"""A request's id leads from the reply to the daemon's log."""

import json
import os
import re

import pytest

import daemon as daemons

OURS = re.compile(r"[0-9a-f]{1,16}-[0-9a-f]+")
PATCH = json.dumps({"template": {"data": [{"name": "user.comment", "value": "x"}]}})


@pytest.fixture(scope="module")
def traced(work):
    daemon = daemons.Daemon(os.path.join(work, "traced"))
    tree = os.path.join(work, "traced-tree")
    os.makedirs(tree)
    for name in "a", "b":
        with open(os.path.join(tree, name), "w", encoding="ascii"):
            pass
    try:
        daemon.start("--verbose", mount=False)
        daemon.pxs("ingest", tree)
        daemon.tree = tree
        (daemon.id,) = (item["_id"] for item in daemon.items('{"core.filename":"a"}'))
        yield daemon
        assert daemon.stop() == 0
        assert not daemon.new_alarms()
    finally:
        daemon.destroy()


def line_of(daemon, number):
    (line,) = (line for line in daemon.log_text().splitlines() if f"(request {number})" in line)
    return line


REFUSED = [
    ("GET", "/nothing?q=x", None, 404, None),  # nothing of ours failed, and the client knows all
    ("GET", "/files?q=(", None, 400, "/files: expected"),
    ("GET", "/files/5", None, 404, "/files/5: .*5"),
    ("PATCH", "/files/{id}", "{", 400, "PATCH /files/"),
    ("DELETE", "/files/{id}", None, 428, "If-Match"),
    ("POST", "/ingest", '{"path": "/no/such"}', 404, "/no/such"),
]


@pytest.mark.parametrize("given", [None, "from-a_proxy.17"], ids=["ours", "given"])
@pytest.mark.parametrize("row", REFUSED, ids=lambda row: f"{row[0]} {row[1]}")
def test_what_is_refused(traced, row, given):
    method, target, body, status, told = row
    number = f"{given}-{REFUSED.index(row)}" if given else None
    headers = {"X-Request-Id": number} if given else {}
    reply = traced.http(method, target.replace("{id}", str(traced.id)), body, headers)
    assert reply.status == status
    found = reply.collection["error"]["request"]
    assert reply.headers["X-Request-Id"] == found
    assert found == number if given else OURS.fullmatch(found)
    if told:
        line = line_of(traced, found)
        assert re.search(told, line) and reply.collection["error"]["message"] in line


def test_no_two_requests_have_one_id_and_none_is_forged(traced):
    bad = ["", " ", "a b", "x" * 65, "a\tb", "<script>", "(request 1)", "\u00e4"]
    numbers = [
        traced.http("GET", "/version", headers={"X-Request-Id": each.encode()}).headers["X-Request-Id"]
        for each in bad * 5
    ]
    assert len(set(numbers)) == len(numbers) and all(OURS.fullmatch(each) for each in numbers)


def test_what_is_changed(traced):
    where = '/files?where={"core.filename":"b"}'
    rows = [
        ("PATCH", f"/files/{traced.id}", PATCH, 200, f"changed document {traced.id}"),
        ("DELETE", f"/files/{traced.id}", None, 204, f"deleted document {traced.id}"),
        ("POST", f"/files/{traced.id}/undelete", None, 200, f"brought back document {traced.id}"),
        ("DELETE", where, None, 204, "deleted 1 documents"),
        ("POST", "/ingest", json.dumps({"path": traced.tree}), 202, f"ingest {traced.tree}"),
    ]
    for method, target, body, status, told in rows:
        reply = traced.http(method, target, body, {"If-Match": "*"})
        assert reply.status == status, (target, reply.body)
        assert told in line_of(traced, reply.headers["X-Request-Id"])
