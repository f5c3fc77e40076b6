#!/usr/bin/env python3
"""Checks Spark's pushes, and the tests' fakes, with libraries of other projects.

Usage: push_judges.py spark SPARK_BINARY
       push_judges.py fakes [TEST_BUNDLE]      (default .build/debug/sparkPackageTests.xctest, made by `swift build --build-tests`)

`spark` is a browser and its push service: starts a server, registers itself as a device, has `spark push test` push to it, decrypts
with http-ece and verifies the sender with py-vapid. `fakes` lets aioapns, google-auth and pywebpush push to the fakes of the tests,
which refuse whatever a provider would. Exit code 1 when anybody objects.

Needs, in an environment of your own:  pip install pywebpush==2.5 http-ece py-vapid aioapns==4.0 google-auth requests cryptography
"""
import argparse, asyncio, base64, datetime, http.server, ipaddress, json, os, ssl, subprocess, sys, tempfile, threading, time
import urllib.request
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

objections = []


def judge(holds, words):
    print(f"{'ok  ' if holds else 'FAIL'} {words}")
    if not holds:
        objections.append(words)


def text(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def certificate(folder):
    """A certificate for localhost that is its own authority; two files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1)).add_extension(x509.SubjectAlternativeName(names), False)
        .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    )
    with open(f"{folder}/cert.pem", "wb") as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
    with open(f"{folder}/key.pem", "wb") as file:
        file.write(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return f"{folder}/cert.pem", f"{folder}/key.pem"


class Browser:
    """One subscription, and the push service in front of it."""

    def __init__(self, folder):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)
        self.pushes = []
        pushes = self.pushes

        class Service(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                pushes.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(201)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.certificate, key = certificate(folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.origin = f"https://localhost:{server.server_address[1]}"

    @property
    def keys(self):
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        return {"p256dh": text(point), "auth": text(self.auth)}

    def examine(self, headers, body, server_key):
        import http_ece
        from py_vapid import Vapid02

        plain = http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        judge(isinstance(json.loads(plain), dict), f"http-ece decrypts {len(body)} bytes to {len(plain)} of JSON")
        judge(len(body) <= 4096 and headers.get("content-encoding") == "aes128gcm", "coding and size are those of RFC 8291")
        judge(headers.get("ttl", "").isdigit(), f"TTL is {headers.get('ttl')}")
        judge(headers.get("urgency") in {"very-low", "low", "normal", "high"}, f"Urgency is {headers.get('urgency')}")
        topic = headers.get("topic")
        judge(topic is None or 0 < len(topic) <= 32, f"Topic is {topic}")
        authorization = headers["authorization"]
        judge(Vapid02.verify(authorization), "py-vapid verifies the sender")
        parts = dict(part.strip().split("=", 1) for part in authorization.split(" ", 1)[1].split(","))
        claims = json.loads(raw(parts["t"].split(".")[1]))
        judge(parts["k"] == server_key, "the sender's key is the one that browsers subscribe with")
        judge(claims["aud"] == self.origin, "the audience is the push service")
        judge(time.time() < claims["exp"] <= time.time() + 86_400, "the signature ends within a day")


def call(method, url, body=None, token=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, json.dumps(body).encode() if body is not None else None, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


def examine_spark(spark):
    with tempfile.TemporaryDirectory(prefix="spark-judges-") as folder:
        browser = Browser(folder)
        env = os.environ | {
            "SPARK_PUSH_WEBPUSH_HOSTS": "localhost", "SPARK_PUSH_WEBPUSH_ALLOW_PRIVATE": "true",
            "SPARK_PUSH_WEBPUSH_SUBJECT": "mailto:operator@example.org",
            "SPARK_PUSH_TRUSTED_ROOTS_FILE": browser.certificate,
        }
        data = f"{folder}/data"
        server = subprocess.Popen([spark, "serve", "--data", data, "--listen", "127.0.0.1:0"],
                                  env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            api = json.loads(server.stdout.readline())["url"] + "/api/v1"
            person = call("POST", f"{api}/auth/register", {
                "email": "judge@example.org", "password": "correct horse battery", "name": "Judge",
                "birth_date": "1990-05-01", "gender": "woman", "interested_in": ["man"]})
            server_key = call("GET", f"{api}/push/webpush-key")["key"]
            call("PUT", f"{api}/me/devices/browser", {
                "provider": "webpush", "token": f"{browser.origin}/push/1", "keys": browser.keys}, person["access_token"])
            said = subprocess.run([spark, "push", "test", person["user"]["id"], "--data", data], env=env,
                                  capture_output=True, text=True, timeout=120)
            print(said.stdout.strip() or said.stderr.strip())
            judge(said.returncode == 0, "spark push test says that it arrived")
            judge(len(browser.pushes) >= 1, "it arrived")
            for headers, body in browser.pushes:
                browser.examine(headers, body, server_key)
        finally:
            server.terminate()
            server.wait(30)


async def push_by_aioapns(fakes):
    from aioapns import APNs, NotificationRequest, PushType
    from aioapns.connection import APNsProductionClientProtocol

    address = urlsplit(fakes["apns"])
    APNsProductionClientProtocol.APNS_SERVER, APNsProductionClientProtocol.APNS_PORT = address.hostname, address.port
    context = ssl.create_default_context(cafile=fakes["roots"])
    context.set_alpn_protocols(["h2"])
    with open(fakes["apns_key"]) as file:
        key = file.read()
    client = APNs(key=key, key_id=fakes["apns_key_id"], team_id=fakes["apns_team_id"],
                  topic=fakes["apns_topic"], max_connections=1, ssl_context=context)
    for number in range(20):
        request = NotificationRequest(
            device_token=f"{number:064x}", message={"aps": {"alert": {"title": "a", "body": "b"}, "badge": 1}},
            collapse_key="c", push_type=PushType.ALERT, priority=10)
        result = await asyncio.wait_for(client.send_notification(request), 30)
        if not result.is_successful:
            return judge(False, f"aioapns is refused by the fake: {result.status} {result.description}")
    judge(True, "aioapns pushes 20 times to the fake of APNs")


def trusting(fakes, session):
    """Trusts the fakes' authority, and ignores the environment."""
    session.trust_env, session.verify = False, fakes["roots"]
    return session


def push_by_google_auth(fakes):
    import requests
    from google.auth.transport.requests import AuthorizedSession, Request
    from google.oauth2 import service_account

    session = trusting(fakes, requests.Session())
    credentials = service_account.Credentials.from_service_account_file(
        fakes["fcm_credentials"], scopes=["https://www.googleapis.com/auth/firebase.messaging"])
    credentials.refresh(Request(session=session))
    authorized = trusting(fakes, AuthorizedSession(credentials, auth_request=Request(session=session)))
    url = f"{fakes['fcm']}/v1/projects/{credentials.project_id}/messages:send"
    message = {"message": {"token": "x" * 20, "notification": {"title": "a", "body": "b"}, "data": {"kind": "message"},
                           "android": {"priority": "HIGH", "ttl": "60s", "collapse_key": "c"}}}
    answer = authorized.post(url, json=message, timeout=30)
    judge(answer.status_code == 200, f"google-auth gets a token and pushes to the fake of FCM: {answer.status_code}")


def push_by_pywebpush(fakes, folder):
    import requests
    from py_vapid import Vapid02
    from pywebpush import webpush

    session = trusting(fakes, requests.Session())
    vapid = Vapid02()
    vapid.generate_keys()
    vapid.save_key(f"{folder}/vapid.pem")
    url = {"endpoint": fakes["endpoint"], "keys": {"p256dh": fakes["p256dh"], "auth": fakes["auth"]}}
    answer = webpush(url, data=json.dumps({"title": "a"}), vapid_private_key=f"{folder}/vapid.pem",
                     vapid_claims={"sub": "mailto:judge@example.org"}, ttl=60, requests_session=session)
    judge(answer.status_code == 201, f"pywebpush pushes to the fake of Web Push: {answer.status_code}")


def examine_fakes(bundle):
    with tempfile.TemporaryDirectory(prefix="spark-judges-") as folder:
        file = f"{folder}/fakes.json"
        tests = subprocess.Popen(
            [bundle, "--testing-library", "swift-testing", "--filter", "FakesForOutsiders"],
            env=os.environ | {"SPARK_PUSH_FAKES": file}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            end = time.monotonic() + 120
            while not os.path.exists(file):
                if tests.poll() is not None or time.monotonic() > end:
                    sys.exit("The fakes do not stand up: " + (tests.stdout.read() if tests.poll() is not None else ""))
                time.sleep(0.05)
            with open(file) as opened:
                fakes = json.load(opened)
            asyncio.run(push_by_aioapns(fakes))
            push_by_google_auth(fakes)
            push_by_pywebpush(fakes, folder)
        finally:
            if os.path.exists(file):
                os.remove(file)
            said, _ = tests.communicate(timeout=120)
        judge(tests.returncode == 0, "the fakes had nothing to object to")
        if tests.returncode != 0:
            print(said)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=["spark", "fakes"])
    parser.add_argument("binary", nargs="?", default=".build/debug/sparkPackageTests.xctest")
    arguments = parser.parse_args()
    (examine_spark if arguments.subject == "spark" else examine_fakes)(os.path.abspath(arguments.binary))
    sys.exit(1 if objections else 0)


if __name__ == "__main__":
    main()
