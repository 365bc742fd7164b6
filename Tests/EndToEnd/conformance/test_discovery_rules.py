"""§1: discovery, and what the aggregator asks for."""

import concurrent.futures
import socket
import ssl
import subprocess

import pytest

from stack import API, GROUP, Gateway, free_port
from wire import WORKFLOWS, Wire, best_seconds, is_status

V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
V2BETA1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
DOCUMENTS = ["/apis", f"/apis/{GROUP}", API, "/openapi/v2", "/openapi/v3", f"/openapi/v3{API}", "/version"]


def test_D1_the_group_version_is_always_there(wire):
    """GV is the availability probe, and what old clients read: 200, JSON, without an Accept header as well."""
    answer = wire.get(API)
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert (body["kind"], body["apiVersion"], body["groupVersion"]) == ("APIResourceList", "v1", f"{GROUP}/v1alpha1")


@pytest.mark.parametrize("accept, aggregated", [
    (f"{V2},{V2BETA1},application/json", True), (V2, True), ("application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io", True),
    (f"{V2BETA1},application/json", False), ("application/json", False), ("*/*", False), (None, False), (f"application/json,{V2}", False),
    ("application/json, */*", False), (f"application/vnd.kubernetes.protobuf,{V2};q=0.9", True)])
def test_D2_apis_is_negotiated_by_clause(wire, accept, aggregated):
    """/apis: the first clause that is supported; v2beta1 may fall through to the plain document."""
    answer = wire.get("/apis", accept)
    assert answer.status == 200, answer.body
    kind = answer.json()["kind"]
    assert kind == ("APIGroupDiscoveryList" if aggregated else "APIGroupList") or (accept or "").startswith(V2BETA1) and kind == "APIGroupDiscoveryList"


@pytest.mark.parametrize("accept", ["application/vnd.kubernetes.protobuf", "text/html", "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList"])
def test_D2_only_unsupported_clauses_are_406(wire, accept):
    """Only unsupported clauses: 406."""
    is_status(wire.get("/apis", accept), 406, "NotAcceptable")


def test_D3_an_aggregated_answer_repeats_its_parameters(wire):
    """Without g, v and as in the Content-Type client-go sees no groups."""
    answer = wire.get("/apis", V2)
    kind, *parameters = [part.strip() for part in answer.headers["Content-Type"].split(";")]
    assert kind == "application/json" and set(parameters) == {"g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"}
    assert wire.get("/apis", "application/json").headers["Content-Type"] == "application/json"


def test_D4_api_is_200_or_404(wire):
    """/api is never 401, 500 or HTML."""
    answer = wire.get("/api", f"{V2},application/json")
    assert answer.status in (200, 404) and answer.headers["Content-Type"].startswith("application/json"), answer.status


def test_D5_etags_differ_per_document(wire):
    """A tag of one document never gives a 304 for another: the aggregator's legacy fallback sends /apis' tag to GV."""
    tags = {(path, accept): wire.get(path, accept).headers["ETag"] for path in DOCUMENTS for accept in ("application/json", V2) if accept != V2 or path == "/apis"}
    assert None not in tags.values() and len(set(tags.values())) == len(tags), tags
    answer = wire.request("GET", API, headers={"If-None-Match": tags[("/apis", V2)], "Accept": "application/json"})
    assert answer.status == 200 and answer.json()["kind"] == "APIResourceList"
    assert wire.get("/apis").headers["Vary"].split(",")[0] == "Accept"


@pytest.mark.parametrize("path", DOCUMENTS[:-1])
def test_D6_a_304_repeats_the_tag(wire, path):
    """If-None-Match with the document's own tag: 304, the tag, no body. The tag is quoted and does not change."""
    first = wire.get(path, "application/json")
    tag = first.headers["ETag"]
    assert tag == wire.get(path, "application/json").headers["ETag"] and tag[0] == tag[-1] == '"' and len(tag) > 10
    for header in (tag, f'"zork", {tag}'):
        again = wire.request("GET", path, headers={"Accept": "application/json", "If-None-Match": header})
        assert again.status == 304 and again.headers["ETag"] == tag and again.body == b"", header
    assert wire.request("GET", path, headers={"Accept": "application/json", "If-None-Match": '"other"'}).body == first.body


@pytest.mark.needs("faults")
def test_D7_while_starting_lists_are_503_and_never_404(server, tmp_path):
    """While starting the answer is 503, never 404: a 404 on an object makes the garbage collector delete its dependents."""
    gateway = without_engine(server, tmp_path)
    try:
        wire = Wire(gateway.port, gateway.tls)
        for path in (WORKFLOWS, f"{API}/workflows", f"{WORKFLOWS}/any"):
            answer = wire.get(path)
            status = is_status(answer, 503, "ServiceUnavailable")
            assert "secret" not in status["message"]
        assert wire.get(f"{WORKFLOWS}?watch=true&timeoutSeconds=1").status in (200, 503)
        assert wire.request("DELETE", f"{WORKFLOWS}/any").status in (503, 504)
    finally:
        gateway.stop()


def without_engine(server, folder):
    """A gateway whose engine never answers."""
    (folder / "token").write_text("secret-token")
    return Gateway(folder / "gateway", {
        "backends": [{"name": "ci", "adapter": "local", "url": f"http://127.0.0.1:{free_port()}", "credentials": {"token": {"file": str(folder / "token")}}}],
        "bindings": [{"backend": "ci", "namespace": "default"}]})


def test_D8_resources_are_complete(wire):
    """singularName, kind, namespaced and verbs are never empty on a resource, and responseKind is an object."""
    for resource in wire.get(API).json()["resources"]:
        assert resource["kind"] and isinstance(resource["namespaced"], bool) and resource["verbs"], resource
        assert resource["singularName"] or "/" in resource["name"], resource
    for version in wire.get("/apis", V2).json()["items"][0]["versions"]:
        for resource in version["resources"]:
            assert resource["responseKind"]["kind"] and resource["verbs"] and resource["scope"] in ("Namespaced", "Cluster") and resource["singularResource"]
            for sub in resource.get("subresources", []):
                assert sub["responseKind"]["kind"] and sub["verbs"], sub


def test_D8_both_forms_say_the_same(wire):
    """The aggregated document lists the same resources and verbs as GV."""
    plain = {entry["name"]: sorted(entry["verbs"]) for entry in wire.get(API).json()["resources"]}
    aggregated = {}
    for resource in wire.get("/apis", V2).json()["items"][0]["versions"][0]["resources"]:
        aggregated[resource["resource"]] = sorted(resource["verbs"])
        for sub in resource.get("subresources", []):
            aggregated[f"{resource['resource']}/{sub['subresource']}"] = sorted(sub["verbs"])
    assert plain == aggregated


def test_D9_verbs_are_a_promise(wire):
    """What is listed works: workflows have all eight verbs, so that GC, quota and namespaces can rely on them."""
    verbs = {entry["name"]: set(entry["verbs"]) for entry in wire.get(API).json()["resources"]}
    assert verbs["workflows"] == {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
    assert verbs["workflows/status"] == {"get", "patch", "update"}
    assert verbs["workflowtemplates"] == verbs["workflowbackends"] == {"get", "list", "watch"}
    for plural in ("workflowtemplates", "workflowbackends"):
        listed = wire.get(f"{API}/{plural}")
        assert listed.status == 200 and listed.json()["metadata"]["resourceVersion"]
        with wire.stream(f"{API}/{plural}", watch="true", resourceVersion=listed.json()["metadata"]["resourceVersion"]) as stream:
            assert stream.status == 200


def test_D10_not_in_the_category_all(wire):
    """In the category all `kubectl delete all --all` would reach the engine."""
    assert all("all" not in entry.get("categories", []) for entry in wire.get(API).json()["resources"])


def test_D11_no_storage_version_hash(wire):
    """storageVersionHash only matters to storage migration; it is left out."""
    assert all("storageVersionHash" not in entry for entry in wire.get(API).json()["resources"])


@pytest.mark.needs("faults")
def test_D12_the_group_version_does_not_wait_for_the_engine(server, tmp_path):
    """GV in well under 5 s when the engine is down."""
    gateway = without_engine(server, tmp_path)
    try:
        wire = Wire(gateway.port, gateway.tls)
        for path in (API, "/apis", "/openapi/v2", "/openapi/v3", "/livez"):
            assert best_seconds(lambda: wire.get(path)) < 4, path
    finally:
        gateway.stop()


def test_D12_five_parallel_probes(server):
    """The availability check sends five GETs at once, as Go's plain client."""
    def probe(_):
        return server.connect().request("GET", API, headers={"User-Agent": "Go-http-client/1.1"}).status
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        assert list(pool.map(probe, range(5))) == [200] * 5


def test_D14_discovery_answers_within_its_deadline(wire):
    """kube-apiserver gives discovery 5 s; timeout=5s is no obstacle."""
    assert best_seconds(lambda: wire.get(API, timeout="5s")) < 4


@pytest.mark.needs("restart")
def test_D15_the_certificate_names_the_service(server, tmp_path):
    """The aggregator connects with SNI <service>.<namespace>.svc and verifies the certificate against caBundle."""
    name, pki = "workflow-apiserver.workflow.svc", tmp_path / "gateway" / "pki"
    gateway = without_engine(server, tmp_path)
    gateway.stop()
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", str(pki / "server.key"), "-subj", "/CN=x", "-out", str(tmp_path / "csr"))
    (tmp_path / "ext").write_text(f"subjectAltName=DNS:{name},DNS:workflow-apiserver.workflow\n")
    openssl("x509", "-req", "-in", str(tmp_path / "csr"), "-CA", str(pki / "ca.crt"), "-CAkey", str(pki / "ca.key"), "-CAcreateserial", "-days", "2",
            "-extfile", str(tmp_path / "ext"), "-out", str(pki / "server.crt"))
    gateway.start(ready=False)
    try:
        context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        with socket.create_connection(("127.0.0.1", gateway.port)) as plain, context.wrap_socket(plain, server_hostname=name) as secure:
            assert ("DNS", name) in secure.getpeercert()["subjectAltName"]
    finally:
        gateway.stop()


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
