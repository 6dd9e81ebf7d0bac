"""Every row of the endpoint table (H B Q G0 G1 I P X XQ S, spec/pixstor.md s.1.1) and ours beyond it, times
every status: request in, whole response out. A shape is what the documentation shows, with types or
patterns where values differ."""

import json
import os
import re
import shutil
import socket
from urllib.parse import quote

import pytest

import daemon as daemons

MEDIA_TYPE = "application/vnd.collection+json"
ETAG = re.compile(r"[0-9a-f]{40}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
ANY = object()


class Each:
    """A list, every element of which has one of SHAPES."""

    def __init__(self, *shapes, least=0):
        self.shapes, self.least = shapes, least


def mismatch(shape, value, where="$"):
    """What of VALUE is not as SHAPE says; None: nothing."""
    if shape is ANY:
        return None
    if isinstance(shape, Each):
        if not isinstance(value, list) or len(value) < shape.least:
            return f"{where}: {value!r} is no list of {shape.least} or more"
        for i, element in enumerate(value):
            found = [mismatch(each, element, f"{where}[{i}]") for each in shape.shapes]
            if all(found):
                return found[-1]
        return None
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return f"{where}: {value!r} is no object"
        needed = {key for key in shape if not key.endswith("?")}
        allowed = {key.rstrip("?") for key in shape}
        if not needed <= set(value) <= allowed:
            return f"{where}: {sorted(value)} instead of {sorted(shape)}"
        return next(
            (
                found
                for key in value
                if (found := mismatch(shape.get(key, shape.get(key + "?")), value[key], f"{where}.{key}"))
            ),
            None,
        )
    if isinstance(shape, list):
        if not isinstance(value, list) or len(value) != len(shape):
            return f"{where}: {value!r} instead of {len(shape)} elements"
        pairs = zip(shape, value)
        return next((m for i, (s, v) in enumerate(pairs) if (m := mismatch(s, v, f"{where}[{i}]"))), None)
    if isinstance(shape, re.Pattern):
        fits = isinstance(value, str) and shape.fullmatch(value)
        return None if fits else f"{where}: {value!r} is not like {shape.pattern}"
    if isinstance(shape, type):
        right = isinstance(value, shape) and not (shape is int and isinstance(value, bool))
        return None if right else f"{where}: {value!r} is no {shape.__name__}"
    return None if shape == value else f"{where}: {value!r} instead of {shape!r}"


# --- The documented shapes ---


def link(rel, name, prompt, href):
    return {"render": "link", "href": href, "prompt": prompt, "name": name, "rel": rel}


def datum(name, value, prompt=None):
    return {"prompt": prompt or name, "name": name, "value": value}


def collection(href, **members):
    return {"collection": {"version": "1.0", "href": href, **members}}


SELF = link("self", "self", "Files", re.compile(r"/files(/\?.*)?"))
PARENT = link("parent", "parent", "Home", "/")
FILTERS = link("links", "_filters", "Search filters", re.compile(r'/files/\?where=.*projection=\{"filters":"\."\}(&max_results=\d+)?'))
PAGES = [
    link(rel, rel, prompt, re.compile(r"/files/\?.*"))
    for rel, prompt in [("next", "Next"), ("last", "Last"), ("prev", "Previous"), ("first", "First")]
]
HITS = [{"prompt": "Number of matching documents", "name": "hits", "value": int}]
VALUE = {"prompt": re.compile(r".+ \((list of )?[a-z]+\)"), "name": re.compile(r"[a-z]+(\.[a-z_0-9]+)+"), "value": ANY}
ITEM = {
    "href": re.compile(r"/files/[1-9]\d*"),
    "data": Each(
        datum("_id", int), datum("_created", TIME), datum("_updated", TIME), datum("_etag", ETAG), VALUE, least=4
    ),
    "links": [],
    "path_escaped?": str,
}
LIST = collection("/files", links=Each(SELF, PARENT, FILTERS, *PAGES, least=3), properties=HITS, items=Each(ITEM))
GUIDED = collection(
    "/files",
    links=Each(
        SELF,
        PARENT,
        {
            **link("links", ANY, re.compile(r"[A-Z].* \(\d+\)"), re.compile(r'/files/\?.*projection=\{"filters":".+"\}')),
            "count": int,
            "segment?": str,
        },
        {
            **link("collection", ANY, re.compile(r"[A-Z].* - .* \(\d+\)"), re.compile(r"/files/\?where=\{.*\}")),
            "count": int,
            "segment?": str,
        },
        least=3,
    ),
    properties=HITS,
    items=[],
)


def query(rel, href, prompt, *names):
    return {"rel": rel, "href": href, "prompt": prompt, "data": [datum(n, "", p) for n, p in names]}


WHERE, SORT = ("where", "Search string"), ("sortfield", "Sort by fields")
BILLBOARD = collection(
    "/files",
    items=[],
    links=[link("self", "self", "Files", "/files"), PARENT],
    queries=[
        query(
            "search",
            '/files/?where={"_all":"{where}"}',
            "Enter a string to search in all fields across all files",
            WHERE,
        ),
        query(
            "sorted search",
            '/files/?where={"_all":"{where}"}&sort={sortfield}',
            "Enter a string to search in all fields across all files, results returned sorted by sortfield",
            WHERE,
            SORT,
        ),
        query(
            "filtered search",
            '/files/?where={"{field}":"{where}"}&sort={sortfield}',
            str,
            ("field", "Filter field"),
            ("where", "Filter value"),
            SORT,
        ),
    ],
)
HOME = collection("/", links=Each(link(ANY, ANY, str, re.compile("/.*")), least=3), items=[])


def item(document):
    href = f"/files/{document}"
    links = [
        link("self", "self", "File", href),
        PARENT,
        link("collection", "collection", "Files", "/files"),
    ]
    return collection(href, links=links, items=[{**ITEM, "href": href}])


def written(document):
    href = f"/files/{document}"
    data = [
        datum("_updated", TIME),
        datum("_created", TIME),
        datum("_status", "OK"),
        datum("_id", document),
        datum("_etag", ETAG),
    ]
    return collection(
        href, items=[{"href": href, "data": data, "links": []}], links=[link("self", "self", "File", href)]
    )


def error(code, message=""):
    return {
        "collection": {
            "version": "1.0",
            "href": str,
            "error": {
                "title": "Error",
                "code": str(code),
                "message": re.compile(f".*{message}.*"),
                "request": str,
                "parameter?": str,
                "at?": int,
            },
        }
    }


PROPERTY = {
    "name": str,
    "prompt": str,
    "value": {"datatype": re.compile(r"\[?[A-Z][a-z]+\]?")},
    "readonly?": True,
    "default_filter?": False,
}
SCHEMA = {"core": Each(PROPERTY, least=20), "common": Each(PROPERTY), "user": Each(PROPERTY)}
CHANGE = {
    "href": str,
    "data": Each(
        datum("_id", int), datum("_seq", int), datum("_updated", TIME), datum("_deleted", bool), datum("_etag", ETAG)
    ),
}
CHANGES = collection(
    "/changes",
    links=[link("next", "next", "Next", re.compile(r"/changes\?since=\d+.*")), PARENT],
    properties=[
        datum("seq", int, "Told up to change"),
        datum("newest", int, "Newest change"),
        datum("changes", int, "Changes told here"),
        datum("index", re.compile(r"[0-9a-f]{16}"), "Index that counts them"),
    ],
    items=Each(CHANGE),
)
REMOVED = {
    "removed": Each({"id": int, "path": str, "user": str, "time": TIME}),
    "before": ANY,
}


# --- The table ---


def files(where="{}", **parameters):
    return "/files?where=" + quote(where) + "".join(f"&{k}={quote(str(v))}" for k, v in parameters.items())


def template(name, value):
    return json.dumps({"template": {"data": [{"name": name, "value": value}]}})


FINE = template("user.comment", "x")
# METHOD, TARGET ({id}, {other}: documents that there are), HEADERS ({etag}), BODY, STATUS, SHAPE
ROWS = [
    ("GET", "/", {}, None, 200, HOME),
    ("GET", "/files", {}, None, 200, BILLBOARD),
    ("GET", "/files?max_results=5", {}, None, 200, BILLBOARD),
    ("GET", files('{"_all":"txt"}'), {}, None, 200, LIST),
    ("GET", files(), {}, None, 200, LIST),
    ("GET", files(max_results=3, page=2, sort="-core.size,core.filename"), {}, None, 200, LIST),
    ("GET", files(page=400), {}, None, 200, LIST),
    ("GET", files('{"no.such":1}'), {}, None, 200, LIST),
    ("GET", files("{"), {}, None, 400, error(400)),
    ("GET", files("[]"), {}, None, 400, error(400)),
    ("GET", files('{"core.size":null}'), {}, None, 400, error(400)),
    ("GET", files('{"core.size":{"gtt":1}}'), {}, None, 400, error(400)),
    ("GET", files('{"core.size":"abc"}'), {}, None, 400, error(400)),
    ("GET", files('{"_all":"a AND"}'), {}, None, 400, error(400)),
    ("GET", files(sort="no.such"), {}, None, 400, error(400, "no.such")),
    ("GET", files(projection="[]"), {}, None, 400, error(400, "projection")),
    ("GET", files(max_results=1000, page=11), {}, None, 416, error(416, "11000")),
    ("GET", files('{"_all":"txt"}', projection='{"filters": "."}'), {}, None, 200, GUIDED),
    ("GET", files('{"_all":"txt"}', projection='{"filters": "core.size"}'), {}, None, 200, GUIDED),
    ("GET", '/files?projection=%7B"filters":"."%7D', {}, None, 200, GUIDED),
    ("GET", files(projection='{"filters": 5}'), {}, None, 400, error(400, "filters")),
    ("GET", "/files/{id}", {}, None, 200, item),
    ("GET", "/files/{id}", {"If-None-Match": '"{etag}"'}, None, 304, None),
    ("GET", "/files/{id}", {"If-Modified-Since": "{modified}"}, None, 304, None),
    ("GET", "/files/{id}?projection=[]", {}, None, 400, error(400)),
    ("GET", "/files/5", {}, None, 404, error(404, "5")),
    ("GET", "/files/99999999999999999999", {}, None, 404, error(404)),
    ("PATCH", "/files/{id}", {"If-Match": "{etag}"}, FINE, 200, written),
    ("PATCH", "/files/{id}", {"If-Match": 'W/"{etag}"'}, FINE, 200, written),
    ("PATCH", "/files/{id}", {"If-Match": '"x", "{etag}"'}, FINE, 200, written),
    ("PATCH", "/files/{id}", {"If-Match": "*"}, FINE, 200, written),
    ("PATCH", "/files/{id}", {"If-Match": "*"}, "{", 400, error(400, "JSON")),
    ("PATCH", "/files/{id}", {"If-Match": "*"}, '{"template":{"data":[]}}', 400, error(400, "template")),
    ("PATCH", "/files/5", {}, FINE, 404, error(404, "5")),
    ("PATCH", "/files/{id}", {"If-Match": '"outdated"'}, FINE, 412, error(412, "etags don't match")),
    ("PATCH", "/files/{id}", {"If-Match": "*", "Content-Type": "text/plain"}, FINE, 415, error(415)),
    ("PATCH", "/files/{id}", {}, FINE, 428, error(428, "If-Match header")),
    (
        "PATCH",
        "/files/{id}",
        {"If-Match": "*"},
        template("common.creator", 5),
        422,
        error(422, r"common : \{'creator': 'must be of string type'\}"),
    ),
    ("PATCH", "/files/{id}", {"If-Match": "*"}, " " * 1048577, 413, error(413)),
    ("PATCH", "/files", {"If-Match": "*"}, FINE, 405, error(405)),
    ("PUT", "/files/{id}", {}, FINE, 405, error(405)),
    ("POST", "/files", {}, FINE, 405, error(405)),
    ("DELETE", "/files/{id}", {}, None, 428, error(428)),
    ("DELETE", "/files/{id}", {"If-Match": "outdated"}, None, 412, error(412)),
    ("DELETE", "/files/5", {"If-Match": "*"}, None, 404, error(404)),
    ("DELETE", "/files/{other}", {"If-Match": "*"}, None, 204, None),
    ("POST", "/files/{other}/undelete", {}, None, 200, written),
    ("POST", "/files/{other}/undelete", {}, None, 409, error(409)),
    ("POST", "/files/5/undelete", {}, None, 404, error(404)),
    ("DELETE", "/files", {}, None, 400, error(400, "where")),
    ("DELETE", files(), {}, None, 400, error(400)),
    ("DELETE", files('{"_all":""}'), {}, None, 400, error(400)),
    ("DELETE", files('{"core.size":'), {}, None, 400, error(400)),
    ("DELETE", files('{"core.size":3}', expect=7), {}, None, 412, error(412)),
    (
        "DELETE",
        files('{"core.size":3}', dry_run=1),
        {},
        None,
        200,
        collection("/files", properties=HITS, items=[]),
    ),
    ("DELETE", files('{"core.size":3}'), {}, None, 204, None),
    ("DELETE", files('{"core.size":3}'), {}, None, 204, None),
    ("GET", "/removed", {}, None, 200, REMOVED),
    ("GET", "/changes", {}, None, 200, CHANGES),
    ("GET", "/changes?since=0&max_results=3", {}, None, 200, CHANGES),
    ("GET", "/changes?since=x", {}, None, 400, error(400, "since")),
    ("GET", "/changes?since=999999", {}, None, 410, error(410)),
    ("GET", "/schema/files", {}, None, 200, SCHEMA),
    ("GET", "/files/{id}/content", {"Range": "bytes=0-0"}, None, 206, None),
    ("GET", "/files/{id}/content", {"Range": "bytes=99999-"}, None, 416, error(416)),
    ("GET", "/files/5/content", {}, None, 404, error(404)),
    ("GET", "/nothing", {}, None, 404, error(404)),
    ("GET", "/media/090/453/627/9045362721810216358.png", {}, None, 404, error(404)),
]


class Documents:
    """A daemon with a few files; the ids of two."""

    def __init__(self, daemon, tree):
        for i in range(40):
            with open(os.path.join(tree, f"{i}.txt"), "w", encoding="utf-8") as file:
                file.write("x" * i)
        daemon.pxs("ingest", tree)
        by_size = {doc.get("core.size"): doc["_id"] for doc in daemon.items('{"core.type":"file"}')}
        self.daemon, self.id, self.other = daemon, by_size[20], by_size[21]


@pytest.fixture(scope="module")
def documents(work):
    daemon = daemons.Daemon(os.path.join(work, "conformance"))
    tree = os.path.join(work, "conformance-tree")
    os.makedirs(tree)
    daemon.start(mount=False)
    yield Documents(daemon, tree)
    assert daemon.stop() == 0
    assert not daemon.new_alarms()
    daemon.destroy()
    shutil.rmtree(tree)


def spell(target, how):
    """TARGET below /api, with a slash, or with its parameters as raw as a URL may be."""
    path, _, parameters = target.partition("?")
    if how == "api":
        path = "/api" + path
    elif how == "slash":
        path = path.rstrip("/") + "/"
    elif how == "raw":
        for raw in '{}":,[]':
            parameters = parameters.replace(quote(raw), raw)
    return path + ("?" + parameters if parameters else "")


@pytest.mark.parametrize("how", ["as it is", "api", "slash", "raw"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1][:40]} {row[4]}")
def test_row(documents, row, how):
    method, target, headers, body, status, shape = row
    daemon = documents.daemon
    if how != "as it is" and "{other}" in target:
        pytest.skip("it can be deleted once")
    fill = {"id": documents.id, "other": documents.other}
    seen = daemon.http("HEAD", f"/files/{documents.id}").headers
    target = target.replace("{id}", str(fill["id"])).replace("{other}", str(fill["other"]))
    headers = {
        name: value.replace("{etag}", seen["ETag"].strip('"')).replace("{modified}", seen["Last-Modified"])
        for name, value in headers.items()
    }
    reply = daemon.http(method, spell(target, how), body=body, headers=headers)
    assert reply.status == status, reply.body[:500]
    assert reply.headers["X-Request-Id"]
    if callable(shape):
        document = documents.other if "{other}" in row[1] else documents.id
        shape = shape(document)
    if shape is None:
        assert status in (206,) or reply.body == b""
        assert status == 206 or "Content-Type" not in reply.headers
        return
    assert mismatch(shape, reply.json) is None
    kind = "application/json" if target in ("/schema/files", "/removed") else MEDIA_TYPE
    assert reply.headers["Content-Type"] == kind
    if method == "GET":
        head = daemon.http("HEAD", spell(target, how), headers=headers)
        assert (head.status, head.body) == (status, b"")
        pretty = daemon.http("GET", target + ("&" if "?" in target else "?") + "pretty", headers=headers)
        assert pretty.status == status and b'\n    "' in pretty.body


@pytest.mark.parametrize("target", ["/", "/files", "/api/files/", "/files/5", "/changes"])
def test_options(documents, target):
    reply = documents.daemon.http("OPTIONS", target)
    assert reply.status == 204 and "GET" in reply.headers["Allow"] and not reply.body


# --- Bad bodies ---

BAD_JSON = [
    "",
    " ",
    "nul",
    "[",
    "[1,]",
    "{]",
    '{"a"}',
    '{"a":}',
    "{'a':1}",
    '{"a":1,}',
    '{"a":01}',
    '{"a":+1}',
    '{"a":.5}',
    '{"a":1.}',
    '{"a":0x1}',
    '{"a":NaN}',
    '{"a":Infinity}',
    '{"a":"\t"}',
    '{"a":"\\x"}',
    '{"a":"\\u12"}',
    '{"a":"\\ud800"}',
    '{"a":"\\u0000"}',
    '{"a":"b}',
    '{"a":1}{}',
    '{"a":1} x',
    '{"a":99999999999999999999}',
    '{"a":1e999}',
    '\ufeff{"a":1}',
    "/* */ {}",
    '"text"',
    "5",
    "null",
    "[" * 100000,
    '{"a":' * 100000,
    "[" * 100000 + "]" * 100000,
    '{"a":"' + "[" * 30 + '"',
]


@pytest.mark.parametrize("body", BAD_JSON, ids=lambda body: repr(body[:20]))
def test_bad_json_is_400(documents, body):
    reply = documents.daemon.http(
        "PATCH", f"/files/{documents.id}", body=body.encode(), headers={"If-Match": "*"}
    )
    assert reply.status == 400 and mismatch(error(400), reply.json) is None


@pytest.mark.parametrize("body", [b'{"a":"\xff"}', b'{"a":"\xc0\x80"}', b'{"a":"\xed\xa0\x80"}', b"\x00", b'{"a":1}\x00'])
def test_bad_bytes_are_400(documents, body):
    reply = documents.daemon.http(
        "PATCH", f"/files/{documents.id}", body=body, headers={"If-Match": "*"}
    )
    assert reply.status == 400


@pytest.mark.parametrize("depth", [100, 20000])
def test_deep_where_is_400(documents, depth):
    assert documents.daemon.http("GET", files('{"core.size":' + "[" * depth)).status == 400


# --- Smuggling: two readings of one request must not exist ---

SMUGGLING = [
    b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    b"Content-Length: 4\r\nContent-Length: 40\r\n\r\nabcdGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    b"Content-Length: +4\r\n\r\nabcdGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    b"Content-Length: 4, 4\r\n\r\nabcdGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    b"Content-Length: -1\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    b"Content-Length: 99999999999999999999\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    b"Content-Length : 4\r\n\r\nabcdGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
]


@pytest.mark.parametrize("payload", SMUGGLING, ids=lambda p: p.split(b"\r\n")[0].decode())
def test_nothing_is_smuggled(documents, payload):
    """What two readers may read differently is refused, and the connection ends."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(3)
        connection.connect(documents.daemon.socket)
        connection.sendall(b"POST /nothing HTTP/1.1\r\nHost: x\r\n" + payload)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while chunk := connection.recv(65536):
                answer += chunk
        except (TimeoutError, ConnectionError):
            pass
    # What libmicrohttpd itself refuses it answers with its header sent twice.
    assert set(re.findall(rb"HTTP/1\.1 (\d+)", answer)) <= {b"400", b"413"}, answer
    assert documents.daemon.get("/healthz").status == 200


# --- Clients ---


def follow(daemon, href):
    return daemon.get(quote(href, safe="/?=&%")).collection


def links(document, rel):
    return [each for each in document["links"] if each["rel"] == rel]


def test_the_small_client_of_the_documentation(documents):
    """Billboard, template filled in, results; then a sorted one."""
    first, sorted_search, *_ = follow(documents.daemon, "/files/")["queries"]
    for template_, answers in [
        (first, {"where": "txt"}),
        (sorted_search, {"where": 'a "quoted" 100% & more', "sortfield": "-core.size"}),
        (sorted_search, {"where": "txt", "sortfield": ""}),
    ]:
        href = template_["href"]
        for parameter in template_["data"]:
            value = json.dumps(answers[parameter["name"]])[1:-1]
            href = href.replace("{" + parameter["name"] + "}", quote(value, safe=""))
        found = follow(documents.daemon, href)
        assert isinstance(found["properties"][0]["value"], int)


@pytest.mark.parametrize("pick", [0, -1])
def test_the_wizard_gets_to_one_page(documents, pick):
    """The loop of the guided example: narrow down until it fits a screen; every count is kept."""
    href, steps = "/files/?where={}&max_results=5", 0
    while True:
        found = follow(documents.daemon, href)
        if found["properties"][0]["value"] <= 5:
            break
        (filters,) = [each for each in links(found, "links") if each["name"] == "_filters"]
        choices = links(follow(documents.daemon, filters["href"]), "collection")
        smaller = [each for each in choices if each["count"] < found["properties"][0]["value"]]
        choice = smaller[pick]
        href = choice["href"]
        assert follow(documents.daemon, href)["properties"][0]["value"] == choice["count"]
        steps += 1
    assert 0 < steps < 10


def test_every_advertised_link_keeps_its_promise(documents):
    """Two levels down, all of them, with order and page size kept."""
    start = '/files/?where={"core.type":"file"}&sort=-core.size&max_results=7'
    pending, seen = [(start, 0)], 0
    while pending:
        href, level = pending.pop()
        guided = follow(documents.daemon, href + '&projection={"filters":"."}')
        for choice in links(guided, "collection"):
            found = follow(documents.daemon, choice["href"])
            assert found["properties"][0]["value"] == choice["count"], choice
            assert len(found["items"]) == min(7, choice["count"])
            assert "sort=-core.size" in choice["href"] and "max_results=7" in choice["href"]
            seen += 1
            if level == 0 and seen < 8:
                pending.append((choice["href"], 1))
        for more in links(guided, "links"):
            alone = follow(documents.daemon, more["href"])
            total = alone["properties"][0]["value"]
            assert sum(1 for each in links(alone, "links") if each["name"] == more["name"]) == 1
            assert all(each["count"] <= total for each in links(alone, "collection"))
    assert seen > 10
