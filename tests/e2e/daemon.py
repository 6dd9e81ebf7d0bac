"""Runs the real pxs: a daemon with its own index, socket and mount, and the command line beside it."""

import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

BINARY = os.environ.get(
    "PXS_BINARY", os.path.join(os.path.dirname(__file__), "../../build-test/pxs")
)
WORK = os.environ.get("PXS_WORK", "/tmp")
QUICK = bool(os.environ.get("PXS_QUICK"))
FULL = bool(os.environ.get("PXS_FULL"))  # all that was promised, however long it takes

# Sanitizers make everything slower; nothing here waits as long as this unless something is wrong.
PATIENCE_S = 120

ALARMING = re.compile(
    rb"pxs: (error|warning):|^<[0-4]>|runtime error:|Sanitizer|==\d+==|Assertion|core dumped"
)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def collection(self):
        return self.json["collection"]


def is_mounted(path):
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        return any(line.split(" ")[1] == path for line in mounts)


def environment(**extra):
    """Ours, without what would point pxs elsewhere or colour its output."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PXS_", "XDG_"))}
    env.update({"LC_ALL": "C.UTF-8", "TZ": "Pacific/Kiritimati", **extra})
    return env


def pxs(*arguments, env=None, **options):
    """Run a verb to its end. Output as bytes."""
    return subprocess.run(
        [BINARY, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
        env=environment(**(env or {})),
        check=False,
        **options,
    )


class Daemon:
    """One daemon, with everything it owns below HOME (a short path: sockets need that)."""

    def __init__(self, home):
        os.makedirs(home, exist_ok=True)
        self.home = home
        self.index = os.path.join(home, "index")
        self.socket = os.path.join(home, "socket")
        self.mountpoint = os.path.join(home, "mnt")
        self.log = os.path.join(home, "log")
        self.announced = []  # patterns of alarming log lines that a test brings about
        self.log_seen = 0
        self.process = None
        os.makedirs(self.mountpoint, exist_ok=True)

    # --- Life ---

    def spawn(self, *arguments, mount=True, watch=False, **options):
        """Start it, without waiting for anything. Returns the socket on which it says READY=1.

        Unless a test is about it, files are followed only when the test says so (pxs ingest)."""
        notify_path = os.path.join(self.home, "notify")
        if os.path.exists(notify_path):
            os.unlink(notify_path)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(notify_path)
        os.chmod(notify_path, 0o666)
        if mount:
            arguments += ("--mount", self.mountpoint)
        if not watch:
            arguments += ("--no-watch",)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [
                    BINARY,
                    "daemon",
                    "--foreground",
                    "--index",
                    self.index,
                    "--socket",
                    self.socket,
                    *arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(NOTIFY_SOCKET=notify_path),
                **options,
            )
        self._note_pid()
        return notify

    def start(self, *arguments, **options):
        with self.spawn(*arguments, **options) as notify:
            deadline = time.monotonic() + PATIENCE_S
            while not select.select([notify], [], [], 0.2)[0]:
                if self.process.poll() is not None:
                    raise RuntimeError(
                        f"the daemon ended with {self.process.returncode}:\n{self.log_text()}"
                    )
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the daemon did not become ready:\n{self.log_text()}")
            assert b"READY=1" in notify.recv(4096).splitlines()
        return self

    def stop(self):
        """End it as an operator does; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self._forget_pid()
        return code

    def kill(self):
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self._forget_pid()

    def destroy(self):
        if self.process and self.process.poll() is None:
            self.kill()
        while is_mounted(self.mountpoint):
            subprocess.run(["umount", "-l", self.mountpoint], check=True)
        shutil.rmtree(self.home)

    def _note_pid(self):
        """For tests/run, which ends what is left when pytest itself is killed."""
        os.makedirs(os.path.join(WORK, "pids"), exist_ok=True)
        self._pid_file = os.path.join(WORK, "pids", str(self.process.pid))
        with open(self._pid_file, "w", encoding="ascii") as file:
            file.write(f"{self.process.pid}\n")

    def _forget_pid(self):
        if os.path.exists(self._pid_file):
            os.unlink(self._pid_file)

    # --- The log ---

    def is_sanitized(self):
        with open(f"/proc/{self.process.pid}/maps", encoding="utf-8") as file:
            return any("libasan" in line or "libtsan" in line for line in file)

    def log_text(self):
        with open(self.log, "rb") as file:
            return file.read().decode(errors="backslashreplace")

    def new_alarms(self):
        """Alarming lines since the last time that no test announced."""
        with open(self.log, "rb") as file:
            file.seek(self.log_seen)
            lines = file.read()
        self.log_seen += len(lines)
        return [
            line
            for line in lines.splitlines()
            if ALARMING.search(line)
            and not any(re.search(pattern, line) for pattern in self.announced)
        ]

    # --- Doors ---

    def pxs(self, verb, *arguments, code=0, **options):
        """A verb against this daemon, which must end with exit code CODE (None: any)."""
        done = pxs(verb, "--socket", self.socket, *arguments, **options)
        if code is not None and done.returncode != code:
            raise AssertionError(
                f"pxs {verb} {arguments} ended with {done.returncode}, not {code}\n"
                f"stdout: {done.stdout[:2000]}\nstderr: {done.stderr[:2000]}"
            )
        return done

    def pxs_json(self, verb, *arguments, **options):
        return json.loads(self.pxs(verb, "--json", *arguments, **options).stdout)

    def http(self, method, target, body=None, headers=None):
        connection = UnixConnection(self.socket)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, target):
        reply = self.http("GET", target)
        assert reply.status == 200, (target, reply.status, reply.body[:500])
        return reply

    def items(self, where="{}", **parameters):
        """All items that match, page by page, following `next`; each as {name: value}."""
        from urllib.parse import quote

        target = f"/files/?where={quote(where)}&max_results=1000"
        for name, value in parameters.items():
            target += f"&{name}={quote(value)}"
        while target:
            collection = self.get(target).collection
            for item in collection["items"]:
                yield {field["name"]: field["value"] for field in item["data"]}
            target = next(
                (
                    quote(link["href"], safe='%/?&=+:,"{}[]')
                    for link in collection["links"]
                    if link["rel"] == "next"
                ),
                None,
            )

    def query(self, *segments):
        return os.path.join(self.mountpoint, "query", *segments)

    def read(self, *names):
        with open(self.query(*names), "rb") as file:
            return file.read()

    def errors(self):
        """The last failed operations, a line each: time, user, path, errno, sentence."""
        with open(os.path.join(self.mountpoint, ".pxs/errors"), encoding="utf-8") as file:
            return file.read()

    def status(self):
        return self.pxs_json("status")


def seed():
    """PXS_SEED, or a new one; printed so that a failure can be repeated."""
    value = int(os.environ.get("PXS_SEED") or int.from_bytes(os.urandom(4), "big"))
    print(f"PXS_SEED={value}", file=sys.stderr)
    return value
