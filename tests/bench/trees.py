"""Files and mounts: how fast a tree is ingested and shown, beside find, ext4, bindfs and an empty
FUSE file system. Every figure is the median of several runs, in which the peers take turns with us.
Needs root for ext4's, bindfs's and our mounts."""

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from urllib.parse import quote

from bench import BUILD, ROOT, row

os.environ["PXS_BINARY"] = os.path.join(BUILD, "pxs")
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))

import daemon as daemons  # noqa: E402
import names  # noqa: E402


def timed(command, **options):
    started = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **options
    )
    return time.perf_counter() - started


def median(values):
    return statistics.median(values)


# --- Ingest ---


def timed_ingest(daemon, source):
    """Some files may be unreadable, which is no failure here."""
    started = time.perf_counter()
    done = daemon.pxs("ingest", source, code=None)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr.decode())
    return time.perf_counter() - started


def measure_ingest(daemon, source, rounds):
    find = ["find", source, "-xdev", "-size", "-1c"]  # warms the cache of inodes
    subprocess.run(find, stdout=subprocess.DEVNULL, check=False)
    fresh = [timed_ingest(daemon, source)]
    measure_size(daemon)
    count = daemon.status()["documents"]
    again = [timed_ingest(daemon, source) for _ in range(max(rounds, 5))]
    for _ in range(rounds - 1):
        daemon.stop()
        shutil.rmtree(daemon.index)
        daemon.start()
        fresh.append(timed_ingest(daemon, source))
    rate = count / median(fresh)
    row(
        f"ingest of {source}, {count} entries, new index",
        f"{rate:,.0f} files/s",
        ">= 12,000",
        rate >= 12000,
    )
    rate = count / median(again)
    row("rescan, nothing changed", f"{rate:,.0f} files/s", ">= 100,000", rate >= 100000)


def measure_size(daemon):
    status = daemon.status()
    count = status["documents"]
    docs, words = status["docs_bytes"] / count, status["fts_bytes"] / count
    row("index on disk", f"{docs + words:,.0f} B/document (record {docs:,.0f}, words {words:,.0f})")
    rss = status["rss_bytes"]
    row("memory of the daemon", f"{rss / 2**20:,.0f} MiB, {rss / count:,.0f} B/document")


# --- A selective query, as a whole process, against find ---


def selective_extensions(daemon, wanted):
    """Extensions of 20 to 300 files whose names differ and need no escapes, so that the mount shows
    the very names that find prints."""
    files = {}
    projection = '{"core.filename":1,"core.extension":1}'
    for item in daemon.items('{"core.extension":{"exists":true}}', projection=projection):
        files.setdefault(item["core.extension"], []).append(item["core.filename"])
    fit = [
        extension
        for extension, found in files.items()
        if 20 <= len(found) == len(set(found)) <= 300
        and extension[1:].isalnum()
        and all(name.isascii() and names.emitted(name, ()) == name for name in found)
    ]
    return sorted(fit, key=lambda extension: -len(files[extension]))[:wanted]


def measure_selective(daemon, source, rounds):
    ours, finds = [], []
    extensions = selective_extensions(daemon, rounds)
    if not extensions:
        raise SystemExit(f"{source} has no extension of 20 to 300 files with different names")
    for extension in extensions:
        folder = daemon.query(f"core.extension={extension}", "core.type=file")
        find = ["find", source, "-type", "f", "-iname", "*" + extension, "-printf", "%f\\n"]
        finds.append(timed(find))
        ours.append(timed(["ls", folder]))
        expected = sorted(
            subprocess.run(find, capture_output=True, check=True, text=True).stdout.splitlines()
        )
        shown = sorted(
            name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name))
        )
        if shown != expected:
            raise SystemExit(f"{folder} and find disagree: {set(shown) ^ set(expected)}")
    row(f"selective query, find {source}", f"{median(finds) * 1e3:,.1f} ms")
    row(
        "the same by ls through the mount, first time",
        f"{median(ours) * 1e3:,.1f} ms, find / ls = {median(finds) / median(ours):,.0f}",
        ">= 20x",
        median(finds) / median(ours) >= 20,
    )


def measure_find_L(daemon):
    folder = daemon.query("_all=python")
    started = time.perf_counter()
    try:
        done = subprocess.run(["find", "-L", folder], capture_output=True, timeout=120, check=False)
        took = time.perf_counter() - started
        row(
            "find -L of _all=python",
            f"{took:,.1f} s, {done.stdout.count(bytes([10])):,} names",
            "ends",
            True,
        )
    except subprocess.TimeoutExpired:
        row("find -L of _all=python", "not ended after 120 s", "ends", False)


def measure_facets(daemon, rounds):
    """Of searches that all find everything, but are new to the daemon; the search itself is not timed."""
    times = []
    for number in range(rounds):
        where = quote(json.dumps({"core.mode": {"gte": 0}, "core.size": {"gte": -1 - number}}))
        daemon.get(f"/files/?where={where}&max_results=1")
        started = time.perf_counter()
        daemon.get(f"/files/?where={where}&projection=" + quote('{"filters":"."}'))
        times.append(time.perf_counter() - started)
    row(
        "facets of all properties over everything, whole REST reply",
        f"{median(times) * 1e3:,.1f} ms",
    )


def facet_engine_ms(*arguments):
    """The engine alone; it prints lines like "160000 hits 12.3 ms", that of all documents first."""
    command = [os.path.join(BUILD, "tests/bench/bench_facets"), *arguments]
    output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return float(re.search(r"^\s*\d+ hits\s+([0-9.]+) ms", output, re.MULTILINE)[1])


def measure_facet_engine(daemon, source):
    daemon.stop()
    measured = facet_engine_ms(str(daemon.index))
    daemon.start()
    figure = f"facets of all properties over all of {source}, engine"
    row(figure, f"{measured:.1f} ms", "<= 20 ms", measured <= 20)
    row("facets of 22 made-up properties over 160,000 documents, engine", f"{facet_engine_ms():.1f} ms")



# --- 100,000 names in one folder ---


class Peers:
    """The same names in ext4, in bindfs of that, in an empty FUSE file system, and as our results."""

    def __init__(self, home, files):
        self.files = files
        self.real = os.path.join(home, "real")
        self.bind = os.path.join(home, "bind")
        self.empty = os.path.join(home, "empty")
        self.folders = {"ext4": self.real, "bindfs": self.bind, "empty FUSE": self.empty}
        self.processes = []

    def open(self, daemon):
        for path in self.folders.values():
            os.mkdir(path)
        for number in range(self.files):
            os.close(
                os.open(os.path.join(self.real, f"file-{number:07}.dat"), os.O_CREAT | os.O_WRONLY)
            )
        daemon.pxs("ingest", self.real)
        self.folders["pxs"] = daemon.query(
            "core.extension=.dat", f"core.directory={quote(self.real, safe='')}"
        )
        self.spawn(["bindfs", "-f", self.real, self.bind], self.bind)
        self.spawn(
            [os.path.join(BUILD, "tests/bench/emptyfs"), str(self.files), self.empty], self.empty
        )

    def spawn(self, command, mountpoint):
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))
        while not daemons.is_mounted(mountpoint):
            if self.processes[-1].poll() is not None:
                raise SystemExit(f"{command[0]} did not mount")
            time.sleep(0.05)

    def close(self):
        for path in (self.bind, self.empty):
            if daemons.is_mounted(path):
                subprocess.run(["umount", path], check=False)
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
            process.wait()

    def check(self):
        """Everybody shows the same names."""
        expected = {f"file-{number:07}.dat" for number in range(self.files)}
        for name, folder in self.folders.items():
            shown = {
                entry
                for entry in os.listdir(folder)
                if entry.endswith(".dat") and entry.startswith("file-")
            }
            if shown != expected:
                raise SystemExit(f"{name} shows {len(shown)} of {self.files} names")

    def measure(self, options, rounds):
        times = {name: [] for name in self.folders}
        for _ in range(rounds):
            for name, folder in self.folders.items():
                times[name].append(timed(["ls", options, folder], env={"LC_ALL": "C"}))
        return {name: median(values) for name, values in times.items()}


def measure_listing(peers, rounds):
    peers.check()
    for options, limit in (("-f", 2.0), ("-l", 1.5)):
        times = peers.measure(options, rounds)
        for name in ("ext4", "bindfs", "empty FUSE"):
            row(f"ls {options}, {peers.files:,} names, {name}", f"{times[name] * 1e3:,.0f} ms")
        ratio = times["pxs"] / times["empty FUSE"]
        row(
            f"ls {options}, {peers.files:,} names, pxs",
            f"{times['pxs'] * 1e3:,.0f} ms, {ratio:.2f} of empty FUSE",
            f"<= {limit} of empty FUSE",
            ratio <= limit,
        )
        if options == "-l":
            row(
                "ls -l, ext4 / pxs; bindfs / pxs",
                f"{times['ext4'] / times['pxs']:.2f}; {times['bindfs'] / times['pxs']:.2f}",
                "> 1 for ext4",
                times["ext4"] > times["pxs"],
            )


def measure_getxattr(peers, calls):
    """Of many files, so that nothing is asked twice in a row."""
    files = [
        f"file-{number:07}.dat" for number in range(0, peers.files, max(1, peers.files // 1000))
    ]
    times = {}
    for peer, attribute in (("empty FUSE", "user.nothing"), ("pxs", "user.core.size")):
        paths = [os.path.join(peers.folders[peer], name) for name in files]
        for path in paths:
            os.stat(path)
        rounds = []
        for _ in range(5):
            started = time.perf_counter()
            for call in range(calls // 5):
                try:
                    os.getxattr(paths[call % len(paths)], attribute)
                except OSError:
                    pass
            rounds.append((time.perf_counter() - started) / (calls // 5))
        times[peer] = median(rounds)
    row("getxattr, empty FUSE (refuses)", f"{times['empty FUSE'] * 1e6:.1f} us")
    row("getxattr, pxs", f"{times['pxs'] * 1e6:.1f} us", "<= 25 us", times["pxs"] <= 25e-6)


def measure(home, options):
    daemons.WORK = home
    rounds = 1 if options.quick else 5
    daemon = daemons.Daemon(os.path.join(home, "d"))
    peers = Peers(home, options.files)
    try:
        daemon.start()
        measure_ingest(daemon, options.source, rounds)
        measure_facets(daemon, 3 if options.quick else 9)
        measure_facet_engine(daemon, options.source)
        measure_selective(daemon, options.source, 3 if options.quick else 9)
        measure_find_L(daemon)
        peers.open(daemon)
        measure_listing(peers, 3 if options.quick else 5)
        measure_getxattr(peers, 10000)
    finally:
        peers.close()
        daemon.destroy()
