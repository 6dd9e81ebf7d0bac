"""Somebody who changes documents through a door of a daemon, and what he must believe of what came of it.

A change is DONE, REFUSED (certainly not made) or UNKNOWN (no answer: it may have been made)."""

import errno
import http.client
import json
import os

DONE, REFUSED, UNKNOWN = "done", "refused", "unknown"

# The daemon died under the call. ENOENT is none of these where the folder is looked at afterwards.
DIED = {errno.ENOTCONN, errno.ECONNABORTED, errno.EIO, errno.EINTR}


class Version:
    """A document as somebody saw it."""

    def __init__(self, etag, values):
        self.etag = etag
        self.rating = values.get("user.rating")
        self.tags = frozenset(values.get("user.tags") or [])

    @property
    def state(self):
        return self.rating, self.tags


class Away(Exception):
    """Nobody answers."""


class Rest:
    """By HTTP, at the daemon's socket."""

    def __init__(self, daemon):
        self.daemon = daemon

    def ask(self, method, target, body=None, etag=None):
        headers = {"Content-Type": "application/json"} if body else {}
        if etag:
            headers["If-Match"] = etag
        try:
            return self.daemon.http(method, target, body, headers)
        except (OSError, http.client.HTTPException) as fault:
            raise Away from fault

    def see(self, id_):
        """None: it is not there."""
        reply = self.ask("GET", f"/files/{id_}")
        if reply.status == 404:
            return None
        if reply.status != 200:
            raise Away(reply.status)
        values = {field["name"]: field["value"] for field in reply.collection["items"][0]["data"]}
        return Version(values["_etag"], values)

    def change(self, method, target, body=None, etag=None):
        try:
            reply = self.ask(method, target, body, etag)
        except Away:
            return UNKNOWN
        if reply.status < 300:
            return DONE
        # 503 is also said by a daemon that ends, or that cannot find out.
        assert reply.status in (404, 409, 412, 502, 503), (method, target, reply.status, reply.body)
        return UNKNOWN if reply.status == 503 else REFUSED

    def patch(self, id_, seen, values):
        data = [{"name": name, "value": value} for name, value in values.items()]
        body = json.dumps({"template": {"data": data}})
        return self.change("PATCH", f"/files/{id_}", body, seen.etag)

    def delete(self, id_, seen):
        return self.change("DELETE", f"/files/{id_}", None, seen.etag)

    def undelete(self, id_):
        return self.change("POST", f"/files/{id_}/undelete")


class Mount(Rest):
    """By setfattr and rm; a version counts as seen when this thread read its properties."""

    def path(self, id_):
        return os.path.join(self.daemon.mountpoint, "id", str(id_))

    def see(self, id_):
        """All properties of one version: those that came between two equal etags."""
        path = self.path(id_)
        values = {}
        try:
            while True:
                etag = os.getxattr(path, "user.pxs.etag").decode()
                if etag == values.get("_etag"):
                    return Version(etag, values)
                values = {"_etag": etag}
                for name in ("user.rating", "user.tags"):
                    try:
                        values[name] = json.loads(os.getxattr(path, "user." + name))
                    except OSError as fault:
                        if fault.errno != errno.ENODATA:
                            raise
        except OSError as fault:
            if fault.errno in (errno.ENOENT, errno.ESTALE) and os.path.exists(os.path.join(self.daemon.mountpoint, "id")):
                return None
            raise Away from fault

    def call(self, do, *arguments):
        try:
            do(*arguments)
        except OSError as fault:
            if fault.errno == errno.ETIMEDOUT or fault.errno in DIED:
                return UNKNOWN
            assert fault.errno in (errno.EBUSY, errno.ENOENT, errno.ESTALE, errno.EHOSTUNREACH), fault
            return REFUSED
        return DONE

    def patch(self, id_, seen, values):
        path = self.path(id_)
        if len(values) == 1:
            ((name, value),) = values.items()
            return self.call(os.setxattr, path, "user." + name, json.dumps(value).encode())
        return self.call(os.setxattr, path, "user.pxs.patch", json.dumps(values).encode())

    def delete(self, id_, seen):
        return self.call(os.unlink, self.path(id_))
