"""pxs doctor on real situations: each fault is found, with what to do, and nothing else is."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest

import daemon as daemons
from daemon import pxs

PLAIN_UID = 65534


# What is told of these is not of the tests' own making.
MACHINE = {"machine", "program", "exports"}
DISK = {"index-space", "index-disk", "index-inodes"}


def doctor(daemon, *arguments, code=0, **options):
    """The faults and doubts by check: [(verdict, found, fix, group), ...]."""
    done = pxs("doctor", "--json", "--socket", daemon.socket, *arguments, **options)
    assert done.returncode == code, (done.stdout, done.stderr)
    answer = json.loads(done.stdout)
    assert (answer["fault"] > 0) == (code == 4)
    found = {}
    for finding in answer["findings"]:
        if finding["verdict"] in ("fault", "doubt"):
            assert finding["found"] and finding["fix"], finding
            found.setdefault(finding["check"], []).append(
                tuple(finding[key] for key in ("verdict", "found", "fix", "group"))
            )
    return found


def ours(found, *checks):
    """FOUND, in which nothing but CHECKS is of the tests' making."""
    mine = {check for check, rows in found.items() if rows[0][3] not in MACHINE}
    assert mine - DISK == set(checks), found
    return found


def write_config(daemon, *lines, mode=0o600):
    path = os.path.join(daemon.home, "pxs.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in (f"index = {daemon.index}", *lines)))
    os.chmod(path, mode)
    return path


def test_all_is_well(new_daemon, small_tree):
    daemon = new_daemon().start(watch=True)
    daemon.pxs("ingest", small_tree)
    ours(doctor(daemon))
    done = daemon.pxs("doctor", "--verbose")
    lines = done.stdout.decode().splitlines()
    assert sum(line.startswith("  ok ") for line in lines) > 35
    assert lines[-1].startswith("0 faults, ")
    assert "  ok " not in daemon.pxs("doctor").stdout.decode()


def times(folder):
    return {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(folder)}


def test_it_changes_nothing(new_daemon, small_tree):
    daemon = new_daemon().start(mount=False)
    daemon.pxs("ingest", small_tree)
    daemon.stop()
    before = times(daemon.index)
    found = doctor(daemon, "--index", daemon.index)
    ours(found, "daemon-answers")
    assert found["daemon-answers"][0][0] == "doubt"
    assert times(daemon.index) == before


def test_without_anything(work):
    missing = os.path.join(work, "nothing")
    done = pxs("doctor", "--index", missing, "--socket", missing + "/socket")
    assert done.returncode == 0, done
    assert b"pxs ingest DIR" in done.stdout
    assert not os.path.exists(missing)


def test_a_dead_mount(new_daemon):
    daemon = new_daemon().start()
    daemon.kill()
    found = ours(doctor(daemon, "--index", daemon.index, code=4), "daemon-answers", "mount-answers")
    dead = [row for row in found["mount-answers"] if daemon.mountpoint in row[1]]
    assert dead[0][0] == "fault" and "not connected" in dead[0][1]
    subprocess.run(dead[0][2], shell=True, check=True)
    ours(doctor(daemon, "--index", daemon.index), "daemon-answers")


def test_a_daemon_that_hangs(new_daemon):
    daemon = new_daemon().start()
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        begin = time.monotonic()
        found = doctor(daemon, "--index", daemon.index, code=4)
        assert time.monotonic() - begin < 40
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    ours(found, "daemon-answers", "index-lock", "mount-answers")
    assert "does not answer" in found["daemon-answers"][0][1]
    assert f"process {daemon.process.pid} " in found["index-lock"][0][1]
    assert "hangs" in found["mount-answers"][0][1]


def test_an_index_open_to_others(new_daemon):
    daemon = new_daemon().start("--auth", "localhost:0", mount=False)
    os.chmod(daemon.index, 0o777)
    for name in ("auth.db", "tls-key.pem"):
        os.chmod(os.path.join(daemon.index, name), 0o644)
    found = ours(doctor(daemon, code=4), "index-mode", "index-secrets")
    assert found["index-mode"][0][:3] == (
        "fault",
        "others may write into the index (mode 0777)",
        f"chmod 0700 {daemon.index}",
    )
    assert len(found["index-secrets"]) == 2
    for row in found["index-mode"] + found["index-secrets"]:
        subprocess.run(row[2], shell=True, check=True)
    ours(doctor(daemon))


def test_an_index_that_nobody_looked_after(new_daemon):
    daemon = new_daemon().start(mount=False)
    daemon.stop()
    for name, size in (("docs.db-wal", 2 << 30), ("pxs.log", 200 << 20)):
        with open(os.path.join(daemon.index, name), "ab") as file:
            file.truncate(size)  # all of it a hole
    os.chown(os.path.join(daemon.index, "docs.db"), PLAIN_UID, PLAIN_UID)
    found = doctor(daemon, "--index", daemon.index, code=4)
    ours(found, "daemon-answers", "index-owner", "index-wal", "index-log")
    subprocess.run(found["index-owner"][0][2], shell=True, check=True)
    ours(doctor(daemon, "--index", daemon.index), "daemon-answers", "index-wal", "index-log")


def test_a_daemon_elsewhere(new_daemon):
    daemon = new_daemon().start(mount=False)
    path = write_config(daemon, f"socket = {daemon.socket}.other")
    done = pxs("doctor", "--json", "--config", path)
    found = {row["check"]: row for row in json.loads(done.stdout)["findings"]}
    assert found["index-lock"]["verdict"] == "doubt"
    assert f"process {daemon.process.pid} " in found["index-lock"]["found"]


def test_a_daemon_that_serves_something_else(new_daemon):
    daemon = new_daemon().start(mount=False)
    path = write_config(daemon, "rest = localhost:1")
    ours(doctor(daemon, "--config", path, code=4), "door-rest")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"index = {daemon.home}/another\n")
    os.utime(path, (time.time() - 3600,) * 2)
    ours(doctor(daemon, "--config", path), "config-served")


def test_a_daemon_that_was_replaced(new_daemon, monkeypatch):
    daemon = new_daemon()
    program = os.path.join(daemon.home, "pxs")
    shutil.copy(daemons.BINARY, program)
    with monkeypatch.context() as context:
        context.setattr(daemons, "BINARY", program)
        daemon.start(mount=False)
    ours(doctor(daemon))
    os.unlink(program)
    ours(doctor(daemon), "daemon-program")


def test_a_daemon_that_may_open_no_more_files(new_daemon):
    daemon = new_daemon().start(mount=False)
    pid = daemon.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    few = len(os.listdir(f"/proc/{pid}/fd")) + 1
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, hard))
    try:
        ours(doctor(daemon), "daemon-files")
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


def test_a_mount_that_is_not_seen(new_daemon):
    daemon = new_daemon().start()
    script = f"mount --make-rprivate / && umount {daemon.mountpoint} && exec "
    script += f"{daemons.BINARY} doctor --json --socket {daemon.socket}"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        stdout=subprocess.PIPE,
        env=daemons.environment(),
        check=False,
    )
    faults = {
        row["check"]
        for row in json.loads(done.stdout)["findings"]
        if row["verdict"] == "fault" and row["group"] not in MACHINE
    }
    assert done.returncode == 4 and faults == {"mount-seen", "daemon-namespace"}


def test_a_record_that_is_none(new_daemon):
    daemon = new_daemon().start(mount=False)
    daemon.stop()
    path = os.path.join(daemon.index, "docs.db")
    with open(path, "rb") as file:
        whole = file.read()
    for broken, words in (
        (b"x" * 8192, "no SQLite database"),
        (whole[: len(whole) - 8192], "cut short"),
        (whole[:60] + b"\0\0\x03\xe8" + whole[64:], "newer pxs"),
        (b"", "no database"),
    ):
        with open(path, "wb") as file:
            file.write(broken)
        found = doctor(daemon, "--index", daemon.index, code=4)
        assert words in found["index-record"][0][1], found


def test_a_source_that_is_gone(new_daemon, work, small_tree):
    daemon = new_daemon().start(mount=False)
    moved = small_tree + " moved"
    daemon.pxs("ingest", small_tree)
    os.rename(small_tree, moved)
    try:
        found = ours(doctor(daemon, code=4), "sources-there", "sources-followed")
        assert small_tree in found["sources-there"][0][1]
    finally:
        os.rename(moved, small_tree)
    assert "sources-there" not in doctor(daemon)


def test_as_a_plain_user(new_daemon):
    daemon = new_daemon().start(mount=False)
    os.chmod(daemon.home, 0o755)
    found = doctor(daemon, "--index", daemon.index, user=PLAIN_UID, group=PLAIN_UID)
    assert "admits only its own user" in found["daemon-answers"][0][1]
    assert found["index-folder"][0][0] == "doubt"


def test_a_configuration_that_no_daemon_takes(new_daemon):
    daemon = new_daemon()
    path = write_config(daemon, "publik = yes")
    found = doctor(daemon, "--config", path, code=4)
    assert "line 2: unknown key 'publik'; did you mean 'public'?" in found["config-valid"][0][1]
    assert found["config-valid"][0][2] == f"editor {path}"
    found = doctor(daemon, "--config", path + ".gone", code=4)
    assert found["config-there"][0][0] == "fault"


def test_secrets_that_others_may_read(new_daemon):
    daemon = new_daemon()
    lines = ["upstream = https://localhost:1", f"mount = {daemon.mountpoint}"]
    for key in ("robots", "password-file", "certificate", "certificate-key"):
        path = os.path.join(daemon.home, key)
        with open(path, "w", encoding="ascii") as file:
            file.write("x:y\n")
        os.chmod(path, 0o644)
        lines.append(f"{key} = {path}")
    path = write_config(daemon, *lines, mode=0o666)
    found = doctor(daemon, "--config", path, code=4)
    assert len(found["config-secrets"]) == 2 and len(found["config-key"]) == 1
    for check in ("config-mode", "config-secrets", "config-key"):
        for row in found[check]:
            subprocess.run(row[2], shell=True, check=True)
    ours(doctor(daemon, "--config", path), "daemon-answers", "index-folder")


def test_what_the_configuration_wants_in_vain(new_daemon):
    daemon = new_daemon()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        path = write_config(
            daemon,
            f"rest = 127.0.0.1:{taken.getsockname()[1]}",
            "rest-tls = never",
            "auth = 192.0.2.1:5001",
            "auth-plain = yes",
            "pam = no-such-service",
            f"mount = {daemon.home}/no-such-mountpoint",
            f"source = {daemon.home}",
            f"socket = {daemon.home}/no-such-mountpoint/socket",
            f"certificate = {daemon.home}",
        )
        found = doctor(daemon, "--config", path, code=4)
    assert "another program listens" in found["door-rest"][0][1]
    assert "192.0.2.1" in found["door-auth"][0][1]
    assert found["pam"][0][0] == "fault"
    assert found["mountpoint"][0][2] == f"mkdir -p {daemon.home}/no-such-mountpoint"
    assert "belong together" in found["config-key"][0][1]
    assert found["config-insecure"][0][0] == "doubt"
    assert "socket would lie in the mount" in found["config-apart"][0][1]


def test_a_configuration_that_was_changed_since(new_daemon):
    daemon = new_daemon()
    path = write_config(daemon, f"mount = {daemon.mountpoint}")
    daemon.start("--config", path, mount=False)
    os.utime(path, (time.time() - 3600,) * 2)
    ours(doctor(daemon, "--config", path))
    os.utime(path, (time.time() + 60,) * 2)
    ours(doctor(daemon, "--config", path), "config-taken-over")
    daemon.pxs("umount", daemon.mountpoint)
    found = ours(doctor(daemon, "--config", path, code=4), "config-taken-over", "mount-wanted")
    assert found["mount-wanted"][0][2] == f"pxs mount {daemon.mountpoint}"
    daemon.pxs("mount", daemon.mountpoint)
    ours(doctor(daemon, "--config", path), "config-taken-over")


def make_certificate(folder, days):
    key, request, certificate = (os.path.join(folder, name) for name in ("key", "csr", "pem"))
    subprocess.run(
        ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=elsewhere"]
        + ["-addext", "subjectAltName=DNS:elsewhere.example"]
        + ["-keyout", key, "-out", request],
        check=True,
        capture_output=True,
    )
    subprocess.run(
        ["openssl", "x509", "-req", "-in", request, "-signkey", key, "-days", str(days)]
        + ["-copy_extensions", "copy", "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.mark.parametrize("days, verdict", [(-1, "fault"), (10, "doubt"), (90, None)])
def test_a_certificate_that_ends(new_daemon, days, verdict):
    daemon = new_daemon()
    certificate, key = make_certificate(daemon.home, days)
    daemon.announced = [rb"certificate"]
    daemon.start("--auth", "localhost:0", "--certificate", certificate, "--certificate-key", key)
    found = doctor(daemon, code=4 if verdict == "fault" else 0)
    assert [row[0] for row in found.get("certificate-end", [])] == ([verdict] if verdict else [])
    assert "elsewhere.example" in found["certificate-names"][0][1]


def test_a_door_that_is_open_at_one_of_its_names_addresses(new_daemon):
    daemon = new_daemon().start("--rest", "127.0.0.3:0", mount=False)
    port = daemon.log_text().split("http://127.0.0.3:")[1].split("/")[0].split()[0]
    hosts = os.path.join(daemon.home, "hosts")
    with open(hosts, "w", encoding="ascii") as file:
        file.writelines(f"127.0.0.{n} two.example\n" for n in (1, 3))
    path = write_config(daemon, f"rest = two.example:{port}")
    script = f"mount --make-rprivate / && mount --bind {hosts} /etc/hosts && exec "
    script += f"{daemons.BINARY} doctor --socket {daemon.socket} --config {path} --verbose"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        stdout=subprocess.PIPE,
        env=daemons.environment(),
        check=False,
    )
    assert b"  ok       door-rest " in done.stdout, done.stdout


def test_a_source_in_the_mount_of_another(new_daemon):
    other, daemon = new_daemon().start(), new_daemon()
    path = write_config(daemon, f"source = {other.mountpoint}")
    found = doctor(daemon, "--config", path, code=4)
    assert found["sources-apart"][0][0] == "fault"
    assert "is on FUSE" in found["sources-remote"][0][1]


@pytest.mark.skipif(os.path.exists("/usr/local/libexec/pxs"), reason="pxs is installed")
def test_a_program_that_was_copied_alone(new_daemon):
    daemon = new_daemon()
    program = os.path.join(daemon.home, "pxs")
    shutil.copy(daemons.BINARY, program)
    path = write_config(daemon, "auth = localhost:0")
    done = subprocess.run(
        [program, "doctor", "--config", path, "--socket", daemon.socket],
        stdout=subprocess.PIPE,
        env=daemons.environment(),
        check=False,
    )
    assert done.returncode == 4
    assert b"users of this machine cannot log in" in done.stdout
    assert b"not told of changes" in done.stdout


def test_a_mount_under_another(new_daemon):
    daemon = new_daemon().start()
    subprocess.run(["mount", "-t", "tmpfs", "none", daemon.mountpoint], check=True)
    try:
        found = ours(doctor(daemon), "mount-covered")
    finally:
        subprocess.run(["umount", daemon.mountpoint], check=True)
    assert found["mount-covered"][0][2] == f"umount {daemon.mountpoint}"
    ours(doctor(daemon))


# What the machine has, replaced in a mount namespace of the doctor's own.
FILES = {
    "etc/fuse.conf": "# user_allow_other\n",
    "etc/updatedb.conf": 'PRUNEFS = "NFS tmpfs"\n',
    "etc/fstab": "# /var/lib/pxs /x fuse.pxs\n/var/lib/pxs /no/such fuse.pxs allow_other 0 0\n",
    "etc/exports": "{mnt} *(ro)\n",
    "etc/samba/smb.conf": "[global]\nea support = no\n[found]\n  path = {mnt}/query\n",
    "etc/systemd/system/pxs.service": "[Service]\nExecStart=/no/such/pxs -f --config /no/such/c\n",
    "etc/systemd/system/pxs.service.d/a.conf": "[Service]\nPrivateTmp=yes\n",
    "bin/systemctl": "#!/bin/sh\necho failed\n",
    "bin/pxs": "#!/bin/sh\n",
    "meminfo": "MemTotal: 1000000 kB\nMemAvailable: 1000 kB\n",
    "filesystems": "nodev\tproc\n",
}
FAULTS = """fuse-device mime-types service-failed service-program service-mounts daemon-namespace
    fstab samba nfs""".split()
DOUBTS = """fuse-module fusermount kernel fanotify open-files memory runtime-folder path pam
    updatedb""".split()
SCRIPT = """
set -e
cd {made}
mount --make-rprivate /
mount --bind etc /etc
mount --bind meminfo /proc/meminfo
mount --bind filesystems /proc/filesystems
mount --bind meminfo /usr/bin/fusermount3
mount --bind {made}/device /dev/fuse
mount -t tmpfs none /usr/share/mime
mount -t tmpfs none /proc/sys/fs/fanotify
mount -t tmpfs none /run
mkdir -p /run/systemd/system
ulimit -n 1000
export PATH={made}/bin:$PATH XDG_RUNTIME_DIR=/no/such
exec setarch --uname-2.6 "$@"
"""


def test_a_machine_that_lacks_everything(new_daemon, work):
    daemon = new_daemon().start()
    made = os.path.join(daemon.home, "made")
    for name, text in FILES.items():
        path = os.path.join(made, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text.format(mnt=daemon.mountpoint))
        os.chmod(path, 0o755)
    device = socket.socket(socket.AF_UNIX)
    device.bind(os.path.join(made, "device"))
    config = write_config(daemon, "public = yes", "auth = localhost:0", mode=0o644)

    def ask(*before):
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", SCRIPT.format(made=made), "sh", *before]
            + [daemons.BINARY, "doctor", "--json", "--socket", daemon.socket, "--config", config],
            capture_output=True,
            timeout=daemons.PATIENCE_S,
            env=daemons.environment(),
            check=False,
        )
        assert done.returncode == 4, done
        findings = json.loads(done.stdout)["findings"]
        findings.sort(key=lambda finding: finding["verdict"] == "fault")  # these count
        return {
            finding["check"]: finding
            for finding in findings
            if finding["verdict"] in ("fault", "doubt")
        }

    found = ask()
    wanted = {check: "fault" for check in FAULTS} | {check: "doubt" for check in DOUBTS}
    assert {check: found[check]["verdict"] for check in found if check in wanted} == wanted
    assert all(finding["fix"] for finding in found.values())
    updatedb = os.path.join(made, "etc/updatedb.conf")
    fix = found["updatedb"]["fix"].replace("/etc/updatedb.conf", updatedb)
    subprocess.run(fix, shell=True, check=True)
    with open(updatedb, encoding="ascii") as file:
        assert file.read() == 'PRUNEFS = "fuse.pxs NFS tmpfs"\n'

    found = ask("setpriv", f"--reuid={PLAIN_UID}", "--clear-groups")
    assert found["fuse-conf"]["verdict"] == found["fusermount"]["verdict"] == "fault"
    assert found["pam-rights"]["verdict"] == "doubt"
    assert "updatedb" not in found
    with open(updatedb, "w", encoding="ascii") as file:
        file.write(FILES["etc/updatedb.conf"])
    assert "updatedb" in ask()
    drop_in = os.path.join(made, "etc/systemd/system/plocate-updatedb.service.d/pxs.conf")
    os.makedirs(os.path.dirname(drop_in))
    shutil.copy(os.path.join(os.path.dirname(__file__), "../../contrib/updatedb-pxs.conf"), drop_in)
    assert "updatedb" not in ask()
