"""What the parts of tests/bench share: where things are, and the rows of figures."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "../.."))
BUILD = os.path.realpath(os.environ.get("PXS_BUILD", os.path.join(ROOT, "build-bench")))
# Corpora and the peers' indexes are kept here and used again.
WORK = os.path.join(os.environ.get("TMPDIR", "/tmp"), "pxs-bench")

rows = []


def row(figure, value, target="", met=None):
    rows.append((figure, value, target, {None: "", True: "yes", False: "NO"}[met]))
    print(f"  {figure}: {value}", file=sys.stderr)


def keep_rows(part):
    """For reports, under the name PART."""
    os.makedirs(WORK, exist_ok=True)
    with open(os.path.join(WORK, f"{part}.json"), "w") as file:
        json.dump({"machine": machine(), "commit": commit(), "rows": rows}, file)


def rows_kept(part):
    """What was measured last, or None."""
    try:
        with open(os.path.join(WORK, f"{part}.json")) as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def build():
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        subprocess.run(
            ["meson", "setup", "--buildtype=release", "-Dbench=true", "-Dtests=false", BUILD, ROOT],
            check=True,
            stdout=sys.stderr,
        )
    subprocess.run(["ninja", "-C", BUILD], check=True, stdout=sys.stderr)


def markdown(head, lines):
    """A table; cells are text."""
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
        for line in [head, ["-" * width for width in widths], *lines]
    )


def machine():
    """One line: figures of another machine are not comparable."""
    model, memory = "", 0
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) / 2**20
    return f"{os.uname().sysname} {os.uname().release}, {os.cpu_count()} x {model}, {memory:.0f} GiB"


def commit():
    """Which pxs was measured."""
    done = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
