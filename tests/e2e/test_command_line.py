"""The command line: what goes where, exit codes, odd names, with a daemon and without."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

import daemon as daemons
from daemon import pxs


def wait_for(condition):
    deadline = time.monotonic() + daemons.PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def paths_of(output):
    assert output == b"" or output.endswith(b"\0")
    return sorted(output.split(b"\0")[:-1])


# --- find ---


def test_find_prints_paths(catalogue, mount):
    done = mount.pxs("find", "core.type:directory")
    expected = sorted(
        doc.path for doc in catalogue.documents if doc.values["core.type"] == "directory"
    )
    assert sorted(done.stdout.splitlines()) == expected
    assert done.stderr == b""


def test_find_0_is_exact_for_any_name(catalogue, mount):
    assert paths_of(mount.pxs("find", "-0", "*").stdout) == sorted(
        doc.path for doc in catalogue.documents
    )


def test_find_json_gives_documents(catalogue, mount):
    output = mount.pxs("find", "--json", "core.type:symlink").stdout
    try:
        found = json.loads(output)
    except json.JSONDecodeError:
        found = [json.loads(line) for line in output.splitlines()]
    expected = {
        doc.values["core.pathname"]
        for doc in catalogue.documents
        if doc.values["core.type"] == "symlink"
    }
    assert {item["core.pathname"] for item in found} == expected


def test_find_count_limit_sort(catalogue, mount):
    total = sum(1 for doc in catalogue.documents if doc.values["core.type"] == "file")
    assert int(mount.pxs("find", "--count", "core.type:file").stdout) == total
    found = mount.pxs(
        "find", "-0", "--sort", "-core.size", "--limit", "5", "core.type:file"
    ).stdout.split(b"\0")[:-1]
    sizes = sorted(
        (
            doc.values["core.size"]
            for doc in catalogue.documents
            if doc.values["core.type"] == "file"
        ),
        reverse=True,
    )
    assert [catalogue.by_path[path].values["core.size"] for path in found] == sizes[:5]


def test_find_where_and_words_are_anded(catalogue, mount):
    found = paths_of(
        mount.pxs("find", "-0", "--where", '{"core.size": {"lt": 100}}', "core.type:file").stdout
    )
    assert found == sorted(
        doc.path
        for doc in catalogue.documents
        if doc.values["core.type"] == "file" and doc.values["core.size"] < 100
    )


def test_nothing_found_is_1_and_silent(mount):
    done = mount.pxs("find", "zzznothingzzz", code=1)
    assert done.stdout == done.stderr == b""


def test_a_bad_query_is_2_and_shows_where(mount):
    done = mount.pxs("find", "cats AND (dogs", code=2)
    assert done.stdout == b""
    lines = done.stderr.decode().splitlines()
    assert any("cats AND (dogs" in line for line in lines)
    assert any(re.fullmatch(r"\s*\^", line) for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--where", "{"],
        ["--where", "[]"],
        ["--sort", "core.nonsense", "x"],
        ["--limit", "x", "y"],
        ["--limit", "-1", "y"],
        ["--nonsense"],
    ],
)
def test_bad_arguments_are_2(mount, arguments):
    done = mount.pxs("find", *arguments, code=2)
    assert done.stdout == b"" and done.stderr


def test_a_closed_pipe_is_quiet(catalogue, mount):
    done = subprocess.run(
        f"{daemons.BINARY} find --socket {mount.socket} '*' | head -n 1",
        shell=True,
        capture_output=True,
        env=daemons.environment(),
        check=False,
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == b""


# --- other verbs ---


def test_get(catalogue, mount):
    path = os.path.join(catalogue.tree, "special/hard")
    text = mount.pxs("get", path).stdout.decode()
    assert "core.size" in text and "core.filename" in text
    assert mount.pxs("get", path, "core.size", "core.type").stdout.split() == [b"10", b"file"]
    assert mount.pxs("get", "/nonexistent", code=1).stdout == b""
    assert mount.pxs("get", "12345", code=1).stdout == b""


def test_schema(mount):
    schema = mount.pxs_json("schema")
    types = {entry["name"]: entry["value"]["datatype"] for entry in schema["core"]}
    assert (types["size"], types["filename"], types["modificationtime"]) == (
        "Long",
        "String",
        "Datetime",
    )
    assert not any(space.startswith("_") for space in schema)
    assert b"core.size" in mount.pxs("schema").stdout


def test_status(catalogue, mount):
    status = mount.status()
    assert status["documents"] == len(catalogue.documents)
    assert sorted(source["path"] for source in status["sources"]) == sorted(catalogue.sources)
    text = mount.pxs("status").stdout.decode()
    assert str(len(catalogue.documents)) in text.replace(",", "") and mount.mountpoint in text
    with open(os.path.join(mount.mountpoint, ".pxs/status"), encoding="utf-8") as file:
        assert str(len(catalogue.documents)) in file.read().replace(",", "")


def test_check(catalogue, mount):
    mount.pxs("check")


def test_version():
    done = pxs("version")
    assert done.returncode == 0 and re.search(rb"\d+\.\d+", done.stdout)
    assert json.loads(pxs("version", "--json").stdout)["version"]


def test_help():
    assert pxs("--help").returncode == 0
    for verb in (
        "daemon",
        "mount",
        "umount",
        "ingest",
        "find",
        "explain",
        "get",
        "facets",
        "status",
        "schema",
        "check",
        "version",
        "completion",
    ):
        assert verb.encode() in pxs("--help").stdout
        done = pxs(verb, "--help")
        assert done.returncode == 0 and b"Usage" in done.stdout and done.stderr == b""


def test_usage_errors():
    alone = pxs()
    assert alone.returncode == 2 and alone.stdout == b"" and alone.stderr
    unknown = pxs("fnid", "x")
    assert unknown.returncode == 2 and b"find" in unknown.stderr and unknown.stdout == b""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    done = pxs("completion", shell)
    assert done.returncode == 0 and b"facets" in done.stdout
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=done.stdout, check=False).returncode == 0
    assert pxs("completion", "nonsense").returncode == 2


# --- without a daemon ---


def test_one_shot_verbs_without_a_daemon(new_daemon, small_tree):
    """The same verbs start the engine inside their own process."""
    home = new_daemon().home
    env = {
        "PXS_INDEX": os.path.join(home, "index"),
        "PXS_SOCKET": os.path.join(home, "none"),
        "TMPDIR": home,
    }
    missing = pxs("find", "x", env=env)
    assert missing.returncode == 10 and b"pxs ingest" in missing.stderr
    assert pxs("ingest", small_tree, env=env).returncode == 0
    found = pxs("find", "-0", "core.type:symlink", env=env)
    expected = sorted(
        os.fsencode(os.path.join(folder, name))
        for folder, folders, files in os.walk(small_tree)
        for name in folders + files
        if os.path.islink(os.path.join(folder, name))
    )
    assert paths_of(found.stdout) == expected
    for verb in ("status", "schema", "check", "facets", "explain"):
        assert pxs(verb, env=env).returncode == 0, verb
    left = [name for name in os.listdir(home) if name not in ("index", "mnt")]
    assert left == []


def test_relative_paths_are_those_of_the_caller(new_daemon, small_tree):
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", "special", cwd=small_tree)
    assert [source["path"] for source in daemon.status()["sources"]] == [
        os.path.join(small_tree, "special")
    ]


def test_an_index_held_by_a_daemon_elsewhere(new_daemon, small_tree):
    daemon = new_daemon().start(mount=False)
    env = {
        "PXS_INDEX": daemon.index,
        "PXS_SOCKET": os.path.join(daemon.home, "none"),
        "XDG_RUNTIME_DIR": daemon.home,
    }
    done = pxs("find", "x", env=env)
    assert done.returncode == 11
    assert str(daemon.process.pid).encode() in done.stderr


def test_the_daemon_goes_to_the_background_when_all_is_open(new_daemon, small_tree):
    daemon = new_daemon()
    done = pxs(
        "daemon", "--index", daemon.index, "--socket", daemon.socket, "--mount", daemon.mountpoint
    )
    assert done.returncode == 0, done.stderr
    pid = daemon.status()["pid"]
    try:
        assert "query" in os.listdir(daemon.mountpoint)
        daemon.pxs("ingest", small_tree)
        assert daemon.status()["documents"] > 0
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"))
    assert not daemons.is_mounted(daemon.mountpoint)
    with open(os.path.join(daemon.index, "pxs.log"), "rb") as log:
        assert not [line for line in log.read().splitlines() if daemons.ALARMING.search(line)]


def test_ingest_progress_is_on_stderr_and_the_summary_tells_all(new_daemon, small_tree):
    daemon = new_daemon().start(mount=False)
    done = daemon.pxs("ingest", small_tree)
    text = (done.stdout + done.stderr).decode()
    for word in ("added", "changed", "removed", "unchanged", "failed"):
        assert word in text
    assert b"\x1b" not in done.stdout + done.stderr


def test_interrupting_a_local_ingest_is_130(new_daemon, work, empty_tree):
    from test_crash import many_files

    many_files(empty_tree, 5000)
    home = new_daemon().home
    process = subprocess.Popen(
        [daemons.BINARY, "ingest", empty_tree],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=daemons.environment(
            PXS_INDEX=os.path.join(home, "index"),
            TMPDIR=home,
            PXS_SOCKET=os.path.join(home, "none"),
        ),
    )
    wait_for(
        lambda: os.path.exists(os.path.join(home, "index/docs.db")) or process.poll() is not None
    )
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=daemons.PATIENCE_S)
    assert process.returncode in (0, 130), messages
    assert sorted(os.listdir(home)) == ["index", "mnt"]


def test_control_characters_are_escaped_on_a_terminal_only(catalogue, mount):
    import pty

    query = [
        "find",
        "--where",
        json.dumps({"core.filename": "\x01control"}),
        "--socket",
        mount.socket,
    ]
    piped = pxs(*query).stdout
    assert piped.endswith(b"\x01control\n")
    leader, follower = pty.openpty()
    subprocess.run(
        [daemons.BINARY, *query],
        stdout=follower,
        stdin=follower,
        env=daemons.environment(),
        check=True,
    )
    os.close(follower)
    shown = os.read(leader, 4096)
    os.close(leader)
    assert b"\x01" not in shown and b"control" in shown
