"""Thunar, PCManFM and Nautilus look at a search: what it finds, what comes and goes, a file, a facet."""

import os
import time

import daemon as daemons
import pytest
from desktop import Screen, watches
from inotify import OPEN, Watch

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a user's folders take no calls")

FILES = 8


def by_name(screen, name):
    screen.choose(name)


def by_place(screen, name):
    """In Nautilus typing searches. Four icons stand in a row, files first."""
    screen.double_click(340, 130 if name.startswith("cats") else 400)


MANAGERS = {
    "thunar": (["thunar"], by_name),
    "pcmanfm": (["pcmanfm"], by_name),
    "nautilus": (["nautilus", "--new-window"], by_place),
}


def until(holds, what, again=None):
    """AGAIN is done every few seconds: what is typed too early is lost."""
    start = time.monotonic()
    next_try = start
    while not holds():
        assert time.monotonic() < start + daemons.PATIENCE_S, what
        if again and time.monotonic() > next_try:
            again()
            next_try = time.monotonic() + 4
        time.sleep(0.05)


def cpu_s(daemon):
    with open(f"/proc/{daemon.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def screen(tmp_path):
    home = tmp_path / "desktop"
    home.mkdir()
    with Screen(str(home)) as screen:
        screen.opened = str(home / "opened")
        script = home / "reader"
        script.write_text(f'#!/bin/sh\ncat "$1" > {screen.opened}.new\nmv {screen.opened}.new {screen.opened}\n')
        script.chmod(0o755)
        screen.open_text_with(script)
        yield screen


def save(screen, name):
    """Pictures are for people: they stay in the build folder."""
    folder = os.path.join(os.environ.get("PXS_BUILD", screen.home), "screenshots")
    os.makedirs(folder, exist_ok=True)
    screen.save(os.path.join(folder, f"{name}.png"))


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_search_is_a_folder(manager, screen, new_daemon, empty_tree):
    for i in range(FILES):
        with open(os.path.join(empty_tree, f"cats-{i}.txt"), "w", encoding="ascii") as file:
            file.write(f"cat {i}\n")
    daemon = new_daemon().start()
    if daemon.is_sanitized():
        pytest.skip("tells no more than plain")
    daemon.pxs("ingest", empty_tree)
    folder = daemon.query("_all=cats")
    command, choose = MANAGERS[manager]
    with Watch(empty_tree, OPEN) as reads, screen.running(*command, folder) as session:
        until(lambda: watches(session, folder), "the folder is watched")
        before = screen.still()
        read = {name for kind, name in reads.take() if kind == "open" and name}
        assert len(read) < FILES, f"{manager} reads every file to show them"
        spent = cpu_s(daemon)
        time.sleep(1)
        assert cpu_s(daemon) - spent < 0.5, f"{manager} does not come to an end"

        new = os.path.join(empty_tree, "a-new-cats.txt")
        with open(new, "w", encoding="ascii"):
            pass
        daemon.pxs("ingest", empty_tree)
        until(lambda: screen.picture() != before, "a file that came is shown")
        with_new = screen.still()
        save(screen, manager)
        os.unlink(new)
        daemon.pxs("ingest", empty_tree)
        until(lambda: screen.picture() != with_new, "a file that went is no longer shown")
        screen.still()

        until(lambda: os.path.exists(screen.opened), "a file is opened", lambda: choose(screen, "cats-0"))
        with open(screen.opened, encoding="ascii") as file:
            assert file.read() == "cat 0\n"
        facets = [os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("core.")]
        until(
            lambda: any(watches(session, facet) for facet in facets),
            "a facet is entered",
            lambda: choose(screen, "core.modificationtime"),
        )
        screen.still()
        save(screen, f"{manager}-facet")
