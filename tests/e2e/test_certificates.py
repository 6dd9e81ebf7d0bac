"""Certificates change while clients keep their connections, come anew, and take their time."""

import concurrent.futures
import hashlib
import http.client
import json
import os
import shutil
import ssl
import threading

import daemon as daemons
from test_auth import ANN, CONFIG, Doors, host_and_port, make_certificate, wait_until

CHANGES = 6
STAYING, COMING = 3, 3


class Clients:
    """Threads that ask until `ending` is set; each counts its answers."""

    def __init__(self, doors):
        self.address = host_and_port(doors.search)
        self.head = {"Authorization": f"Bearer {doors.token(ANN)}"}
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.ending = threading.Event()
        self.answers = [0] * (STAYING + COMING)
        self.seen = set()  # certificates, by those who come

    def connect(self):
        connection = http.client.HTTPSConnection(
            *self.address, timeout=daemons.PATIENCE_S, context=self.context
        )
        connection.connect()
        return connection

    def ask(self, connection, target="/files?q=*"):
        connection.request("GET", target, headers=self.head)
        reply = connection.getresponse()
        assert reply.status == 200
        return reply

    def stay(self, number):
        connection = self.connect()
        first = connection.sock
        while not self.ending.is_set():
            assert json.loads(self.ask(connection).read())
            assert connection.sock is first
            self.answers[number] += 1
        connection.close()

    def come(self, number):
        while not self.ending.is_set():
            connection = self.connect()
            self.seen.add(hashlib.sha256(connection.sock.getpeercert(binary_form=True)).digest())
            assert json.loads(self.ask(connection).read())
            connection.close()
            self.answers[number] += 1

    def run(self, pool):
        ways = [self.stay] * STAYING + [self.come] * COMING
        self.threads = [pool.submit(way, number) for number, way in enumerate(ways)]

    def wait_for_answers(self):
        """To requests, and on connections, that began after now; or until a client failed."""
        before = list(self.answers)
        wait_until(
            lambda: all(new >= old + 2 for new, old in zip(self.answers, before))
            or any(thread.done() for thread in self.threads)
        )

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.result()


def install(daemon, name):
    for file in "c.pem", "k.pem":
        shutil.copy(os.path.join(daemon.home, name, file), daemon.home)


def test_certificates_change_under_load(new_daemon, small_tree):
    daemon = new_daemon()
    for name in "first", "second":
        os.mkdir(os.path.join(daemon.home, name))
        make_certificate(os.path.join(daemon.home, name), name)
    install(daemon, "first")
    paths = ["--certificate", f"{daemon.home}/c.pem", "--certificate-key", f"{daemon.home}/k.pem"]
    doors = Doors(daemon, CONFIG, "--rest-tls", "always", *paths)
    doors.certificate = f"{daemon.home}/c.pem"
    daemon.pxs("ingest", small_tree)
    doors.add_user(ANN)
    clients = Clients(doors)
    with concurrent.futures.ThreadPoolExecutor(STAYING + COMING) as pool:
        taken = clients.ask(clients.connect(), "/files?q=*&max_results=1000")
        begun = taken.read(100)
        clients.run(pool)
        try:
            for change in range(CHANGES):
                clients.wait_for_answers()
                assert len(clients.seen) == min(change + 1, 2)
                install(daemon, "first" if change % 2 else "second")
                doors.reload()
            clients.wait_for_answers()
        finally:
            clients.end()
    assert json.loads(begun + taken.read())
