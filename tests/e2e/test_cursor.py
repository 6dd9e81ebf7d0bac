"""Past the first 10,000 documents the next page has a cursor: whatever changes meanwhile, what stays comes
exactly once, and what one may not see never."""

import json
import os
from urllib.parse import quote

import pytest

import daemon as daemons
from test_auth import ANN, CONFIG, Doors

FILES, HIDDEN, PAGE = 10800, 300, 450  # of which 22 pages are 9,900, and the rest is past the window


@pytest.fixture(scope="module")
def many(work):
    """Ann may see FILES of them, in one folder; the others, among them in every order, she may not."""
    tree = os.path.join(work, "many")
    for folder, mode, numbers in ("open", 0o755, range(FILES)), ("closed", 0o700, range(0, FILES, FILES // HIDDEN)):
        os.makedirs(os.path.join(tree, folder))
        for number in numbers:
            with open(f"{tree}/{folder}/f{number:05}", "wb") as file:
                file.truncate(number % 97)
        os.chmod(os.path.join(tree, folder), mode)
    daemon = daemons.Daemon(os.path.join(work, "many-d"))
    try:
        doors = Doors(daemon, CONFIG)
        doors.add_user(ANN)
        daemon.pxs("ingest", tree)
        doors.tree, doors.ann = tree, doors.token(ANN)
        yield doors
        assert daemon.stop() == 0
        assert not daemon.new_alarms()
    finally:
        daemon.destroy()


def name_of(item):
    return next(field["value"] for field in item["data"] if field["name"] == "core.pathname")


def follow(doors, target, between=lambda page, names: None):
    """All names, page by page by the links, and the links. BETWEEN is called after each page."""
    names, targets = [], []
    while target:
        reply = doors.get(quote(target, safe="/?&=%{}\"':,.-"), doors.ann)
        assert reply.status_code == 200, reply.text[:300]
        collection = reply.json()["collection"]
        assert collection["properties"][0]["value"] <= FILES
        page = [name_of(item) for item in collection["items"]]
        assert len(page) == PAGE or "next" not in {link["rel"] for link in collection["links"]}
        names += page
        targets.append(target)
        between(len(targets), names)
        target = next((link["href"] for link in collection["links"] if link["rel"] == "next"), None)
    return names, targets


ORDERS = ["", "&sort=core.size", "&sort=-core.filename", "&sort=core.size,-core.pathname", "&q=core.type:file"]
START = '/files?where={"core.type":"file"}&projection={"core.pathname":1}&max_results=%d' % PAGE


@pytest.mark.parametrize("order", ORDERS)
def test_everything_comes_once(many, order):
    names, targets = follow(many, START + order)
    assert sorted(names) == [f"{many.tree}/open/f{number:05}" for number in range(FILES)]
    assert len(targets) == FILES // PAGE
    assert [("after=" in each, "page=" in each) for each in targets[1:]] == [
        (number > 10000 // PAGE, number <= 10000 // PAGE) for number in range(2, len(targets) + 1)
    ]


def test_changes_meanwhile(many):
    """Removed ahead and behind, changed, hidden: all in an order that none of it disturbs."""
    removed = {"ahead": f"{many.tree}/open/f{FILES - 5:05}", "behind": f"{many.tree}/open/f00003"}
    ids = {
        name: next(many.daemon.items(json.dumps({"core.pathname": name})))["_id"] for name in removed.values()
    }

    def change(page, names):
        if page != 10000 // PAGE + 1:  # the first page of a cursor has come
            return
        assert removed["behind"] in names and removed["ahead"] not in names
        for number in ids.values():
            assert many.daemon.http("DELETE", f"/files/{number}", headers={"If-Match": "*"}).status == 204

    try:
        names, _ = follow(many, START + "&sort=core.filename", change)
        expected = {f"{many.tree}/open/f{number:05}" for number in range(FILES)} - {removed["ahead"]}
        assert len(names) == len(set(names)) and set(names) == expected
    finally:
        for number in ids.values():
            many.daemon.http("POST", f"/files/{number}/undelete")


def test_a_cursor_of_another_order_is_refused(many):
    _, targets = follow(many, START + "&sort=core.size")
    cursor = targets[-1].partition("after=")[2].partition("&")[0]
    for order in "&sort=-core.size", "&sort=core.filename":
        reply = many.get(START + order + "&after=" + cursor, many.ann)
        assert reply.status_code == 400 and "same" in reply.json()["collection"]["error"]["message"]
    for broken in cursor + "x", "x" + cursor, cursor.replace("-", "+"), cursor[:5], "0" * 5000:
        assert many.get(START + "&sort=core.size&after=" + broken, many.ann).status_code == 400
