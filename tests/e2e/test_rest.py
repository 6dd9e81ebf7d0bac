"""The REST API over the Unix socket: shapes, links, order of checks, limits (spec/pixstor.md s.1)."""

import json
import re
import socket
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest


MEDIA_TYPE = "application/vnd.collection+json"
FILES = '{"core.type": "file"}'


def follow(link):
    return quote(link["href"], safe="/?=&%")


def links_of(collection):
    return {link["rel"]: link for link in collection["links"]}


def listed(mount, where, **parameters):
    target = "/files/?where=" + quote(where)
    return mount.get(
        target + "".join(f"&{k}={quote(str(v))}" for k, v in parameters.items())
    ).collection


def total(catalogue, kind="file"):
    return sum(1 for doc in catalogue.documents if doc.values["core.type"] == kind)


# --- Where things stand ---


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/api/",
        "/api",
        "/files",
        "/files/",
        "/api/files",
        "/api/files/",
        "/schema/files",
        "/status",
    ],
)
def test_routes(mount, target):
    reply = mount.get(target)
    assert reply.json
    head = mount.http("HEAD", target)
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    "method, target, status, allow",
    [
        ("GET", "/nonsense", 404, None),
        ("GET", "/files/1/2", 404, None),
        ("GET", "/api/nonsense", 404, None),
        ("POST", "/files", 405, "GET"),
        ("PUT", "/files/", 405, "GET"),
        ("PATCH", "/files", 405, "GET"),
        ("PUT", "/files/5", 405, "GET"),
        ("DELETE", "/status", 405, "GET"),
        ("GET", "/files/5", 404, None),
        ("GET", "/files/x", 404, None),
        ("GET", "/files/-5", 404, None),
        ("GET", "/files/99999999999999999999", 404, None),
    ],
)
def test_wrong_paths_and_methods(mount, method, target, status, allow):
    reply = mount.http(method, target)
    assert reply.status == status
    error = reply.collection["error"]
    assert error["title"] == "Error" and error["message"]
    if allow:
        assert allow in reply.headers["Allow"]


def test_options_names_the_methods(mount):
    reply = mount.http("OPTIONS", "/files")
    assert reply.status in (200, 204) and "GET" in reply.headers["Allow"]


def test_billboard(mount):
    reply = mount.get("/files")
    assert reply.headers["Content-Type"].startswith(MEDIA_TYPE)
    collection = reply.collection
    assert collection["version"] == "1.0" and collection["items"] == []
    assert [query["rel"] for query in collection["queries"]][:2] == ["search", "sorted search"]
    assert collection["queries"][0]["href"] == '/files/?where={"_all":"{where}"}'
    assert links_of(collection)["parent"]["href"] == "/"


def test_a_template_of_the_billboard_works(catalogue, mount):
    query = mount.get("/files").collection["queries"][0]
    found = mount.get(
        quote(query["href"].replace("{where}", "core.type:file"), safe="/?=&")
    ).collection
    assert found["properties"] == [
        {"prompt": "Number of matching documents", "name": "hits", "value": total(catalogue)}
    ]


# --- Lists ---


def test_a_list(catalogue, mount):
    collection = listed(mount, FILES)
    assert len(collection["items"]) == 25
    item = collection["items"][0]
    data = {field["name"]: field for field in item["data"]}
    assert item["href"] == f"/files/{data['_id']['value']}"
    assert data["core.filename"]["prompt"].endswith("(string)")
    assert data["core.size"]["prompt"].endswith("(long)")
    assert {"_id", "_etag", "_created", "_updated"} <= set(data)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", data["core.modificationtime"]["value"]
    )
    assert data["_etag"]["prompt"] == "_etag"


def test_where_raw_and_encoded(catalogue, mount):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(mount.socket)
    connection.sendall(b'GET /files/?where={"core.type":"file"}&max_results=1 HTTP/1.0\r\n\r\n')
    raw = b""
    while part := connection.recv(65536):
        raw += part
    connection.close()
    assert json.loads(raw.split(b"\r\n\r\n", 1)[1])["collection"]["properties"][0][
        "value"
    ] == total(catalogue)


def test_page_links(catalogue, mount):
    hits = total(catalogue)
    pages = -(-hits // 10)
    first = links_of(listed(mount, FILES, max_results=10))
    assert {"self", "parent", "next", "last", "_filters"} - set(first) <= {"_filters"}
    assert "prev" not in first
    last = mount.get(follow(first["last"])).collection
    assert len(last["items"]) == hits - 10 * (pages - 1) or pages > 1000
    assert "next" not in links_of(last) or pages > 1000
    assert "prev" in links_of(last)
    middle = links_of(listed(mount, FILES, max_results=10, page=2))
    assert {"prev", "next", "first", "last"} <= set(middle)
    assert (
        mount.get(follow(middle["prev"])).collection["items"]
        == listed(mount, FILES, max_results=10)["items"]
    )


def test_next_leads_through_everything_once(catalogue, mount):
    for sort in ({}, {"sort": "-core.size,core.filename"}):
        found = [item["_id"] for item in mount.items(FILES, **sort)]
        assert len(found) == len(set(found)) == total(catalogue)


def test_sort(catalogue, mount):
    sizes = [item["core.size"] for item in mount.items(FILES, sort="-core.size")]
    assert sizes == sorted(
        (
            doc.values["core.size"]
            for doc in catalogue.documents
            if doc.values["core.type"] == "file"
        ),
        reverse=True,
    )


@pytest.mark.parametrize(
    "page, max_results, items",
    [
        ("0", "10", 10),
        ("x", "10", 10),
        ("1", "0", 25),
        ("1", "x", 25),
        ("1", "-3", 25),
        ("1", "5.9", 5),
        ("1", "100000", 1000),
        ("-2", "10", 10),
    ],
)
def test_odd_paging(catalogue, mount, page, max_results, items):
    found = listed(mount, FILES, page=page, max_results=max_results)
    assert len(found["items"]) == min(items, total(catalogue))


def test_the_window_ends_at_10000(mount):
    assert mount.http("GET", f"/files/?where={quote('{}')}&max_results=1000&page=10").status == 200
    assert mount.http("GET", f"/files/?where={quote('{}')}&max_results=300&page=33").status == 200
    for target in ("&max_results=1000&page=11", "&max_results=300&page=34"):
        reply = mount.http("GET", f"/files/?where={quote('{}')}{target}")
        assert reply.status == 416
        assert "10000" in reply.collection["error"]["message"]


def test_projection(mount):
    def fields(projection):
        item = listed(mount, FILES, max_results=1, projection=projection)["items"][0]
        return {field["name"] for field in item["data"]}

    automatic = {"_id", "_etag", "_created", "_updated"}
    assert fields('{"core.size":1}') == automatic | {"core.size"}
    assert "core.size" not in fields('{"core.size":0}') and "core.type" in fields('{"core.size":0}')
    assert fields('{"core":1}') == fields("{}")
    assert fields('{"nonsense.x":1}') == automatic


def test_pretty(mount):
    assert b"\n    " in mount.get("/files?pretty").body
    assert b"\n" not in mount.get("/files").body.strip()


def test_empty_and_unknown(mount):
    for where in ('{"_all":""}', '{"core.nonsense":"x"}', '{"core.type":[]}'):
        assert listed(mount, where)["properties"][0]["value"] == 0


@pytest.mark.parametrize(
    "parameters",
    [
        "where={",
        "where=[]",
        "where={}x",
        'where={"core.size":"abc"}',
        'where={"core.size":null}',
        'where={"core.size":{"near":5}}',
        'where={"_all":"(cats"}',
        'where={"_all":"cats AND"}',
        "where={}&sort=core.nonsense",
        "where={}&projection=x",
        'where={}&projection={"filters":""}',
        'where={}&projection={"filters":5}',
        'where={"core.size":{}}',
    ],
)
def test_bad_parameters_are_400(mount, parameters):
    reply = mount.http("GET", "/files/?" + quote(parameters, safe="=&"))
    assert reply.status == 400
    error = reply.collection["error"]
    assert error["code"] in ("400", 400) and len(error["message"]) > 5


def test_hostile_requests_are_answered(mount):
    rows = [
        ("where=" + quote("[" * 100000), (400, 414)),
        ("where=" + quote('{"a":' * 500 + "1" + "}" * 500), (400, 414)),
        ("where=" + quote(json.dumps({"_all": "(" * 3000})), (400, 414)),
        ("where=" + quote(json.dumps({"_all": "a OR " * 50000 + "a"})), (400, 414)),
        ("where=%FF%FE", (400,)),
        ("where=%00", (400,)),
        ("where={}&page=" + "9" * 500, (200, 400, 416)),
        ("x" * 70000, (400, 414, 431)),
    ]
    for parameters, allowed in rows:
        try:
            assert mount.http("GET", "/files/?" + parameters).status in allowed, parameters[:40]
        except (ConnectionResetError, BrokenPipeError):
            assert len(parameters) > 65536
    assert mount.get("/status").json["documents"] > 0


# --- Single items ---


def test_an_item(catalogue, mount):
    first = listed(mount, FILES, max_results=1)["items"][0]
    reply = mount.get(first["href"])
    item = reply.collection["items"][0]
    assert item["data"] == first["data"]
    etag = next(field["value"] for field in item["data"] if field["name"] == "_etag")
    assert reply.headers["ETag"] == f'"{etag}"'
    assert parsedate_to_datetime(reply.headers["Last-Modified"])
    assert links_of(reply.collection)["collection"]["href"] == "/files"
    for value in (f'"{etag}"', etag, f'W/"{etag}"', "*", f'"x", "{etag}"'):
        assert mount.http("GET", first["href"], headers={"If-None-Match": value}).status == 304
    assert mount.http("GET", first["href"], headers={"If-None-Match": '"x"'}).status == 200


def test_ids_are_exact(mount):
    """They pass 2^53: a double would change them."""
    numbers = [item["_id"] for item in mount.items(FILES)]
    assert max(numbers) > 2**53
    assert (
        mount.get(f"/files/{max(numbers)}").collection["items"][0]["href"]
        == f"/files/{max(numbers)}"
    )


# --- Facets, schema, status ---


def test_guided_one_property(catalogue, mount):
    collection = listed(mount, FILES, projection='{"filters":"core.size"}')
    buckets = [link for link in collection["links"] if link["rel"] == "collection"]
    assert collection["items"] == [] and len(buckets) == 5
    for bucket in buckets:
        assert re.fullmatch(r"core\.size\.\d+-\d+", bucket["name"])
        assert re.fullmatch(r"Core - Size - \d+ - \d+ \(\d+\)", bucket["prompt"])
    counts = [int(bucket["prompt"].split("(")[1][:-1]) for bucket in buckets]
    assert sum(counts) == total(catalogue)
    for bucket, count in zip(buckets, counts):
        assert mount.get(follow(bucket)).collection["properties"][0]["value"] == count


def test_guided_all_properties_list_the_useless_ones_last(mount):
    links = listed(mount, FILES, projection='{"filters":"."}')["links"]
    names = [link["name"] for link in links if link["rel"] == "links"]
    assert "core.size" in names and "core.inode" not in names
    assert names.index("core.size") < names.index("core.type")


def test_schema(mount):
    entries = {}
    for group in mount.get("/schema/files").json["core"]:
        entries[group["name"]] = group
    assert entries["size"]["value"]["datatype"] == "Long"
    assert entries["inode"]["default_filter"] is False and "default_filter" not in entries["size"]


def test_jobs(mount, catalogue):
    mount.announced = [rb"nonexistent"]
    reply = mount.http(
        "POST",
        "/ingest",
        body=json.dumps({"path": "/nonexistent/x"}),
        headers={"Content-Type": "application/json"},
    )
    assert 400 <= reply.status < 500 and "/nonexistent/x" in reply.body.decode()
    for body in ("", "{", "[]", '{"path":5}', '{"path":"relative"}', "{}"):
        assert (
            400
            <= mount.http(
                "POST", "/ingest", body=body, headers={"Content-Type": "application/json"}
            ).status
            < 500
        )
    assert mount.http("GET", "/ingest/99999").status == 404


def test_many_clients_at_once(mount):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as pool:
        statuses = list(
            pool.map(
                lambda n: mount.http(
                    "GET", f"/files/?where={quote(json.dumps({'_all': f'word{n}'}))}"
                ).status,
                range(200),
            )
        )
    assert statuses == [200] * 200


def test_a_silent_client_holds_nobody_up(mount):
    idle = []
    for _ in range(20):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(mount.socket)
        connection.sendall(b"GET /files HTTP/1.1\r\n")
        idle.append(connection)
    assert mount.get("/status").status == 200
    for connection in idle:
        connection.close()
