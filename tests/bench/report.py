"""Tables and pictures of what was measured: every class beside the peers and the targets."""

import os
import re
import statistics

import picture
from bench import ROOT, markdown

# Of docs/performance.md: milliseconds at a million documents, for a query asked of a generation that
# has no results kept.
TARGETS = {
    "rare term, first page": 0.2,
    "broad term, first page": 0.2,
    "broad term": 50,
    "term in every document": 50,
    "three filters": 2,
    "everything, two sort keys": 3,
    "infix, 4 letters": 15,
    "fuzzy, 1 edit": 15,
    "fuzzy, 2 edits": 30,
    "relevance, 10,000 hits": 1.5,
    "relevance, 100,000 hits": 10,
    "relevance, all hits": 100,
    "facets, all hits": 60,
    "facets, 100,000 hits": 15,
    "facets, 10,000 hits": 5,
    "facets, 100 hits": 0.2,
}
TARGETS_AT = 1000000

# How many times faster than a peer: by the start of the class's name.
RATIOS = [
    ("facets", "Lucene", 3),
    ("facets", "Groonga", 3),
    ("relevance", "SQLite", 5),
    *((text, "SQLite", 1) for text in ("rare term", "medium term", "broad term", "term")),
    *((text, "SQLite", 1) for text in ("AND", "OR", "NOT", "phrase", "prefix", "infix")),
]
FIRST, AGAIN, KEPT = "0", "1", "2"  # the passes of pxs
MEASURED = "1"  # the pass of peers


def times(engine, name, which):
    """Milliseconds of the queries that were answered."""
    answers = engine["queries"].get(name, {}).get(which, {}).values()
    return [took / 1e6 for hits, took in answers if hits != -1]


def p95(values):
    return sorted(values)[int(len(values) * 0.95)]


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def cell(values, statistic):
    return number(statistic(values)) if values else "-"


def ratio_target(name, peer):
    if name.endswith("first page"):
        return None  # pxs counts on the way, peers do not
    return next((r for start, whose, r in RATIOS if whose == peer and name.startswith(start)), None)


def compare(results):
    """Sentences on classes whose hits differ from ours."""
    faults = []
    ours = results["pxs"]["queries"]
    for peer, theirs in results["peers"].items():
        for name, passes in ours.items():
            other = theirs["queries"].get(name, {}).get(MEASURED, {})
            both = [
                (int(n), hits, other[n][0])
                for n, (hits, _) in passes[AGAIN].items()
                if n in other and hits >= 0 and other[n][0] >= 0
            ]
            differ = [line for line in both if line[1] != line[2]]
            if differ:
                n, mine, its = differ[0]
                faults.append(
                    f"{name}: {peer} finds other hits in {len(differ)} of {len(both)} queries "
                    f"(query {n}: pxs {mine:,}, {peer} {its:,})"
                )
    return faults


def class_line(results, name):
    pxs = results["pxs"]
    again = times(pxs, name, AGAIN)
    median = statistics.median(again) if again else None
    line = [
        name,
        cell(times(pxs, name, FIRST), statistics.median),
        cell(again, statistics.median),
        cell(again, p95),
        cell(times(pxs, name, KEPT), statistics.median),
    ]
    missed, wants = [], name in TARGETS
    for peer, theirs in results["peers"].items():
        other = times(theirs, name, MEASURED)
        text = cell(other, statistics.median)
        if other and again:
            ratio = statistics.median(other) / median
            wanted = ratio_target(name, peer)
            wants = wants or wanted
            text += f" / {cell(other, p95)} ({number(ratio)}x)"
            if wanted and ratio < wanted:
                missed.append(f"{wanted}x {peer}")
        line.append(text)
    target = TARGETS.get(name)
    line.append(f"<= {target}" if target else "")
    if not again:
        line.append("not yet")
        return line
    if target and median > target:
        missed.insert(0, "target")
    if not wants or results["documents"] != TARGETS_AT:
        line.append("")
    else:
        line.append("NO: " + ", ".join(missed) if missed else "yes")
    return line


def class_table(results):
    head = ["class, ms", "pxs first", "again", "p95", "kept"]
    head += [f"{peer} (ratio)" for peer in results["peers"]] + ["target", "met"]
    return markdown(head, [class_line(results, name) for name in results["pxs"]["queries"]])


def by_kind(sizes):
    """Bytes of the files of an index; those that are many, all together."""
    kinds = {".segment": "columns", ".lexicon": "the order of their strings"}
    found = {}
    for name, size in sorted(sizes.items()):
        kind = kinds.get(os.path.splitext(name)[1], name)
        found[kind] = found.get(kind, 0) + size
    return found


def engine_lines(results):
    """Loading, memory and disk, of every engine: figure, value, target, met."""
    pxs, documents = results["pxs"], results["documents"]
    at_target = documents == TARGETS_AT
    lines = []

    def line(figure, value, target="", met=None):
        met = None if not at_target else met
        lines.append([figure, value, target, {None: "", True: "yes", False: "NO"}[met]])

    if "load_beside_ns" in pxs:
        rate = documents / pxs["load_beside_ns"] * 1e9
        line("documents/s, two threads", f"{rate:,.0f}", ">= 15,000", rate >= 15000)
    for name, engine in [("pxs", pxs), *results["peers"].items()]:
        rate = documents / engine["load_ns"] * 1e9
        cpu = documents / engine["load_cpu_ns"] * 1e9
        line(f"documents/s, {name}, one thread", f"{rate:,.0f} ({cpu:,.0f} by processor time)")
        if "merge_ns" in engine:
            line("  words merged after that", f"{engine['merge_ns'] / 1e9:.1f} s")
    record = pxs["bytes"].get("docs.db", 0) / documents
    index = sum(pxs["bytes"].values()) / documents - record
    line("index, B/document", f"{index:,.0f}", "<= 700", index <= 700)
    line("record, B/document", f"{record:,.0f}")
    for name, size in by_kind(pxs["bytes"]).items():
        if size > documents:
            line(f"  {name}", f"{size / documents:,.0f}")
    for name, engine in results["peers"].items():
        line(f"{name}, B/document", f"{sum(engine['bytes'].values()) / documents:,.0f}")
    for name, engine in [("pxs", pxs), *results["peers"].items()]:
        memory = engine["query_memory"]
        value = f"{memory['rss_bytes'] / 1e9:.2f} GB"
        if "rss_anonymous_bytes" in memory:
            value += f", of which {memory['rss_anonymous_bytes'] / 1e9:.2f} are no mapped files"
        ours = name == "pxs"
        met = memory["rss_bytes"] <= 0.6e9 if ours else None
        line(f"memory after all queries, {name}", value, "<= 0.6 GB" if ours else "", met)
    restart = pxs["restart_ns"] / 1e9
    line("restart to first answer", f"{restart:.2f} s", "<= 2 s", restart <= 2)
    if "restart_cold_ns" in pxs:
        line("  with no file in memory", f"{pxs['restart_cold_ns'] / 1e9:.2f} s")
    live = pxs["live_commits"] / pxs["live_ns"] * 1e9
    line("single-document commits/s beside a reader", f"{live:,.0f}", ">= 2,000", live >= 2000)
    p99 = pxs["live_p99_ns"] / 1e6
    line("  of which p50", f"{pxs['live_p50_ns'] / 1e6:.2f} ms", "<= 1 ms", pxs["live_p50_ns"] <= 1e6)
    line("  p99", f"{p99:.1f} ms", "<= 20 ms", p99 <= 20)
    longest = pxs["live_max_ns"] / 1e6
    line("  longest", f"{longest:.0f} ms", "<= 100 ms", longest <= 100)
    line("  largest write-ahead logs", f"{pxs['live_wal_bytes'] / 1e6:,.0f} MB")
    return lines


FIGURES = ["figure", "measured", "target", "met"]


def agreement(results):
    faults = compare(results)
    if not faults:
        return "All engines find the same number of documents in every query that they both answer."
    return "\n".join(f"- {fault}" for fault in faults)


def tables(results):
    parts = [
        f"{results['documents']:,} documents",
        markdown(FIGURES, engine_lines(results)),
        class_table(results),
        agreement(results),
    ]
    return "\n\n".join(parts)


# --- Growth ---


def engines(results):
    return {"pxs": results["pxs"], **results["peers"]}


def median_at(engine, name):
    found = times(engine, name, MEASURED)
    return statistics.median(found) if found else None


GROWING = [
    ("documents/s, one thread", lambda run: run["documents"] / run["pxs"]["load_ns"] * 1e9),
    ("bytes on disk a document", lambda run: sum(run["pxs"]["bytes"].values()) / run["documents"]),
    ("memory after all queries, MB", lambda run: run["pxs"]["query_memory"]["rss_bytes"] / 1e6),
    (
        "  of which no mapped files",
        lambda run: run["pxs"]["query_memory"]["rss_anonymous_bytes"] / 1e6,
    ),
    ("restart to first answer, ms", lambda run: run["pxs"]["restart_ns"] / 1e6),
    ("commit beside a reader, p99, ms", lambda run: run["pxs"]["live_p99_ns"] / 1e6),
    ("  longest, ms", lambda run: run["pxs"]["live_max_ns"] / 1e6),
]


def growth_table(runs):
    """pxs alone, from the smallest to the largest corpus."""
    head = ["figure; class, ms", *(f"{run['documents']:,}" for run in runs), "growth"]
    lines = []
    for name, value in GROWING:
        values = [value(run) for run in runs]
        growth = f"{number(values[-1] / values[0])}x"
        lines.append([name, *(f"{v:,.{1 if v < 100 else 0}f}" for v in values), growth])
    for name in runs[-1]["pxs"]["queries"]:
        medians = [median_at(run["pxs"], name) for run in runs]
        known = [median for median in medians if median]
        growth = f"{number(known[-1] / known[0])}x" if len(known) > 1 else ""
        lines.append([name, *(number(m) if m else "-" for m in medians), growth])
    return markdown(head, lines)


def series(runs, value):
    """{engine: [(documents, value)]}; VALUE of (engine, documents) may be None."""
    found = {}
    for run in runs:
        for name, engine in engines(run).items():
            point = value(engine, run["documents"])
            if point:
                found.setdefault(name, []).append((run["documents"], point))
    return found


def plots(runs):
    figures = [
        ("documents/s, one thread", lambda e, n: n / e["load_ns"] * 1e9),
        ("bytes on disk a document", lambda e, n: sum(e["bytes"].values()) / n),
        ("memory, MB", lambda e, n: e["query_memory"]["rss_bytes"] / 1e6),
    ]
    classes = list(runs[-1]["pxs"]["queries"])
    return [(title, series(runs, value)) for title, value in figures] + [
        (f"{name}, ms", series(runs, lambda e, n, name=name: median_at(e, name)))
        for name in classes
    ]


# --- docs/performance.md: what stands between its marks is ours, the rest is people's ---

def replace_block(text, name, block):
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"docs/performance.md has no block {name}")
    return pattern.sub(lambda match: f"{match[1]}\n{block}\n\n{match[2]}", text)


def write_docs(runs, others):
    """RUNS: results by size, smallest first. OTHERS: those of each other part, or None to leave what is
    there."""
    path = os.path.join(ROOT, "docs/performance.md")
    with open(path) as file:
        text = file.read()
    for name, kept in others.items():
        if kept:
            block = f"{kept['machine']}\n\n{markdown(FIGURES, kept['rows'])}"
            text = replace_block(text, name, block)
    if runs:
        main = next((run for run in runs if run["documents"] == TARGETS_AT), runs[-1])
        heading = f"{main['documents']:,} documents, pxs {main['commit']}, {main['machine']}"
        text = replace_block(
            text, "engine", f"{heading}\n\n{markdown(FIGURES, engine_lines(main))}"
        )
        text = replace_block(text, "classes", f"{class_table(main)}\n\n{agreement(main)}")
        text = replace_block(text, "growth", growth_table(runs))
        with open(os.path.join(ROOT, "docs/performance.svg"), "w") as file:
            file.write(picture.picture(plots(runs)))
    with open(path, "w") as file:
        file.write(text)
