"""A mount as a share: smbd with contrib/smb.conf, and smbclient."""

import os
import re

import pytest
import shares

ODD = 'a:b?c"d<e>f|g.cat.txt'


@pytest.fixture
def share(new_daemon, empty_tree, tmp_path):
    for i in range(30):
        with open(os.path.join(empty_tree, f"cats-{i}.txt"), "w", encoding="ascii") as file:
            file.write(f"cat {i}\n")
    for name in (ODD, "dots.cat...", "Big.CAT.txt"):
        with open(os.path.join(empty_tree, name), "w", encoding="ascii") as file:
            file.write("odd\n")
    with open(os.path.join(empty_tree, "closed.cat.txt"), "w", encoding="ascii") as file:
        file.write("nobody's\n")
    os.chmod(file.name, 0o600)
    home = tmp_path / "samba"
    home.mkdir()
    daemon = new_daemon()
    samba = shares.Samba(str(home), daemon.mountpoint)
    shares.need("smbclient")
    daemon.start("--public")
    daemon.pxs("ingest", empty_tree)
    with samba.serving():
        samba.daemon = daemon
        yield samba


def listed(text):
    """{name: (attributes, size)} of what `ls` printed."""
    lines = re.findall(r"^  (.+?) +([A-Z]*) +(\d+)  \w{3} \w{3} .*$", text, re.M)
    return {name: (kind, int(size)) for name, kind, size in lines if name not in (".", "..")}


def test_a_query_is_a_folder(share):
    found = listed(share.ask(r"cd query\_all=cats", "ls"))
    files = {name: size for name, (kind, size) in found.items() if "D" not in kind}
    assert files == {f"cats-{i}.txt": len(f"cat {i}\n") for i in range(30)}
    assert "core.size" in found and found["core.size"][0] == "D"
    assert "H" in found[".pxs"][0]


def test_facets_are_folders_that_can_be_entered(share):
    sizes = listed(share.ask(r"cd query\_all=cats\core.size", "ls"))
    assert set(sizes) == {"6", "7"}
    found = listed(share.ask(r"cd query\_all=cats\core.size\6", "ls"))
    assert {name for name in found if name.startswith("cats-")} == {f"cats-{i}.txt" for i in range(10)}


def test_content_and_metadata(share, tmp_path):
    copy, meta = tmp_path / "copy", tmp_path / "meta"
    share.ask(
        rf"get query\_all=cats\cats-7.txt {copy}",
        rf"get query\_all=cats\.pxs\meta\cats-7.txt.json {meta}",
    )
    assert copy.read_bytes() == b"cat 7\n"
    assert b'"core.filename": "cats-7.txt"' in meta.read_bytes()
    told = share.ask(r"allinfo query\_all=cats\cats-7.txt")
    assert "stream: [::$DATA], 6 bytes" in told


def test_names_are_legal_on_windows(share):
    found = listed(share.ask(r"cd query\core.type=file", "ls"))
    names = [name for name, (kind, _) in found.items() if "D" not in kind]
    assert "a%3Ab%3Fc%22d%3Ce%3Ef%7Cg.cat.txt" in names and "dots.cat..%2E" in names
    for name in names:
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f]|[. ]$|~\d', name), name


def test_a_pattern_is_typed_with_its_escape(share):
    found = listed(share.ask(r"cd query\_all=cats-1%2A", "ls"))
    assert {name for name in found if name.startswith("cats-")} == {
        f"cats-{i}.txt" for i in (1, *range(10, 20))
    }


def test_case_counts(share):
    assert "NOT_FOUND" in share.ask(r"get query\_all=cats\CATS-7.TXT /dev/null")
    assert "Big.CAT.txt" in listed(share.ask(r"cd query\core.type=file", "ls"))


def test_nobody_reads_what_he_may_not(share):
    assert "ACCESS_DENIED" in share.ask(r"get query\closed.cat.txt /dev/null")


CHANGES = [
    r"put /etc/hostname query\_all=cats\new.txt",
    r"put /etc/hostname query\_all=cats\cats-7.txt",
    r"del query\_all=cats\cats-7.txt",
    r"rename query\_all=cats\cats-7.txt query\_all=cats\other.txt",
    r"mkdir query\_all=cats\folder",
    r"rmdir query\_all=cats",
    r"put /etc/hostname Thumbs.db",
]


def test_nothing_is_changed(share):
    before = listed(share.ask(r"cd query\_all=cats", "ls"))
    for command in CHANGES:
        assert re.search(r"NT_STATUS_\w+", share.ask(command)), command
    assert listed(share.ask(r"cd query\_all=cats", "ls")) == before


def test_what_is_no_query_is_refused(share):
    assert "NT_STATUS_INVALID_PARAMETER" in share.ask(r"cd query\nonsense=1")


def test_changes_are_told(share, empty_tree):
    """As Explorer hears of them. When smbd begins to watch cannot be seen, so there are several."""
    with share.watching(r"query\_all=cats") as read_until:
        printed = b""
        for i in range(200):
            if b"new-cats-" in printed:
                break
            with open(os.path.join(empty_tree, f"new-cats-{i}.txt"), "w", encoding="ascii"):
                pass
            share.daemon.pxs("ingest", empty_tree)
            printed = read_until(b"new-cats-", 0.5)
        assert re.search(rb"0001 new-cats-\d+\.txt", printed)  # added
        os.unlink(os.path.join(empty_tree, "cats-0.txt"))
        share.daemon.pxs("ingest", empty_tree)
        assert b"0002 cats-0.txt" in read_until(b"0002 cats-0.txt")  # removed
