"""Saved searches: made by ln -s, shown as folders."""

import errno
import json
import os
import subprocess
from urllib.parse import quote

import pytest

import daemon as daemons
import tree

NOBODY = 65534


@pytest.fixture(scope="module")
def shared(work):
    """One daemon for all; nothing is saved when a test begins."""
    source = os.path.join(work, "saved-tree")
    tree.make(source, daemons.seed(), 150)
    daemon = daemons.Daemon(os.path.join(work, "saved"))
    try:
        daemon.start()
        daemon.pxs("ingest", source)
        yield daemon
        assert daemon.stop() == 0
        assert not daemon.new_alarms()
    finally:
        daemon.destroy()


@pytest.fixture
def daemon(shared):
    yield shared
    entries = json.loads(shared.http("GET", "/saved").body)["saved"]
    for entry in reversed(entries):
        assert shared.http("DELETE", "/saved?name=" + quote(entry["name"])).status == 204


def saved(daemon, *names):
    return os.path.join(daemon.mountpoint, "saved", *names)


def shown(folder):
    return sorted(os.listdir(folder))


def test_ln_makes_one(daemon):
    subprocess.run(["ln", "-s", "../query/_all=python", "py"], cwd=saved(daemon), check=True)
    assert shown(saved(daemon)) == ["py"]
    assert os.path.isdir(saved(daemon, "py")) and not os.path.islink(saved(daemon, "py"))
    assert shown(saved(daemon, "py")) == shown(daemon.query("_all=python"))


def test_it_goes_on_below(daemon):
    os.symlink("../query/_all=python", saved(daemon, "py"))
    assert shown(saved(daemon, "py", "core.type=file")) == shown(
        daemon.query("_all=python", "core.type=file")
    )
    links = shown(saved(daemon, "py", "core.size"))
    assert links == shown(daemon.query("_all=python", "core.size"))
    assert shown(saved(daemon, "py", "core.size", links[0])) == shown(
        daemon.query("_all=python", "core.size", links[0])
    )


def test_an_absolute_target(daemon):
    os.symlink(daemon.query("core.extension=.png"), saved(daemon, "pictures"))
    assert shown(saved(daemon, "pictures")) == shown(daemon.query("core.extension=.png"))


def test_rename_and_remove(daemon):
    os.symlink("../query/_all=python", saved(daemon, "a"))
    os.symlink("../query/_all=cats", saved(daemon, "b"))
    subprocess.run(["mv", saved(daemon, "a"), saved(daemon, "c")], check=True)
    assert shown(saved(daemon)) == ["b", "c"]
    assert shown(saved(daemon, "c")) == shown(daemon.query("_all=python"))
    os.rmdir(saved(daemon, "c"))
    subprocess.run(["rmdir", saved(daemon, "b")], check=True)
    assert shown(saved(daemon)) == []


def test_names_with_odd_bytes(daemon):
    for name in ("with space", "new\nline", "é", "x" * 255, "-dash", "_all=cats"):
        os.symlink("../query/_all=python", saved(daemon, name))
        assert name in os.listdir(saved(daemon))
        assert shown(saved(daemon, name)) == shown(daemon.query("_all=python"))


@pytest.mark.parametrize(
    "target, code",
    [
        ("../query/core.nonsense=5", errno.EINVAL),
        ("../query/core.size=abc", errno.EINVAL),
        ("/etc/passwd", errno.EINVAL),
        ("../../../etc", errno.EINVAL),
        ("nothing", errno.EINVAL),
        ("../id/5", errno.EINVAL),
    ],
)
def test_a_target_that_is_no_query_is_refused(daemon, target, code):
    with pytest.raises(OSError) as raised:
        os.symlink(target, saved(daemon, "x"))
    assert raised.value.errno == code
    assert "saved/x" in daemon.errors()
    assert shown(saved(daemon)) == []


def test_a_name_that_is_taken_is_refused(daemon):
    os.symlink("../query/_all=python", saved(daemon, "py"))
    with pytest.raises(FileExistsError):
        os.symlink("../query/_all=cats", saved(daemon, "py"))
    assert shown(saved(daemon, "py")) == shown(daemon.query("_all=python"))


def error_of(daemon, path):
    """Why the last thing with PATH failed."""
    lines = [line for line in daemon.errors().splitlines() if f"\t{path}\t" in line]
    assert lines, daemon.errors()
    return lines[-1]


def test_groups(daemon):
    os.makedirs(saved(daemon, "pets", "small"))
    os.symlink("../../../query/_all=python", saved(daemon, "pets", "small", "snakes"))
    os.symlink("../query/_all=cats", saved(daemon, "cats"))
    assert shown(saved(daemon)) == ["cats", "pets"]
    assert shown(saved(daemon, "pets", "small")) == ["snakes"]
    found = shown(daemon.query("_all=python"))
    assert shown(saved(daemon, "pets", "small", "snakes")) == found
    subprocess.run(["mv", saved(daemon, "cats"), saved(daemon, "pets")], check=True)
    subprocess.run(["mv", saved(daemon, "pets"), saved(daemon, "animals")], check=True)
    assert shown(saved(daemon)) == ["animals"]
    assert shown(saved(daemon, "animals")) == ["cats", "small"]
    assert shown(saved(daemon, "animals", "small", "snakes")) == found
    with pytest.raises(OSError) as raised:
        os.rmdir(saved(daemon, "animals", "small"))
    assert raised.value.errno == errno.ENOTEMPTY
    os.rmdir(saved(daemon, "animals", "small", "snakes"))
    os.rmdir(saved(daemon, "animals", "small"))
    with pytest.raises(FileExistsError):
        os.mkdir(saved(daemon, "animals"))


def test_groups_survive(new_daemon, small_tree):
    daemon = new_daemon().start()
    daemon.pxs("ingest", small_tree)
    os.mkdir(saved(daemon, "pets"))
    os.symlink("../../query/_all=python", saved(daemon, "pets", "snakes"))
    daemon.kill()
    subprocess.run(["umount", "-l", daemon.mountpoint], check=True)
    daemon.start()
    assert shown(saved(daemon, "pets", "snakes")) == shown(daemon.query("_all=python"))


@pytest.mark.parametrize("where", ["", "query", "query/_all=python", "id", ".pxs"])
def test_folders_are_made_in_saved_only(daemon, where):
    folder = os.path.join(daemon.mountpoint, where, "x")
    with pytest.raises(PermissionError):
        os.mkdir(folder)
    assert "in saved/ only" in error_of(daemon, "/" + os.path.join(where, "x"))


def test_one_parameter(daemon):
    os.symlink("../query/core.extension={kind}", saved(daemon, "by-kind"))
    query = daemon.query("core.extension=.png")
    assert shown(saved(daemon, "by-kind=.png")) == shown(query)
    assert shown(saved(daemon, "by-kind=kind=.png")) == shown(query)
    assert shown(saved(daemon, "by-kind=.png", "core.size")) == shown(os.path.join(query, "core.size"))
    assert os.getxattr(saved(daemon, "by-kind=.png"), "user.pxs.query") == b"core.extension=.png"
    assert shown(saved(daemon)) == ["by-kind"]


def test_several_parameters(daemon):
    target = "../query/core.extension={kind}/core.size={from}..{to}"
    os.mkdir(saved(daemon, "g"))
    os.symlink(f"../{target}", saved(daemon, "g", "sized"))
    found = files(saved(daemon, "g", "sized=to=9000&from=1&kind=.png,.txt"))
    assert found and found == files(daemon.query("core.extension=.png,.txt", "core.size=1..9000"))


def test_parameters_that_are_missing_or_unknown(daemon):
    os.symlink("../query/core.extension={kind}", saved(daemon, "by-kind"))
    os.symlink("../query/core.size={from}..{to}", saved(daemon, "sized"))
    for name, reason in [
        ("by-kind=", "needs a value for its parameter 'kind'"),
        ("by-kind=sort=.png", "has no parameter 'sort'; it has kind"),
        ("sized=from=5", "needs a value for its parameter 'to'"),
        ("sized=5", "which parameter is '5'?"),
        ("sized=from=5&to=6&too=7", "has no parameter 'too'; it has from, to"),
        ("sized=from=x&to=y", "number"),
    ]:
        with pytest.raises(OSError) as raised:
            os.listdir(saved(daemon, name))
        assert raised.value.errno == errno.EINVAL
        assert reason in error_of(daemon, "/saved/" + name)


def test_a_search_that_needs_values_says_so(daemon):
    os.symlink("../query/core.extension={kind}", saved(daemon, "by-kind"))
    assert shown(saved(daemon, "by-kind")) == ["README"]
    with open(saved(daemon, "by-kind", "README"), encoding="utf-8") as file:
        text = file.read()
    assert "core.extension={kind}" in text and 'ls "saved/by-kind=VALUE"' in text
    template = os.getxattr(saved(daemon, "by-kind"), "user.pxs.query")
    assert template == b"core.extension={kind}"
    with pytest.raises(OSError) as raised:
        os.listdir(saved(daemon, "by-kind", "core.size=5"))
    assert raised.value.errno == errno.EINVAL
    assert "saved/by-kind=VALUE" in error_of(daemon, "/saved/by-kind/core.size=5")
    subprocess.run(["find", saved(daemon)], check=True, stdout=subprocess.DEVNULL)
    os.rmdir(saved(daemon, "by-kind"))
    assert shown(saved(daemon)) == []


def test_what_was_filled_in_follows_the_search(daemon):
    os.symlink("../query/core.extension={kind}", saved(daemon, "by"))
    assert shown(saved(daemon, "by=.png")) == shown(daemon.query("core.extension=.png"))
    os.rmdir(saved(daemon, "by"))
    assert not os.path.exists(saved(daemon, "by=.png"))
    os.symlink("../query/core.extension=!{kind}", saved(daemon, "by"))
    assert shown(saved(daemon, "by=.png")) == shown(daemon.query("core.extension=!.png"))


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")
def test_it_takes_the_right(new_daemon, small_tree):
    daemon = new_daemon().start("--public")
    daemon.pxs("ingest", small_tree)
    os.mkdir(saved(daemon, "g"))
    os.symlink("../query/_all=python", saved(daemon, "py"))

    def as_nobody(*command):
        return subprocess.run(command, user=NOBODY, group=NOBODY, extra_groups=[], check=False).returncode

    assert as_nobody("ls", saved(daemon, "py")) == 0
    for command in [
        ("ln", "-s", "../query/_all=cats", saved(daemon, "cats")),
        ("mkdir", saved(daemon, "h")),
        ("mv", "-T", saved(daemon, "py"), saved(daemon, "g", "py")),
        ("rmdir", saved(daemon, "g")),
    ]:
        assert as_nobody(*command) != 0
    assert shown(saved(daemon)) == ["g", "py"] and shown(saved(daemon, "g")) == []
    assert "nobody has not the right update_search_metadata" in error_of(daemon, "/saved/cats")


# --- The same by verbs and over REST ---


def export(daemon):
    return daemon.pxs("saved", "export").stdout.decode()


def test_verbs(daemon):
    daemon.pxs("saved", "add", "py", "python", "AND", "NOT", "test/x")
    daemon.pxs("saved", "add", "pets/cats", "--path", "_all=cats/core.type=file")
    daemon.pxs("saved", "add", "pets/by-kind", "--path", "core.extension={kind}")
    daemon.pxs("saved", "add", "large", "--where", '{"core.size":{"gte":100}}', "--sort", "-core.size")
    daemon.pxs("saved", "add", "empty/")
    assert shown(saved(daemon)) == ["empty", "large", "pets", "py"]
    assert shown(saved(daemon, "py")) == shown(daemon.query("_all=python AND NOT test%2Fx"))
    assert shown(saved(daemon, "large")) == shown(daemon.query("core.size=100.."))
    assert shown(saved(daemon, "pets", "by-kind=.png")) == shown(daemon.query("core.extension=.png"))

    listed = [json.loads(line) for line in daemon.pxs("saved", "list", "--json").stdout.splitlines()]
    assert [entry["name"] for entry in listed] == [
        "empty", "large", "pets", "pets/by-kind", "pets/cats", "py",
    ]  # fmt: skip
    assert listed[3]["parameters"] == ["kind"] and listed[3]["path"] == "core.extension={kind}"
    assert "path" not in listed[0] and listed[4]["parameters"] == []
    assert b"pets/cats" in daemon.pxs("saved", "list").stdout

    daemon.pxs("saved", "rm", "py", "empty/")
    assert shown(saved(daemon)) == ["large", "pets"]
    assert b"not empty" in daemon.pxs("saved", "rm", "pets", code=2).stderr
    assert b"no saved search or group 'py'" in daemon.pxs("saved", "rm", "py", code=None).stderr


@pytest.mark.parametrize(
    "arguments, says",
    [
        ([], b"what is to be done?"),
        (["add"], b"what is it to be called?"),
        (["add", "x"], b"which search?"),
        (["add", "x/", "cats"], b"is no search"),
        (["add", "a//b", "cats"], b"no empty part"),
        (["add", "x", "--path", "core.sice=5"], b"did you mean 'core.size'"),
        (["add", "x", "--path", "core.sice={n}"], b"did you mean 'core.size'"),
        (["add", "taken", "cats"], b"'taken' already"),
        (["add", "taken/x", "cats"], b"'taken' is a saved search, no group"),
        (["rm"], b"which?"),
        (["list", "x"], b"takes no arguments"),
        (["import", "/nowhere"], b"cannot read /nowhere"),
    ],
)
def test_verbs_refuse(daemon, arguments, says):
    daemon.pxs("saved", "add", "taken", "python")
    before = export(daemon)
    done = daemon.pxs("saved", *arguments, code=None)
    assert done.returncode != 0 and says in done.stderr, done.stderr
    assert export(daemon) == before


def test_export_and_import(daemon, tmp_path):
    os.mkdir(saved(daemon, "pets"))
    for name in ["with space", "new\nline", "tab\there", "50%", "#1", "é", "pets/a=b"]:
        os.symlink(daemon.query("_all=python"), saved(daemon, name))
    os.symlink("../query/core.extension={kind}", saved(daemon, "by-kind"))
    text = export(daemon)
    assert text.splitlines() == [
        "%231\t_all=python",
        "50%25\t_all=python",
        "by-kind\tcore.extension={kind}",
        "new%0Aline\t_all=python",
        "pets/",
        "pets/a=b\t_all=python",
        "tab%09here\t_all=python",
        "with space\t_all=python",
        "é\t_all=python",
    ]
    file = tmp_path / "searches"
    file.write_text(text, encoding="utf-8")
    daemon.pxs("saved", "rm", "by-kind", "pets/a=b", "pets", "new\nline")
    assert daemon.pxs("saved", "import", str(file)).stdout == b"4 saved, 5 unchanged\n"
    assert export(daemon) == text

    file.write_text("# ours\n\nby-kind\tcore.size={n}\nnew/\n", encoding="utf-8")
    refused = daemon.pxs("saved", "import", str(file), code=2)
    assert b"line 3: there is a saved search or group 'by-kind' already" in refused.stderr
    assert export(daemon) == text
    command = [daemons.BINARY, "saved", "import", "--replace", "--socket", daemon.socket]
    done = subprocess.run(command, input=file.read_bytes(), capture_output=True, check=True)
    assert done.stdout == b"2 saved, 0 unchanged\n"
    assert "by-kind\tcore.size={n}" in export(daemon) and "new/" in export(daemon)
    file.write_text("nonsense\n", encoding="utf-8")
    assert b"line 1: 'nonsense' is neither" in daemon.pxs("saved", "import", str(file), code=2).stderr


def test_import_into_another_index(daemon, new_daemon, tmp_path):
    daemon.pxs("saved", "add", "a/b", "--path", "_all=python/_sort=-core.size/_limit=3")
    other = new_daemon().start()
    (tmp_path / "searches").write_text(export(daemon), encoding="utf-8")
    other.pxs("ingest", os.path.join(os.path.dirname(daemon.home), "saved-tree"))
    other.pxs("saved", "import", str(tmp_path / "searches"))
    assert export(other) == export(daemon)
    assert shown(saved(other, "a", "b")) == shown(saved(daemon, "a", "b"))


def test_on_the_billboard(daemon):
    daemon.pxs("saved", "add", "g/py", "python")
    daemon.pxs("saved", "add", "sized", "--path", "core.size={from}..{to}/_all={words}")
    queries = {
        query["name"]: query
        for query in daemon.get("/files").collection["queries"]
        if query["rel"] == "saved"
    }
    assert list(queries) == ["g/py", "sized"]
    assert queries["g/py"]["data"] == []
    asked = daemon.get(queries["g/py"]["href"]).collection
    assert asked["properties"][0]["value"] == len(files(daemon.query("_all=python")))

    sized = queries["sized"]
    assert [entry["name"] for entry in sized["data"]] == ["saved.from", "saved.to", "saved.words"]
    href = sized["href"]
    for name, value in {"saved.from": "1", "saved.to": "50000", "saved.words": "python OR a/b%"}.items():
        href = href.replace("{" + name + "}", quote(value, safe=""))
    found = daemon.get(href).collection
    expected = files(daemon.query("core.size=1..50000", "_all=python OR a%2Fb%25"))
    assert found["properties"][0]["value"] == len(expected) > 0
    # Its links go on without the saved search.
    daemon.pxs("saved", "rm", "sized")
    (own,) = [link["href"] for link in found["links"] if link["rel"] == "self"]
    again = daemon.get(own).collection
    assert again["properties"] == found["properties"] and again["items"] == found["items"]


def files(folder):
    with open(os.path.join(folder, ".pxs", "paths0"), "rb") as file:
        return file.read().split(b"\0")[:-1]


@pytest.mark.parametrize(
    "parameters, code, says",
    [
        ("saved=none", 404, "no saved search 'none'"),
        ("saved=g", 404, "no saved search 'g'"),
        ("saved=g/by", 400, "needs a value for its parameter 'kind'"),
        ("saved=g/by&saved.kind=", 400, "needs a value for its parameter 'kind'"),
        ("saved=g/by&saved.kind=.png&saved.sort=5", 400, "no parameter 'sort'"),
        ("saved=g/by&saved.kind=.png&path=core.sice=5", 400, "did you mean 'core.size'"),
    ],
)
def test_rest_refuses(daemon, parameters, code, says):
    daemon.pxs("saved", "add", "g/by", "--path", "core.extension={kind}")
    status, body = rest(daemon, "GET", f"/files?{parameters}")
    assert status == code and says in body["collection"]["error"]["message"]
    status, body = rest(daemon, "GET", "/files?saved=g/by&saved.kind=.png&path=core.size=1..")
    assert status == 200


def rest(daemon, method, target, body=None):
    reply = daemon.http(method, target, json.dumps(body) if body is not None else None)
    return reply.status, json.loads(reply.body) if reply.body else None


def test_rest_keeps_them(daemon):
    status, body = rest(daemon, "POST", "/saved", {"name": "a/b", "path": "_all=python"})
    assert status == 201 and [entry["name"] for entry in body["saved"]] == ["a", "a/b"]
    assert shown(saved(daemon, "a", "b")) == shown(daemon.query("_all=python"))
    for wrong in [{}, {"name": 5}, {"name": "x", "path": 5}, {"name": "x", "path": "nonsense=5"}]:
        assert rest(daemon, "POST", "/saved", wrong)[0] == 400
    assert rest(daemon, "DELETE", "/saved")[0] == 400
    assert rest(daemon, "DELETE", "/saved?name=a")[0] == 400
    assert rest(daemon, "DELETE", "/saved?name=a/b")[0] == 204
    assert rest(daemon, "DELETE", "/saved?name=a/b")[0] == 404
    assert [entry["name"] for entry in rest(daemon, "GET", "/saved")[1]["saved"]] == ["a"]


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")
def test_the_right_over_rest(daemon):
    token = daemon.pxs("token", "create", "--rights", "read").stdout.decode().strip()
    headers = {"Authorization": f"Bearer {token}"}
    for method, target in [("POST", "/saved"), ("DELETE", "/saved?name=x")]:
        body = json.dumps({"name": "x", "path": "_all=a"})
        assert daemon.http(method, target, body, headers).status == 403
