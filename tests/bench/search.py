"""Searches: pxs and its peers answer one log of queries over one corpus.

Peers are single programs (peer_*, PeerLucene.java) of one thread each. Each is loaded with the same
documents, of which it gets the words ready-made, so that all agree on what a word is; hits are
compared before times are. A peer does at most the work that pxs does: none keeps the documents
themselves, and in facets none divides numbers as evenly as pxs has to."""

import collections
import glob
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys

from bench import BUILD, HERE, WORK, commit, machine

UNSUPPORTED, UNCOUNTED = -1, -2
LOADED_TWICE_MAX = 1000000  # documents
SOURCES = ["corpus.c", "corpus.h"]
CORPUS = ["bench_corpus.c", "vocabulary.c", "vocabulary.h"]


def tool(name):
    return os.path.join(BUILD, "tests/bench", name)


def digest(*names):
    """Of source files: what they made is stale when they change."""
    total = hashlib.sha256()
    for name in names:
        with open(os.path.join(HERE, name), "rb") as file:
            total.update(file.read())
    return total.hexdigest()[:16]


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def folder_bytes(folder):
    """Of each file, as it is on disk: some are longer than what is in them."""
    return {
        name: os.stat(os.path.join(place, name)).st_blocks * 512
        for place, _, names in os.walk(folder)
        for name in sorted(names)
    }


def output(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return [line.split("\t") for line in done.stdout.splitlines()]


def figures(lines):
    return {line[0]: int(line[1]) for line in lines if len(line) == 2}


# --- The corpus ---


def make_corpus(documents):
    folder = os.path.join(WORK, f"corpus-{documents}")
    stamp = digest("bench_log.c", *CORPUS)
    if kept(folder, stamp):
        return folder
    say(f"making {documents:,} documents in {folder}")
    fresh(folder)
    subprocess.run([tool("bench_corpus"), str(documents), folder], check=True)
    keep(folder, stamp)
    return folder


def kept(folder, stamp):
    try:
        with open(os.path.join(folder, "stamp")) as file:
            return file.read() == stamp
    except FileNotFoundError:
        return False


def keep(folder, stamp):
    with open(os.path.join(folder, "stamp"), "w") as file:
        file.write(stamp)


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)


# --- The programs ---


def pkg_config(*names):
    return subprocess.run(
        ["pkg-config", "--cflags", "--libs", *names], capture_output=True, text=True, check=True
    ).stdout.split()


class Peer:
    """A program that loads a corpus into a folder and answers queries of it."""

    name = source = ""
    packages = ()
    compiler = "gcc"
    documents_max = 1000000  # above, loading or asking would take hours

    def build(self):
        """Into WORK; the command to run."""
        program = os.path.join(WORK, os.path.splitext(self.source)[0])
        corpus = os.path.join(WORK, "corpus.o")
        source = os.path.join(HERE, self.source)
        options = ["-O2", "-D_GNU_SOURCE"]
        subprocess.run(
            ["gcc", "-c", *options, "-o", corpus, os.path.join(HERE, "corpus.c")], check=True
        )
        subprocess.run(
            [self.compiler, *options, "-o", program, source, corpus, *pkg_config(*self.packages)],
            check=True,
        )
        return [program]

    def measure(self, corpus, documents, budget):
        command = self.build()
        folder = os.path.join(WORK, f"{self.name.lower()}-{documents}")
        stamp = digest(self.source, *SOURCES, *CORPUS)
        loaded = os.path.join(folder, "loaded.json")
        if not kept(folder, stamp):
            say(f"{self.name} loads {documents:,} documents")
            fresh(folder)
            result = figures(output([*command, "load", corpus, folder]))
            result["bytes"] = folder_bytes(folder)
            with open(loaded, "w") as file:
                json.dump(result, file)
            keep(folder, stamp)
        with open(loaded) as file:
            result = json.load(file)
        say(f"{self.name} is asked")
        lines = output([*command, "query", corpus, folder, str(budget)])
        result.update(queries=by_class(lines), query_memory=figures(lines))
        return result


class Sqlite(Peer):
    name, source, packages = "SQLite", "peer_sqlite.c", ("sqlite3",)


class Groonga(Peer):
    name, source, packages = "Groonga", "peer_groonga.c", ("groonga",)


class Xapian(Peer):
    name, source, packages = "Xapian", "peer_xapian.cc", ("xapian-core",)
    compiler = "g++"


class Lucene(Peer):
    name, source = "Lucene", "PeerLucene.java"
    documents_max = 10000000

    def build(self):
        jars = [
            jar
            for part in ("core", "analyzers-common", "facet")
            for jar in glob.glob(f"/usr/share/java/lucene-{part}-8*.jar")
        ]
        classes = os.path.join(WORK, "java")
        source = os.path.join(HERE, self.source)
        subprocess.run(["javac", "-d", classes, "-cp", ":".join(jars), source], check=True)
        return ["java", "-Xmx4g", "-XX:+UseSerialGC", "-cp", ":".join([classes, *jars]), "PeerLucene"]


PEERS = [Sqlite(), Lucene(), Groonga(), Xapian()]


def by_class(lines):
    """{class: {pass: {number: [hits, nanoseconds]}}}"""
    found = collections.defaultdict(lambda: collections.defaultdict(dict))
    for line in lines:
        if len(line) == 5:
            found[line[1]][line[0]][line[2]] = [int(line[3]), int(line[4])]
    return found


def forget(folder):
    """Drops what the kernel has of its files in memory."""
    for place, _, names in os.walk(folder):
        for name in names:
            file = os.open(os.path.join(place, name), os.O_RDONLY)
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


def restart(program, corpus, index, before):
    times = []
    for _ in range(5):
        if before:
            before(index)
        times.append(figures(output([program, "restart", corpus, index]))["restart_ns"])
    return statistics.median(times)


def measure_pxs(corpus, documents, budget):
    program = tool("bench_pxs")
    index = os.path.join(WORK, f"pxs-{documents}")
    fresh(index)
    say(f"pxs loads {documents:,} documents")
    result = figures(output([program, "load", corpus, index]))
    result["bytes"] = folder_bytes(index)
    for name, before in (("restart_ns", None), ("restart_cold_ns", forget)):
        result[name] = restart(program, corpus, index, before)
    say("pxs is asked")
    lines = output([program, "query", corpus, index, str(budget)])
    result.update(queries=by_class(lines), query_memory=figures(lines))
    say("pxs is written to and read from at once")
    result.update(figures(output([program, "live", corpus, index])))
    if documents <= LOADED_TWICE_MAX:
        fresh(index)
        say("pxs loads again, beside a thread that prepares")
        result["load_beside_ns"] = figures(output([program, "load", corpus, index, "2"]))["load_ns"]
    shutil.rmtree(index)
    return result


def measure(documents, names, budget):
    """The results of one corpus, which are kept in WORK as well, for reports."""
    os.makedirs(WORK, exist_ok=True)
    corpus = make_corpus(documents)
    results = {"documents": documents, "machine": machine(), "commit": commit(), "peers": {}}
    results["pxs"] = measure_pxs(corpus, documents, budget)
    keep_results(results)
    for peer in PEERS:
        if peer.name.lower() in names and documents <= peer.documents_max:
            results["peers"][peer.name] = peer.measure(corpus, documents, budget)
            keep_results(results)
    return json.loads(json.dumps(results))


def keep_results(results):
    with open(os.path.join(WORK, f"results-{results['documents']}.json"), "w") as file:
        json.dump(results, file)


def results_kept():
    """Of all corpora measured so far, the smallest first."""
    found = []
    for path in glob.glob(os.path.join(WORK, "results-*.json")):
        with open(path) as file:
            found.append(json.load(file))
    return sorted(found, key=lambda results: results["documents"])
