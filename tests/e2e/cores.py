"""A core that another daemon follows."""

import json
import os
import time

import daemon as daemons

ROBOT = ("robby", "tobor-7d1f3a")


class Core:
    """A daemon with a tree and TCP doors; it can be stopped and started at the same address."""

    def __init__(self, daemon, port=0, auth_port=0, tls="auto", mount=None):
        """MOUNT: the options of its mount; None: it has none."""
        self.daemon = daemon
        self.mount = ["--mount", daemon.mountpoint, "-o", mount] if mount else []
        self.tls = tls
        self.robots = os.path.join(daemon.home, "robots")
        with open(self.robots, "w", encoding="utf-8") as file:
            file.write(":".join(ROBOT) + "\n")
        os.chmod(self.robots, 0o640)
        self.config = os.path.join(daemon.home, "pxs.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"robots = {self.robots}\n[rights]\n{ROBOT[0]} = all\n")
        self.port, self.auth_port = port, auth_port
        self.start()

    def start(self):
        self.daemon.start(
            "--config", self.config, "--rest", f"127.0.0.1:{self.port}",
            "--auth", f"127.0.0.1:{self.auth_port}", "--auth-plain", "--rest-tls", self.tls, *self.mount,
            mount=False,
        )  # fmt: skip
        urls = [line for line in self.daemon.log_text().splitlines() if " serves " in line]
        self.url = [line.split()[-1] for line in urls if "catalogue at" in line][-1]
        self.auth_url = [line.split()[-1] for line in urls if "log-ins at" in line][-1]
        self.port = int(self.url.rsplit(":", 1)[1])
        self.auth_port = int(self.auth_url.rsplit(":", 1)[1])

    def options(self, password=ROBOT[1]):
        path = os.path.join(self.daemon.home, "password")
        with open(path, "w", encoding="utf-8") as file:
            file.write(password + "\n")
        return ["--upstream", self.url, "--auth-url", self.auth_url, "--user", ROBOT[0],
                "--password-file", path]  # fmt: skip


def documents(daemon):
    """By id. Lists are sets to the index; their order tells nothing."""
    return {
        item["_id"]: {k: sorted(v) if isinstance(v, list) else v for k, v in item.items()}
        for item in daemon.items()
    }


def upstream(daemon):
    return json.loads(daemon.get("/sync").body)["upstreams"][0]


def wait_for(condition, what):
    deadline = time.monotonic() + daemons.PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
