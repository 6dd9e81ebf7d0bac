"""A client of NFSv4.0 (RFC 7530) that does only what it is told: it keeps no handle, no cookie and no
cache of its own, so that a test can hold these over whatever happens to the server."""

import socket
import struct

NULL_STATE = bytes(16)  # reading without having opened
STATUS = {
    0: "OK", 1: "PERM", 2: "NOENT", 13: "ACCES", 20: "NOTDIR", 22: "INVAL", 30: "ROFS", 70: "STALE", 10001: "BADHANDLE",
}  # fmt: skip
TYPES = {1: "file", 2: "folder", 5: "link"}
CREATE, GETATTR, GETFH, LOOKUP, OPEN, PUTFH, PUTROOTFH, READ, READDIR, READLINK, REMOVE = (
    6, 9, 10, 15, 18, 22, 24, 25, 26, 27, 28,
)  # fmt: skip
RENAME, SAVEFH, SETCLIENTID, SETCLIENTID_CONFIRM = 29, 32, 35, 36
NO_ATTRIBUTES = struct.pack(">II", 0, 0)
TYPE, SIZE, FILEID = 1, 4, 20


class NfsError(Exception):
    """The server's status, as STATUS names it."""


def opaque(data):
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


def bitmap(*bits):
    words = [0, 0]
    for bit in bits:
        words[bit // 32] |= 1 << bit % 32
    return struct.pack(">III", 2, *words)


class Reply:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, layout):
        values = struct.unpack_from(">" + layout, self.data, self.at)
        self.at += struct.calcsize(">" + layout)
        return values[0] if len(values) == 1 else values

    def opaque(self):
        size = self.take("I")
        data = self.data[self.at : self.at + size]
        self.at += size + -size % 4
        return data

    def bitmap(self):
        return [word << 32 * i for i, word in enumerate(self.take("I") for _ in range(self.take("I")))]

    def attributes(self):
        """Of TYPE, SIZE and FILEID, which are told in this order."""
        bits = sum(self.bitmap())
        values = Reply(self.opaque())
        attributes = {}
        if bits >> TYPE & 1:
            attributes["type"] = TYPES.get(values.take("I"))
        if bits >> SIZE & 1:
            attributes["size"] = values.take("Q")
        if bits >> FILEID & 1:
            attributes["fileid"] = values.take("Q")
        return attributes


class Client:
    def __init__(self, port):
        self.port, self.xid, self.socket = port, 0, None

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionError("the server hung up")
            data += piece
        return data

    def _record(self):
        data, last = b"", False
        while not last:
            (mark,) = struct.unpack(">I", self._exactly(4))
            last = mark >> 31 == 1
            data += self._exactly(mark & 0x7FFFFFFF)
        return data

    def compound(self, *operations):
        """The reply behind its header; every operation is (number, arguments)."""
        if not self.socket:
            self.socket = socket.create_connection(("127.0.0.1", self.port), 60)
        self.xid += 1
        root = struct.pack(">I", 0) + opaque(b"test") + struct.pack(">III", 0, 0, 0)
        call = struct.pack(">IIIIII", self.xid, 0, 2, 100003, 4, 1)
        call += struct.pack(">I", 1) + opaque(root) + struct.pack(">II", 0, 0)
        call += opaque(b"") + struct.pack(">II", 0, len(operations))
        for number, arguments in operations:
            call += struct.pack(">I", number) + arguments
        self.socket.sendall(struct.pack(">I", 1 << 31 | len(call)) + call)
        reply = Reply(self._record())
        xid, kind, accepted, _ = reply.take("IIII")
        reply.opaque()
        assert (xid, kind, accepted, reply.take("I")) == (self.xid, 1, 0, 0)
        status = reply.take("I")
        reply.opaque()
        reply.take("I")
        if status:
            raise NfsError(STATUS.get(status, status))
        return reply

    @staticmethod
    def _skip(reply, n):
        for _ in range(n):
            reply.take("II")  # operation, status

    def handle(self, *names):
        lookups = [(LOOKUP, opaque(name.encode())) for name in names]
        reply = self.compound((PUTROOTFH, b""), *lookups, (GETFH, b""))
        self._skip(reply, len(names) + 2)
        return reply.opaque()

    def child(self, handle, name):
        reply = self.compound((PUTFH, opaque(handle)), (LOOKUP, opaque(name.encode())), (GETFH, b""))
        self._skip(reply, 3)
        return reply.opaque()

    def attributes(self, handle):
        reply = self.compound((PUTFH, opaque(handle)), (GETATTR, bitmap(TYPE, SIZE, FILEID)))
        self._skip(reply, 2)
        return reply.attributes()

    def read(self, handle, offset=0, size=1 << 16):
        arguments = NULL_STATE + struct.pack(">QI", offset, size)
        reply = self.compound((PUTFH, opaque(handle)), (READ, arguments))
        self._skip(reply, 2)
        reply.take("I")
        return reply.opaque()

    def readlink(self, handle):
        reply = self.compound((PUTFH, opaque(handle)), (READLINK, b""))
        self._skip(reply, 2)
        return reply.opaque().decode()

    def remove(self, handle, name):
        self.compound((PUTFH, opaque(handle)), (REMOVE, opaque(name.encode())))

    def rename(self, handle, old, new):
        names = opaque(old.encode()) + opaque(new.encode())
        self.compound((PUTFH, opaque(handle)), (SAVEFH, b""), (RENAME, names))

    def mkdir(self, handle, name):
        arguments = struct.pack(">I", 2) + opaque(name.encode()) + NO_ATTRIBUTES
        self.compound((PUTFH, opaque(handle)), (CREATE, arguments))

    def create(self, handle, name):
        """Opens a file that is to be made, as a client that has introduced itself."""
        callback = struct.pack(">I", 0) + opaque(b"tcp") + opaque(b"0.0.0.0.0.0") + struct.pack(">I", 0)
        reply = self.compound((SETCLIENTID, bytes(8) + opaque(b"test") + callback))
        self._skip(reply, 1)
        client, verifier = reply.take("Q8s")
        self.compound((SETCLIENTID_CONFIRM, struct.pack(">Q8s", client, verifier)))
        arguments = struct.pack(">IIIQ", 1, 3, 0, client) + opaque(b"owner")
        arguments += struct.pack(">II", 1, 0) + NO_ATTRIBUTES  # to make it, whether it is there or not
        arguments += struct.pack(">I", 0) + opaque(name.encode())
        self.compound((PUTFH, opaque(handle)), (OPEN, arguments))

    def entries(self, handle, cookie=0, room=1024):
        """One piece of a listing after COOKIE: [(cookie, name, attributes)], and whether it is the last."""
        arguments = struct.pack(">Q", cookie) + bytes(8) + struct.pack(">II", room, room)
        arguments += bitmap(TYPE, SIZE, FILEID)
        reply = self.compound((PUTFH, opaque(handle)), (READDIR, arguments))
        self._skip(reply, 2)
        reply.take("8s")
        found = []
        while reply.take("I"):
            cookie = reply.take("Q")
            found.append((cookie, reply.opaque().decode(), reply.attributes()))
        return found, reply.take("I") == 1

    def listing(self, handle, room=1024, between=lambda: None):
        """{name: attributes}, read piece by piece, with BETWEEN called before each."""
        listing, cookie, last = {}, 0, False
        while not last:
            between()
            found, last = self.entries(handle, cookie, room)
            for cookie, name, attributes in found:
                assert name not in listing, f"{name} is told twice"
                listing[name] = attributes
        return listing
