"""§2, §3: who asks, and what they may. The gateway asks a stand-in for the kube-apiserver."""

import ssl
import subprocess
import time

import pytest

from fake_kube import FakeKube, most_reviews
from stack import API, BIN, GROUP, Engine, Gateway, eventually
from wire import WORKFLOWS, Wire, is_status

pytestmark = pytest.mark.needs("restart")
V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Cluster:
    """Fake kube-apiserver, engine and gateway with delegated authentication and authorization; certificates of two CAs."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("kube", "proxy"):
            subprocess.run([str(BIN / "workflow-apiserver"), "certificates", "--dir", str(folder / name)], check=True)
        self.kube = FakeKube(folder / "kube")
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_bytes(subprocess.run([str(BIN / "workflow-apiserver"), "kubeconfig", "--dir", str(folder / "kube"), "--server", self.kube.url],
                                                   check=True, capture_output=True).stdout)
        self.kube.configure({
            "requestheader-client-ca-file": (folder / "proxy" / "ca.crt").read_text(), "requestheader-allowed-names": '["front-proxy-client"]',
            "requestheader-username-headers": '["X-Remote-User"]', "requestheader-uid-headers": '["X-Remote-Uid"]',
            "requestheader-group-headers": '["X-Remote-Group"]', "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]'})
        self.engine = Engine(folder / "engine")
        self.gateway = Gateway(folder / "gateway", {
            "backends": [{"name": "ci", "adapter": "local", "url": self.engine.url, "credentials": {"token": {"file": str(folder / "engine" / "token")}}}],
            "bindings": [{"backend": "ci", "namespace": "default", "poll": {"interval": "500ms"}}]},
            flags=["--kubeconfig", self.kubeconfig, "--authentication-kubeconfig", self.kubeconfig, "--authorization-kubeconfig", self.kubeconfig,
                   "--authorization-mode", "Webhook", "--authorization-webhook-cache-authorized-ttl", "1s", "--authorization-webhook-cache-unauthorized-ttl", "1s",
                   "--authentication-token-webhook-cache-ttl", "1s"])
        self.proxy = self.client("proxy", "front-proxy-client")
        eventually(lambda: self.proxy.request("GET", f"{API}/workflows", headers={"X-Remote-User": "start"}).status == 200, what="the front proxy and the first sweep")

    def client(self, ca=None, name=None, organisations=()):
        """A connection with a client certificate of `ca` (`proxy`, or the gateway's own: `users`), or without."""
        context = ssl.create_default_context(cafile=str(self.gateway.folder / "pki" / "ca.crt"))
        if ca:
            authority = self.folder / "proxy" if ca == "proxy" else self.gateway.folder / "pki"
            base = self.folder / f"{ca}-{name}"
            subject = "".join(f"/O={one}" for one in organisations) + f"/CN={name}"
            openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{base}.key", "-subj", subject, "-out", f"{base}.csr")
            (self.folder / "client.ext").write_text("extendedKeyUsage=clientAuth\n")
            openssl("x509", "-req", "-in", f"{base}.csr", "-CA", authority / "ca.crt", "-CAkey", authority / "ca.key", "-CAcreateserial", "-days", "2",
                    "-extfile", self.folder / "client.ext", "-out", f"{base}.crt")
            context.load_cert_chain(f"{base}.crt", f"{base}.key")
        return Wire(self.gateway.port, context)

    def asked(self, wire, method="GET", path=WORKFLOWS, headers=None, **query):
        """The SubjectAccessReviews that one request causes, and its answer. The path is made unique by a parameter, the user by the test."""
        before = len(self.kube.reviews)
        answer = wire.request(method, path, headers=headers, **query)
        return self.kube.reviews[before:], answer

    def stop(self):
        self.gateway.stop()
        self.engine.stop()
        self.kube.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def open_policy(cluster):
    cluster.kube.allow, cluster.kube.failure = lambda spec: True, None
    yield


def remote(user, *groups, **extra):
    return {"X-Remote-User": user, **({"X-Remote-Group": list(groups)} if groups else {}), **extra}


def test_D13_the_aggregator_without_groups_may_read_openapi(cluster):
    """system:aggregator comes with no group: system:authenticated is added before authorization."""
    cluster.kube.allow = lambda spec: "system:authenticated" in spec["groups"]
    reviews, answer = cluster.asked(cluster.proxy, path="/openapi/v2", headers=remote("system:aggregator", Accept="application/json"))
    assert answer.status == 200 and reviews[0]["user"] == "system:aggregator" and reviews[0]["groups"] == ["system:authenticated"]
    assert reviews[0]["nonResourceAttributes"] == {"path": "/openapi/v2", "verb": "get"}


@pytest.mark.parametrize("who", ["another-name", "another-ca", "nobody"])
def test_F1_remote_headers_count_only_from_the_front_proxy(cluster, who):
    """Only with a certificate of the request header CA and an allowed name; otherwise they are ignored."""
    wire = {"another-name": lambda: cluster.client("proxy", "somebody"), "another-ca": lambda: cluster.client("users", "front-proxy-client"),
            "nobody": lambda: cluster.client()}[who]()
    reviews, answer = cluster.asked(wire, headers=remote(f"mallory-{who}", "system:masters"))
    assert all(review["user"] != f"mallory-{who}" for review in reviews)
    if who == "another-name":
        is_status(answer, 401, "Unauthorized")
    elif who == "another-ca":
        assert reviews[0]["user"] == "front-proxy-client"
    else:
        assert not reviews or reviews[0]["user"] == "system:anonymous"


def test_F2_remote_headers_are_stripped(cluster):
    """A user with a certificate of their own who sends X-Remote-* is that user."""
    reviews, _ = cluster.asked(cluster.client("users", "jane-f2"), headers=remote("admin", "system:masters"))
    assert reviews[0]["user"] == "jane-f2" and "system:masters" not in reviews[0]["groups"]


def test_F3_extra_keys(cluster):
    """Prefix in any case, the rest lower-cased, then percent-decoded; what cannot be decoded stays."""
    headers = remote("extra", "g", **{"X-Remote-Extra-A.b%2fC": ["v1", "v2"], "x-remote-extra-Bad%zz": "raw", "X-REMOTE-EXTRA-Plain": "x"})
    reviews, _ = cluster.asked(cluster.proxy, headers=headers)
    assert reviews[0]["extra"] == {"a.b/c": ["v1", "v2"], "bad%zz": ["raw"], "plain": ["x"]}


def test_F4_header_lines_are_values(cluster):
    """Neither joined nor split at commas; empty groups are dropped."""
    reviews, _ = cluster.asked(cluster.proxy, headers=remote("f4", "a,b", "g 1", "", "system:authenticated"))
    assert reviews[0]["groups"] == ["a,b", "g 1", "system:authenticated"]


def test_F5_the_uid_header(cluster):
    """The uid header of the ConfigMap."""
    reviews, _ = cluster.asked(cluster.proxy, headers=remote("f5", **{"X-Remote-Uid": "u-1"}))
    assert reviews[0]["uid"] == "u-1"


def test_F6_what_the_proxy_sends_is_authorized_again(cluster):
    """Others may reach the port."""
    cluster.kube.allow = lambda spec: False
    _, answer = cluster.asked(cluster.proxy, headers=remote("f6"))
    is_status(answer, 403, "Forbidden")


@pytest.mark.parametrize("header", ["Impersonate-User", "Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-Scopes"])
def test_F7_impersonation_is_never_ignored(cluster, header):
    """Implemented by a review of the verb impersonate, or 403."""
    wire = cluster.client("users", "jane-f7")
    cluster.kube.allow = lambda spec: spec.get("resourceAttributes", {}).get("verb") != "impersonate"
    _, answer = cluster.asked(wire, headers={header: "admin"})
    is_status(answer, 403, "Forbidden")


def test_F13_the_config_map_is_followed(cluster):
    """Other names in the ConfigMap count without a restart; a malformed one is not taken."""
    data = dict(cluster.kube.config)
    other = cluster.client("proxy", "second-proxy")
    assert other.request("GET", API, headers=remote("f13")).status == 401
    cluster.kube.configure({**data, "requestheader-allowed-names": '["front-proxy-client","second-proxy"]'})
    eventually(lambda: other.request("GET", API, headers=remote("f13")).status == 200, what="the new name")
    cluster.kube.configure({**data, "requestheader-allowed-names": "zork", "requestheader-client-ca-file": "zork"})
    time.sleep(1)
    assert other.request("GET", API, headers=remote("f13")).status == 200, "the last good content is kept"
    cluster.kube.configure(data)
    eventually(lambda: other.request("GET", API, headers=remote("f13")).status == 401, what="the old names")


def test_F14_without_a_config_map_no_uid_header(cluster):
    """Without requestheader-uid-headers in the ConfigMap X-Remote-Uid is not trusted."""
    data = dict(cluster.kube.config)
    cluster.kube.configure({key: value for key, value in data.items() if "uid" not in key})
    try:
        def without():
            reviews, _ = cluster.asked(cluster.proxy, headers=remote(f"f14-{time.monotonic()}", **{"X-Remote-Uid": "u-1"}))
            return reviews and not reviews[0].get("uid")
        eventually(without, what="no uid")
    finally:
        cluster.kube.configure(data)


def test_A1_certificate_users(cluster):
    """CN is the user, each O a group."""
    reviews, answer = cluster.asked(cluster.client("users", "jane-a1", ["devs", "ops"]))
    assert answer.status == 200 and reviews[0]["user"] == "jane-a1" and sorted(reviews[0]["groups"]) == ["devs", "ops", "system:authenticated"]


def test_A1_no_credential_is_anonymous(cluster):
    """system:anonymous, group system:unauthenticated; refused with 403."""
    cluster.kube.allow = lambda spec: spec["user"] != "system:anonymous"
    reviews, answer = cluster.asked(cluster.client())
    is_status(answer, 403, "Forbidden", f'workflows.{GROUP} is forbidden: User "system:anonymous" cannot list resource "workflows" in API group "{GROUP}" in the namespace "default"')
    assert reviews[0]["groups"] == ["system:unauthenticated"]


def test_A1_a_bad_token_is_401(cluster):
    """Never anonymous."""
    is_status(cluster.client().request("GET", WORKFLOWS, headers={"Authorization": "Bearer zork"}), 401, "Unauthorized")


def test_A2_a_token_names_its_user(cluster):
    """TokenReview with the token; user, uid, groups and extra go into the review."""
    cluster.kube.tokens["good"] = {"username": "system:serviceaccount:ns:sa", "uid": "s1", "groups": ["system:serviceaccounts"], "extra": {"authentication.kubernetes.io/pod-name": ["p"]}}
    reviews, answer = cluster.asked(cluster.client(), headers={"Authorization": "Bearer good"})
    assert answer.status == 200 and cluster.kube.token_reviews[-1]["token"] == "good" and not cluster.kube.token_reviews[-1].get("audiences")
    assert reviews[0]["user"] == "system:serviceaccount:ns:sa" and reviews[0]["uid"] == "s1" and reviews[0]["extra"] == {"authentication.kubernetes.io/pod-name": ["p"]}
    assert sorted(reviews[0]["groups"]) == ["system:authenticated", "system:serviceaccounts"]


def test_A3_token_answers_are_cached(cluster):
    """A success is asked once within the time of the cache."""
    cluster.kube.tokens["cached"] = {"username": "cached"}
    before, began = len(cluster.kube.token_reviews), time.monotonic()
    for _ in range(3):
        assert cluster.client().request("GET", API, headers={"Authorization": "Bearer cached"}).status == 200
    assert 1 <= len(cluster.kube.token_reviews) - before <= most_reviews(time.monotonic() - began, kept=1)


def test_A3_a_failing_token_review_is_no_refusal(cluster):
    """A review that cannot be asked: 401, or 503 with Retry-After; never let in."""
    cluster.kube.failure = 500
    answer = cluster.client().request("GET", WORKFLOWS, headers={"Authorization": "Bearer unasked"}, patience=60)
    assert answer.status in (401, 503) and answer.json()["kind"] == "Status"


@pytest.mark.parametrize("method, path, query, attributes", [
    ("GET", WORKFLOWS, {}, {"verb": "list", "namespace": "default", "resource": "workflows"}),
    ("GET", f"{API}/workflows", {}, {"verb": "list", "resource": "workflows"}),
    ("GET", WORKFLOWS, {"watch": "1", "timeoutSeconds": "1"}, {"verb": "watch", "namespace": "default", "resource": "workflows"}),
    ("GET", f"{WORKFLOWS}/x", {}, {"verb": "get", "namespace": "default", "resource": "workflows", "name": "x"}),
    ("GET", f"{WORKFLOWS}/x/status", {}, {"verb": "get", "namespace": "default", "resource": "workflows", "subresource": "status", "name": "x"}),
    ("GET", f"{WORKFLOWS}/x/log", {}, {"verb": "get", "namespace": "default", "resource": "workflows", "subresource": "log", "name": "x"}),
    ("POST", f"{WORKFLOWS}/x/cancel", {}, {"verb": "create", "namespace": "default", "resource": "workflows", "subresource": "cancel", "name": "x"}),
    ("POST", WORKFLOWS, {}, {"verb": "create", "namespace": "default", "resource": "workflows"}),
    ("PUT", f"{WORKFLOWS}/x", {}, {"verb": "update", "namespace": "default", "resource": "workflows", "name": "x"}),
    ("PATCH", f"{WORKFLOWS}/x", {}, {"verb": "patch", "namespace": "default", "resource": "workflows", "name": "x"}),
    ("DELETE", f"{WORKFLOWS}/x", {}, {"verb": "delete", "namespace": "default", "resource": "workflows", "name": "x"}),
    ("DELETE", WORKFLOWS, {"labelSelector": "no=such"}, {"verb": "deletecollection", "namespace": "default", "resource": "workflows"}),
    ("GET", f"{API}/workflowbackends/ci", {}, {"verb": "get", "resource": "workflowbackends", "name": "ci"})])
def test_A4_attributes_of_reviews(cluster, method, path, query, attributes):
    """verb, namespace, resource, subresource and name as a generic apiserver asks; also U6."""
    reviews, _ = cluster.asked(cluster.proxy, method, path, remote(f"a4-{method}-{path}-{query}"), **query)
    found = {key: value for key, value in reviews[0]["resourceAttributes"].items() if value and "Selector" not in key}
    assert found == {"group": GROUP, "version": "v1alpha1", **attributes}


@pytest.mark.parametrize("query", [{}, {"watch": "true", "timeoutSeconds": "1"}])
def test_U6_a_name_in_the_field_selector_is_the_name(cluster, query):
    """fieldSelector=metadata.name=X on list and watch puts the name into the attributes."""
    reviews, _ = cluster.asked(cluster.proxy, headers=remote(f"u6-{query}"), fieldSelector="metadata.name=only", **query)
    assert reviews[0]["resourceAttributes"]["name"] == "only"


def test_A4_selectors_in_reviews(cluster):
    """1.31 and later send selectors as requirements; a broader question is safe."""
    reviews, _ = cluster.asked(cluster.proxy, headers=remote("a4-selectors"), labelSelector="app=x,tier notin (1,2),!k", fieldSelector="metadata.name=a")
    selector = reviews[0]["resourceAttributes"].get("labelSelector")
    if selector is None:
        pytest.skip("selectors are not sent: a broader question, which is safe")
    found = sorted((one["key"], one["operator"], tuple(one.get("values", []))) for one in selector["requirements"])
    assert found == [("app", "In", ("x",)), ("k", "DoesNotExist", ()), ("tier", "NotIn", ("1", "2"))]


def test_A5_non_resource_paths(cluster):
    """The path without the query, the lower-case method."""
    reviews, _ = cluster.asked(cluster.proxy, path="/version", headers=remote("a5"), pretty="true")
    assert reviews[0]["nonResourceAttributes"] == {"path": "/version", "verb": "get"} and "resourceAttributes" not in reviews[0]


def test_A6_authenticated_is_added_once(cluster):
    """system:authenticated for all who are, also through the front proxy, and not twice."""
    reviews, _ = cluster.asked(cluster.proxy, headers=remote("a6", "system:authenticated", "x"))
    assert sorted(reviews[0]["groups"]) == ["system:authenticated", "x"]


def test_A7_masters_and_health_paths(cluster):
    """system:masters and the three health paths need no review; /livez/ping does."""
    cluster.kube.allow = lambda spec: False
    reviews, answer = cluster.asked(cluster.proxy, headers=remote("root", "system:masters"))
    assert answer.status == 200 and reviews == []
    for path in ("/healthz", "/livez", "/readyz"):
        reviews, answer = cluster.asked(cluster.client(), path=path)
        assert answer.status == 200 and reviews == []
    _, answer = cluster.asked(cluster.client(), path="/livez/ping")
    is_status(answer, 403, "Forbidden", 'forbidden: User "system:anonymous" cannot get path "/livez/ping"')


def test_A8_answers_are_cached(cluster):
    """The same question within the time is asked once."""
    before, began = len(cluster.kube.reviews), time.monotonic()
    for _ in range(5):
        cluster.proxy.request("GET", WORKFLOWS, headers=remote("a8"))
    assert 1 <= len(cluster.kube.reviews) - before <= most_reviews(time.monotonic() - began, kept=1)


def test_A9_a_failing_review_is_500(cluster):
    """Not allowed, and not 403 either: clients take that as final."""
    cluster.kube.failure = 500
    answer = cluster.proxy.request("GET", WORKFLOWS, headers=remote("a9"), patience=60)
    is_status(answer, 500, "InternalError")


@pytest.mark.parametrize("path, message", [
    (f"{WORKFLOWS}/x", f'workflows.{GROUP} "x" is forbidden: User "jane" cannot get resource "workflows" in API group "{GROUP}" in the namespace "default"'),
    (f"{WORKFLOWS}/x/status", f'workflows.{GROUP} "x" is forbidden: User "jane" cannot get resource "workflows/status" in API group "{GROUP}" in the namespace "default"'),
    (f"{API}/workflows", f'workflows.{GROUP} is forbidden: User "jane" cannot list resource "workflows" in API group "{GROUP}" at the cluster scope'),
    ("/foo", 'forbidden: User "jane" cannot get path "/foo"')])
def test_E1_the_texts_of_a_403(cluster, path, message):
    """403 as a generic apiserver says it; a reason is appended."""
    cluster.kube.allow = lambda spec: False
    status = is_status(cluster.proxy.request("GET", path, headers=remote("jane")), 403, "Forbidden")
    assert status["message"].split(": because")[0].startswith(message), status["message"]


@pytest.mark.parametrize("namespace, code, reason, text", [
    ("nope", 404, "NotFound", 'namespaces "nope" not found'),
    ("ending", 403, "Forbidden", "unable to create new content in namespace ending because it is being terminated")])
def test_C6_creates_need_a_living_namespace(cluster, namespace, code, reason, text):
    """Missing: 404 of the namespace. Terminating: 403 with the cause NamespaceTerminating."""
    cluster.kube.namespaces["ending"] = {"terminating": True}
    manifest = {"metadata": {"name": "x"}, "spec": {"steps": [{"name": "a", "command": ["true"]}]}}
    answer = cluster.proxy.request("POST", f"{API}/namespaces/{namespace}/workflows", manifest, remote("c6"))
    status = is_status(answer, code, reason, text)
    if code == 404:
        assert status["details"] == {"name": "nope", "kind": "namespaces"}
    else:
        assert status["details"]["causes"][0]["reason"] == "NamespaceTerminating"


def test_D5_the_legacy_fallback_of_the_aggregator(cluster):
    """GV with /apis' tag, as system:kube-aggregator without group: 200."""
    tag = cluster.proxy.request("GET", "/apis", headers={**remote("system:kube-aggregator", "system:masters"), "Accept": V2}).headers["ETag"]
    answer = cluster.proxy.request("GET", API, headers={**remote("system:kube-aggregator"), "Accept": "application/json", "If-None-Match": tag})
    assert answer.status == 200 and answer.json()["kind"] == "APIResourceList"
