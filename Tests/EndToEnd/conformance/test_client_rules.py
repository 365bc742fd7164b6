"""§11, §14, §15: what controllers and clients rely on. The programs themselves run in Tests/EndToEnd and Tests/Cluster."""

import http.client
import json
import ssl

import pytest

from stack import API, eventually
from wire import JSON_PATCH, STRATEGIC, WORKFLOWS, is_status, names, version

POM_WATCH = ("application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
             "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json")
POM_LIST = POM_WATCH.replace("PartialObjectMetadata", "PartialObjectMetadataList")


def test_G1_what_the_garbage_collector_sends(server, wire, shared):
    """Streaming list of metadata, list with limit at version 0, GET of an owner, JSON for protobuf-first Accepts, 415 for strategic merge."""
    events = wire.events(f"{API}/workflows", POM_WATCH, allowWatchBookmarks="true", resourceVersionMatch="NotOlderThan", sendInitialEvents="true")
    assert events[-1]["type"] == "BOOKMARK" or "BOOKMARK" in [event["type"] for event in events]
    assert {event["object"]["kind"] for event in events} == {"PartialObjectMetadata"}
    listed = wire.get(f"{API}/workflows", POM_LIST, limit=500, resourceVersion="0").json()
    assert listed["kind"] == "PartialObjectMetadataList" and set(shared.names) <= set(names(listed["items"]))
    owner = wire.get(f"{WORKFLOWS}/{shared.names[0]}", POM_WATCH).json()
    assert owner["metadata"]["uid"] == shared.a["metadata"]["uid"]
    is_status(wire.patch(f"{WORKFLOWS}/{shared.names[0]}", {"metadata": {"ownerReferences": [{"$patch": "delete", "uid": "u"}], "uid": owner["metadata"]["uid"]}}, STRATEGIC),
              415, "UnsupportedMediaType")


@pytest.mark.needs("overlay")
def test_G4_owner_references_are_kept(server, wire):
    """ownerReferences of ours survive, with blockOwnerDeletion and controller."""
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u", "controller": True, "blockOwnerDeletion": True}
    found = server.finished("owned", metadata={"ownerReferences": [owner]})
    assert found["metadata"]["ownerReferences"] == [owner]


@pytest.mark.needs("faults")
def test_G5_an_engine_that_is_away_is_never_a_404(server, wire, shared):
    """While the engine cannot be asked: the last state or 5xx, never 404; the list keeps its objects."""
    server.engine.call("PUT", "/v1/faults", {"faults": ["503;path=/v1/jobs*"]})
    try:
        for _ in range(3):
            answer = wire.get(f"{WORKFLOWS}/{shared.names[0]}")
            assert answer.status == 200 or answer.status >= 500, answer.body
            listed = wire.get(WORKFLOWS, labelSelector=shared.selector)
            assert listed.status >= 500 or names(listed.json()["items"]) == shared.names
    finally:
        server.engine.call("DELETE", "/v1/faults")
    eventually(lambda: wire.get(f"{WORKFLOWS}/{shared.names[0]}").status == 200, what="the engine is back")


@pytest.mark.needs("faults")
def test_G5a_no_deleted_event_while_the_engine_is_away(server, wire, shared):
    """Neither DELETED on a watch nor absence from a list comes from an engine that cannot be asked, or that answers with half a page."""
    start = wire.get(WORKFLOWS).json()["metadata"]["resourceVersion"]
    for fault in ("503;path=/v1/jobs*", "partial-page;path=/v1/jobs*", "status=404;path=/v1/jobs*"):
        server.engine.call("PUT", "/v1/faults", {"faults": [fault]})
        try:
            found = wire.events(WORKFLOWS, resourceVersion=start, labelSelector=shared.selector, seconds=2)
            assert [event["type"] for event in found if event["type"] == "DELETED"] == [], fault
            listed = wire.get(WORKFLOWS, labelSelector=shared.selector)
            assert listed.status >= 500 or names(listed.json()["items"]) == shared.names, fault
        finally:
            server.engine.call("DELETE", "/v1/faults")
    eventually(lambda: names(wire.get(WORKFLOWS, labelSelector=shared.selector).json()["items"]) == shared.names, what="the list")


@pytest.mark.needs("delete")
def test_G6_what_the_namespace_controller_sends(server, wire):
    """deletecollection answers at once, and the list then shows the truth."""
    mark = server.unique("ns")
    for _ in range(2):
        server.finished("ns", {"ns": mark})
    body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
    answer = wire.request("DELETE", WORKFLOWS, body, {"Accept": "application/vnd.kubernetes.protobuf,application/json"}, labelSelector=f"ns={mark}")
    assert answer.status == 200
    assert wire.get(WORKFLOWS, POM_LIST, labelSelector=f"ns={mark}").json()["items"] == []


@pytest.mark.needs("setState")
def test_X1_the_status_subresource_is_separate(server, wire):
    """Status().Update of controller-runtime does not bump the generation, and Update does not touch the status."""
    found = server.running("x1")
    name = found["metadata"]["name"]
    answer = wire.put(f"{WORKFLOWS}/{name}/status", {**server.read(name), "status": {**found["status"], "phase": "Succeeded"}})
    assert answer.status == 200, answer.body
    done = server.settled(name)
    assert done["status"]["phase"] == "Succeeded" and done["metadata"]["generation"] == found["metadata"]["generation"]


def test_X3_what_the_python_client_needs(wire, shared):
    """items is a list, a watch without a version replays everything in lines, an ERROR has a code."""
    assert isinstance(wire.get(WORKFLOWS, labelSelector="no=such").json()["items"], list)
    assert len(wire.events(WORKFLOWS, labelSelector=shared.selector, count=3)) == 3
    text = wire.get(WORKFLOWS, watch="true", resourceVersion="1", timeoutSeconds=5).body
    assert b'"code":410' in text


@pytest.mark.needs("overlay")
def test_X4_what_kopf_needs(server, wire):
    """A failing test of a JSON Patch is 422; its annotations survive; unknown status fields are no error; no event without a change."""
    resources = {one["name"]: one for one in wire.get(API, "*/*").json()["resources"]}
    assert resources["workflows"]["singularName"] == "workflow" and resources["workflows/status"]
    found = server.finished("kopf")
    name = found["metadata"]["name"]
    is_status(wire.patch(f"{WORKFLOWS}/{name}", [{"op": "test", "path": "/metadata/resourceVersion", "value": "1"}], JSON_PATCH), 422, "Invalid")
    last = json.dumps({"spec": found["spec"]})
    patched = wire.patch(f"{WORKFLOWS}/{name}", {"metadata": {"annotations": {"kopf.zalando.org/last-handled-configuration": last, "kopf.zalando.org/KopfProgress": "{}"}},
                                                 "status": {"kopf": {"progress": None}}})
    assert patched.status == 200 and patched.json()["metadata"]["annotations"]["kopf.zalando.org/last-handled-configuration"] == last
    assert wire.patch(f"{WORKFLOWS}/{name}/status", {"status": {"kopf": {"dummy": "x"}}}).status == 200


@pytest.mark.needs("overlay")
def test_X5_conditions_as_kstatus_reads_them(server, wire, shared):
    """observedGeneration equals the generation; Ready, Reconciling and Stalled are there."""
    kinds = {one["type"]: one for one in shared.a["status"]["conditions"]}
    assert {"Ready", "Reconciling", "Stalled", "Complete", "Failed"} <= set(kinds) and kinds["Ready"]["status"] == "True"
    assert shared.a["status"]["observedGeneration"] == shared.a["metadata"]["generation"]
    assert all(one["lastTransitionTime"] and one["reason"] and one["status"] in ("True", "False", "Unknown") for one in kinds.values())


def test_Z1_versions_are_decimal_ordered_and_shared(server, wire, shared):
    """Decimal, no leading zeros, within Int64, shared by all kinds and namespaces, growing with every write."""
    lists = [wire.get(path).json() for path in (WORKFLOWS, f"{API}/workflowtemplates", f"{API}/workflowbackends", f"{API}/workflows")]
    texts = [listed["metadata"]["resourceVersion"] for listed in lists] + [item["metadata"]["resourceVersion"] for listed in lists for item in listed["items"]]
    for text in texts:
        assert text.isdigit() and text[0] != "0" and int(text) < 2 ** 63
    newest = max(int(listed["metadata"]["resourceVersion"]) for listed in lists)
    made = server.create("newer")
    assert version(made) > newest and int(wire.get(f"{API}/workflowbackends").json()["metadata"]["resourceVersion"]) >= 0


def test_Z2_reads_see_ones_own_writes(server, wire):
    """GET and LIST right after a create, on another connection."""
    for _ in range(5 if "quick" in server.abilities else 1):
        made = server.create("own")
        name, other = made["metadata"]["name"], server.connect()
        assert other.get(f"{WORKFLOWS}/{name}").json()["metadata"]["uid"] == made["metadata"]["uid"]
        assert names(other.get(WORKFLOWS, fieldSelector=f"metadata.name={name}").json()["items"]) == [name]
        at_least = other.get(WORKFLOWS, resourceVersion=made["metadata"]["resourceVersion"], resourceVersionMatch="NotOlderThan", fieldSelector=f"metadata.name={name}")
        assert names(at_least.json()["items"]) == [name]


def test_Z4_tags_are_functions_of_the_body(wire):
    """ETags and hashes depend on the body alone (equal on all replicas)."""
    first = wire.get("/openapi/v2", "application/json")
    assert all(wire.get("/openapi/v2", "application/json").headers["ETag"] == first.headers["ETag"] for _ in range(3))


def test_F8_a_client_certificate_is_asked_for_and_not_required(server):
    """Anonymous TLS connects."""
    context = ssl.create_default_context(cafile=str(server.gateway.folder / "pki" / "ca.crt"))
    connection = http.client.HTTPSConnection("127.0.0.1", server.gateway.port, context=context, timeout=10)
    connection.request("GET", "/livez")
    assert connection.getresponse().status == 200


def test_F9_http2_is_offered_with_enough_streams(server):
    """h2 by ALPN, at least 100 streams, PING answered."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import PingAckReceived, RemoteSettingsChanged
    import socket
    context = server.gateway.tls
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", server.gateway.port)) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as sock:
        assert sock.selected_alpn_protocol() == "h2"
        connection = H2Connection(H2Configuration(client_side=True))
        connection.initiate_connection()
        connection.ping(b"12345678")
        sock.sendall(connection.data_to_send())
        seen, sock_timeout = [], 5
        sock.settimeout(sock_timeout)
        while not any(isinstance(event, PingAckReceived) for event in seen):
            seen += connection.receive_data(sock.recv(65536))
            sock.sendall(connection.data_to_send())
        assert any(isinstance(event, RemoteSettingsChanged) for event in seen)
        assert connection.remote_settings.max_concurrent_streams >= 100


def test_F9_http1_only_clients_are_served(server):
    """HTTP/1.1 without ALPN."""
    assert server.connect().get(API).status == 200


@pytest.mark.parametrize("protocol", ["websocket", "SPDY/3.1"])
def test_F10_an_upgrade_is_answered_normally(wire, shared, protocol):
    """We offer no upgrade: the request is answered as if there were none."""
    headers = {"Connection": "Upgrade", "Upgrade": protocol, "Sec-WebSocket-Key": "x" * 22 + "==", "Sec-WebSocket-Version": "13"}
    answer = wire.request("GET", f"{WORKFLOWS}/{shared.names[0]}", headers=headers)
    assert answer.status == 200
    wire.close()


@pytest.mark.parametrize("path, query, what", [(WORKFLOWS, {"watch": "true"}, "watch"), (f"{API}/watch/workflows", {}, "watch"), (f"{WORKFLOWS}/x/log", {"follow": "true"}, "log")])
def test_F10_a_watch_over_websocket_is_refused(wire, path, query, what):
    """A watch, or a log that goes on, over WebSocket is 400 and says what to do: of a 200 the aggregation layer would make a 503 `invalid upgrade response`."""
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x" * 22 + "==", "Sec-WebSocket-Version": "13"}
    answer = wire.request("GET", path, headers=headers, **query)
    wire.close()
    is_status(answer, 400, "BadRequest", f"a {what} over WebSocket is not served; ask for it without the Upgrade header")


def test_F12_every_event_is_flushed(server, wire):
    """An event arrives when it happens, not when a buffer is full."""
    import time
    start = wire.get(WORKFLOWS).json()["metadata"]["resourceVersion"]
    with wire.stream(WORKFLOWS, watch="true", resourceVersion=start) as stream:
        begun = time.monotonic()
        name = server.create("flush")["metadata"]["name"]
        stream.until(lambda event: event["object"]["metadata"]["name"] == name, 30)
        assert time.monotonic() - begun < 20


def test_X6_what_helm_3_sends(server, wire):
    """Create, GET, merge patch with the last applied state."""
    name = server.finished("helm", {"app.kubernetes.io/managed-by": "Helm"}, annotations={"meta.helm.sh/release-name": "r"})["metadata"]["name"]
    assert wire.get(f"{WORKFLOWS}/{name}").json()["metadata"]["annotations"]["meta.helm.sh/release-name"] == "r"
    assert wire.patch(f"{WORKFLOWS}/{name}", {"metadata": {"annotations": {"meta.helm.sh/release-name": "r"}}}, fieldManager="helm").status == 200


@pytest.mark.needs("delete")
def test_Z6_a_deleted_object_leaves_its_last_state(server, wire):
    """A tombstone with its own version and the last state is kept for the window, for selectors as well."""
    mark = server.unique("tomb")
    made = server.finished("tomb", {"tomb": mark})
    start = wire.get(WORKFLOWS).json()["metadata"]["resourceVersion"]
    wire.delete(f"{WORKFLOWS}/{made['metadata']['name']}")
    server.gone(made["metadata"]["name"])
    events = wire.events(WORKFLOWS, resourceVersion=start, labelSelector=f"tomb={mark}")
    assert events[-1]["type"] == "DELETED" and events[-1]["object"]["metadata"]["labels"]["tomb"] == mark and version(events[-1]["object"]) > int(start)


def test_Z7_the_version_of_an_object_is_that_of_its_event(server, wire):
    """What a list and a GET show is what the event said, version and all."""
    start = wire.get(WORKFLOWS).json()["metadata"]["resourceVersion"]
    made = server.settled(server.create("same")["metadata"]["name"])
    last = wire.events(WORKFLOWS, resourceVersion=start, fieldSelector=f"metadata.name={made['metadata']['name']}")[-1]["object"]
    assert last == made == wire.get(WORKFLOWS, fieldSelector=f"metadata.name={made['metadata']['name']}").json()["items"][0]
