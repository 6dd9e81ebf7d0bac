"""inotify(7), which Python lacks: what the kernel tells those who watch a folder."""

import ctypes
import os
import select
import struct
import time

LIBC = ctypes.CDLL(None, use_errno=True)
HEAD = struct.Struct("iIII")

MODIFY, ATTRIB, OPEN, CREATE, DELETE = 0x2, 0x4, 0x20, 0x100, 0x200
NAMES = {MODIFY: "modify", ATTRIB: "attrib", OPEN: "open", CREATE: "create", DELETE: "delete"}
CHANGES = MODIFY | ATTRIB | CREATE | DELETE
IN_ISDIR = 0x40000000


class Watch:
    """Of one folder. Events are ("create", name); the name is "" where it is the folder itself."""

    def __init__(self, path, mask=CHANGES):
        self.fd = LIBC.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        self.events = []  # with the time at which each was read
        if self.fd < 0 or LIBC.inotify_add_watch(self.fd, os.fsencode(path), mask) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def read(self, wait_s=0.0):
        """Take what there is; wait for the first if there is nothing."""
        if not select.select([self.fd], [], [], wait_s)[0]:
            return
        data = os.read(self.fd, 65536)
        now = time.monotonic()
        while data:
            _, mask, _, size = HEAD.unpack_from(data)
            name = data[HEAD.size : HEAD.size + size].rstrip(b"\0")
            data = data[HEAD.size + size :]
            kind = NAMES.get(mask & ~IN_ISDIR)
            if kind:
                self.events.append((now, kind, os.fsdecode(name)))

    def take(self):
        """The events since the last time, without their times."""
        self.read()
        events, self.events = self.events, []
        return [(kind, name) for _, kind, name in events]

    def expect(self, *wanted, patience_s=60):
        """Wait for exactly these, in any order."""
        deadline = time.monotonic() + patience_s
        while len(self.events) < len(wanted) and time.monotonic() < deadline:
            self.read(0.1)
        assert sorted(self.take()) == sorted(wanted)
