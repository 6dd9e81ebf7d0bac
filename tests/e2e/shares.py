"""Servers that export a mount: Samba and nfs-ganesha, each a process of the test's own, with the
sample configuration of contrib/ on a port that is free."""

import contextlib
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import time

import pytest

CONTRIB = os.path.join(os.path.dirname(__file__), "../../contrib")
PATIENCE_S = 60


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def need(program):
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if not path:
        pytest.skip(f"{program} is not installed")
    if os.geteuid() != 0:
        pytest.skip(f"{program} takes root")
    return path


def sample(name, mountpoint):
    """A file of contrib/, for MOUNTPOINT in place of /pxs."""
    with open(os.path.join(CONTRIB, name), encoding="ascii") as file:
        lines = file.read().replace("Path = /pxs;", f"Path = {mountpoint};")
    return lines.replace("path = /pxs\n", f"path = {mountpoint}\n")


@contextlib.contextmanager
def serving(command, port, log):
    """COMMAND, until it accepts connections at PORT; its processes end with the block."""
    with open(log, "ab") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                with open(log, encoding="utf-8", errors="replace") as file:
                    raise RuntimeError(f"{command[0]} does not serve:\n{file.read()[-2000:]}")
            time.sleep(0.05)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Samba:
    GLOBAL = """[global]
    server role = standalone server
    map to guest = Bad User
    guest account = nobody
    smb ports = {port}
    interfaces = lo
    bind interfaces only = yes
    disable netbios = yes
    load printers = no
    disable spoolss = yes
    private dir = {home}/private
    lock directory = {home}/lock
    state directory = {home}/state
    cache directory = {home}/cache
    pid directory = {home}/pid
    ncalrpc dir = {home}/ncalrpc
    log file = {home}/log
"""

    def __init__(self, home, mountpoint):
        self.port = free_port()
        self.conf = os.path.join(home, "smb.conf")
        self.log = os.path.join(home, "smbd.log")
        for name in ("private", "lock", "state", "cache", "pid", "ncalrpc"):
            os.makedirs(os.path.join(home, name))
        with open(self.conf, "w", encoding="ascii") as file:
            file.write(self.GLOBAL.format(port=self.port, home=home))
            file.write(sample("smb.conf", mountpoint) + "\tguest ok = yes\n")

    def serving(self):
        command = [need("smbd"), "--foreground", "--no-process-group", "-s", self.conf]
        return serving(command, self.port, self.log)

    def ask(self, *commands):
        """What smbclient prints of COMMANDS, each in turn."""
        done = subprocess.run(
            ["smbclient", "-N", "-s", self.conf, "-p", str(self.port), "//127.0.0.1/pxs"]
            + ["-c", "; ".join(commands)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
        )
        return (done.stdout + done.stderr).decode()

    @contextlib.contextmanager
    def watching(self, folder):
        """smbclient's `notify` of FOLDER, and a function that reads what it prints until a text is there."""
        ours, theirs = pty.openpty()  # to a pipe it would print when it ends
        process = subprocess.Popen(
            ["smbclient", "-N", "-s", self.conf, "-p", str(self.port), "//127.0.0.1/pxs"]
            + ["-c", f"notify {folder}"],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        printed = b""

        def read_until(text, patience_s=PATIENCE_S):
            nonlocal printed
            deadline = time.monotonic() + patience_s
            while text not in printed and time.monotonic() < deadline:
                if select.select([ours], [], [], 0.1)[0]:
                    printed += os.read(ours, 65536)
            return printed

        try:
            yield read_until
        finally:
            process.kill()
            process.wait()
            os.close(ours)


class Ganesha:
    """It reads each block of its configuration once, so the test's lines go into those of the sample."""

    def __init__(self, home, mountpoint):
        self.port = free_port()
        self.home = home
        self.conf = os.path.join(home, "ganesha.conf")
        core = f"NFS_CORE_PARAM {{\n\tNFS_Port = {self.port};\n\tBind_addr = 127.0.0.1;\n"
        text = sample("ganesha.conf", mountpoint).replace("NFS_CORE_PARAM {\n", core)
        with open(self.conf, "w", encoding="ascii") as file:
            file.write(text.replace("NFSV4 {\n", 'NFSV4 {\n\tRecoveryBackend = "fs";\n'))

    def serving(self):
        os.makedirs("/var/lib/nfs/ganesha", exist_ok=True)
        log, pid = (os.path.join(self.home, name) for name in ("ganesha.log", "ganesha.pid"))
        command = [need("ganesha.nfsd"), "-F", "-f", self.conf, "-L", log, "-p", pid]
        return serving(command, self.port, os.path.join(self.home, "ganesha.out"))
