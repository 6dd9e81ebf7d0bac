"""Who may see what, and what happens where pxs itself may not look."""

import os
import subprocess

import pytest

import daemon as daemons

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")
NOBODY = 65534


def as_nobody(*command, **options):
    return subprocess.run(
        command,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        check=False,
        timeout=daemons.PATIENCE_S,
        env=daemons.environment(),
        cwd="/",
        **options,
    )


@needs_root
def test_an_unreadable_folder(new_daemon, empty_tree):
    """The scan by a user who may not read it tells so, and goes on with the rest."""
    for name in ("open", "closed"):
        os.mkdir(os.path.join(empty_tree, name))
        with open(os.path.join(empty_tree, name, "file"), "wb"):
            pass
    os.chmod(os.path.join(empty_tree, "closed"), 0o700)
    daemon = new_daemon()
    os.chmod(daemon.home, 0o777)
    os.mkdir(daemon.index)
    os.chown(daemon.index, NOBODY, NOBODY)
    daemon.announced = [rb"closed", rb"could not be read", rb"failed"]
    daemon.start(mount=False, user=NOBODY, group=NOBODY, extra_groups=[])
    done = daemon.pxs("ingest", empty_tree, code=3)
    assert b"1" in done.stderr + done.stdout
    paths = daemon.pxs("find", "-0", "*").stdout.split(b"\0")[:-1]
    assert os.path.join(os.fsencode(empty_tree), b"open/file") in paths
    assert not any(path.endswith(b"closed/file") for path in paths)
    (line,) = daemon.pxs("status", "--failed").stdout.decode().splitlines()
    path, reason = line.split("\t")
    assert path == os.path.join(empty_tree, "closed") and "ermission" in reason
    assert "1" in daemon.pxs("status").stdout.decode()


@needs_root
def test_content_is_opened_as_the_caller(new_daemon, empty_tree):
    for name, mode in (("secret", 0o600), ("public", 0o644), ("closed/hidden", 0o644)):
        os.makedirs(os.path.dirname(os.path.join(empty_tree, name)), exist_ok=True)
        with open(os.path.join(empty_tree, name), "wb") as file:
            file.write(b"content")
        os.chmod(os.path.join(empty_tree, name), mode)
    os.chmod(os.path.join(empty_tree, "closed"), 0o700)
    daemon = new_daemon().start("--public")
    daemon.pxs("ingest", empty_tree)
    shown = daemon.query("core.type=file")
    assert as_nobody("ls", shown).returncode == 0
    assert as_nobody("cat", os.path.join(shown, "public")).stdout == b"content"
    for name in ("secret", "hidden"):
        denied = as_nobody("cat", os.path.join(shown, name))
        assert denied.returncode != 0 and b"Permission denied" in denied.stderr, name
    found = as_nobody(daemons.BINARY, "find", "--socket", daemon.socket, "*")
    assert found.returncode == 0 and len(found.stdout.splitlines()) == 4
    ingest = as_nobody(daemons.BINARY, "ingest", "--socket", daemon.socket, empty_tree)
    assert ingest.returncode == 12 and ingest.stderr


@needs_root
def test_others_are_kept_out_unless_public(new_daemon, empty_tree):
    daemon = new_daemon().start()
    assert as_nobody("ls", daemon.mountpoint).returncode != 0
    assert as_nobody(daemons.BINARY, "find", "--socket", daemon.socket, "*").returncode not in (
        0,
        1,
    )
