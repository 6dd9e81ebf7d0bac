"""pxs explain: how a query is understood, what answered its parts, and where it is wrong."""

import json
import re


def explain(mount, *arguments, code=0):
    return json.loads(mount.pxs("explain", "--json", *arguments, code=code).stdout)


def test_the_tree_and_what_answered(mount):
    told = explain(mount, "(python OR readme) AND core.size:>=10 -core.type:directory")
    assert told["hits"] == len(
        mount.pxs("find", "(python OR readme) AND core.size:>=10 -core.type:directory")
        .stdout.splitlines()
    )
    assert [(node["depth"], node["occur"], node["text"]) for node in told["tree"]] == [
        (0, "must", "all of"),
        (1, "must", "any of"),
        (2, "should", '_all has "python"'),
        (2, "should", '_all has "readme"'),
        (1, "must", "core.size in [10, )"),
        (1, "must not", 'core.type has "directory"'),
    ]
    assert [node.get("from") for node in told["tree"]] == [
        None, None, "words", "words", "columns", "words",
    ]  # fmt: skip
    assert told["where"]["core.size"] == {"gte": 10}
    assert told["path"].endswith("/core.size=10..")


def test_its_path_and_where_find_the_same(mount):
    told = explain(mount, "pyth* core.size:[5 TO 5000}^2")
    assert explain(mount, "--path", told["path"])["query"] == told["query"]
    assert explain(mount, "--where", json.dumps(told["where"]))["hits"] == told["hits"]


def test_now_is_told_twice(mount):
    told = explain(mount, "core.modificationtime:>=now-7d/d")
    assert told["query"] == "core.modificationtime in [now-7d/d, )"
    assert re.fullmatch(r"core.modificationtime in \[\d{4}-\d\d-\d\dT00:00:00, \)", told["now"])
    assert "now-7d%2Fd" in told["path"]


def test_for_people(mount):
    text = mount.pxs("explain", "python AND core.size:>=10").stdout.decode()
    assert re.search(r'^query +\(\+_all has "python" \+core\.size in \[10, \)\)$', text, re.M)
    assert re.search(r"^must +core\.size in \[10, \) +columns +\d+ +\d+ +\d+\.\d+$", text, re.M)
    assert re.search(r"^\d+ documents in \d+\.\d+ ms, generation \d+$", text, re.M)


def test_nothing_is_exit_1(mount):
    assert explain(mount, "xyzzyplugh", code=1)["hits"] == 0


def test_a_fault_is_pointed_at(mount):
    for verb in ("explain", "find"):
        lines = mount.pxs(verb, "é AND core.size:abc", code=2).stderr.decode().splitlines()
        assert "expected a number for core.size" in lines[0]
        assert lines[1:] == ["  é AND core.size:abc", "                  ^"]
