"""A daemon that is killed again and again while its mount is in use, and begun anew as pxs.service does: the
mount is back within seconds, nobody who uses it is stuck, and what was acknowledged is there."""

import errno
import os
import signal
import subprocess
import threading
import time

import daemon as daemons

KILLS = 100 if daemons.FULL else 5
SOON_S = 5  # for the mount to be back, and for any call to be answered or to fail
# What callers get meanwhile. The last: between the old mount and the new one the folder is empty.
WITHOUT_DAEMON = {errno.ENOTCONN, errno.ECONNABORTED, errno.EIO, errno.ENOENT}


class Hung(Exception):
    """Something that waits for a mount for longer than it may."""


class Unit:
    """What systemd does with Restart=on-failure, without its second of waiting."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.ending = False
        self.spawn()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Whatever happened, no daemon is begun any more."""
        self.ending = True

    def spawn(self):
        self.daemon.spawn().close()

    def run(self):
        while True:
            code = self.daemon.process.wait()
            if self.ending:
                return
            assert code == -signal.SIGKILL, self.daemon.log_text()
            self.spawn()

    def stop(self):
        self.ending = True
        assert self.daemon.stop() == 0
        self.thread.join()


class Worker:
    """Does something over and over until it is told to end. It stops at the first fault of ours."""

    def __init__(self):
        self.ending = threading.Event()
        self.fault = None
        self.done = self.failed = 0
        self.longest_s = 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.ending.is_set():
                started = time.monotonic()
                if self.step():
                    self.done += 1
                else:
                    self.failed += 1
                    time.sleep(0.01)
                self.longest_s = max(self.longest_s, time.monotonic() - started)
        except Exception as fault:
            self.fault = fault

    def end(self):
        self.ending.set()
        self.thread.join(2 * SOON_S)
        assert not self.thread.is_alive(), "it hangs"
        assert not self.fault, self.fault
        assert self.done and self.longest_s < SOON_S, (self.done, self.longest_s)


def finish(command):
    """Run COMMAND in its own process, which can be left behind if it hangs. Its exit code."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        return process.wait(SOON_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Hung(f"{command} after {SOON_S} s") from None


class Reader(Worker):
    def __init__(self, *command):
        self.command = command
        super().__init__()

    def step(self):
        return finish(self.command) == 0


class Writer(Worker):
    """Counts up in a document of its own. NOTED is the last number whose writing was acknowledged."""

    def __init__(self, path):
        self.path = path
        self.noted = self.tried = 0
        self.lock = threading.Lock()
        super().__init__()

    def step(self):
        with self.lock:
            try:
                self.tried += 1
                os.setxattr(self.path, "user.user.rating", str(self.tried).encode())
                self.noted = self.tried
                return True
            except OSError as fault:
                if fault.errno == errno.EBUSY:  # what our user saw last is not what is there
                    os.getxattr(self.path, "user.pxs.etag")
                elif fault.errno not in WITHOUT_DAEMON:
                    raise
                return False

    def check(self):
        """A number that was not acknowledged may have been written all the same."""
        with self.lock:
            assert self.noted <= int(os.getxattr(self.path, "user.user.rating")) <= self.tried


def wait_for_mount(daemon):
    """How long it took."""
    started = time.monotonic()
    while finish(["ls", daemon.query("_all=cats")]) != 0:
        assert time.monotonic() < started + SOON_S, daemon.log_text()[-2000:]
        time.sleep(0.005)
    return time.monotonic() - started


def mounts_on(path):
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        return [line for line in mounts if line.split(" ")[1] == path]


def test_killed_under_load(new_daemon, empty_tree, rng):
    for number in range(200):
        with open(os.path.join(empty_tree, f"cats-{number}.txt"), "w", encoding="ascii") as file:
            file.write("cat " * number)
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", empty_tree)
    assert daemon.stop() == 0

    with Unit(daemon) as unit:
        wait_for_mount(daemon)
        folder = daemon.query("_all=cats")
        writers = [Writer(os.path.join(folder, f"cats-{number}.txt")) for number in range(2)]
        readers = [
            Reader("find", folder),
            Reader("ls", "-lR", daemon.query("_all=cats", "core.extension")),
            Reader("getfattr", "-d", *(os.path.join(folder, f"cats-{n}.txt") for n in range(50, 60))),
            Reader("cat", os.path.join(folder, ".pxs/results.json"), os.path.join(folder, "cats-99.txt")),
        ]
        back_s = []
        for _ in range(KILLS):
            time.sleep(rng.uniform(0, 0.3))
            daemon.process.kill()
            if rng.random() < 0.2:  # and again while it starts
                time.sleep(rng.uniform(0, 0.1))
                daemon.process.kill()
            back_s.append(wait_for_mount(daemon))
            for writer in writers:
                if writer.noted:
                    writer.check()
        for worker in writers + readers:
            worker.end()
        for writer in writers:
            writer.check()
        assert any(worker.failed for worker in readers), "no kill met anybody"
        assert len(mounts_on(daemon.mountpoint)) == 1
        unit.stop()
    assert not mounts_on(daemon.mountpoint)
    print(
        f"{KILLS} kills: back after {max(back_s):.2f} s at most, the longest call"
        f" {max(worker.longest_s for worker in writers + readers):.2f} s,"
        f" {sum(w.done for w in readers)} readings and {sum(w.done for w in writers)} writings done,"
        f" {sum(w.failed for w in readers)} and {sum(w.failed for w in writers)} failed"
    )
