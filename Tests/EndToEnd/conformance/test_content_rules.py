"""§4: content negotiation, Table and PartialObjectMetadata."""

import gzip
import http.client
import json
import re

import pytest
import yaml

from stack import API
from wire import METADATA, METADATA_LIST, TABLE, WORKFLOWS, is_status, names

KUBECTL_GET = f"{TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
GC_LIST = ("application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
           "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json")
GC_WATCH = ("application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json")
GC_DELETE = "application/vnd.kubernetes.protobuf,application/json"

# Accept, kind of a GET's answer, kind of a LIST's answer; None is 406.
ACCEPTS = [
    (None, "Workflow", "WorkflowList"), ("", "Workflow", "WorkflowList"), ("*/*", "Workflow", "WorkflowList"),
    ("application/json", "Workflow", "WorkflowList"), ("application/*", "Workflow", "WorkflowList"),
    ("application/json, */*", "Workflow", "WorkflowList"), ("application/json;charset=utf-8", "Workflow", "WorkflowList"),
    ("application/json; charset=UTF-8", "Workflow", "WorkflowList"), (KUBECTL_GET, "Table", "Table"),
    ("application/json;g=meta.k8s.io;v=v1;as=Table", "Table", "Table"), ("application/json;as=Table;g=meta.k8s.io;v=v1;q=0.5", "Table", "Table"),
    ("application/json;as=Table;v=v2;g=meta.k8s.io,application/json", "Workflow", "WorkflowList"),
    ("application/json;as=Table;v=v2;g=meta.k8s.io", None, None), ("application/json;as=Zork;v=v1;g=meta.k8s.io", None, None),
    ("application/json;as=Table;v=v1;g=zork", None, None), (f"application/json;q=0.5,{TABLE};q=0.9", "Table", "Table"),
    (f"application/json;q=0.9,{TABLE};q=0.5", "Workflow", "WorkflowList"), (f"application/json,{TABLE}", "Workflow", "WorkflowList"),
    (GC_LIST, None, "PartialObjectMetadataList"), (GC_WATCH, "PartialObjectMetadata", None), (METADATA, "PartialObjectMetadata", None),
    (METADATA_LIST, None, "PartialObjectMetadataList"), (GC_DELETE, "Workflow", "WorkflowList"), ("application/vnd.kubernetes.protobuf", None, None),
    ("application/cbor,application/json;q=0.1", "Workflow", "WorkflowList"), ("text/html", None, None), ("text/html,*/*;q=0.1", "Workflow", "WorkflowList"),
    ("application/cbor", None, None), ("zork", None, None)]


@pytest.mark.parametrize("accept, kind, _", ACCEPTS)
def test_N1_accept_of_a_get(wire, shared, accept, kind, _):
    """The first acceptable clause by quality, then order; an unsupported clause is passed over; none is 406."""
    answer = wire.get(f"{WORKFLOWS}/{shared.names[0]}", accept)
    if kind is None and accept in (GC_LIST, METADATA_LIST):
        assert answer.status == 406 or answer.json()["kind"] == "Workflow", answer.body
    elif kind is None:
        is_status(answer, 406, "NotAcceptable")
    else:
        assert (answer.status, answer.json()["kind"]) == (200, kind), answer.body


@pytest.mark.parametrize("accept, _, kind", ACCEPTS)
def test_N1_accept_of_a_list(wire, shared, accept, _, kind):
    """The same for lists."""
    answer = wire.get(WORKFLOWS, accept, labelSelector=shared.selector)
    if kind is None:
        is_status(answer, 406, "NotAcceptable")
    else:
        assert (answer.status, answer.json()["kind"]) == (200, kind), answer.body


@pytest.mark.parametrize("accept, kind", [
    (None, "Workflow"), (KUBECTL_GET, "Table"), (GC_WATCH, "PartialObjectMetadata"), (METADATA, "PartialObjectMetadata"),
    ("application/json;stream=watch", "Workflow"), ("application/vnd.kubernetes.protobuf,application/json", "Workflow"),
    ("application/vnd.kubernetes.protobuf;stream=watch,application/json", "Workflow"), ("*/*", "Workflow")])
def test_N1_accept_of_a_watch(wire, shared, accept, kind):
    """The same for watches: the form is each event's object's."""
    events = wire.events(WORKFLOWS, accept, labelSelector=shared.selector, count=3)
    assert len(events) == 3 and all(event["type"] == "ADDED" and event["object"]["kind"] == kind for event in events), events[:1]


@pytest.mark.parametrize("accept, kind", [
    ("application/yaml;as=Foo;g=x;v=v1, application/json", "json"), ("application/json;as=Foo;g=x;v=v1, application/yaml", "yaml"),
    ("application/yaml, application/json", "yaml"), ("application/yaml;q=0.5, application/json", "json"),
    ("application/yaml;as=Table;g=meta.k8s.io;v=v1, application/json", "yaml")])
def test_N1_the_type_is_that_of_the_clause(wire, accept, kind):
    """Form and media type come from the same clause."""
    assert wire.get(WORKFLOWS, accept).headers["Content-Type"] == f"application/{kind}"


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("form", ["Table", "PartialObjectMetadataList"])
def test_N2_forms_of_lists(wire, shared, form, version):
    """Table and PartialObjectMetadataList, v1 and v1beta1: the apiVersion is what was asked for."""
    body = wire.get(WORKFLOWS, f"application/json;as={form};g=meta.k8s.io;v={version}", labelSelector=shared.selector).json()
    assert (body["kind"], body["apiVersion"]) == (form, f"meta.k8s.io/{version}")


def test_N2_partial_objects_are_complete_metadata(wire, shared):
    """PartialObjectMetadata: kind, apiVersion and the whole metadata, nothing else, also in the items of a list."""
    single = wire.get(f"{WORKFLOWS}/{shared.names[0]}", METADATA).json()
    listed = wire.get(WORKFLOWS, GC_LIST, labelSelector=shared.selector).json()
    assert single == {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": wire.get(f"{WORKFLOWS}/{shared.names[0]}").json()["metadata"]}
    assert listed["items"][0] == single and len(listed["items"]) == 3 and listed["metadata"]["resourceVersion"]


def test_N3_metadata_of_a_list_is_406(wire):
    """PartialObjectMetadata asked of a list."""
    is_status(wire.get(WORKFLOWS, METADATA), 406, "NotAcceptable", "you requested PartialObjectMetadata, but the requested object is a list (")


@pytest.mark.parametrize("accept", [None, KUBECTL_GET, GC_LIST, "*/*"])
def test_N4_content_type_has_no_parameters(wire, accept):
    """The Content-Type is application/json without parameters, for every form; a charset is tolerated."""
    assert wire.get(WORKFLOWS, accept).headers["Content-Type"] in ("application/json", "application/json; charset=utf-8")
    with wire.stream(WORKFLOWS, None if accept == GC_LIST else accept, watch="true") as watch:
        assert watch.headers["Content-Type"] in ("application/json", "application/json; charset=utf-8")


@pytest.mark.parametrize("method, path", [("GET", f"{WORKFLOWS}/no-such"), ("GET", "/zork"), ("PUT", WORKFLOWS), ("GET", f"{WORKFLOWS}?limit=x")])
def test_N5_errors_are_json(wire, method, path):
    """An error that is not JSON loses its message in client-go."""
    answer = wire.request(method, path)
    assert answer.status >= 400 and answer.headers["Content-Type"].startswith("application/json") and answer.json()["kind"] == "Status"


def test_N6_no_content_type_is_json(server, wire):
    """The Python client creates and deletes without a Content-Type."""
    name = server.unique("untyped")
    manifest = json.dumps(server.manifest(name)).encode()
    assert wire.request("POST", WORKFLOWS, manifest).status == 201
    server.settled(name)
    assert wire.request("DELETE", f"{WORKFLOWS}/{name}", b'{"propagationPolicy":"Background"}').status == 200


@pytest.mark.parametrize("kind", ["application/json; charset=UTF-8", "application/json;charset=utf-8", "APPLICATION/JSON"])
def test_N6_content_type_with_parameters(server, wire, kind):
    """Parameters of the Content-Type are accepted."""
    assert wire.request("POST", WORKFLOWS + "?dryRun=All", json.dumps(server.manifest(server.unique())).encode(), {"Content-Type": kind}).status == 201


def test_N6_patch_without_a_content_type_is_415(wire, shared):
    """For PATCH a missing Content-Type is 415."""
    is_status(wire.request("PATCH", f"{WORKFLOWS}/{shared.names[0]}", b"{}"), 415, "UnsupportedMediaType")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/vnd.kubernetes.protobuf", "application/cbor", "application/merge-patch+json"])
def test_N6_other_content_types_are_415(server, wire, kind):
    """A POST in a form that there is not: 415."""
    is_status(wire.request("POST", WORKFLOWS, b"{}", {"Content-Type": kind}), 415, "UnsupportedMediaType")


def test_N7_yaml_in_and_out(server, wire):
    """YAML request bodies and YAML answers."""
    name = server.unique("yaml")
    body = yaml.safe_dump(server.manifest(name)).encode()
    made = wire.request("POST", WORKFLOWS, body, {"Content-Type": "application/yaml", "Accept": "application/yaml"})
    assert made.status == 201 and made.headers["Content-Type"] == "application/yaml", made.body
    made = yaml.safe_load(made.body)
    read = wire.get(f"{WORKFLOWS}/{name}", "application/yaml")
    assert made["metadata"]["uid"] == yaml.safe_load(read.body)["metadata"]["uid"] and b'{"' not in read.body[:50]
    listed = yaml.safe_load(wire.get(WORKFLOWS, "application/yaml", fieldSelector=f"metadata.name={name}").body)
    assert listed["kind"] == "WorkflowList" and names(listed["items"]) == [name]


def test_N7_yaml_scalars_are_those_of_kubernetes(server, wire):
    """Scalars are read as sigs.k8s.io/yaml reads them (YAML 1.1): `yes` is true, `0777` 511, `!!str 1` a text; what is written is read so, too. `.inf` is 400."""
    def post(labels):
        body = f"metadata: {{generateName: yaml-, labels: {labels}}}\nspec: {{steps: [{{name: s, command: ['true']}}]}}\n"
        return wire.request("POST", WORKFLOWS, body.encode(), {"Content-Type": "application/yaml", "Accept": "application/yaml"}, dryRun="All")

    for scalar, kind in [("y", "bool"), ("off", "bool"), ("0777", "number"), ("1_000", "number"), ("0x1F", "number"), ("0b11", "number"), ("!!int '1'", "number")]:
        is_status(post(f"{{a: {scalar}}}"), 400, "BadRequest", f"json: cannot unmarshal {kind} into Go struct field")
    is_status(post("{a: .inf}"), 400, "BadRequest", "error converting YAML to JSON")
    made = post("{a: !!str 1, b: 'yes', c: !!binary aGVsbG8=, d: '012', e: 12-30, y: \"1_000\"}")
    assert made.status == 201, made.body
    assert yaml.safe_load(made.body)["metadata"]["labels"].items() >= {"a": "1", "b": "yes", "c": "hello", "d": "012", "e": "12-30", "y": "1_000"}.items(), made.body
    assert b'"y": "1_000"' in made.body and b'b: "yes"' in made.body and b'd: "012"' in made.body, made.body


def test_N7_yaml_as_json_is_400(server, wire):
    """YAML that is sent as application/json: 400."""
    is_status(wire.request("POST", WORKFLOWS, yaml.safe_dump(server.manifest("x")).encode(), {"Content-Type": "application/json"}), 400, "BadRequest")


def test_N7_a_yaml_watch_is_406(wire):
    """A watch in YAML is 406 and names what there is."""
    is_status(wire.get(WORKFLOWS, "application/yaml", watch="true", timeoutSeconds=1), 406, "NotAcceptable", "application/json;stream=watch")


@pytest.mark.parametrize("accept", ["application/json", TABLE, METADATA_LIST])
def test_N10_json_ends_with_a_line_feed(wire, shared, accept):
    """Compact JSON ends with one line feed (seen of a kube-apiserver), and so does what is pretty; Content-Length counts it."""
    for path in [WORKFLOWS, f"{WORKFLOWS}?pretty=true", f"{WORKFLOWS}/no-such", API]:
        answer = wire.get(path, accept if path.startswith(WORKFLOWS) else "application/json")
        assert answer.body.endswith(b"}\n") and int(answer.headers["Content-Length"]) == len(answer.body), (path, answer.body[-20:])


def test_N8_the_text_of_a_406(wire):
    """406 is a Status in JSON whatever was asked, and says what is accepted."""
    is_status(wire.get(WORKFLOWS, "application/vnd.kubernetes.protobuf"), 406, "NotAcceptable",
              "only the following media types are accepted: application/json, application/yaml")


def raw(server, path, headers):
    connection = http.client.HTTPSConnection("127.0.0.1", server.gateway.port, timeout=20, context=server.gateway.tls)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer, answer.read()


def test_N9_large_answers_are_compressed(server, shared):
    """Accept-Encoding: gzip and more than 128 KiB."""
    answer, body = raw(server, "/openapi/v2", {"Accept-Encoding": "gzip", "Accept": "application/json"})
    plain, text = raw(server, "/openapi/v2", {"Accept": "application/json"})
    assert plain.getheader("Content-Encoding") is None
    if answer.getheader("Content-Encoding"):
        assert gzip.decompress(body) == text
    big = server.create("big", annotations={"big": "x" * 200_000})["metadata"]["name"]
    path = f"{WORKFLOWS}/{big}"
    answer, body = raw(server, path, {"Accept-Encoding": "gzip"})
    assert answer.getheader("Content-Encoding") == "gzip" and "Accept-Encoding" in answer.getheader("Vary"), answer.getheaders()
    assert json.loads(gzip.decompress(body))["metadata"]["name"] == big and len(body) < 50_000


def test_N9_small_answers_errors_and_watches_are_not_compressed(server, shared):
    """Never for watches and errors, and not for what is small."""
    for path in (f"{WORKFLOWS}/{shared.names[0]}", f"{WORKFLOWS}/no-such", f"{WORKFLOWS}?watch=true&timeoutSeconds=1"):
        answer, _ = raw(server, path, {"Accept-Encoding": "gzip"})
        assert answer.getheader("Content-Encoding") is None, path


@pytest.mark.parametrize("headers, query, pretty", [
    ({}, {}, False), ({}, {"pretty": "true"}, True), ({}, {"pretty": "1"}, True), ({"User-Agent": "curl/8.0"}, {}, True), ({"User-Agent": "Wget/1"}, {}, True),
    ({"User-Agent": "Mozilla/5.0 (X11)"}, {}, True), ({"User-Agent": "kubectl/v1.33.1"}, {}, False), ({"User-Agent": "curl/8.0"}, {"pretty": "false"}, False)])
def test_N10_pretty(wire, shared, headers, query, pretty):
    """?pretty=true or 1, or a person's program: indented; else compact."""
    answer = wire.request("GET", f"{WORKFLOWS}/{shared.names[0]}", headers=headers, **query)
    assert (b'\n  "' in answer.body) == pretty and answer.json()["kind"] == "Workflow"


@pytest.mark.parametrize("path", [API, WORKFLOWS, f"{WORKFLOWS}/no-such", "/healthz", "/openapi/v2", f"{WORKFLOWS}?watch=true&timeoutSeconds=1"])
def test_N11_headers_on_everything(wire, path):
    """Cache-Control: no-cache, private; the Audit-Id is echoed."""
    answer = wire.request("GET", path, headers={"Audit-Id": "3399b74d-0000-4000-8000-000000000001"})
    assert answer.headers["Cache-Control"] == "no-cache, private" and answer.headers["Audit-Id"] == "3399b74d-0000-4000-8000-000000000001"
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}", wire.get(path).headers["Audit-Id"])


def table(wire, shared, accept=TABLE, **query):
    return wire.get(WORKFLOWS, accept, labelSelector=shared.selector, **query).json()


@pytest.mark.parametrize("include, kind", [(None, "PartialObjectMetadata"), ("Metadata", "PartialObjectMetadata"), ("Object", "Workflow"), ("None", None)])
def test_T1_include_object(wire, shared, include, kind):
    """rows[].object per includeObject."""
    rows = table(wire, shared, includeObject=include)["rows"]
    assert len(rows) == 3
    for row, name in zip(rows, shared.names):
        if kind is None:
            assert row.get("object") is None
        else:
            assert row["object"]["kind"] == kind and row["object"]["metadata"]["name"] == name and row["object"]["metadata"]["namespace"] == "default"
            assert ("spec" in row["object"]) == (kind == "Workflow")


def test_T1_a_bad_include_object_is_400(wire):
    """The exact refusal."""
    is_status(wire.get(WORKFLOWS, TABLE, includeObject="Zork"), 400, "BadRequest", "Unable to convert to Table as requested: includeObject: Invalid value: "
              "\"Zork\": must be 'Metadata', 'Object', 'None', or empty")


@pytest.mark.parametrize("plural", ["workflows", "workflowtemplates", "workflowbackends"])
def test_T2_cells_fit_the_columns(wire, shared, plural):
    """As many cells as columns; ages are rendered, not times."""
    body = wire.get(f"{API}/{plural}", TABLE).json()
    columns = body["columnDefinitions"]
    for column in columns:
        assert set(column) == {"name", "type", "format", "description", "priority"} and column["description"], column
    assert columns[0]["name"] == "Name" and columns[0]["format"] == "name" and columns[0]["priority"] == 0
    ages = [i for i, column in enumerate(columns) if column["type"] == "date"]
    assert ages and body["rows"]
    for row in body["rows"]:
        assert len(row["cells"]) == len(columns)
        for i in ages:
            assert row["cells"][i] is None or re.fullmatch(r"(\d+[smhdy]){1,2}|<unknown>|<none>|", row["cells"][i]), row["cells"][i]


def test_T3_a_table_watch_has_one_row_per_event(wire, shared):
    """Every event's object is a Table with one row; the first has the columns."""
    events = wire.events(WORKFLOWS, TABLE, labelSelector=shared.selector, count=3)
    assert len(events) == 3
    for event in events:
        assert event["object"]["kind"] == "Table" and len(event["object"]["rows"]) == 1
        assert event["object"]["rows"][0]["object"]["metadata"]["resourceVersion"]
    columns = events[0]["object"]["columnDefinitions"]
    assert len(events[0]["object"]["rows"][0]["cells"]) == len(columns)


def test_T3_a_bookmark_in_a_table_watch(wire, shared):
    """Bookmark in Table form: the version in metadata, the annotation in the row's object."""
    events = wire.events(WORKFLOWS, TABLE, labelSelector=shared.selector, allowWatchBookmarks="true", sendInitialEvents="true", resourceVersionMatch="NotOlderThan", count=4)
    mark = next(event["object"] for event in events if event["type"] == "BOOKMARK")
    assert mark["kind"] == "Table" and mark["metadata"]["resourceVersion"] and len(mark["rows"]) == 1
    assert mark["rows"][0]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_T3_a_single_get_is_a_table_of_one_row(wire, shared):
    """A single GET gives one row, with that object's version."""
    body = wire.get(f"{WORKFLOWS}/{shared.names[0]}", TABLE).json()
    assert len(body["rows"]) == 1 and body["metadata"]["resourceVersion"] == shared.a["metadata"]["resourceVersion"]


def test_T4_a_table_has_the_lists_metadata(wire, shared):
    """resourceVersion, continue and remainingItemCount as in the list; chunks go through continue."""
    first = wire.get(WORKFLOWS, TABLE, labelSelector=shared.selector, limit=2).json()
    assert len(first["rows"]) == 2 and first["metadata"]["continue"] and first["metadata"]["resourceVersion"]
    rest = wire.get(WORKFLOWS, TABLE, labelSelector=shared.selector, limit=2, **{"continue": first["metadata"]["continue"]}).json()
    assert [row["object"]["metadata"]["name"] for row in first["rows"] + rest["rows"]] == shared.names
    assert not rest["metadata"].get("continue")
    whole = wire.get(WORKFLOWS, TABLE, limit=1).json()["metadata"]
    assert whole["remainingItemCount"] >= 2


def test_T5_an_error_is_never_a_table(wire):
    """Errors are Status, not Table."""
    is_status(wire.get(f"{WORKFLOWS}/no-such", KUBECTL_GET), 404, "NotFound")
    is_status(wire.get(WORKFLOWS, KUBECTL_GET, limit="x"), 400, "BadRequest")


def test_T6_a_table_only_when_asked(wire, shared):
    """Informers cannot read Tables."""
    for accept in (None, "*/*", "application/json", "application/json, */*"):
        assert wire.get(WORKFLOWS, accept, labelSelector=shared.selector).json()["kind"] == "WorkflowList"


def test_T2_creates_and_patches_answer_with_a_table_if_asked(server, wire):
    """A write can ask for a Table as well (kubectl does not, other programs do)."""
    answer = wire.request("POST", WORKFLOWS, server.manifest(server.unique()), {"Accept": TABLE})
    assert answer.status == 201 and answer.json()["kind"] == "Table" and len(answer.json()["rows"]) == 1
