"""What `meson install` puts where, used from there."""

import os
import re
import subprocess

import daemon as daemons
import pytest


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder in which /usr/local is."""
    folder = tmp_path_factory.mktemp("installed")
    done = subprocess.run(
        ["meson", "install", "--no-rebuild", "-C", os.environ["PXS_BUILD"]],
        env=daemons.environment(DESTDIR=str(folder), PATH=os.environ["PATH"]),
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "usr/local"


def test_the_program_runs(installed):
    done = subprocess.run([installed / "bin/pxs", "version"], capture_output=True, check=True)
    assert done.stdout.startswith(b"pxs ")
    for helper in ("pxs-auth", "pxs-announce"):
        assert os.access(installed / "libexec/pxs" / helper, os.X_OK)


def test_the_manual_has_every_verb_and_option(installed):
    manual = (installed / "share/man/man1/pxs.1").read_text(encoding="utf-8").replace("\\-", "-")
    verbs = re.findall(r"^  ([a-z]+) ", daemons.pxs("help").stdout.decode(), re.M)
    assert len(verbs) > 20
    for verb in verbs:
        assert re.search(rf'^\.SS "pxs {verb}[ "]', manual, re.M), verb
        if verb != "help":
            usage = daemons.pxs(verb, "--help").stdout.decode()
            for option in re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", usage, re.M):
                assert option in manual or option in ("--usage", "--version"), f"{verb} {option}"


def test_completions(installed):
    script = installed / "share/bash-completion/completions/pxs.bash"
    asked = f"source {script}; COMP_WORDS=(pxs rep); COMP_CWORD=1; _pxs; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", asked], capture_output=True, check=True)
    assert done.stdout == b"repair\n"
    assert (installed / "share/zsh/site-functions/_pxs").read_text().startswith("#compdef pxs")
    assert "complete -c pxs" in (installed / "share/fish/vendor_completions.d/pxs.fish").read_text()


def test_the_service_starts_what_is_installed(installed):
    unit = (installed / "lib/systemd/system/pxs.service").read_text()
    (command,) = re.findall("^ExecStart=(.*)$", unit, re.M)
    program, *arguments = command.split()
    assert os.access(installed.parent.parent / program.lstrip("/"), os.X_OK)
    assert arguments == ["daemon", "--foreground", "--config", "/etc/pxs/pxs.conf"]
    assert "Type=notify" in unit and not re.search("^(Private|Protect)", unit, re.M)
    for name in ("pxs.conf", "smb.conf", "ganesha.conf"):
        assert (installed / "share/doc/pxs/examples" / name).stat().st_size > 0
