"""Changing documents through a replica: the upstream has them first, then the replica, then the answer comes."""

import errno
import json
import os
import threading

import pytest

import daemon as daemons
from cores import Core, documents, upstream, wait_for
from proxy import Proxy


def data(**values):
    entries = [{"name": name.replace("__", "."), "value": value} for name, value in values.items()]
    return json.dumps({"template": {"data": entries}})


def patch(daemon, item, **values):
    return daemon.http("PATCH", f"/files/{item['_id']}", data(**values),
                       {"If-Match": item["_etag"], "Content-Type": "application/json"})  # fmt: skip


def item_of(daemon, id_):
    item = daemon.get(f"/files/{id_}").collection["items"][0]
    return {field["name"]: field["value"] for field in item["data"]}


@pytest.fixture
def core(new_daemon, small_tree):
    core = Core(new_daemon())
    core.daemon.pxs("ingest", small_tree)
    return core


def follow(core, replica, **options):
    replica.start(*core.options(**options), "--mount", replica.mountpoint, "-o", "delete", mount=False)
    replica.pxs("status", "--wait")
    return replica


@pytest.fixture
def replica(core, new_daemon):
    return follow(core, new_daemon())


def shown(replica, item):
    return os.path.join(replica.mountpoint, "id", str(item["_id"]))


def test_through_rest_and_the_mount(core, replica):
    item = next(core.daemon.items('{"core.type":"file"}'))
    reply = patch(replica, item, user__rating=5, user__tags=["a", "b"])
    assert reply.status == 200, reply.body
    now = item_of(core.daemon, item["_id"])
    assert now["user.rating"] == 5 and sorted(now["user.tags"]) == ["a", "b"]
    assert reply.headers["ETag"].strip('"') == now["_etag"] == item_of(replica, item["_id"])["_etag"]

    os.setxattr(shown(replica, item), "user.user.rating", b"6")
    assert os.getxattr(shown(replica, item), "user.user.rating") == b"6"
    assert item_of(core.daemon, item["_id"])["user.rating"] == 6
    assert replica.pxs("find", "user.rating:6", "--count").stdout == b"1\n"

    os.unlink(shown(replica, item))
    assert core.daemon.http("GET", f"/files/{item['_id']}").status == 404
    assert replica.http("GET", f"/files/{item['_id']}").status == 404
    replica.pxs("undelete", str(item["_id"]))
    assert item_of(core.daemon, item["_id"])["user.rating"] == 6
    assert item_of(replica, item["_id"]) == item_of(core.daemon, item["_id"])


def test_a_version_that_is_no_more(core, replica):
    item = next(core.daemon.items('{"core.type":"file"}'))
    assert patch(core.daemon, item, user__rating=1).status == 200
    assert patch(replica, item, user__rating=2).status == 412
    assert item_of(core.daemon, item["_id"])["user.rating"] == 1


def test_what_the_upstream_refuses(core, new_daemon):
    """The robot may read there, and no more."""
    with open(core.config, "w", encoding="utf-8") as file:
        file.write(f"robots = {core.robots}\n[rights]\n* = read\n")
    core.daemon.stop()
    core.start()
    replica = follow(core, new_daemon())
    item = next(core.daemon.items('{"core.type":"file"}'))
    reply = patch(replica, item, user__rating=1)
    assert reply.status == 403 and "may not do that there" in reply.collection["error"]["message"]
    with pytest.raises(PermissionError):
        os.unlink(shown(replica, item))
    assert item_of(replica, item["_id"]) == item_of(core.daemon, item["_id"]) == item
    assert upstream(replica)["state"] == "following"


def test_an_upstream_that_is_away(core, replica):
    item = next(core.daemon.items('{"core.type":"file"}'))
    core.daemon.stop()
    assert patch(replica, item, user__rating=1).status == 502
    with pytest.raises(OSError) as failure:
        os.setxattr(shown(replica, item), "user.user.rating", b"6")
    assert failure.value.errno == errno.EHOSTUNREACH
    assert item_of(replica, item["_id"]) == item


@pytest.fixture
def proxy(core):
    proxy = Proxy(core.port)
    yield proxy
    proxy.close()


@pytest.fixture
def behind(core, proxy, new_daemon):
    """A replica that reaches its core through the proxy."""
    core.url = proxy.url
    return follow(core, new_daemon())


def test_a_lost_answer_is_found_out(core, proxy, behind):
    first, second = list(core.daemon.items('{"core.type":"file"}', limit="2"))
    proxy.set("lost answer", "change")
    assert patch(behind, first, user__rating=1, user__tags=["x", "y"]).status == 200
    os.unlink(shown(behind, second))
    assert proxy.hits == 2
    assert item_of(core.daemon, first["_id"]) == item_of(behind, first["_id"])
    assert core.daemon.http("GET", f"/files/{second['_id']}").status == 404


def test_a_lost_request_changes_nothing(core, proxy, behind):
    item = next(core.daemon.items('{"core.type":"file"}'))
    proxy.set("lost request", "change")
    reply = patch(behind, item, user__rating=1)
    assert reply.status == 502 and "has not made the change" in reply.collection["error"]["message"]
    assert proxy.hits == 1  # and it was not tried again
    assert item_of(core.daemon, item["_id"]) == item
    proxy.clear()
    assert patch(behind, item, user__rating=1).status == 200


def test_what_another_deleted_was_not_deleted_by_us(core, proxy, behind):
    first, second = list(core.daemon.items('{"core.type":"file"}', limit="2"))
    proxy.set("stalls", "delta")  # it does not hear of it
    assert patch(core.daemon, first, user__rating=1).status == 200
    wait_for(lambda: proxy.hits, "it does not ask for changes")
    for item in (first, second):
        assert core.daemon.http("DELETE", f"/files/{item['_id']}", headers={"If-Match": "*"}).status == 204
    assert behind.http("DELETE", f"/files/{first['_id']}", headers={"If-Match": "*"}).status == 412
    with pytest.raises(OSError) as refused:
        os.unlink(shown(behind, second))
    assert refused.value.errno == errno.EBUSY
    for item in (first, second):
        assert behind.http("GET", f"/files/{item['_id']}").status == 404
    proxy.clear()


def meanwhile(core, proxy, fault, change, item, **values):
    """Somebody changes ITEM through the proxy, where FAULT is what becomes of the answer; before it comes the core
    gets VALUES from another, and without VALUES the document is deleted there. What CHANGE returns."""
    results = []
    proxy.set(fault, "change")
    caller = threading.Thread(target=lambda: results.append(change()))
    caller.start()
    wait_for(lambda: item_of(core.daemon, item["_id"])["_etag"] != item["_etag"], "the change does not arrive")
    if values:
        assert patch(core.daemon, item_of(core.daemon, item["_id"]), **values).status == 200
    else:
        assert core.daemon.http("DELETE", f"/files/{item['_id']}", headers={"If-Match": "*"}).status == 204
    proxy.clear()
    caller.join()
    return results[0]


def error_of(call, *arguments):
    try:
        call(*arguments)
    except OSError as fault:
        return fault.errno
    return 0


def test_who_made_a_version_does_not_know_the_next(core, proxy, behind):
    first, second = list(core.daemon.items('{"core.type":"file"}', limit="2"))
    reply = meanwhile(core, proxy, "late", lambda: patch(behind, first, user__rating=1), first, user__rating=2)
    made = {field["name"]: field["value"] for field in reply.collection["items"][0]["data"]}
    now = item_of(behind, first["_id"])
    assert reply.status == 200 and now["user.rating"] == 2
    assert made["_etag"] not in (first["_etag"], now["_etag"])
    assert patch(behind, made | {"_id": first["_id"]}, user__rating=3).status == 412

    path = shown(behind, second)
    assert os.getxattr(path, "user.core.type") == b"file"
    assert meanwhile(core, proxy, "late", lambda: error_of(os.setxattr, path, "user.user.rating", b"1"),
                     second, user__rating=2) == 0  # fmt: skip
    # Threads are processes to the kernel, and this one has read the first version.
    assert error_of(os.setxattr, path, "user.user.rating", b"3") == errno.EBUSY
    assert os.getxattr(path, "user.user.rating") == b"2"
    assert error_of(os.setxattr, path, "user.user.rating", b"3") == 0


def test_a_change_was_made_though_another_deleted_the_document_since(core, proxy, behind):
    first, second = list(core.daemon.items('{"core.type":"file"}', limit="2"))
    reply = meanwhile(core, proxy, "late", lambda: patch(behind, first, user__rating=1), first)
    assert reply.status == 200 and reply.headers["ETag"].strip('"') != first["_etag"]
    assert meanwhile(core, proxy, "late",
                     lambda: error_of(os.setxattr, shown(behind, second), "user.user.rating", b"1"), second) == 0  # fmt: skip
    for item in (first, second):
        assert behind.http("GET", f"/files/{item['_id']}").status == 404


def newest_change(daemon):
    values = {field["name"]: field["value"] for field in daemon.get("/changes").collection["properties"]}
    return values["newest"]


def test_what_was_brought_back_stays(core, proxy, behind):
    """The feed's answer was made while it was gone, and comes late."""
    first, second, third = list(core.daemon.items('{"core.type":"file"}', limit="3"))
    proxy.set("late", "delta")
    assert patch(core.daemon, second, user__rating=1).status == 200  # it asks for changes again
    wait_for(lambda: proxy.hits, "it does not ask for changes")
    assert behind.http("DELETE", f"/files/{first['_id']}", headers={"If-Match": first["_etag"]}).status == 204
    wait_for(lambda: proxy.held, "the core does not tell of it")
    behind.pxs("undelete", str(first["_id"]))
    before = newest_change(behind)
    proxy.clear()
    assert patch(core.daemon, third, user__rating=1).status == 200
    wait_for(lambda: item_of(behind, third["_id"]).get("user.rating") == 1, "it does not follow any more")
    assert newest_change(behind) == before + 1
    assert item_of(behind, first["_id"]) == item_of(core.daemon, first["_id"])


def test_what_cannot_be_found_out_is_said(core, proxy, behind):
    first, second = list(core.daemon.items('{"core.type":"file"}', limit="2"))
    reply = meanwhile(core, proxy, "stalls", lambda: patch(behind, first, user__rating=1), first, user__rating=2)
    assert reply.status == 503 and "nobody knows" in reply.collection["error"]["message"]
    assert item_of(behind, first["_id"])["user.rating"] == 2
    reply = meanwhile(core, proxy, "stalls", lambda: patch(behind, second, user__rating=1), second)
    assert reply.status == 503 and "is gone" in reply.collection["error"]["message"]


def test_no_update_is_lost(core, replica, new_daemon):
    """Everybody adds one to the same number, at the core and at two replicas, with the version he saw."""
    other = follow(core, new_daemon())
    id_ = next(core.daemon.items('{"core.type":"file"}'))["_id"]
    rounds = 4 if daemons.QUICK else 12
    faults = []

    def add_ones(daemon):
        done = 0
        while done < rounds and not faults:
            seen = item_of(daemon, id_)
            reply = patch(daemon, seen, user__rating=seen.get("user.rating", 0) + 1)
            if reply.status not in (200, 412):
                faults.append(reply.body)
            if reply.status == 200:
                done += 1
                now = item_of(daemon, id_)
                if now["user.rating"] <= seen.get("user.rating", 0):
                    faults.append(("did not see its own", seen, now))

    threads = [threading.Thread(target=add_ones, args=(daemon,)) for daemon in (core.daemon, replica, other) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert item_of(core.daemon, id_)["user.rating"] == len(threads) * rounds
    assert documents(core.daemon)[id_]["user.rating"] == len(threads) * rounds
