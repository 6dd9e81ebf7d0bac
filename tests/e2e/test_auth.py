"""Who may come in: log-ins, tokens, rights, certificates and slow clients, over real sockets."""

import base64
import concurrent.futures
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse
import warnings

import pytest
import requests

import daemon as daemons

ROBOT = ("robby", "tobor-7d1f3a")
ANN = ("ann", "correct horse 9b2e")
UPDATER = ("upd", "battery staple 55c1")

slow = pytest.mark.skipif(daemons.QUICK, reason="it waits for deadlines of seconds")

CONFIG = """
; a comment
rest = 127.0.0.1:0
auth = localhost:0
robots = {home}/robots

[rights]
* = read
robby = all
@daemon = update_search_metadata
"""


class Doors:
    """A daemon with TCP doors, and what a client needs to reach them."""

    def __init__(self, daemon, config=CONFIG, *arguments):
        self.daemon = daemon
        self.config = os.path.join(daemon.home, "pxs.conf")
        self.robots = os.path.join(daemon.home, "robots")
        self.write_robots(f"{ROBOT[0]}:{ROBOT[1]}\n")
        self.write_config(config)
        self.arguments = arguments
        self.start()

    def write_config(self, text):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text.format(home=self.daemon.home))

    def write_robots(self, text, mode=0o640):
        with open(self.robots, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.robots, mode)

    def start(self):
        seen = len(self.daemon.log_text()) if os.path.exists(self.daemon.log) else 0
        self.daemon.start("--config", self.config, *self.arguments, mount=False)
        log = self.daemon.log_text()[seen:]
        self.search = re.search(r"serves the catalogue at (\S+)", log)[1]
        self.auth = re.search(r"serves log-ins at (\S+)", log)[1]
        self.certificate = os.path.join(self.daemon.index, "tls-cert.pem")

    def restart(self):
        assert self.daemon.stop() == 0
        self.start()

    def reload(self):
        before = self.daemon.log_text().count("after HUP")
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.daemon.log_text().count("after HUP") > before)

    def add_user(self, user, rights="read"):
        body = {"name": user[0], "password": user[1], "rights": rights}
        reply = self.daemon.http("POST", "/users", json.dumps(body))
        assert reply.status == 201, reply.body

    def post(self, path, data, **options):
        return requests.post(
            self.auth + path, data=data, verify=self.certificate, timeout=30, **options
        )

    def login(self, user, password, **more):
        return self.post(
            "/oauth2/token",
            {"grant_type": "password", "username": user, "password": password, **more},
        )

    def token(self, user):
        reply = self.login(*user)
        assert reply.status_code == 200, reply.text
        return reply.json()["access_token"]

    def get(self, path, token=None, **options):
        if token:
            options.setdefault("headers", {"Authorization": f"Bearer {token}"})
        return requests.get(self.search + path, timeout=30, **options)

    def info(self, token):
        return requests.get(
            self.auth + "/oauth2/token_info",
            headers={"Authorization": f"Bearer {token}"},
            verify=self.certificate,
            timeout=30,
        ).json()


def wait_until(true, patience=daemons.PATIENCE_S):
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def host_and_port(url):
    parts = urllib.parse.urlsplit(url)
    return parts.hostname, parts.port


@pytest.fixture(scope="module")
def doors(work):
    daemon = daemons.Daemon(os.path.join(work, "auth"))
    try:
        doors = Doors(daemon)
        doors.add_user(ANN)
        doors.add_user(UPDATER, "read, update_search_metadata")
        yield doors
        assert daemon.process.poll() is None, daemon.log_text()
        assert daemon.stop() == 0
        assert not daemon.new_alarms()
    finally:
        daemon.destroy()


# --- Getting a token, and showing it ---


def test_a_user_and_a_robot_get_tokens(doors):
    for user in ANN, ROBOT:
        reply = doors.login(*user)
        assert reply.status_code == 200
        assert reply.headers["Content-Type"] == "application/json;charset=UTF-8"
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Pragma"] == "no-cache"
        body = reply.json()
        assert set(body) == {"access_token", "token_type", "expires_in"}
        assert body["token_type"] == "Bearer" and body["expires_in"] == 86400
        assert re.fullmatch(r"pxs_[\w-]{48}", body["access_token"])
        assert doors.get("/files", body["access_token"]).status_code == 200


def test_every_presentation_of_a_token(doors):
    token = doors.token(ANN)
    basic = base64.b64encode(f"{token}:".encode()).decode()
    for headers in (
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"Basic {basic}"},
        {"Authorization": f"Token {token}"},
        {"Authorization": token},
        {"WWW-Authenticate": f"Bearer {token}"},
        {"WWW-Authenticate": token},
    ):
        assert doors.get("/api/files/", headers=headers).status_code == 200, headers
    assert doors.get("/files", auth=(token, "")).status_code == 200
    assert doors.get("/files", auth=(token, "anything")).status_code == 200
    # Never in the URL; and the first header decides.
    assert doors.get(f"/files?access_token={token}").status_code == 403
    headers = {"Authorization": "Bearer pxs_x", "WWW-Authenticate": f"Bearer {token}"}
    assert doors.get("/files", headers=headers).status_code == 403


def test_strangers_are_refused_with_403(doors):
    for headers, error in (
        ({}, None),
        ({"Authorization": "Bearer pxs_" + "A" * 48}, "invalid_token"),
        ({"Authorization": "Bearer " + "A" * 4096}, "invalid_token"),
        ({"Authorization": "Digest x"}, "invalid_request"),
    ):
        reply = doors.get("/files", headers=headers)
        assert reply.status_code == 403
        assert reply.json()["collection"]["error"]["message"] == "Please provide proper credentials"
        challenge = reply.headers["WWW-Authenticate"]
        assert challenge.startswith('Bearer realm="pxs"')
        assert (f'error="{error}"' in challenge) == bool(error)
    assert doors.get("/no/such/path").status_code == 404
    assert requests.put(doors.search + "/files", timeout=30).status_code == 405


def test_errors_as_rfc_6750_has_them(new_daemon):
    doors = Doors(new_daemon(), CONFIG, "--auth-errors", "rfc6750")
    doors.add_user(ANN)
    token = doors.token(ANN)
    assert doors.get("/files").status_code == 401
    assert "error" not in doors.get("/files").headers["WWW-Authenticate"]
    assert doors.get("/files", "pxs_x").status_code == 401
    assert doors.get("/files", headers={"Authorization": "Digest x"}).status_code == 400
    reply = requests.patch(doors.search + "/files/1", auth=(token, ""), timeout=30)
    assert reply.status_code == 403
    assert 'error="insufficient_scope"' in reply.headers["WWW-Authenticate"]


RIGHTS = [
    ("PATCH", "/files/1", "update_search_metadata"),
    ("DELETE", "/files/1", "delete_search_metadata"),
    ("DELETE", '/files?where={"_all":"x"}', "delete_search_metadata"),
    ("GET", "/check", "operate"),
    ("POST", "/repair", "operate"),
    ("POST", "/ingest", "operate"),
    ("POST", "/mounts", "operate"),
    ("GET", "/users", "operate"),
    ("POST", "/users", "operate"),
    ("GET", "/tokens", "operate"),
    ("POST", "/tokens", "operate"),
    ("DELETE", "/tokens/1", "operate"),
    ("GET", "/files", "read"),
    ("GET", "/version", "read"),
    ("GET", "/status", "read"),
]


@pytest.mark.parametrize("method, path, right", RIGHTS)
def test_each_route_needs_its_right(doors, method, path, right):
    names = ["read", "update_search_metadata", "delete_search_metadata", "operate"]
    others = [name for name in names if name != right]
    body = json.dumps({"user": "nobody", "rights": ",".join(others)})
    token = doors.daemon.http("POST", "/tokens", body).json["token"]
    reply = requests.request(method, doors.search + path, auth=(token, ""), timeout=30)
    assert reply.status_code == 403
    message = reply.json()["collection"]["error"]["message"]
    assert message == f"{right} right required"


# --- The OAuth matrix: what is sent, and the answer ---

FORM = "application/x-www-form-urlencoded"
GOOD = {"grant_type": "password", "username": ANN[0], "password": ANN[1]}


def without(*names):
    return {name: value for name, value in GOOD.items() if name not in names}


def form(fields):
    return urllib.parse.urlencode(fields)


GOOD_FORM = form(GOOD)

# name, method, path, Content-Type, further headers, body, status, error
OAUTH = [
    ("good", "POST", "", FORM, {}, GOOD_FORM, 200, None),
    ("good, slash", "POST", "/", FORM, {}, GOOD_FORM, 200, None),
    ("good, charset", "POST", "", FORM + "; charset=UTF-8", {}, GOOD_FORM, 200, None),
    ("good, capitals", "POST", "", FORM.upper(), {}, GOOD_FORM, 200, None),
    ("good, unknown parameter", "POST", "", FORM, {}, GOOD_FORM + "&x=1", 200, None),
    ("good, empty scope", "POST", "", FORM, {}, GOOD_FORM + "&scope=", 200, None),
    ("good, scope read", "POST", "", FORM, {}, GOOD_FORM + "&scope=read", 200, None),
    ("good, public client", "POST", "", FORM, {}, GOOD_FORM + "&client_id=me", 200, None),
    ("good, percent", "POST", "", FORM, {}, GOOD_FORM.replace("ann", "%61%6e%6E"), 200, None),
    ("good, ampersands", "POST", "", FORM, {}, "&&" + GOOD_FORM + "&", 200, None),
    ("GET", "GET", "", None, {}, None, 405, None),
    ("GET with all in the URL", "GET", "?" + GOOD_FORM, None, {}, None, 405, None),
    ("PUT", "PUT", "", FORM, {}, GOOD_FORM, 405, None),
    ("DELETE", "DELETE", "", None, {}, None, 405, None),
    ("PATCH", "PATCH", "", FORM, {}, GOOD_FORM, 405, None),
    ("nothing", "POST", "", FORM, {}, "", 400, "invalid_request"),
    ("no type", "POST", "", None, {}, GOOD_FORM, 400, "invalid_request"),
    ("JSON", "POST", "", "application/json", {}, json.dumps(GOOD), 400, "invalid_request"),
    ("text", "POST", "", "text/plain", {}, GOOD_FORM, 400, "invalid_request"),
    ("multipart", "POST", "", "multipart/form-data; boundary=x", {}, GOOD_FORM, 400, "invalid_request"),
    ("type with more", "POST", "", FORM + "x", {}, GOOD_FORM, 400, "invalid_request"),
    ("no grant_type", "POST", "", FORM, {}, form(without("grant_type")), 400, "invalid_request"),
    ("empty grant_type", "POST", "", FORM, {}, form({**GOOD, "grant_type": ""}), 400, "invalid_request"),
    ("no username", "POST", "", FORM, {}, form(without("username")), 400, "invalid_request"),
    ("no password", "POST", "", FORM, {}, form(without("password")), 400, "invalid_request"),
    ("empty username", "POST", "", FORM, {}, form({**GOOD, "username": ""}), 400, "invalid_request"),
    ("empty password", "POST", "", FORM, {}, form({**GOOD, "password": ""}), 400, "invalid_request"),
    ("neither", "POST", "", FORM, {}, form(without("username", "password")), 400, "invalid_request"),
    ("grant_type twice", "POST", "", FORM, {}, GOOD_FORM + "&grant_type=password", 400, "invalid_request"),
    ("username twice", "POST", "", FORM, {}, GOOD_FORM + "&username=ann", 400, "invalid_request"),
    ("password twice", "POST", "", FORM, {}, GOOD_FORM + "&password=x", 400, "invalid_request"),
    ("unknown twice", "POST", "", FORM, {}, GOOD_FORM + "&x=1&x=1", 400, "invalid_request"),
    ("escaped twice", "POST", "", FORM, {}, GOOD_FORM + "&%75sername=ann", 400, "invalid_request"),
    ("password in the URL", "POST", "?password=x", FORM, {}, GOOD_FORM, 400, "invalid_request"),
    ("username in the URL", "POST", "?username=ann", FORM, {}, GOOD_FORM, 400, "invalid_request"),
    ("all in the URL", "POST", "?" + GOOD_FORM, FORM, {}, "", 400, "invalid_request"),
    ("half an escape", "POST", "", FORM, {}, GOOD_FORM + "&x=%4", 400, "invalid_request"),
    ("no escape", "POST", "", FORM, {}, GOOD_FORM + "&x=%zz", 400, "invalid_request"),
    ("a NUL", "POST", "", FORM, {}, GOOD_FORM + "%00", 400, "invalid_request"),
    ("a raw NUL", "POST", "", FORM, {}, GOOD_FORM + "\0", 400, "invalid_request"),
    ("not UTF-8", "POST", "", FORM, {}, GOOD_FORM + "&x=%FF", 400, "invalid_request"),
    ("overlong UTF-8", "POST", "", FORM, {}, GOOD_FORM + "&x=%C0%80", 400, "invalid_request"),
    ("33 parameters", "POST", "", FORM, {}, GOOD_FORM + "".join(f"&x{i}=1" for i in range(30)), 400, "invalid_request"),
    ("20,000 bytes", "POST", "", FORM, {}, GOOD_FORM + "&x=" + "y" * 20000, 400, "invalid_request"),
    ("refresh_token", "POST", "", FORM, {}, form({**GOOD, "grant_type": "refresh_token"}), 400, "unsupported_grant_type"),
    ("client_credentials", "POST", "", FORM, {}, "grant_type=client_credentials", 400, "unsupported_grant_type"),
    ("authorization_code", "POST", "", FORM, {}, "grant_type=authorization_code&code=x", 400, "unsupported_grant_type"),
    ("Password", "POST", "", FORM, {}, form({**GOOD, "grant_type": "Password"}), 400, "unsupported_grant_type"),
    ("wrong password", "POST", "", FORM, {}, form({**GOOD, "username": "upd"}), 400, "invalid_grant"),
    ("unknown user", "POST", "", FORM, {}, form({**GOOD, "username": "nobody-knows"}), 400, "invalid_grant"),
    ("root", "POST", "", FORM, {}, form({**GOOD, "username": "root"}), 400, "invalid_grant"),
    ("a long name", "POST", "", FORM, {}, form({**GOOD, "username": "a" * 500}), 400, "invalid_grant"),
    ("a long password", "POST", "", FORM, {}, form({**GOOD, "username": "u2", "password": "a" * 9000}), 400, "invalid_grant"),
    ("a name in another case", "POST", "", FORM, {}, form({**GOOD, "username": "Ann"}), 400, "invalid_grant"),
    ("SQL", "POST", "", FORM, {}, form({**GOOD, "username": "ann' OR '1'='1"}), 400, "invalid_grant"),
    ("unknown scope", "POST", "", FORM, {}, GOOD_FORM + "&scope=everything", 400, "invalid_scope"),
    ("one unknown scope", "POST", "", FORM, {}, GOOD_FORM + "&scope=read+write", 400, "invalid_scope"),
    ("client by header", "POST", "", FORM, {"Authorization": "Basic eDp5"}, GOOD_FORM, 401, "invalid_client"),
    ("client by Bearer", "POST", "", FORM, {"Authorization": "Bearer x"}, GOOD_FORM, 401, "invalid_client"),
    ("client_secret", "POST", "", FORM, {}, GOOD_FORM + "&client_id=x&client_secret=y", 400, "invalid_client"),
    ("HEAD", "HEAD", "", None, {}, None, 405, None),
    ("OPTIONS", "OPTIONS", "", None, {}, None, 204, None),
]


@pytest.mark.parametrize("row", OAUTH, ids=[row[0] for row in OAUTH])
def test_oauth_matrix(doors, row):
    _, method, path, content_type, headers, body, status, error = row
    if content_type:
        headers = {**headers, "Content-Type": content_type}
    reply = requests.request(
        method,
        doors.auth + "/oauth2/token" + path,
        data=body,
        headers=headers,
        verify=doors.certificate,
        timeout=30,
    )
    assert reply.status_code == status, reply.text
    if status in (204, 405):
        assert reply.headers["Allow"] == "POST, OPTIONS"
        return
    assert reply.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Pragma"] == "no-cache"
    assert reply.json().get("error") == error
    assert ("access_token" in reply.json()) == (error is None)
    assert ("WWW-Authenticate" in reply.headers) == (status == 401)


def test_wrong_users_and_passwords_look_alike(doors):
    bodies, times = [], []
    for user in "upd", "nobody-there", "root", "daemon":
        start = time.monotonic()
        reply = doors.login(user, f"wrong {user}")
        times.append(time.monotonic() - start)
        bodies.append((reply.status_code, reply.content))
    assert len(set(bodies)) == 1
    assert min(times) >= 0.5  # held back, from the question on


def test_a_scope_takes_rights_away(doors):
    reply = doors.login(*UPDATER, scope="update_search_metadata delete_search_metadata").json()
    assert reply["scope"] == "update_search_metadata"
    assert doors.info(reply["access_token"])["rights"] == ["update_search_metadata"]
    assert doors.get("/files", reply["access_token"]).status_code == 403


def test_facts_and_the_end_of_a_token(doors):
    token = doors.token(UPDATER)
    info = doors.info(token)
    assert info["active"] is True and info["username"] == "upd"
    assert info["rights"] == ["read", "update_search_metadata"]
    assert info["exp"] - info["iat"] == 86400 and abs(info["iat"] - time.time()) < 60
    as_parameter = requests.get(
        doors.auth + f"/oauth2/token_info?access_token={token}",
        verify=doors.certificate,
        timeout=30,
    )
    assert as_parameter.json() == info
    assert doors.info("pxs_x") == {"active": False}

    assert doors.post("/oauth2/revoke", {}).json()["error"] == "invalid_request"
    for _ in range(2):  # RFC 7009: the second time is no error
        assert doors.post("/oauth2/revoke", {"token": token}).status_code == 200
    assert doors.get("/files", token).status_code == 403
    assert doors.info(token) == {"active": False}


def test_metadata(doors):
    reply = requests.get(
        doors.auth + "/.well-known/oauth-authorization-server",
        verify=doors.certificate,
        timeout=30,
    ).json()
    assert reply["issuer"] == doors.auth
    assert reply["token_endpoint"] == doors.auth + "/oauth2/token"
    assert reply["grant_types_supported"] == ["password"]


@pytest.mark.parametrize("host", ["", "a b", "a/b", "a?b", "a@b", '"a"', "\u00e4"])
def test_metadata_of_no_host(doors, host):
    """What comes back as the issuer must be one."""
    reply = requests.get(
        doors.auth + "/.well-known/oauth-authorization-server",
        headers={"Host": host.encode()},
        verify=doors.certificate,
        timeout=30,
    )
    assert reply.status_code == 400
    assert "Host" in reply.json()["collection"]["error"]["message"]


REVOCATIONS = [
    ("client by header", FORM, {"Authorization": "Basic eDp5"}, "token=x", 401, "invalid_client"),
    ("client_secret", FORM, {}, "token=x&client_secret=y", 400, "invalid_client"),
    ("no token", FORM, {}, "token=", 400, "invalid_request"),
    ("twice", FORM, {}, "token=x&token=x", 400, "invalid_request"),
    ("JSON", "application/json", {}, '{"token": "x"}', 400, "invalid_request"),
    ("with a hint", FORM, {}, "token=x&token_type_hint=access_token", 200, None),
]


@pytest.mark.parametrize("row", REVOCATIONS, ids=[row[0] for row in REVOCATIONS])
def test_revocation_matrix(doors, row):
    _, content_type, headers, body, status, error = row
    reply = doors.post("/oauth2/revoke", body, headers={**headers, "Content-Type": content_type})
    assert reply.status_code == status, reply.text
    assert reply.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.json().get("error") == error
    assert ("WWW-Authenticate" in reply.headers) == (status == 401)


def test_no_password_over_plain_http(doors):
    reply = requests.post(doors.search + "/oauth2/token", data=GOOD, timeout=30)
    assert reply.status_code == 400 and reply.json()["error"] == "invalid_request"
    assert "TLS" in reply.json()["error_description"]
    # And no catalogue at the authorisation server.
    token = doors.token(ANN)
    reply = requests.get(
        doors.auth + "/files", auth=(token, ""), verify=doors.certificate, timeout=30
    )
    assert reply.status_code == 404


# --- Life of tokens ---


def test_tokens_survive_a_restart_and_end_in_time(new_daemon):
    doors = Doors(new_daemon(), CONFIG, "--token-life", "3s")
    doors.add_user(ANN)
    start = time.time()
    token = doors.token(ANN)
    body = json.dumps({"user": "nobody", "label": "nightly", "expires_in": 3600})
    longer = doors.daemon.http("POST", "/tokens", body).json
    doors.daemon.kill()
    doors.start()
    assert doors.get("/files", longer["token"]).status_code == 200
    if time.time() < start + 2.5:
        assert doors.get("/files", token).status_code == 200
    wait_until(lambda: doors.get("/files", token).status_code == 403, 10)
    tokens = json.loads(doors.daemon.get("/tokens").body)["tokens"]
    assert [(t["user"], t["label"], t["granted"]) for t in tokens] == [("nobody", "nightly", True)]
    assert longer["token"].startswith(tokens[0]["begins"]) and len(tokens[0]["begins"]) == 12
    assert doors.daemon.http("DELETE", f"/tokens/{longer['id']}").status == 204
    assert doors.get("/files", longer["token"]).status_code == 403
    assert doors.daemon.http("DELETE", f"/tokens/{longer['id']}").status == 404


def test_a_changed_password_ends_tokens(doors):
    doors.add_user(("eve", "old one"))
    token = doors.token(("eve", "old one"))
    body = json.dumps({"password": "new one", "rights": ""})
    assert doors.daemon.http("PATCH", "/users/eve", body).status == 204
    assert doors.get("/files", token).status_code == 403
    token = doors.token(("eve", "new one"))
    assert doors.get("/files", token).status_code == 403  # no right to read any more
    assert doors.info(token)["rights"] == []
    assert doors.daemon.http("DELETE", "/users/eve").status == 204
    assert doors.info(token) == {"active": False}
    assert doors.login("eve", "new one").json()["error"] == "invalid_grant"


def test_hup_takes_over_robots_and_rights(new_daemon):
    doors = Doors(new_daemon())
    token = doors.token(ROBOT)
    assert len(doors.info(token)["rights"]) == 4
    doors.write_robots("robby:another\nrobin:hood-77\n")
    doors.write_config(CONFIG.replace("robby = all", "robby = read\nrobin = delete_search_metadata"))
    doors.reload()
    assert doors.info(token)["rights"] == ["read"]
    assert doors.login(*ROBOT).status_code == 400
    robin = doors.token(("robin", "hood-77"))
    assert doors.info(robin)["rights"] == ["read", "delete_search_metadata"]

    # What is wrong changes nothing.
    doors.daemon.announced.append(rb"cannot take over what changed: .*line 3: unknown key 'rset'")
    doors.write_config("\n\nrset = 127.0.0.1:0\n")
    doors.daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "unknown key 'rset'; did you mean 'rest'?" in doors.daemon.log_text())
    assert doors.get("/files", robin).status_code == 200


# --- The certificate ---


def fingerprint_at(url):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(host_and_port(url), timeout=30) as plain:
        with context.wrap_socket(plain) as tls:
            der = tls.getpeercert(binary_form=True)
    return ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())


def make_certificate(folder, name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9"]
        + ["-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        + ["-keyout", f"{folder}/k.pem", "-out", f"{folder}/c.pem"],
        check=True,
        capture_output=True,
    )


def test_the_certificate_is_the_one_shown(doors):
    facts = json.loads(doors.daemon.get("/certificate").body)
    assert facts["fingerprint"] == fingerprint_at(doors.auth)
    assert facts["self_signed"] is True
    assert {"localhost", "127.0.0.1", "::1", socket.gethostname()} <= set(facts["names"].split())
    assert 396 < (facts["not_after"] - time.time()) / 86400 < 398
    with open(doors.certificate, encoding="ascii") as file:
        assert file.read() == facts["pem"]
    assert os.stat(os.path.join(doors.daemon.index, "tls-key.pem")).st_mode & 0o777 == 0o600
    pinned = subprocess.run(
        ["curl", "-sk", "--pinnedpubkey", facts["pin"], doors.auth + "/oauth2/token_info"],
        check=False,
        capture_output=True,
    )
    assert b"no token came" in pinned.stdout
    wrong = subprocess.run(
        ["curl", "-sk", "--pinnedpubkey", "sha256//" + "A" * 43 + "=", doors.auth],
        check=False,
        capture_output=True,
    )
    assert wrong.returncode == 90


def test_old_tls_is_refused(doors):
    for version in ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")
        with socket.create_connection(host_and_port(doors.auth), timeout=30) as plain:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(plain)


def test_a_certificate_is_taken_over_without_losing_connections(new_daemon):
    daemon = new_daemon()
    make_certificate(daemon.home, "first")
    paths = ["--certificate", f"{daemon.home}/c.pem", "--certificate-key", f"{daemon.home}/k.pem"]
    doors = Doors(daemon, CONFIG, "--rest-tls", "always", *paths)
    doors.certificate = f"{daemon.home}/c.pem"
    doors.add_user(ANN)
    assert doors.search.startswith("https://")
    before = fingerprint_at(doors.auth)
    with requests.Session() as session:
        session.trust_env = False  # $REQUESTS_CA_BUNDLE would come first
        session.verify = shutil.copy(doors.certificate, f"{daemon.home}/old.pem")
        session.auth = (doors.token(ANN), "")
        assert session.get(doors.search + "/files", timeout=30).status_code == 200
        make_certificate(daemon.home, "second")
        doors.reload()
        after = fingerprint_at(doors.auth)
        assert after != before and after == fingerprint_at(doors.search)
        # The old connection goes on: with a new one the old certificate would not do.
        assert session.get(doors.search + "/files", timeout=30).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(doors.search + "/files", verify=session.verify, timeout=30)

    # A search server that has TLS gives tokens as well: one address for all.
    reply = requests.post(
        doors.search + "/oauth2/token", data=GOOD, verify=doors.certificate, timeout=30
    )
    assert reply.status_code == 200

    daemon.announced.append(rb"cannot take over what changed: .*no certificate with its key")
    with open(doors.certificate, "w", encoding="ascii") as file:
        file.write("nonsense")
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "no certificate with its key" in daemon.log_text())
    assert fingerprint_at(doors.auth) == after


# --- Guessing ---


@slow
def test_guessing_is_slow_and_the_owner_comes_in(new_daemon):
    doors = Doors(new_daemon())
    doors.add_user(ANN)
    host, port = host_and_port(doors.auth)

    def guess(number, source):
        body = form({**GOOD, "password": f"guess {number}"}).encode()
        context = ssl.create_default_context(cafile=doors.certificate)
        with socket.create_connection((host, port), 30, (source, 0)) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as tls:
                tls.sendall(
                    b"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n"
                    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s"
                    % (FORM.encode(), len(body), body)
                )
                return read_all(tls)

    if host != "127.0.0.1":
        pytest.skip("localhost is not 127.0.0.1 here")
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda n: guess(n, "127.0.0.2"), range(16)))
    assert all(b"invalid_grant" in reply for reply in replies)
    assert time.monotonic() - start >= 7.5  # the last ones were held back for 8 s
    start = time.monotonic()
    assert doors.login(*ANN).status_code == 200  # from 127.0.0.1
    assert time.monotonic() - start < 5


# --- Users of this machine, by PAM ---

PAM_FILE = "/etc/pam.d/pxs-e2e-test"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to write a PAM service")
@pytest.mark.parametrize(
    "stack, status",
    [
        ("auth required pam_permit.so\naccount required pam_permit.so\n", 200),
        ("auth required pam_deny.so\naccount required pam_permit.so\n", 400),
        ("auth required pam_permit.so\naccount required pam_deny.so\n", 400),
    ],
)
def test_pam_decides(new_daemon, stack, status):
    with open(PAM_FILE, "x", encoding="ascii") as file:
        file.write(stack)
    try:
        doors = Doors(new_daemon(), CONFIG, "--pam", os.path.basename(PAM_FILE))
        assert doors.login("daemon", "whatever").status_code == status
        assert doors.login("root", "whatever").status_code == 400
        assert doors.login("no-such-user", "whatever").status_code == 400
        if status == 200:
            token = doors.token(("daemon", "x"))
            assert doors.info(token)["rights"] == ["read", "update_search_metadata"]
    finally:
        os.unlink(PAM_FILE)


# --- Slow and broken clients ---


@slow
def test_slow_clients_are_cut_and_others_served(doors):
    host, port = host_and_port(doors.search)
    token = doors.token(ANN)
    start = time.monotonic()
    slow = [socket.create_connection((host, port), 30) for _ in range(100)]
    for connection in slow:
        connection.sendall(b"GET /files HTTP/1.1\r\n")
        connection.settimeout(1)
    cut = 0
    while cut < len(slow):
        assert time.monotonic() - start < 25
        for connection in slow:
            try:
                connection.send(b"X-A: b\r\n")
            except OSError:
                pass
        assert doors.get("/files", token).status_code == 200
        cut = sum(is_closed(connection) for connection in slow)
        time.sleep(1)
    assert time.monotonic() - start >= 9
    for connection in slow:
        connection.close()


def read_all(connection):
    reply = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionError:
            return reply
        if not piece:
            return reply
        reply += piece


def is_closed(connection):
    try:
        connection.setblocking(False)
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def exchange(doors, request):
    with socket.create_connection(host_and_port(doors.search), 30) as connection:
        with contextlib.suppress(OSError):  # it may be cut before it is all sent
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


@pytest.mark.parametrize(
    "name, head, body, statuses",
    [
        ("two lengths", b"Content-Length: 0\r\nContent-Length: 5\r\n", b"GET /", {b"400", b""}),
        ("length and chunks", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n", {b"400", b""}),
        ("a negative length", b"Content-Length: -1\r\n", b"", {b"400", b""}),
        ("a length of letters", b"Content-Length: 1x\r\n", b"", {b"400", b""}),
        ("a huge length", b"Content-Length: 99999999999999999999\r\n", b"", {b"400", b"413", b""}),
        ("unknown coding", b"Transfer-Encoding: xchunked\r\n", b"", {b"400", b"501", b""}),
        ("a large header", b"X-A: " + b"a" * 20000 + b"\r\n", b"", {b"431"}),
        ("many headers", b"".join(b"X-%d: a\r\n" % i for i in range(3000)), b"", {b"431"}),
        ("an endless header", b"X-A: " + b"a" * 400000 + b"\r\n", b"", {b"431", b"413", b""}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_ambiguous_and_oversized_requests_end_the_connection(doors, name, head, body, statuses):
    token = doors.token(ROBOT).encode()
    request = (
        b"POST /files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n%s"
        % (token, head, body)
    )
    reply = exchange(doors, request + b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
    status = reply[9:12]
    assert status in statuses, (name, reply[:300])
    # What follows is never taken for a request of its own. (libmicrohttpd says a 400 of its own twice.)
    assert not re.search(rb"HTTP/1\.1 [^4]", reply) and b"pid" not in reply, reply


# --- What may not be found anywhere ---


def process_list():
    """What every user of the machine may see of all processes (ps -ef), and what their owners may (ps e)."""
    told = b""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in "cmdline", "environ":
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    told += file.read()
            except OSError:
                pass  # it has ended, or is not ours
    return told


def test_no_secret_is_left_behind(new_daemon, tmp_path):
    doors = Doors(new_daemon(), CONFIG, "--verbose")
    doors.add_user(ANN)
    token = doors.token(ANN)
    doors.login(ANN[0], "wrong-pass-3e4d")
    doors.get("/files", token)
    doors.get(f"/files?access_token={token}")
    doors.get("/nothing", token)
    doors.post("/oauth2/token", "garbage=" + ANN[1])
    processes = process_list()
    assert b"--verbose" in processes
    with open(f"/proc/{doors.daemon.process.pid}/coredump_filter", encoding="ascii") as file:
        assert int(file.read(), 16) == 0
    assert doors.daemon.stop() == 0

    secrets = [token, token[16:40], ANN[1], "wrong-pass-3e4d", ROBOT[1]]
    searched = 0
    for folder, _, names in os.walk(doors.daemon.home):
        for name in names:
            path = os.path.join(folder, name)
            if path == doors.robots or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                content = file.read()
            searched += 1
            for secret in secrets:
                assert secret.encode() not in content, path
    assert searched >= 6
    for secret in secrets:
        assert secret.encode() not in processes


# --- The command line of the daemon ---


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("rset = localhost:0\n", "line 1: unknown key 'rset'; did you mean 'rest'?"),
        ("\nfrobnicate = 1\n", "line 2: unknown key 'frobnicate'"),
        ("rest\n", "line 1: that is neither KEY = VALUE nor [SECTION]"),
        ("rest =\n", "line 1: the key 'rest' has no value"),
        ("public = maybe\n", "line 1: public: it is yes or no, not 'maybe'"),
        ("token-life = 1 day\n", "line 1: token-life: it is a time"),
        ("robots = robots\n", "line 1: robots: it must be an absolute path"),
        ("[right]\na = read\n", "line 2: unknown section [right]"),
        ("[rights]\nann = write\n", "line 2: unknown right 'write'"),
        ("[rights]\n@no-such-group-here = read\n", "the group no-such-group-here, which does not exist"),
        ("rest = " + "x" * 300 + "\n", "line 1: a line has at most"),
        ("rest = nonsense\n", "nonsense is no address to listen at"),
        ("auth = 0.0.0.0:0\nauth-plain = yes\n", "loopback address only"),
        ("certificate = /no/such\n", "only one of them is given"),
    ],
)
def test_a_wrong_configuration_is_told(work, tmp_path, text, sentence):
    path = tmp_path / "pxs.conf"
    if "certificate" in text:
        text += "auth = localhost:0\n"
    path.write_text(text)
    done = daemons.pxs("daemon", "--index", str(tmp_path / "i"), "--socket", str(tmp_path / "s"),
                       "--config", str(path))
    assert done.returncode == 2, done
    assert sentence in done.stderr.decode(), done.stderr


def test_the_command_line_counts_more(new_daemon):
    doors = Doors(new_daemon(), CONFIG + "\n", "--auth-errors", "rfc6750", "--token-life", "90s")
    doors.add_user(ANN)
    assert doors.login(*ANN).json()["expires_in"] == 90
    assert doors.get("/files").status_code == 401


# --- The verbs ---


def test_users_and_tokens_by_the_command_line(new_daemon, tmp_path):
    doors = Doors(new_daemon())
    pxs = doors.daemon.pxs
    password = tmp_path / "password"
    password.write_text(ANN[1] + "\n")
    pxs("user", "add", ANN[0], "--password-file", str(password), "--rights", "read,operate")
    pxs("user", "add", ANN[0], "--password-file", str(password), code=2)
    pxs("user", "rights", ANN[0], "--rights", "all")
    assert doors.info(doors.token(ANN))["rights"] == [
        "read",
        "update_search_metadata",
        "delete_search_metadata",
        "bypass_file_access_security",
    ]
    listed = json.loads(pxs("user", "list", "--json").stdout)
    assert listed["name"] == "ann" and len(listed["rights"]) == 4
    password.write_text("another one")
    pxs("user", "passwd", ANN[0], "--password-file", str(password))
    assert doors.login(*ANN).status_code == 400
    assert doors.login(ANN[0], "another one").status_code == 200

    token = pxs("token", "create", "--user", ANN[0], "--label", "x y").stdout.decode().strip()
    assert doors.get("/files", token).status_code == 200
    lines = [json.loads(line) for line in pxs("token", "list", "--json").stdout.splitlines()]
    assert [line["label"] for line in lines] == ["x y", ""]
    assert token.encode() not in pxs("token", "list").stdout
    pxs("token", "revoke", str(lines[0]["id"]))
    assert doors.get("/files", token).status_code == 403
    pxs("token", "revoke", "999", code=1)
    pxs("token", "create", "--user", "no-such-user-here", code=2)
    pxs("token", "create", "--expires", "1 day", code=2)
    pxs("user", "remove", ANN[0])
    assert pxs("user", "list").stdout == b""

    shown = pxs("cert", "show").stdout.decode()
    assert fingerprint_at(doors.auth) in shown
    with open(doors.certificate, "rb") as file:
        assert pxs("cert", "show", "--pem").stdout == file.read()


def test_verbs_reach_a_server_with_a_token(new_daemon, small_tree, tmp_path):
    doors = Doors(new_daemon(), CONFIG, "--rest-tls", "always")
    doors.daemon.pxs("ingest", small_tree)
    doors.add_user(ANN)
    token = tmp_path / "token"
    token.write_text(doors.token(ANN))

    def remote(*arguments, code=0, server=doors.search, cacert=doors.certificate):
        options = ("--server", server, "--token-file", str(token))
        options += ("--cacert", cacert) if cacert else ()
        done = daemons.pxs(*arguments, *options)
        assert done.returncode == code, done
        return done

    here = doors.daemon.pxs("find", "core.type:file", "--paths").stdout
    assert here.count(b"\n") > 10
    assert remote("find", "core.type:file", "--paths").stdout == here
    assert b"operate right required" in remote("check", code=12).stderr
    assert b"not trusted" in remote("status", code=12, cacert=None).stderr
    assert b"no https:// URL" in remote("status", code=2, server="http://example.org:1").stderr
    token.write_text("pxs_wrong")
    assert b"proper credentials" in remote("find", "x", code=12).stderr


def test_the_cookbook_s_batch_user(new_daemon, small_tree):
    """seeds: a passwordless robot, recently changed files, the awk path. In today's Python."""
    doors = Doors(new_daemon())
    doors.daemon.pxs("ingest", small_tree)
    with open(doors.robots, encoding="utf-8") as file:
        robots = dict(line.strip().split(":", 1) for line in file)
    reply = requests.post(
        doors.auth + "/oauth2/token",
        data={"grant_type": "password", "username": "robby", "password": robots["robby"]},
        verify=doors.certificate,
        timeout=30,
    )
    token = reply.json()["access_token"]
    where = json.dumps({"core.modificationtime": {"gte": 0}})
    page = requests.get(f"{doors.search}/files?where={where}", auth=(token, ""), timeout=30).json()
    paths = [
        field["value"]
        for item in page["collection"]["items"]
        for field in item["data"]
        if field["name"] == "core.pathname"
    ]
    assert paths and all(path.startswith(small_tree) for path in paths)

    command = (
        f"curl -gs '{doors.search}/files?where={{\"core.type\":\"file\"}}&max_results=10&pretty'"
        f" -u {token}: | awk -F': ' '/core\\.pathname/ {{getline; gsub(/\"/, \"\"); print $2}}'"
    )
    out = subprocess.run(["bash", "-c", command], check=True, capture_output=True).stdout
    assert len(out.splitlines()) == 10
