"""§12: health, version, metrics and OpenAPI."""

import json
import re

import pytest

from stack import API, GROUP, eventually
from wire import APPLY, JSON_PATCH, MERGE, STRATEGIC, WORKFLOWS, Wire

V3 = f"/openapi/v3{API}"
PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_H1_health(wire, path):
    """200, text/plain; charset=utf-8, `ok` without a newline."""
    answer = wire.get(path)
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, b"ok", "text/plain; charset=utf-8")


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_H1_health_for_everybody(server, path):
    """Anonymous access."""
    import ssl
    context = ssl.create_default_context(cafile=str(server.gateway.folder / "pki" / "ca.crt"))
    assert Wire(server.gateway.port, context).get(path).status == 200


@pytest.mark.parametrize("path", ["healthz", "livez", "readyz"])
def test_H2_verbose_and_exclude(wire, path):
    """?verbose, ?exclude (repeatable; unknown ones warn), single checks, 404 for unknown ones."""
    text = wire.get(f"/{path}?verbose").body.decode()
    assert "[+]ping ok\n" in text and text.rstrip("\n").endswith(f"{path} check passed")
    without = wire.get(f"/{path}?verbose&exclude=ping&exclude=etcd")
    assert without.status == 200 and "[+]ping excluded: ok" in without.body.decode() and 'cannot be excluded: no matches for "etcd"' in without.body.decode()
    single = wire.get(f"/{path}/ping")
    assert (single.status, single.body) == (200, b"ok")
    assert wire.get(f"/{path}/zork").status == 404


@pytest.mark.needs("restart")
def test_H3_readiness_falls_before_the_listener_closes():
    """At shutdown /readyz is 500 while open connections are still served; /livez does not depend on the engine."""
    from server import LocalServer
    running = LocalServer()
    try:
        running.engine.stop()
        assert running.wire.get("/livez").status == 200
        wires = [running.connect() for _ in range(3)]
        for wire in wires:
            wire.get("/livez")
        follow = running.connect()
        follow.get("/livez")
        running.gateway.process.terminate()

        def readiness(wire):
            try:
                answer = wire.get("/readyz")
            except OSError:
                return "closed"
            if answer.status == 500:
                assert b"[-]shutdown failed: reason withheld" in answer.body and answer.body.rstrip().endswith(b"readyz check failed")
            return answer.status
        eventually(lambda: readiness(wires[0]) != 200, what="the end of the readiness")
        assert set(map(readiness, wires[1:])) <= {500, "closed"}
    finally:
        running.stop()


def test_H4_version(wire):
    """The fields of version.Info; gitVersion is a semantic version with v."""
    body = wire.get("/version").json()
    assert set(body) >= {"major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"}
    assert re.fullmatch(r"v\d+\.\d+\.\d+([-+].*)?", body["gitVersion"])


METRICS = {
    "apiserver_request_total": {"verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component", "code"},
    "apiserver_request_duration_seconds_count": {"verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component"},
    "apiserver_request_sli_duration_seconds_count": {"verb", "group", "version", "resource", "subresource", "scope", "component"},
    "apiserver_response_sizes_count": {"verb", "group", "version", "resource", "subresource", "scope", "component"},
    "apiserver_current_inflight_requests": {"request_kind"}, "apiserver_longrunning_requests": {"verb", "resource"},
    "apiserver_watch_events_total": {"group", "version", "resource"}, "process_start_time_seconds": set()}


@pytest.mark.parametrize("name", METRICS)
def test_H4_metrics(server, wire, shared, name):
    """§12.2: the names and labels that dashboards use."""
    wire.events(WORKFLOWS, labelSelector=shared.selector, count=3)
    with wire.stream(WORKFLOWS, watch="true"):
        answer = wire.get("/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.body.decode().splitlines() if re.match(rf"{name}[{{ ]", line)]
    assert lines, f"no {name}"
    assert METRICS[name] <= set(re.findall(r'(\w+)="', lines[0])), lines[0]


@pytest.mark.parametrize("path", ["/openapi/v2", "/openapi/v3", V3])
def test_O1_the_documents_are_served(wire, path):
    """Root, group and v2, as JSON."""
    answer = wire.get(path, "application/json")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("application/json") and answer.json()["paths"]


def test_O1_the_root_names_the_group(wire):
    """The key and the hashed URL."""
    found = wire.get("/openapi/v3", "application/json, */*").json()["paths"][f"apis/{GROUP}/v1alpha1"]["serverRelativeURL"]
    assert re.fullmatch(re.escape(V3) + r"\?hash=[0-9A-F]+", found)
    assert wire.get(found).status == 200


def test_O1_protobuf_for_old_kubectl(wire):
    """kubectl ≤ 1.28 asks for v2 as gnostic protobuf only."""
    answer = wire.get("/openapi/v2", PROTOBUF)
    assert answer.status == 200 and answer.headers["Content-Type"] == PROTOBUF.replace("@", ".") and answer.body[:1] == b"\x0a"
    assert b"com.example.workflow.v1alpha1.Workflow" in answer.body


def test_O2_hashed_urls(wire):
    """With the right hash: immutable, a year; with none: no-cache; with another: 200, the current document, no redirect."""
    url = wire.get("/openapi/v3").json()["paths"][f"apis/{GROUP}/v1alpha1"]["serverRelativeURL"]
    answer = wire.get(url)
    assert answer.headers["Cache-Control"].startswith("public, immutable") and (answer.headers["Expires"] or "max-age=31536000" in answer.headers["Cache-Control"])
    assert answer.headers["ETag"] == f'"{url.split("=")[1]}"'
    stale = wire.get(f"{V3}?hash=00")
    assert stale.status == 200 and "immutable" not in stale.headers["Cache-Control"] and stale.body == answer.body
    assert wire.get(V3).headers["Cache-Control"] == "no-cache, private"
    again = wire.request("GET", url, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304 and again.body == b""


def test_O2_the_root_is_revalidated(wire):
    """The root has ETag (and Last-Modified); kubectl revalidates it with every command."""
    answer = wire.get("/openapi/v3")
    assert wire.request("GET", "/openapi/v3", headers={"If-None-Match": answer.headers["ETag"]}).status == 304


def test_O3_the_patch_operation(wire):
    """PATCH has group-version-kind and fieldValidation, and the three media types, so that kubectl validates on the server."""
    operation = wire.get(V3).json()["paths"][f"{API}/namespaces/{{namespace}}/workflows/{{name}}"]["patch"]
    assert operation["x-kubernetes-group-version-kind"] == {"group": GROUP, "version": "v1alpha1", "kind": "Workflow"}
    shared = wire.get(V3).json()["paths"][f"{API}/namespaces/{{namespace}}/workflows/{{name}}"].get("parameters", [])
    assert "fieldValidation" in [one.get("name") for one in operation.get("parameters", []) + shared]
    assert set(operation["requestBody"]["content"]) == {MERGE, JSON_PATCH, APPLY} and STRATEGIC not in json.dumps(operation)


def references(value):
    if isinstance(value, dict):
        own = value.get("$ref")
        return ([own] if isinstance(own, str) else []) + [found for one in value.values() for found in references(one)]
    return [found for one in value for found in references(one)] if isinstance(value, list) else []


@pytest.mark.parametrize("path", ["/openapi/v2", V3])
def test_O4_schemas(wire, path):
    """Reverse-DNS names with x-kubernetes-group-version-kind lists, ObjectMeta as upstream's, no dangling references, descriptions everywhere."""
    body = wire.get(path, "application/json").json()
    schemas = body.get("definitions") or body["components"]["schemas"]
    for kind in ("Workflow", "WorkflowTemplate", "WorkflowBackend", "WorkflowList"):
        schema = schemas[f"com.example.workflow.v1alpha1.{kind}"]
        assert {"group": GROUP, "version": "v1alpha1", "kind": kind} in schema["x-kubernetes-group-version-kind"] and schema["type"] == "object"
    assert schemas["com.example.workflow.v1alpha1.Workflow"]["properties"]["spec"].get("description")
    assert "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" in schemas
    for one in references(body):
        assert one.split("/")[-1] in schemas, one


def test_O4_actions(wire):
    """Operations carry x-kubernetes-action and unique operationIds."""
    operations = [(path, verb, operation) for path, item in wire.get("/openapi/v2", "application/json").json()["paths"].items()
                  for verb, operation in item.items() if verb != "parameters"]
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids))
    actions = {operation["x-kubernetes-action"] for path, _, operation in operations if path.startswith(f"{API}/namespaces/{{namespace}}/workflows")}
    assert actions >= {"get", "list", "post", "put", "patch", "delete", "deletecollection"}


def test_O5_the_v2_document_is_self_contained(wire):
    """An invalid document is dropped by kube-apiserver: swagger 2.0, info, unique ids, no references to elsewhere."""
    body = wire.get("/openapi/v2", "application/json").json()
    assert body["swagger"] == "2.0" and body["info"]["title"] and body["info"]["version"]
    assert all(one.startswith("#/definitions/") for one in references(body))


def test_O6_other_forms_are_406(wire):
    """An unknown Accept is 406."""
    assert wire.get("/openapi/v2", "text/html").status == 406
    assert wire.get("/openapi/v3", "text/html").status == 406
