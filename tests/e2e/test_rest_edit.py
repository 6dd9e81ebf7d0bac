"""What people change through REST: nothing is lost, nothing is half done; and the bytes of files."""

import json
import os
import threading
from urllib.parse import quote

def template(**values):
    data = [{"name": name.replace("__", "."), "value": value} for name, value in values.items()]
    return json.dumps({"template": {"data": data}})


def document_at(daemon, path):
    """The values of the document of PATH."""
    (found,) = daemon.items(json.dumps({"core.pathname": path}))
    return found


def patch(daemon, document, etag, **values):
    return daemon.http(
        "PATCH",
        f"/files/{document}",
        body=template(**values),
        headers={"If-Match": etag, "Content-Type": "application/vnd.collection+json"},
    )


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


# --- Edits ---


def test_no_concurrent_edit_is_lost(new_daemon, empty_tree):
    """Everybody adds one to the same number, and only with the etag that he saw."""
    daemon = new_daemon().start(mount=False)
    write(os.path.join(empty_tree, "a"), "a")
    daemon.pxs("ingest", empty_tree)
    document = document_at(daemon, os.path.join(empty_tree, "a"))["_id"]

    def add_ones(count):
        while count:
            item = daemon.get(f"/files/{document}").collection["items"][0]
            seen = {field["name"]: field["value"] for field in item["data"]}
            reply = patch(
                daemon, document, seen["_etag"], user__rating=seen.get("user.rating", 0) + 1
            )
            assert reply.status in (200, 412), reply.body
            count -= reply.status == 200

    threads = [threading.Thread(target=add_ones, args=(10,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = document_at(daemon, os.path.join(empty_tree, "a"))
    assert found["user.rating"] == 60


def test_a_scan_keeps_what_people_wrote(new_daemon, empty_tree):
    daemon = new_daemon().start(mount=False)
    path = os.path.join(empty_tree, "a")
    write(path, "a")
    daemon.pxs("ingest", empty_tree)
    seen = document_at(daemon, path)
    assert patch(daemon, seen["_id"], seen["_etag"], user__tags=["x", "y"]).status == 200
    write(path, "more")
    daemon.pxs("ingest", empty_tree)
    found = document_at(daemon, path)
    assert found["user.tags"] == ["x", "y"] and found["core.size"] == 4


def test_an_edit_does_not_wait_for_the_end_of_a_scan(new_daemon, small_tree):
    daemon = new_daemon().start("--source", "/usr/share", mount=False)
    while not (found := list(daemon.items('{"core.type":"file"}', limit="1"))):
        pass
    for _ in range(20):
        seen = daemon.get(f"/files/{found[0]['_id']}").headers["ETag"]
        assert patch(daemon, found[0]["_id"], seen, user__comment="now").status == 200


def test_edits_and_deletions_survive_a_crash(new_daemon, small_tree):
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", small_tree)
    first, second, third = list(daemon.items('{"core.type":"file"}', limit="3"))
    assert patch(daemon, first["_id"], first["_etag"], user__comment="kept").status == 200
    for document in (second, third):
        reply = daemon.http(
            "DELETE", f"/files/{document['_id']}", headers={"If-Match": document["_etag"]}
        )
        assert (reply.status, reply.body) == (204, b"")
    daemon.kill()
    daemon.start(mount=False)
    assert document_at(daemon, first["core.pathname"])["user.comment"] == "kept"
    assert daemon.http("GET", f"/files/{second['_id']}").status == 404
    removed = daemon.get("/removed").json["removed"]
    assert [entry["id"] for entry in removed] == [third["_id"], second["_id"]]
    assert daemon.http("POST", f"/files/{second['_id']}/undelete").status == 200
    assert document_at(daemon, second["core.pathname"])["core.size"] == second["core.size"]
    assert daemon.pxs("check").returncode == 0


def test_the_feed_says_all_that_happened(new_daemon, small_tree):
    """Whoever follows it, from any place on, has the catalogue."""
    daemon = new_daemon().start(mount=False)

    def follow(known, target):
        while True:
            collection = daemon.get(target).collection
            for item in collection["items"]:
                data = {field["name"]: field["value"] for field in item["data"]}
                if data["_deleted"]:
                    known.pop(data["_id"], None)
                else:
                    known[data["_id"]] = data["_etag"]
            target = next(l["href"] for l in collection["links"] if l["rel"] == "next")
            if not collection["items"]:
                return target

    known = {}
    target = follow(known, "/changes?since=0&max_results=7")
    daemon.pxs("ingest", small_tree)
    target = follow(known, target)
    found = list(daemon.items())
    assert known == {document["_id"]: document["_etag"] for document in found}
    patch(daemon, found[0]["_id"], "*", user__comment="x")
    daemon.http("DELETE", f"/files/?where={quote(json.dumps({'core.size': found[1]['core.size']}))}")
    follow(known, target)
    assert known == {document["_id"]: document["_etag"] for document in daemon.items()}


# --- Content ---


def test_content_of_a_file_by_range(mount, catalogue):
    document = next(
        doc for doc in catalogue.documents if doc.values["core.type"] == "file" and doc.values["core.size"] > 20
    )
    (seen,) = (
        item
        for item in mount.items(json.dumps({"core.inode": document.values["core.inode"]}))
        if item["core.pathname"] == document.values["core.pathname"]
    )
    with open(document.path, "rb") as file:
        content = file.read()
    target = f"/files/{seen['_id']}/content"
    whole = mount.get(target)
    assert whole.body == content
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    etag = whole.headers["ETag"]

    def ask(**headers):
        return mount.http("GET", target, headers={k.replace("_", "-"): v for k, v in headers.items()})

    part = ask(Range="bytes=5-9")
    assert (part.status, part.body) == (206, content[5:10])
    assert part.headers["Content-Range"] == f"bytes 5-9/{len(content)}"
    assert ask(Range="bytes=-3").body == content[-3:]
    beyond = ask(Range=f"bytes={len(content)}-")
    assert beyond.status == 416
    assert beyond.headers["Content-Range"] == f"bytes */{len(content)}"
    assert ask(Range="bytes=5-9", If_Range=etag).status == 206
    assert ask(Range="bytes=5-9", If_Range='"other"').status == 200
    assert ask(If_None_Match=etag).status == 304
    head = mount.http("HEAD", target)
    assert int(head.headers["Content-Length"]) == len(content)


def test_content_of_another_file_is_not_given(new_daemon, empty_tree):
    daemon = new_daemon().start(mount=False)
    path = os.path.join(empty_tree, "a")
    write(path, "mine")
    daemon.pxs("ingest", empty_tree)
    target = f"/files/{document_at(daemon, path)['_id']}/content"
    assert daemon.get(target).body == b"mine"
    os.rename(path, path + ".old")
    assert daemon.http("GET", target).status == 404
    write(path, "another")
    assert daemon.http("GET", target).status == 404
    os.unlink(path)
    os.symlink("/etc/hostname", path)
    assert daemon.http("GET", target).status == 404
