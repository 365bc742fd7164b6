"""Who asks, and what they may do, when the cluster decides: the real gateway between a stand-in for the aggregator and one for the cluster."""

import base64
import json
import os
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from stack import API, BIN, GROUP, ROOT, Engine, Gateway, eventually, workflow

sys.path.append(str(Path(__file__).resolve().parent / "conformance"))
from fake_kube import FakeKube, most_reviews  # noqa: E402
from wire import Stream, Wire  # noqa: E402

WORKFLOWS = f"{API}/namespaces/default/workflows"
UNAUTHORIZED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "Unauthorized", "reason": "Unauthorized", "code": 401}


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """A CA in a folder, and what it signs."""

    def __init__(self, folder, name):
        self.folder, self.made = Path(folder), 0
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key = self.folder / "ca.crt", self.folder / "ca.key"
        self.new_key(self.key)
        openssl("req", "-x509", "-key", self.key, "-days", 2, "-subj", f"/CN={name}", "-out", self.certificate)

    @staticmethod
    def new_key(path):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)

    @property
    def pem(self):
        return self.certificate.read_text()

    def issue(self, name, organisations=(), days=2, usage="clientAuth", alternatives=""):
        """Certificate and key files; `days=0` has expired a second later."""
        self.made += 1
        base = self.folder / f"{self.made}"
        key, request, certificate, extensions = (base.with_suffix(end) for end in (".key", ".csr", ".crt", ".ext"))
        self.new_key(key)
        subject = "".join(f"/O={one}" for one in organisations) + f"/CN={name}"
        openssl("req", "-new", "-key", key, "-subj", subject, "-out", request)
        extensions.write_text(f"extendedKeyUsage={usage}\n" + (f"subjectAltName={alternatives}\n" if alternatives else ""))
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", certificate)
        return certificate, key


class Kube(FakeKube):
    """Also tells how the gateway shows itself, and can be away: then every connection ends without an answer."""

    def __init__(self, pki):
        self.away, self.paths, self.credentials = False, [], []
        super().__init__(pki)

    def handler(kube):  # noqa: N805
        class Handler(super().handler()):
            def parse_request(self):
                if kube.away:
                    self.close_connection = True
                    return False
                if not super().parse_request():
                    return False
                kube.paths.append(self.path)
                kube.credentials.append(self.headers.get("Authorization"))
                return True
        return Handler


class Home(Gateway):
    """The gateway with nothing but the flags that a test gives it."""

    def __init__(self, folder, config, *flags):
        self.serving = Authority(folder / "serving", "serving")
        self.renew()
        super().__init__(folder, config, flags=flags)

    def renew(self):
        """Another certificate at the same place, as cert-manager does it."""
        certificate, key = self.serving.issue("gateway", usage="serverAuth", alternatives="DNS:localhost,IP:127.0.0.1")
        for made, name in ((certificate, "tls.crt"), (key, "tls.key")):
            os.replace(made, self.serving.folder / name)

    def start(self, ready=True):
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [str(BIN / "workflow-apiserver"), "--config", str(self.config), "--adapters-dir", str(self.adapters), "--bind-address", "127.0.0.1",
             "--secure-port", str(self.port), "--port-file", str(port_file), "--tls-cert-file", str(self.serving.folder / "tls.crt"),
             "--tls-private-key-file", str(self.serving.folder / "tls.key"), "--v", "4", *self.flags],
            stdout=open(self.folder / "gateway.log", "ab"), stderr=subprocess.STDOUT)
        eventually(lambda: self.process.poll() is not None or port_file.exists() and port_file.read_text().strip(), what="the gateway's port")
        assert self.process.poll() is None, (self.folder / "gateway.log").read_text()[-3000:]
        self.port = int(port_file.read_text())

    @property
    def log(self):
        return (self.folder / "gateway.log").read_text()

    def connect(self, certificate=None):
        context = ssl.create_default_context(cafile=str(self.serving.certificate))
        if certificate:
            context.load_cert_chain(*map(str, certificate))
        return context

    def wire(self, certificate=None):
        return Wire(self.port, self.connect(certificate))


def bound(*engines, **more):
    """A configuration with one namespace for each engine: `default`, `second` …"""
    names = ["default", "second"][:len(engines)]
    return {
        "backends": [{"name": f"ci-{name}", "adapter": "local", "url": engine.url, "credentials": {"token": {"file": str(engine.folder / "token")}}}
                     for name, engine in zip(names, engines)],
        "bindings": [{"backend": f"ci-{name}", "namespace": name, "poll": {"interval": "500ms"}, **more} for name in names]}


class World:
    """Cluster, two engines, gateway, and the CAs of users and of the front proxy."""

    def __init__(self, folder, *flags, **binding):
        self.folder = folder
        self.users, self.proxies, self.others = (Authority(folder / name, name) for name in ("users", "proxies", "others"))
        subprocess.run([str(BIN / "workflow-apiserver"), "certificates", "--dir", str(folder / "kube")], check=True)
        self.kube = Kube(folder / "kube")
        self.kube.configure(self.map())
        self.token_file = folder / "token"
        self.token_file.write_text("gateway-1\n")
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(yaml.safe_dump(self.kubeconfig_for({"tokenFile": "token"})))
        self.engines = [Engine(folder / "engine-1"), Engine(folder / "engine-2")]
        self.home = Home(folder / "home", bound(*self.engines, **binding), "--kubeconfig", self.kubeconfig, "--authorization-webhook-cache-authorized-ttl", "1s",
                         "--authorization-webhook-cache-unauthorized-ttl", "1s", "--authentication-token-webhook-cache-ttl", "2s", *flags)
        self.proxy = self.home.wire(self.proxies.issue("front-proxy-client"))
        eventually(lambda: self.ask(self.proxy, remote("start", "system:masters"))[0].status == 200, what="the first sweep")

    def map(self, **changes):
        return {"client-ca-file": self.users.pem, "requestheader-client-ca-file": self.proxies.pem, "requestheader-allowed-names": '["front-proxy-client"]',
                "requestheader-username-headers": '["X-Remote-User"]', "requestheader-uid-headers": '["X-Remote-Uid"]',
                "requestheader-group-headers": '["X-Remote-Group"]', "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]', **changes}

    def kubeconfig_for(self, user, **cluster):
        return {"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}], "users": [{"name": "u", "user": user}],
                "clusters": [{"name": "k", "cluster": {
                    "server": self.kube.url, "tls-server-name": "localhost",
                    "certificate-authority-data": base64.b64encode((self.folder / "kube" / "ca.crt").read_bytes()).decode(), **cluster}}]}

    def ask(self, wire, headers=None, path=WORKFLOWS, method="GET", body=None, **query):
        """An answer, and the SubjectAccessReviews that it took."""
        before = len(self.kube.reviews)
        answer = wire.request(method, path, body, headers, **query)
        return answer, self.kube.reviews[before:]

    def stop(self):
        self.home.stop()
        for engine in self.engines:
            engine.stop()
        self.kube.stop()


def remote(user, *groups, **extra):
    return {"X-Remote-User": user, **({"X-Remote-Group": list(groups)} if groups else {}), **extra}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    running = World(tmp_path_factory.mktemp("delegation"))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def calm(request):
    if "world" in request.fixturenames:
        kube = request.getfixturevalue("world").kube
        kube.allow, kube.failure, kube.away = lambda spec: True, None, False


def forbidden(user, verb="list", resource="workflows", where='in the namespace "default"', name="", reason=""):
    message = f'{resource}.{GROUP}{name} is forbidden: User "{user}" cannot {verb} resource "{resource}" in API group "{GROUP}" {where}{reason}'
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": "Forbidden",
            "details": {"group": GROUP, "kind": resource}, "code": 403}


# Identity, allowed and denied


def identities(world):
    world.kube.tokens["robot-token"] = {"username": "system:serviceaccount:ci:robot", "uid": "u-9", "groups": ["system:serviceaccounts", "system:serviceaccounts:ci"],
                                        "extra": {"authentication.kubernetes.io/pod-name": ["robot-0"]}}
    everybody = "system:authenticated"
    return {
        "front proxy": (world.proxy, remote("jane doe", "a,b", "g 1", "", everybody, **{
            "X-Remote-Uid": "u-1", "X-Remote-Extra-A.b%2fC": ["v1", "v 2,3"], "x-remote-extra-authentication.kubernetes.io%2Fcredential-Id": "X509SHA256=1"}),
            {"user": "jane doe", "uid": "u-1", "groups": ["a,b", "g 1", everybody],
             "extra": {"a.b/c": ["v1", "v 2,3"], "authentication.kubernetes.io/credential-id": ["X509SHA256=1"]}}),
        "front proxy without groups": (world.proxy, remote("system:aggregator"), {"user": "system:aggregator", "groups": [everybody]}),
        "certificate": (world.home.wire(world.users.issue("joe", ["devs", "ops team"])), {}, {"user": "joe", "groups": ["devs", "ops team", everybody]}),
        "token": (world.home.wire(), bearer("robot-token"), {
            "user": "system:serviceaccount:ci:robot", "uid": "u-9", "groups": ["system:serviceaccounts", "system:serviceaccounts:ci", everybody],
            "extra": {"authentication.kubernetes.io/pod-name": ["robot-0"]}}),
        "anonymous": (world.home.wire(), {}, {"user": "system:anonymous", "groups": ["system:unauthenticated"]}),
        "certificate before token": (world.home.wire(world.users.issue("joe")), bearer("robot-token"), {"user": "joe", "groups": [everybody]}),
        "front proxy before token": (world.proxy, {**remote("jim"), **bearer("robot-token")}, {"user": "jim", "groups": [everybody]}),
        "a wrong certificate, but a good token": (world.home.wire(world.others.issue("joe")), bearer("robot-token"), {
            "user": "system:serviceaccount:ci:robot", "uid": "u-9", "groups": ["system:serviceaccounts", "system:serviceaccounts:ci", everybody],
            "extra": {"authentication.kubernetes.io/pod-name": ["robot-0"]}}),
    }


@pytest.mark.parametrize("who", [
    "front proxy", "front proxy without groups", "certificate", "token", "anonymous", "certificate before token", "front proxy before token",
    "a wrong certificate, but a good token"])
def test_who_asks(world, who):
    wire, headers, expected = identities(world)[who]
    time.sleep(1.1)  # what an earlier test made known
    answer, reviews = world.ask(wire, headers)
    assert answer.status == 200 and len(reviews) == 1, (answer.body, reviews)
    attributes = reviews[0].pop("resourceAttributes")
    assert reviews[0] == expected
    assert attributes == {"namespace": "default", "verb": "list", "group": GROUP, "version": "v1alpha1", "resource": "workflows"}

    time.sleep(1.1)
    world.kube.allow = lambda spec: False
    refused, _ = world.ask(wire, headers)
    assert refused.status == 403 and refused.json() == forbidden(expected["user"])
    assert refused.headers["Content-Type"] == "application/json"


def wrong(world):
    expired = world.users.issue("joe", days=0)
    expired_proxy = world.proxies.issue("front-proxy-client", days=0)
    time.sleep(2)
    return {
        "a CA that nobody knows": (world.others.issue("joe", ["system:masters"]), {}),
        "an unknown CA with the proxy's name": (world.others.issue("front-proxy-client"), remote("root", "system:masters")),
        "expired": (expired, {}),
        "an expired front proxy": (expired_proxy, remote("root", "system:masters")),
        "for servers only": (world.users.issue("joe", usage="serverAuth"), {}),
        "a name that is not allowed": (world.proxies.issue("somebody"), remote("root", "system:masters")),
        "the front proxy without a user": (world.proxies.issue("front-proxy-client"), {"X-Remote-Group": "system:masters"}),
        "a token that is nobody's": (None, bearer("zork")),
        "another scheme": (None, {"Authorization": "Basic cm9vdDpyb290"}),
        "an empty token": (None, {"Authorization": "Bearer "}),
    }


@pytest.fixture(scope="module")
def wrong_credentials(world):
    return wrong(world)


@pytest.mark.parametrize("what", [
    "a CA that nobody knows", "an unknown CA with the proxy's name", "expired", "an expired front proxy", "for servers only", "a name that is not allowed",
    "the front proxy without a user", "a token that is nobody's", "another scheme", "an empty token"])
def test_a_wrong_credential_is_401_and_never_anonymous(world, wrong_credentials, what):
    certificate, headers = wrong_credentials[what]
    answer, reviews = world.ask(world.home.wire(certificate), headers)
    assert answer.status == 401 and answer.json() == UNAUTHORIZED
    assert reviews == []


@pytest.mark.parametrize("who", ["anonymous", "a user"])
def test_forged_headers_are_nothing(world, who):
    wire = world.home.wire(world.users.issue("joe-forged") if who == "a user" else None)
    forged = {**remote("root", "system:masters"), "X-Remote-Uid": "0", "X-Remote-Extra-Scopes": "all", "x-remote-user": "root"}
    world.kube.allow = lambda spec: False
    time.sleep(1.1)
    answer, reviews = world.ask(wire, forged)
    assert answer.status == 403
    assert [review["user"] for review in reviews] == ["joe-forged" if who == "a user" else "system:anonymous"]
    assert "system:masters" not in reviews[0]["groups"] and "uid" not in reviews[0] and "extra" not in reviews[0]


@pytest.mark.parametrize("header", ["Impersonate-User", "impersonate-group", "Impersonate-Uid", "Impersonate-Extra-Scopes"])
def test_impersonation_is_refused(world, header):
    answer, reviews = world.ask(world.home.wire(world.users.issue("joe")), {header: "root"})
    assert answer.status == 403 and reviews == []
    assert answer.json()["message"].lower() == f'forbidden: user "joe" cannot impersonate: this server does not take the header {header.lower()}'


def test_a_revoked_token_ends_with_its_cache(world):
    world.kube.tokens["short"] = {"username": "short"}
    before, began = len(world.kube.token_reviews), time.monotonic()
    for _ in range(3):
        assert world.ask(world.home.wire(), bearer("short"))[0].status == 200
    assert 1 <= len(world.kube.token_reviews) - before <= most_reviews(time.monotonic() - began, kept=2)
    del world.kube.tokens["short"]
    eventually(lambda: world.ask(world.home.wire(), bearer("short"))[0].status == 401, what="the end of the token")
    # A no is remembered as well, and a token that becomes good is taken after that.
    before = len(world.kube.token_reviews)
    assert world.ask(world.home.wire(), bearer("short"))[0].status == 401
    assert len(world.kube.token_reviews) - before <= 1
    world.kube.tokens["short"] = {"username": "short"}
    eventually(lambda: world.ask(world.home.wire(), bearer("short"))[0].status == 200, what="the token again")


# The cluster is away, or refuses us


def test_without_the_cluster_nobody_gets_in_and_nobody_is_told_no(world):
    world.kube.tokens["before"] = {"username": "before"}
    joe = world.home.wire(world.users.issue("joe-away"))
    time.sleep(1.1)
    world.kube.away = True
    unknown, _ = world.ask(world.home.wire(), bearer("unasked"), patience=60)
    assert unknown.status == 503 and unknown.headers["Retry-After"] == "1"
    assert unknown.json()["message"] == "the cluster cannot be asked whose token this is: its API server cannot be reached"
    assert unknown.json()["reason"] == "ServiceUnavailable"
    answer, _ = world.ask(joe, patience=60)
    assert answer.status == 500 and "Retry-After" not in answer.headers
    assert answer.json()["reason"] == "InternalError"
    assert answer.json()["message"] == "Internal error occurred: the cluster cannot be asked whether this is allowed: its API server cannot be reached"
    # What needs nobody's leave goes on.
    assert world.ask(world.proxy, remote("root", "system:masters"))[0].status == 200
    for path in ("/healthz", "/livez", "/readyz"):
        assert world.home.wire().request("GET", path).status == 200
    world.kube.away = False
    assert world.ask(joe)[0].status == 200
    assert world.ask(world.home.wire(), bearer("before"))[0].status == 200


@pytest.mark.parametrize("code, text", [
    (403, "it answered 403 to the gateway's {review}; the gateway's account needs the ClusterRole system:auth-delegator"),
    (422, "it answered 422 to the gateway's {review}")])
def test_a_cluster_that_refuses_our_reviews(world, code, text):
    world.kube.failure = code
    answer, _ = world.ask(world.home.wire(), bearer(f"unasked-{code}"), patience=60)
    assert answer.status == 503 and answer.headers["Retry-After"] == "1"
    assert text.format(review="TokenReview") in answer.json()["message"]
    answer, _ = world.ask(world.proxy, remote(f"refused-{code}"), patience=60)
    assert answer.status == 500 and text.format(review="SubjectAccessReview") in answer.json()["message"]


# Rotation


def test_new_cas_of_the_cluster_count_at_once_and_end_no_watch(world):
    new_proxies, new_users = Authority(world.folder / "proxies-2", "proxies-2"), Authority(world.folder / "users-2", "users-2")
    old, new = world.proxy, world.home.wire(new_proxies.issue("second-proxy"))
    joe = world.home.wire(new_users.issue("joe"))
    assert world.ask(new, remote("jane"))[0].status == 401 and world.ask(joe)[0].status == 401
    certificate = world.proxies.issue("front-proxy-client")
    context = world.home.connect(certificate)
    with open_watch(world, context) as watch:
        world.kube.configure(world.map(**{
            "client-ca-file": new_users.pem, "requestheader-client-ca-file": new_proxies.pem, "requestheader-allowed-names": '["second-proxy"]'}))
        new.close()
        joe.close()
        eventually(lambda: fresh(world, new, remote("jane")) == 200, what="the new front proxy")
        assert fresh(world, joe) == 200
        # The old proxy's connection is still open, but its certificate is no longer worth anything.
        assert old.connection is not None
        assert world.ask(old, remote("jane"))[0].status == 401
        made = world.ask(new, remote("jane"), method="POST", body=workflow("during-rotation", "true"))[0]
        assert made.status == 201, made.body
        seen = watch.until(lambda event: event["type"] == "ADDED" and event["object"]["metadata"]["name"] == "during-rotation")
        assert seen[-1]["object"]["metadata"]["uid"] == made.json()["metadata"]["uid"]
        # Malformed content leaves the last good one.
        world.kube.configure(world.map(**{"requestheader-client-ca-file": "zork", "requestheader-allowed-names": "zork"}))
        time.sleep(1)
        assert world.ask(new, remote("jane"))[0].status == 200
        world.kube.configure(world.map())
        eventually(lambda: fresh(world, old, remote("jane")) == 200, what="the old front proxy")


def open_watch(world, context):
    """A watch through the front proxy, with headers of its own."""
    stream = Stream.__new__(Stream)
    import http.client
    stream.connection = http.client.HTTPSConnection("127.0.0.1", world.home.port, timeout=30, context=context)
    stream.connection.request("GET", f"{WORKFLOWS}?watch=true&timeoutSeconds=120", headers={"X-Remote-User": "watcher"})
    stream.answer = stream.connection.getresponse()
    stream.status, stream.headers = stream.answer.status, stream.answer.headers
    assert stream.status == 200
    return stream


def fresh(world, wire, headers=None):
    wire.close()
    return world.ask(wire, headers)[0].status


def serving_certificate(world):
    return ssl.get_server_certificate(("127.0.0.1", world.home.port))


def test_a_renewed_serving_certificate_ends_no_watch(world):
    old = serving_certificate(world)
    with open_watch(world, world.home.connect(world.proxies.issue("front-proxy-client"))) as watch:
        world.home.renew()
        eventually(lambda: serving_certificate(world) != old, what="the new certificate")
        made = world.ask(world.proxy, remote("jane"), method="POST", body=workflow("during-renewal", "true"))[0]
        assert made.status == 201, made.body
        watch.until(lambda event: event["type"] == "ADDED" and event["object"]["metadata"]["name"] == "during-renewal")


def test_the_gateways_own_token_is_read_again(world):
    world.ask(world.proxy, remote("token-1"))
    assert world.kube.credentials[-1] == "Bearer gateway-1"
    world.token_file.write_text("gateway-2\n")

    def asked():
        world.ask(world.proxy, remote(f"token-{time.monotonic()}"))
        return world.kube.credentials[-1] == "Bearer gateway-2"
    eventually(asked, what="the new token")


# A token of one namespace's project never acts in another


def test_each_binding_keeps_to_its_own_engine(world):
    first, second = world.engines
    jobs = lambda engine: {job["id"] for job in engine.call("GET", "/v1/jobs")["items"]}  # noqa: E731
    writes = lambda engine: [line for line in engine.requests() if not line.startswith("GET")]  # noqa: E731
    before = jobs(second), writes(second)
    made = world.ask(world.proxy, remote("jane"), method="POST", body=workflow("only-here", "sleep 60"))[0]
    assert made.status == 201, made.body
    elsewhere = f"{API}/namespaces/second/workflows"
    for method, path, body in [
            ("GET", f"{elsewhere}/only-here", None), ("DELETE", f"{elsewhere}/only-here", None), ("POST", f"{elsewhere}/only-here/cancel", {}),
            ("POST", f"{elsewhere}/only-here/retry", {}), ("GET", f"{elsewhere}/only-here/log", None)]:
        answer = world.ask(world.proxy, remote("jane"), path, method, body)[0]
        assert answer.status == 404, (method, path, answer.body)
    # Naming the other's backend does not reach it either.
    other = workflow("across", "true")
    other["spec"]["backend"] = "ci-second"
    refused = world.ask(world.proxy, remote("jane"), method="POST", body=other)[0]
    assert refused.status == 422 and 'supported values: "ci-default"' in refused.json()["message"], refused.body
    assert world.ask(world.proxy, remote("jane"), elsewhere, "DELETE")[0].status == 200
    assert (jobs(second), writes(second)) == before
    assert world.ask(world.proxy, remote("jane"), f"{WORKFLOWS}/only-here")[0].json()["status"]["phase"] in ("Pending", "Running")
    world.ask(world.proxy, remote("jane"), f"{WORKFLOWS}/only-here", "DELETE")


def test_no_secret_is_in_the_log(world):
    log = world.home.log
    assert "serving" in log
    for secret in ("robot-token", "zork", "unasked", "gateway-1", "gateway-2", *(engine.token for engine in world.engines)):
        assert secret not in log, secret


# Worlds of their own


@pytest.fixture
def small(tmp_path):
    """Starts worlds; each test its own."""
    running = []

    def start(*flags, **binding):
        running.append(World(tmp_path / f"world-{len(running)}", *flags, **binding))
        return running[-1]
    (tmp_path / "world-0").mkdir()
    yield start
    for world in running:
        world.stop()


def test_anonymous_can_be_turned_off(small):
    world = small("--anonymous-auth=false", "--authorization-always-allow-paths=/healthz,/openapi/*")
    for path in (WORKFLOWS, "/healthz"):
        answer = world.home.wire().request("GET", path)
        assert answer.status == 401 and answer.json() == UNAUTHORIZED, (path, answer.body)
    world.kube.allow = lambda spec: False
    for path, code in (("/healthz", 200), ("/openapi/v2", 200), ("/readyz", 403), ("/version", 403)):
        answer, reviews = world.ask(world.proxy, remote("jane"), path)
        assert answer.status == code and len(reviews) == (0 if code == 200 else 1), path


def test_the_verb_use(small):
    """`requireUseVerb`: a write needs it on the backend, a read does not."""
    world = small(requireUseVerb=True)
    world.kube.allow = lambda spec: spec["resourceAttributes"]["verb"] != "use"
    answer, reviews = world.ask(world.proxy, remote("jane"), method="POST", body=workflow("spends", "true"))
    assert answer.status == 403
    assert answer.json()["message"] == (
        f'workflowbackends.{GROUP} "ci-default" is forbidden: User "jane" cannot use resource "workflowbackends" in API group "{GROUP}" at the cluster scope')
    assert reviews[-1]["resourceAttributes"] == {"verb": "use", "group": GROUP, "version": "v1alpha1", "resource": "workflowbackends", "name": "ci-default"}
    assert world.engines[0].call("GET", "/v1/jobs")["items"] == []
    assert world.ask(world.proxy, remote("jane"))[0].status == 200
    world.kube.allow = lambda spec: True
    time.sleep(1.1)
    assert world.ask(world.proxy, remote("jane"), method="POST", body=workflow("spends", "true"))[0].status == 201


def test_a_config_map_that_comes_later(tmp_path):
    """Fatal at the start, unless that is tolerated; then it counts when it is there."""
    world = World.__new__(World)
    world.folder = tmp_path
    world.users, world.proxies = Authority(tmp_path / "users", "users"), Authority(tmp_path / "proxies", "proxies")
    subprocess.run([str(BIN / "workflow-apiserver"), "certificates", "--dir", str(tmp_path / "kube")], check=True)
    world.kube, engine = Kube(tmp_path / "kube"), Engine(tmp_path / "engine")
    try:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(world.kubeconfig_for({"token": "t"})))
        config = tmp_path / "gateway.yaml"
        config.write_text(yaml.safe_dump(bound(engine)))
        done = serve(config, "--kubeconfig", kubeconfig)
        assert done.returncode == 1
        assert done.stderr.strip().splitlines()[-1].startswith(
            "workflow-apiserver: the cluster's CAs cannot be looked up in kube-system/extension-apiserver-authentication: "), done.stderr
        assert "--authentication-tolerate-lookup-failure" in done.stderr
        home = Home(tmp_path / "home", config.read_text(), "--kubeconfig", kubeconfig, "--authentication-tolerate-lookup-failure")
        try:
            wire = home.wire(world.proxies.issue("front-proxy-client"))
            # Nobody is asked for a certificate yet.
            assert wire.request("GET", API, headers=remote("jane")).status == 200 and world.kube.reviews[-1]["user"] == "system:anonymous"
            world.kube.configure(world.map())

            def known():
                wire.close()
                wire.request("GET", f"{API}?{time.monotonic()}", headers=remote(f"jane-{time.monotonic()}"))
                return world.kube.reviews[-1]["user"].startswith("jane-")
            eventually(known, what="the front proxy")
        finally:
            home.stop()
    finally:
        engine.stop()
        world.kube.stop()


def test_flags_instead_of_the_config_map(tmp_path):
    """With both CAs given the ConfigMap is not asked for, and the flags name the headers."""
    world = World.__new__(World)
    world.folder = tmp_path
    world.users, world.proxies = Authority(tmp_path / "users", "users"), Authority(tmp_path / "proxies", "proxies")
    subprocess.run([str(BIN / "workflow-apiserver"), "certificates", "--dir", str(tmp_path / "kube")], check=True)
    world.kube, engine = Kube(tmp_path / "kube"), Engine(tmp_path / "engine")
    home = None
    try:
        kubeconfig = tmp_path / "kubeconfig"
        client = json.dumps(world.kubeconfig_for({"client-certificate": "kube/admin.crt", "client-key": "kube/admin.key"}))
        kubeconfig.write_text(client)
        home = Home(
            tmp_path / "home", bound(engine), "--authentication-kubeconfig", kubeconfig, "--authorization-kubeconfig", kubeconfig,
            "--client-ca-file", world.users.certificate, "--requestheader-client-ca-file", world.proxies.certificate,
            "--requestheader-allowed-names", "a-proxy,b-proxy", "--requestheader-username-headers", "X-A-User,X-B-User",
            "--requestheader-group-headers", "X-A-Group", "--requestheader-group-headers", "X-B-Group", "--requestheader-extra-headers-prefix", "X-More-")
        headers = {"X-B-User": "jane", "X-A-Group": "a", "X-B-Group": ["b", "c,d"], "X-More-K": "v", "X-Remote-User": "root", "X-Remote-Uid": "0"}
        assert home.wire(world.proxies.issue("b-proxy")).request("GET", API, headers=headers).status == 200
        assert world.kube.reviews[-1] == {"user": "jane", "groups": ["a", "b", "c,d", "system:authenticated"], "extra": {"k": ["v"]},
                                          "nonResourceAttributes": {"path": API, "verb": "get"}}
        assert home.wire(world.proxies.issue("c-proxy")).request("GET", API, headers=headers).status == 401
        assert not any("configmaps" in path for path in world.kube.paths)
    finally:
        if home:
            home.stop()
        engine.stop()
        world.kube.stop()


def serve(config, *flags):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("KUBERNETES_")}
    return subprocess.run(
        [str(BIN / "workflow-apiserver"), "--config", str(config), "--adapters-dir", str(ROOT / "adapters"), "--secure-port", "0", *map(str, flags)],
        capture_output=True, text=True, timeout=60, env=clean)


GOOD = """
backends:
- {name: ci, adapter: local, url: "http://127.0.0.1:1", credentials: {token: {file: /nowhere}}}
bindings:
- {backend: ci, namespace: default}
"""


@pytest.mark.parametrize("flags, code, text", [
    ([], 1, "--authorization-mode Webhook needs a cluster to ask, and this is no pod: give --kubeconfig (or --authorization-kubeconfig), or try it out on "
            "this machine alone with --authorization-mode AlwaysAllow"),
    (["--authorization-mode", "AlwaysAllow", "--bind-address", "0.0.0.0"], 64,
     "--bind-address 0.0.0.0 is not loopback, and --authorization-mode AlwaysAllow lets everybody do everything; listen on 127.0.0.1 or ::1, or use "
     "--authorization-mode Webhook"),
    (["--authorization-mode", "RBAC"], 64, "RBAC"),
    (["--kubeconfig", "/no/such/file"], 1, "kubeconfig /no/such/file cannot be read"),
    (["--kubeconfig", "KUBECONFIG"], 1, 'user "u" asks a program for credentials (exec), which a server does not; use a client certificate, a token or a tokenFile'),
    (["--requestheader-allowed-names", "x"], 64, "--requestheader-allowed-names needs --requestheader-client-ca-file; without it the cluster's ConfigMap says all of that"),
    (["--client-ca-file", "ca", "--requestheader-client-ca-file", "ca"], 64, "every user could name any other; give --requestheader-allowed-names"),
    (["--tls-cert-file", "a"], 64, "--tls-cert-file and --tls-private-key-file belong together"),
    (["--tls-cipher-suites", "TLS_NONE"], 64, "--tls-cipher-suites: TLS_NONE is unknown; known are TLS_ECDHE"),
    (["--authorization-always-allow-paths", "healthz"], 64, "--authorization-always-allow-paths: healthz is no path"),
    (["--authentication-token-webhook-cache-ttl", "10"], 64, "--authentication-token-webhook-cache-ttl"),
    (["--request-timeout", "0s"], 64, "--request-timeout must be more than 0"),
])
def test_flags_that_cannot_be(tmp_path, flags, code, text):
    config, kubeconfig = tmp_path / "gateway.yaml", tmp_path / "kubeconfig"
    config.write_text(GOOD)
    kubeconfig.write_text(
        'current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {server: "https://k"}}]\n'
        "users: [{name: u, user: {exec: {command: aws}}}]\n")
    done = serve(config, *[str(kubeconfig) if flag == "KUBECONFIG" else flag for flag in flags])
    assert done.returncode == code, (done.returncode, done.stderr)
    assert text in " ".join(done.stderr.split()), done.stderr
