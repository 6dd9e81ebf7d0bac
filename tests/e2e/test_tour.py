"""The newcomer's session of the README, command by command, as a shell runs it."""

import os
import subprocess

import daemon as daemons


def shell(mount, command):
    """Run with $M the mount and the daemon's socket as default; what it printed."""
    env = daemons.environment(
        M=mount.mountpoint,
        PXS_SOCKET=mount.socket,
        PATH=os.path.dirname(os.path.realpath(daemons.BINARY)) + ":" + os.environ["PATH"],
    )
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        env=env,
        check=False,
        timeout=daemons.PATIENCE_S,
    )
    assert done.returncode == 0 and done.stderr == b"", (command, done)
    return done.stdout.decode(errors="surrogateescape").splitlines()


def test_ls_of_a_search(catalogue, mount):
    lines = shell(mount, "ls $M/query/_all=python")
    assert any("python" in line for line in lines) and "core.size" in lines


def test_down_the_facets(catalogue, mount):
    buckets = shell(mount, "ls $M/query/_all=python/core.size/")
    assert 3 <= len(buckets) <= 5
    assert shell(mount, f"ls '$M/query/_all=python/core.size/{buckets[0]}/'".replace("'", '"'))
    assert shell(
        mount, 'cd $M/query/_all=python/core.size/ && cd "$(ls | head -n 1)" && ls | head -n 1'
    )


def test_ls_l_of_large_pictures(catalogue, mount):
    lines = shell(mount, "ls -l $M/query/core.extension=.png/core.size=1000../ | grep -v ^d")
    assert len(lines) > 2 and all(int(line.split()[4]) >= 1000 for line in lines[1:])


def test_paths_for_xargs(catalogue, mount):
    lines = shell(
        mount, "cat $M/query/core.extension=.conf/.pxs/paths | xargs -d '\\n' grep -l words"
    )
    assert lines and all(line.endswith(".conf") for line in lines)
    counted = shell(
        mount,
        "tr -cd '\\0' <$M/query/core.extension=.conf/.pxs/paths0 | wc -c; cat $M/query/core.extension=.conf/.pxs/count",
    )
    assert counted[0] == counted[1]


def test_content(catalogue, mount):
    lines = shell(mount, "cat $M/query/_all=readme/core.type=file/*readme* | head -c 100 | wc -c")
    assert lines == ["100"]


def test_virtual_files_with_every_tool(catalogue, mount):
    for name in ("paths", "count", "facets.tsv", "query.json", "results.json"):
        file = f"$M/query/_all=readme/.pxs/{name}"
        sizes = set(
            shell(
                mount,
                f"cat {file} | wc -c; wc -c <{file}; cp {file} /dev/stdout | wc -c; dd if={file} bs=7 status=none | wc -c; "
                f"tail -c +1 {file} | wc -c; grep -c '' {file} >/dev/null; cat {file} | wc -c",
            )
        )
        assert len(sizes) == 1 and int(sizes.pop()) > 0, name


def test_find_facets_status(catalogue, mount):
    assert len(shell(mount, "pxs find 'python AND NOT test' --limit 5")) == 5
    assert any("core.size" in line for line in shell(mount, "pxs facets python"))
    assert shell(mount, "pxs status")


def test_find_L_ends(catalogue, mount):
    lines = shell(mount, "timeout 60 find -L $M/query/_all=python -maxdepth 3 | wc -l")
    assert int(lines[0]) > 10


def test_tree_holds_results_in_their_folders(catalogue, mount):
    lines = shell(
        mount, "cd $M/query/_all=readme/core.type=file/.pxs/tree && find . -type f | sort"
    )
    expected = sorted(
        "." + doc.values["core.pathname"]
        for doc in catalogue.documents
        if doc.values["core.type"] == "file"
        and any("readme" in place for place in doc.positions("core.pathname"))
        and doc.values["core.pathname"].isascii()
    )
    assert [line for line in lines if "readme" in line and line.isascii()] and set(expected) & set(
        lines
    )
