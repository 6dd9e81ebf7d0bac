"""What `meson install` puts where, used from there."""

import os
import re
import shutil
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
    for name in ("pxs.conf", "smb.conf", "ganesha.conf", "updatedb-pxs.conf", "backup-exclude"):
        assert (installed / "share/doc/pxs/examples" / name).stat().st_size > 0


def test_units_of_the_mount_are_right(installed, tmp_path):
    """Also beside the service: a mount is wanted by what the service waits for, unless it says otherwise."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    units = [shutil.copy(installed / "share/doc/pxs/examples" / f"srv-pxs.{kind}", tmp_path) for kind in ("mount", "automount")]
    service = (installed / "lib/systemd/system/pxs.service").read_text()
    (tmp_path / "pxs.service").write_text(re.sub("^ExecStart=.*", "ExecStart=/bin/true", service, flags=re.M))
    done = subprocess.run(
        ["systemd-analyze", "verify", *units],
        env=daemons.environment(SYSTEMD_UNIT_PATH=f"{tmp_path}:", MANPATH=str(installed / "share/man")),
        capture_output=True,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr.decode()


@pytest.mark.skipif(os.geteuid() != 0, reason="mount(8) takes root")
def test_the_mount_takes_the_options_of_the_unit(installed, new_daemon):
    unit = (installed / "share/doc/pxs/examples/srv-pxs.mount").read_text()
    (options,) = re.findall("^Options=(.*)$", unit, re.M)
    daemon = new_daemon().start(mount=False)
    subprocess.run(
        ["mount", "-t", "fuse", f"{daemons.BINARY}#none", daemon.mountpoint, "-o", options],
        env=daemons.environment(PXS_SOCKET=daemon.socket),
        check=True,
        timeout=60,
    )
    assert "query" in os.listdir(daemon.mountpoint)


WALKERS = {
    "find": ["find", "{}", "-printf", "."],
    "find -L": ["find", "-L", "{}", "-printf", "."],
    "tar": ["sh", "-c", "tar c -C {} . | wc -c"],
    "updatedb": ["updatedb.plocate", "-U", "{}", "-o", "{}.db", "--prunefs", "", "--prunepaths", "", "-l", "no"],
}


@pytest.mark.parametrize("walker", WALKERS)
def test_who_walks_through_a_mount_comes_to_its_end(walker, new_daemon, empty_tree):
    command = [part.replace("{}", "MOUNT") for part in WALKERS[walker]]
    if not shutil.which(command[0], path="/usr/sbin:/usr/bin"):
        pytest.skip(f"{command[0]} is not installed")
    for i in range(3):
        with open(os.path.join(empty_tree, f"cat-{i}"), "w", encoding="ascii") as file:
            file.write(i * "meow")
    daemon = new_daemon().start()
    daemon.pxs("ingest", empty_tree)
    os.listdir(daemon.query("core.type=file"))  # a recent query is a folder, too
    command = [part.replace("MOUNT", daemon.mountpoint) for part in command]
    done = subprocess.run(command, capture_output=True, timeout=daemons.PATIENCE_S, check=False)
    assert done.stdout or os.path.getsize(daemon.mountpoint + ".db")


PAGES = ["man1/pxs.1", "man5/pxs.conf.5", "man7/pxs-query.7", "man8/pxs-mount.8"]


@pytest.mark.parametrize("page", PAGES)
def test_manual_pages_can_be_read(installed, page):
    path = installed / "share/man" / page
    if not shutil.which("man"):
        pytest.skip("man is not installed")
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", path],
        env=daemons.environment(MANWIDTH="80", PATH=os.environ["PATH"]),
        capture_output=True,
        check=True,
    )
    assert not done.stderr, done.stderr.decode()
    text = done.stdout.decode()
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION"):
        assert re.search(rf"^{section}$", text, re.M), section
    assert "](" not in text  # no link is left
    name = os.path.basename(page).rsplit(".", 1)[0]
    whatis = subprocess.run(["lexgrog", path], capture_output=True, check=True).stdout.decode()
    assert f'"{name} - ' in whatis


def test_the_page_of_the_configuration_has_each_key(tmp_path):
    page = daemons.pxs("manual", "pxs.conf").stdout.decode().replace("\\-", "-")
    keys = re.findall(r"^\.TP\n\\fB([a-z-]+)\\fR = ", page, re.M)
    options = re.findall(r"^ +(?:-\w, )?--([a-z-]+)", daemons.pxs("daemon", "--help").stdout.decode(), re.M)
    assert set(keys) == set(options) - {"config", "help", "usage", "version"}
    for key in keys:  # the next line ends it in any case
        (tmp_path / "pxs.conf").write_text(f"{key} = 1\nno-such-key = 1\n")
        done = daemons.pxs("daemon", "--config", str(tmp_path / "pxs.conf"))
        assert done.returncode != 0 and f"unknown key '{key}'" not in done.stderr.decode(), key
