"""A PixStor-shaped core, from spec/pixstor.md and nothing of ours: it tells no changes and knows no cursors, lists
10,000 documents of a query and no more, answers what is not in the specification with 400, leaves files that the user
may not see out of a page after it was cut, and orders what is equal as it likes."""

import base64
import bisect
import hashlib
import http.server
import json
import random
import re
import sys
import threading
import time
import urllib.parse

WINDOW = 10_000
TYPE = "application/vnd.collection+json"
USER = ("robby", "tobor-7d1f3a")
SCHEMA = {
    "core.pathname": ("File path", "String"),
    "core.filename": ("File basename", "String"),
    "core.inode": ("Inode", "Long"),
    "core.size": ("File size in bytes", "Long"),
    "core.modificationtime": ("Modified", "datetime"),
    "image.width": ("Width", "Integer"),
    "video.codec.audio": ("Audio codec", "String"),
    "user.tags": ("Tags", "[String]"),
    "user.rating": ("Rating", "Integer"),
}


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


class Documents:
    """By id, and in the two orders in which they are asked for."""

    def __init__(self):
        self.by_id = {}
        self.hidden = set()
        self.lock = threading.RLock()
        self.now = 1_700_000_000
        self.orders = {}
        self.texts = {}

    def put(self, id_, values, updated=None):
        with self.lock:
            self.now += 1
            old = self.by_id.get(id_, {})
            document = dict(values, _id=id_, _created=old.get("_created", iso(self.now)),
                            _updated=iso(updated or self.now))  # fmt: skip
            text = json.dumps([document, self.now], sort_keys=True)
            document["_etag"] = hashlib.sha1(text.encode()).hexdigest()
            self.by_id[id_] = document
            self.texts.pop(id_, None)
            self.orders.clear()

    def change(self, id_, **values):
        names = {name.replace("__", "."): value for name, value in values.items()}
        with self.lock:
            kept = {k: v for k, v in self.by_id[id_].items() if k[0] != "_"}
            self.put(id_, {**kept, **names})

    def remove(self, id_):
        with self.lock:
            del self.by_id[id_]
            self.texts.pop(id_, None)
            self.orders.clear()

    def shown(self):
        with self.lock:
            return {id_: document for id_, document in self.by_id.items() if id_ not in self.hidden}

    def ordered(self, name):
        """(value, document), ascending; what has no such value is not in it."""
        if name not in self.orders:
            documents = list(self.by_id.values())
            random.shuffle(documents)
            self.orders[name] = sorted(((d[name], d) for d in documents if name in d), key=lambda pair: pair[0])
        return self.orders[name]

    def text(self, document):
        id_ = document["_id"]
        if id_ not in self.texts:
            self.texts[id_] = json.dumps(item(document))
        return self.texts[id_]


def prompt(name):
    if name[0] == "_":
        return name
    text, type_ = SCHEMA[name]
    return f"{text} ({'list of string' if type_[0] == '[' else type_.lower()})"


def item(document, names=None):
    data = [
        {"prompt": prompt(name), "name": name, "value": value}
        for name, value in document.items()
        if names is None or name in names or name[0] == "_"
    ]
    return {"href": f"/files/{document['_id']}", "data": data, "links": []}


def value_of(name, value):
    """A bound or value in a where, as documents have it."""
    type_ = SCHEMA[name][1].lower() if name in SCHEMA else None
    if type_ == "datetime":
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", value):
            raise Refused(400, f"{name}: {value!r} is no date")
    elif type_ in ("long", "integer") and (not isinstance(value, int) or isinstance(value, bool)):
        raise Refused(400, f"{name}: {value!r} is no number")
    return value


OPERATORS = {
    "gte": lambda a, b: a >= b,
    "gt": lambda a, b: a > b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def condition(name, wanted):
    if name not in SCHEMA:
        return lambda d: False
    if isinstance(wanted, dict):
        if not wanted or wanted.keys() - OPERATORS.keys():
            raise Refused(400, f"{name}: unknown operator in {wanted}")
        bounds = [(OPERATORS[key], value_of(name, value)) for key, value in wanted.items()]
        return lambda d: name in d and all(holds(d[name], bound) for holds, bound in bounds)
    value = value_of(name, wanted)
    return lambda d: d.get(name) == value


def words(text):
    """Of query strings this core understands what it needs to."""
    names = re.fullmatch(r"NOT _exists_:([a-z.]+)(?: AND NOT _exists_:([a-z.]+))?(?: AND NOT _exists_:([a-z.]+))?", text)
    if not names:
        raise Refused(400, f"cannot parse {text!r}")
    return lambda d: not any(name in d for name in names.groups() if name)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    # --- Answering ---

    def answer(self, status, body=b"", type_=TYPE, **headers):
        self.send_response(status)
        if body:
            self.send_header("Content-Type", type_)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def collection(self, **members):
        self.answer(200, json.dumps({"collection": {"version": "1.0", **members}}).encode())

    def run(self, act):
        url = urllib.parse.urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        self.path_, self.query = url.path, dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.server.requests.append(f"{self.command} {urllib.parse.unquote(self.path)}")
        try:
            if self.path_ != "/oauth2/token":
                self.check_token()
            act()
        except Refused as refused:
            error = {"title": "Error", "message": refused.message}
            self.answer(refused.status, json.dumps({"collection": {"version": "1.0", "error": error}}).encode())

    def check_token(self):
        given = self.headers.get("Authorization", "")
        if given.startswith("Basic "):
            given = "Bearer " + base64.b64decode(given[6:]).decode().split(":")[0]
        if given.removeprefix("Bearer ") not in self.server.tokens:
            raise Refused(403, "Please provide proper credentials")
        if TYPE not in self.headers.get("Accept", "") and self.command == "GET":
            raise Refused(400, f"Accept must name {TYPE}")

    # --- Methods ---

    def do_GET(self):
        self.run(self.get)

    def do_POST(self):
        self.run(self.log_in)

    def do_PATCH(self):
        self.run(lambda: self.edit(self.patch))

    def do_DELETE(self):
        self.run(lambda: self.edit(self.delete))

    def get(self):
        single = re.fullmatch(r"/files/(\d+)", self.path_)
        if self.path_ in ("/files", "/files/"):
            self.search() if "where" in self.query else self.collection(href="/files", items=[], queries=[])
        elif single:
            self.collection(href=self.path_, items=[item(self.find(int(single[1])))])
        elif self.path_ == "/schema/files" and self.server.has_schema:
            self.answer(200, json.dumps(schema()).encode(), "application/json")
        else:
            raise Refused(404, "not found")

    def find(self, id_):
        document = self.server.documents.shown().get(id_)
        if not document:
            raise Refused(404, "not found")
        return document

    def log_in(self):
        if self.path_ != "/oauth2/token":
            raise Refused(405, "not allowed")
        form = dict(urllib.parse.parse_qsl(self.body.decode()))
        if form.get("grant_type") != "password" or (form.get("username"), form.get("password")) != USER:
            self.answer(400, b'{"error":"invalid_grant"}', "application/json;charset=UTF-8")
            return
        token = f"token-{len(self.server.tokens)}-{random.random()}"
        self.server.tokens.add(token)
        reply = {"access_token": token, "token_type": "Bearer", "expires_in": 86400}
        self.answer(200, json.dumps(reply).encode(), "application/json;charset=UTF-8", Cache_Control="no-store")

    def edit(self, act):
        with self.server.documents.lock:
            document = self.find(int(self.path_.rsplit("/", 1)[1]))
            match = self.headers.get("If-Match")
            if not match:
                raise Refused(428, "To edit a document its etag must be provided using the If-Match header")
            if match.strip('"') != document["_etag"]:
                raise Refused(412, "Client and server etags don't match")
            act(document)

    def patch(self, document):
        entries = json.loads(self.body)["template"]["data"]
        for entry in entries:
            if entry["name"] not in SCHEMA:
                raise Refused(422, f"{entry['name']} : unknown field")
        kept = {k: v for k, v in document.items() if k[0] != "_"}
        kept.update((entry["name"], entry["value"]) for entry in entries)
        self.server.documents.put(document["_id"], kept)
        now = self.server.documents.by_id[document["_id"]]
        self.collection(href=self.path_, items=[item(now, ())])

    def delete(self, document):
        self.server.documents.remove(document["_id"])
        self.answer(204)

    # --- Searching ---

    def number(self, name, default, highest):
        try:
            value = int(float(self.query[name]))
        except (KeyError, ValueError):
            return default
        return min(value, highest) if value > 0 else default

    def search(self):
        size = min(self.number("max_results", 25, 1000), self.server.page_max)
        page = self.number("page", 1, 10**9)
        where = self.where()
        if page * size > WINDOW:
            raise Refused(416, f"Result window is too large, page * max_results must be <= 10000 but was {page * size}")
        documents = self.server.documents
        with documents.lock:
            found = self.matching(where)
            cut = self.sorted(found)[(page - 1) * size : page * size]
            shown = [d for d in cut if d["_id"] not in documents.hidden]
            self.server.told += len(shown)
            names = self.projection()
            if names is None:
                items = ",".join(documents.text(d) for d in shown)
            else:
                items = ",".join(json.dumps(item(d, names)) for d in shown)
        links = [{"rel": "self", "href": "/files", "prompt": "Files", "render": "link"}]
        if page * size < min(len(found), WINDOW // size * size):
            query = {**self.query, "page": page + 1}
            query.pop("projection", None)  # Eve drops it
            links.append({"rel": "next", "href": "/files/?" + "&".join(f"{k}={v}" for k, v in query.items())})
        properties = [{"prompt": "Number of matching documents", "name": "hits", "value": len(found)}]
        head = json.dumps({"version": "1.0", "href": "/files", "links": links, "properties": properties})
        self.answer(200, f'{{"collection":{head[:-1]},"items":[{items}]}}}}'.encode())

    def where(self):
        try:
            where = json.loads(self.query["where"])
        except ValueError as fault:
            raise Refused(400, str(fault)) from fault
        if not isinstance(where, dict):
            raise Refused(400, "where is no object")
        return where

    def matching(self, where):
        """First by time, which there is an order of."""
        where = dict(where)
        tests = [words(where.pop("_all"))] if "_all" in where else []
        tests += [condition(name, wanted) for name, wanted in where.items()]
        documents = self.server.documents
        bounds = where.get("core.modificationtime")
        if not isinstance(bounds, dict):
            found = list(documents.by_id.values())
        else:
            order = documents.ordered("core.modificationtime")
            low = bisect.bisect_left(order, bounds.get("gte", ""), key=lambda pair: pair[0])
            high = bisect.bisect_left(order, bounds.get("lt", "~"), key=lambda pair: pair[0])
            found = [document for _, document in order[low:high]]
        return [d for d in found if all(test(d) for test in tests)] if tests else found

    def sorted(self, found):
        keys = [key for key in self.query.get("sort", "").split(",") if key]
        for key in reversed(keys):
            name = key.removeprefix("-")
            if name not in SCHEMA and not (name == "_updated" and self.server.sorts_updated):
                raise Refused(400, f"cannot sort by {name}")
            have = [d for d in found if name in d]
            have.sort(key=lambda d: d[name], reverse=key[0] == "-")
            found = have + [d for d in found if name not in d]
        return found

    def projection(self):
        text = self.query.get("projection")
        return None if text is None else {name for name, shown in json.loads(text).items() if shown}

    def log_message(self, *_):
        pass


def schema():
    groups = {}
    for name, (text, type_) in SCHEMA.items():
        first, *middle, last = name.split(".")
        entry = {"name": last, "prompt": text, "value": {"datatype": type_}}
        for group in reversed(middle):
            entry = {group: [entry]}
        groups.setdefault(first, []).append(entry)
    return groups


class Pixstor(http.server.ThreadingHTTPServer):
    request_queue_size = 64

    def __init__(self, has_schema=True, sorts_updated=True, page_max=1000):
        super().__init__(("127.0.0.1", 0), Handler)
        self.documents = Documents()
        self.tokens = set()
        self.requests = []
        self.told = 0  # documents in all pages
        self.has_schema, self.sorts_updated, self.page_max = has_schema, sorts_updated, page_max
        self.port = self.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def fill(self, rng, n, first=1):
        """N documents: most with times of their own, many of one second, some without this or that."""
        for id_ in range(first, first + n):
            values = {"core.pathname": f"/mmfs1/d{id_ % 97}/f{id_}.jpg", "core.filename": f"f{id_}.jpg",
                      "core.inode": 10_000 + id_, "core.size": rng.randrange(1 << 24)}  # fmt: skip
            kind = rng.random()
            if kind < 0.6:
                values["core.modificationtime"] = iso(1_400_000_000 + rng.randrange(300_000_000))
            elif kind < 0.95:
                values["core.modificationtime"] = iso(1_500_000_000)
            if kind < 0.02:
                del values["core.inode"]
            if rng.random() < 0.3:
                values["image.width"] = rng.randrange(1, 8000)
            if rng.random() < 0.3:
                values["user.tags"] = rng.sample(["cats", "best", "dogs", "kittens"], rng.randrange(1, 4))
            self.documents.put(id_, values)

    def options(self, directory):
        path = f"{directory}/password-{self.port}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(USER[1] + "\n")
        return ["--upstream", self.url, "--user", USER[0], "--password-file", path]
