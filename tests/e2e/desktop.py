"""A screen that nobody looks at (Xvfb), and file managers on it, with a session bus of their own."""

import contextlib
import os
import shutil
import signal
import struct
import subprocess
import time
import zlib

import pytest
from daemon import PATIENCE_S, environment

WIDTH, HEIGHT = 900, 600
# Above the line that tells the free space, which others change.
SHOWN_HEIGHT = 440


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


class Screen:
    def __init__(self, home):
        need("Xvfb", "xdotool", "dbus-run-session")
        self.home = home
        self.frame = os.path.join(home, "frame")
        for name in ("frame", "run", "config", "data/applications"):
            os.makedirs(os.path.join(home, name), mode=0o700)
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24"]
            + ["-nolisten", "tcp", "-noreset", "-fbdir", self.frame],
            pass_fds=[write],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with open(read, encoding="ascii") as file:
            number = file.readline().strip()
        assert number, "Xvfb did not start"
        self.env = environment(
            DISPLAY=f":{number}",
            HOME=home,
            XDG_RUNTIME_DIR=os.path.join(home, "run"),
            XDG_CONFIG_HOME=os.path.join(home, "config"),
            XDG_DATA_HOME=os.path.join(home, "data"),
            GDK_BACKEND="x11",
            GSK_RENDERER="cairo",
            NO_AT_BRIDGE="1",
            GTK_A11Y="none",
            GIO_USE_VOLUME_MONITOR="unix",
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()

    def pixels(self):
        """(Width, rows of four bytes a pixel.) X's dump: a head of numbers, the colours, the picture."""
        with open(os.path.join(self.frame, "Xvfb_screen0"), "rb") as file:
            data = file.read()
        head = struct.unpack(">25I", data[:100])
        start, stride = head[0] + head[19] * 12, head[12]
        return head[4], [data[start + y * stride :][: head[4] * 4] for y in range(head[5])]

    def picture(self):
        return b"".join(self.pixels()[1][:SHOWN_HEIGHT])

    def still(self):
        """The picture, once it no longer changes."""
        before, deadline = None, time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            now = self.picture()
            if now == before and any(now):
                return now
            before = now
            time.sleep(0.4)
        raise AssertionError("the picture does not come to rest")

    def save(self, path):
        width, rows = self.pixels()
        lines = b"".join(
            b"\0" + bytes(byte for at in range(0, len(row), 4) for byte in row[at : at + 3][::-1]) for row in rows
        )
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n")
            file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)))
            file.write(chunk(b"IDAT", zlib.compress(lines, 1)) + chunk(b"IEND", b""))

    def xdotool(self, *arguments):
        subprocess.run(["xdotool", *arguments], env=self.env, check=True, stdin=subprocess.DEVNULL)

    def choose(self, name):
        """Type a name and Return, to the window under the pointer: there is no window manager."""
        self.xdotool("mousemove", str(WIDTH // 2), str(SHOWN_HEIGHT - 20))
        self.xdotool("type", name)
        time.sleep(0.7)  # PCManFM looks for it then
        self.xdotool("key", "Return")

    def double_click(self, x, y):
        self.xdotool("mousemove", str(x), str(y), "click", "--repeat", "2", "--delay", "80", "1")

    def open_text_with(self, script):
        """What a double click on a text file runs."""
        applications = os.path.join(self.home, "data/applications")
        with open(os.path.join(applications, "reader.desktop"), "w", encoding="ascii") as file:
            file.write(f"[Desktop Entry]\nType=Application\nName=Reader\nExec={script} %f\nMimeType=text/plain;\n")
        for folder in (applications, os.path.join(self.home, "config")):
            with open(os.path.join(folder, "mimeapps.list"), "w", encoding="ascii") as file:
                file.write("[Default Applications]\ntext/plain=reader.desktop\n")

    @contextlib.contextmanager
    def running(self, *command):
        need(command[0])
        with open(os.path.join(self.home, "log"), "ab") as log:
            session = subprocess.Popen(
                ["dbus-run-session", "--", *command],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield session
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(session.pid, signal.SIGKILL)
            session.wait()


def watches(session, path):
    """Whether a process of SESSION, or of one of its children, watches the folder PATH by inotify."""
    wanted = f"ino:{os.stat(path).st_ino:x} "
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(pid)) != session.pid:
                continue
            for fd in os.listdir(f"/proc/{pid}/fdinfo"):
                with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as file:
                    if wanted in file.read():
                        return True
        except OSError:
            continue
    return False
