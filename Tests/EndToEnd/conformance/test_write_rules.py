"""§7.1, §7.2: what all writes have in common, and create."""

import datetime
import http.client
import json
import re

import pytest

from stack import API, GROUP
from wire import APPLY, JSON_PATCH, MERGE, RESOURCE, WORKFLOWS, is_status

# The verbs with a body, and the name of their options in messages.
OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions", "apply": "PatchOptions", "delete": "DeleteOptions"}


def write(server, verb, item, **query):
    """One write of each verb on `item`, or a create. It would succeed and change something."""
    wire, path = server.wire, f"{WORKFLOWS}/{item['metadata']['name']}"
    changed = {**item, "metadata": {**item["metadata"], "labels": {**item["metadata"].get("labels", {}), "written": "yes"}}}
    if verb == "create":
        return wire.post(WORKFLOWS, server.manifest(server.unique("opt")), **query)
    if verb == "update":
        return wire.put(path, changed, **query)
    if verb == "patch":
        return wire.patch(path, {"metadata": {"labels": {"written": "yes"}}}, **query)
    if verb == "apply":
        body = {"apiVersion": item["apiVersion"], "kind": "Workflow", "metadata": {"name": item["metadata"]["name"], "labels": {"written": "yes"}}}
        return wire.patch(path, body, APPLY, **{"fieldManager": "tester", **query})
    return wire.delete(path, **query)


def dry(verb):
    return {"dryRun": "All"} if verb != "delete" else {"dryRun": "All", "propagationPolicy": "Background"}


@pytest.mark.parametrize("verb", OPTIONS)
def test_C1_dry_run_takes_all_only(server, shared, verb):
    """dryRun: All is the only value; the options' kind is in the message."""
    is_status(write(server, verb, shared.a, dryRun="Zork"), 422, "Invalid",
              f'{OPTIONS[verb]}.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Zork"]: supported values: "All"')


@pytest.mark.parametrize("verb", ["create", "update", "patch", "apply"])
def test_C1_field_validation_is_checked(server, shared, verb):
    """fieldValidation: "", Ignore, Warn, Strict."""
    is_status(write(server, verb, shared.a, fieldValidation="Zork", dryRun="All"), 422, "Invalid",
              f'{OPTIONS[verb]}.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Zork": supported values: "", "Ignore", "Strict", "Warn"')
    for value in ("", "Ignore", "Warn", "Strict"):
        assert write(server, verb, shared.a, fieldValidation=value, dryRun="All").status in (200, 201), value


@pytest.mark.parametrize("verb", ["create", "update", "patch", "apply"])
def test_C1_field_manager_is_checked(server, shared, verb):
    """fieldManager: at most 128 bytes, printable."""
    is_status(write(server, verb, shared.a, fieldManager="x" * 129, dryRun="All"), 422, "Invalid", "fieldManager: Too long: may not be more than 128 bytes")
    is_status(write(server, verb, shared.a, fieldManager="a\nb", dryRun="All"), 422, "Invalid", 'fieldManager: Invalid value: "a\\nb": invalid character U+000A (at position 1)')
    assert write(server, verb, shared.a, fieldManager="x" * 128, dryRun="All").status in (200, 201)


@pytest.mark.needs("overlay")
@pytest.mark.parametrize("verb", ["update", "patch", "apply", "delete"])
def test_C2_dry_run_changes_nothing(server, shared, verb):
    """dryRun runs every check and stores nothing; an update shows the old version."""
    before = server.wire.get(WORKFLOWS).json()["metadata"]["resourceVersion"]
    answer = write(server, verb, shared.a, **dry(verb))
    assert answer.status == 200, answer.body
    if verb != "delete":
        shown = answer.json()["metadata"]
        assert shown["labels"]["written"] == "yes" and shown["resourceVersion"] == shared.a["metadata"]["resourceVersion"]
    assert server.read(shared.names[0]) == shared.a
    assert server.wire.events(WORKFLOWS, resourceVersion=before, count=0, fieldSelector=f"metadata.name={shared.names[0]}") == []


@pytest.mark.parametrize("verb", OPTIONS)
def test_C2_an_empty_dry_run_is_no_write(server, shared, verb):
    """An empty value is refused as any other that is not All."""
    before = [item["metadata"]["name"] for item in server.wire.get(WORKFLOWS).json()["items"]]
    is_status(write(server, verb, shared.a, dryRun=""), 422, "Invalid",
              f'{OPTIONS[verb]}.meta.k8s.io "" is invalid: dryRun: Unsupported value: [""]: supported values: "All"')
    assert [item["metadata"]["name"] for item in server.wire.get(WORKFLOWS).json()["items"]] == before and server.read(shared.names[0]) == shared.a


@pytest.mark.parametrize("value, code", [([5], 400), ([True], 400), ([["All"]], 400), ([{}], 400), (["All", 5], 400), ("All", 400), ([None], 422), ([""], 422)])
def test_C2_a_dry_run_that_is_not_understood_deletes_nothing(server, wire, shared, value, code):
    """In the body of a delete, of one and of many: what is no text is 400, what is not All is 422."""
    for target in (f"{WORKFLOWS}/{shared.names[0]}", f"{WORKFLOWS}?labelSelector={shared.selector}"):
        is_status(wire.delete(target, {"dryRun": value}), code, "BadRequest" if code == 400 else "Invalid", "dryRun")
    assert [server.read(name) for name in shared.names] == [shared.a, shared.b, shared.c]


def test_C2_dry_run_of_a_create(server, wire):
    """201 with uid and creationTimestamp, without a version; nothing is there afterwards."""
    name = server.unique("dry")
    made = wire.post(WORKFLOWS, server.manifest(name), dryRun="All")
    assert made.status == 201 and made.json()["metadata"]["uid"] and made.json()["metadata"]["creationTimestamp"]
    assert "resourceVersion" not in made.json()["metadata"]
    assert wire.get(f"{WORKFLOWS}/{name}").status == 404
    if "faults" in server.abilities:
        assert not [job for job in server.engine.call("GET", "/v1/jobs?limit=1000")["items"] if job.get("name", "").endswith(name)]


def test_C2_dry_run_of_deletecollection(server, wire, shared):
    """The collection is as before."""
    answer = wire.delete(WORKFLOWS, labelSelector=shared.selector, dryRun="All")
    assert answer.status == 200 and [server.read(name) for name in shared.names] == [shared.a, shared.b, shared.c]


@pytest.mark.needs("suspend")
def test_C2_dry_run_of_actions(server, wire):
    """cancel and retry with dryRun change nothing."""
    name = server.running("dry")["metadata"]["name"]
    before = server.read(name)
    assert wire.post(f"{WORKFLOWS}/{name}/cancel", {}, dryRun="All").status in (200, 201)
    assert server.read(name) == before
    wire.delete(f"{WORKFLOWS}/{name}")


def test_C2_dry_run_runs_the_checks(server, wire, shared):
    """A dry run is refused for what the real write is refused for."""
    is_status(wire.post(WORKFLOWS, server.manifest(shared.names[0]), dryRun="All"), 409, "AlreadyExists")
    is_status(wire.post(WORKFLOWS, server.manifest("Bad_Name"), dryRun="All"), 422, "Invalid")
    is_status(wire.delete(f"{WORKFLOWS}/{shared.names[0]}", {"preconditions": {"uid": "zork"}}, dryRun="All"), 409, "Conflict")
    is_status(wire.patch(f"{WORKFLOWS}/{shared.names[0]}", {"metadata": {"resourceVersion": "1"}}, dryRun="All"), 409, "Conflict")


def unknown(server):
    manifest = server.manifest(server.unique("strict"))
    manifest["spec"]["foo"] = 1
    return manifest


def test_C3_strict_is_400_with_every_error(server, wire):
    """Strict: 400, all errors in the order of the JSON."""
    manifest = unknown(server)
    manifest["spec"]["bar"] = {"x": 1}
    is_status(wire.post(WORKFLOWS, manifest, fieldValidation="Strict"), 400, "BadRequest",
              'Workflow in version "v1alpha1" cannot be handled as a Workflow: strict decoding error: unknown field "spec.foo", unknown field "spec.bar"')


@pytest.mark.needs("inlineSteps")
def test_C3_strict_names_fields_in_lists(server, wire):
    """Paths with indices."""
    manifest = {"metadata": {"name": server.unique()}, "spec": {"steps": [{"name": "a", "command": ["true"], "nope": 1}]}}
    is_status(wire.post(WORKFLOWS, manifest, fieldValidation="Strict"), 400, "BadRequest", 'strict decoding error: unknown field "spec.steps[0].nope"')


def test_C3_strict_refuses_duplicates(server, wire):
    """duplicate field."""
    manifest = server.manifest(server.unique())
    text = json.dumps(manifest)[:-1] + f', "spec": {json.dumps(manifest["spec"])}}}'
    status = is_status(wire.request("POST", WORKFLOWS + "?fieldValidation=Strict", text.encode(), {"Content-Type": "application/json"}), 400, "BadRequest")
    assert 'strict decoding error: duplicate field "spec"' in status["message"]


def test_C3_strict_refuses_duplicates_in_free_values(server, wire):
    """However deep, and where no field is described."""
    text = f'{{"metadata":{{"name":"{server.unique()}"}},"spec":{{"templateRef":{{"name":"x"}},"parameters":{{"n":{{"a":1,"a":2}}}}}}}}'
    answer = wire.request("POST", WORKFLOWS + "?fieldValidation=Strict", text.encode(), {"Content-Type": "application/json"})
    is_status(answer, 400, "BadRequest", 'strict decoding error: duplicate field "spec.parameters.n.a"')


PATCHES = {
    MERGE: (b'{"metadata":{"annotations":{"twice":"1","twice":"2"}}}', 'duplicate field "metadata.annotations.twice"'),
    JSON_PATCH: (b'[{"op":"add","path":"/metadata/annotations","value":{"twice":"1","twice":"2"}}]', 'json patch duplicate field "[0].value.twice"'),
    APPLY: (b'{"apiVersion":"%s/v1alpha1","kind":"Workflow","metadata":{"name":"NAME","annotations":{"twice":"1","twice":"2"}}}' % GROUP.encode(),
            'duplicate field "metadata.annotations.twice"')}


@pytest.mark.needs("overlay")
@pytest.mark.parametrize("kind", PATCHES, ids=["merge", "json", "apply"])
@pytest.mark.parametrize("validation", ["Strict", "Warn", None, "Ignore"])
def test_C3_duplicates_in_patches(server, wire, shared, kind, validation):
    """A patch whose text has a member twice: Strict is 422 (an apply 400), Warn a Warning each, Ignore nothing."""
    body, text = PATCHES[kind]
    name = shared.names[0]
    answer = wire.patch(f"{WORKFLOWS}/{name}", body.replace(b"NAME", name.encode()), kind, fieldValidation=validation, dryRun="All", fieldManager="tester")
    if validation == "Strict":
        is_status(answer, *((400, "BadRequest") if kind == APPLY else (422, "Invalid")))
        assert answer.json()["message"].endswith(f"error strict decoding YAML: {text}" if kind == APPLY else f"strict decoding error: {text}"), answer.body
    else:
        assert answer.status == 200 and answer.json()["metadata"]["annotations"]["twice"] == "2", answer.body
        quoted = text.replace('"', '\\"')
        assert answer.headers.get_all("Warning") == (None if validation == "Ignore" else [f'299 - "{quoted}"'])


@pytest.mark.parametrize("query", [{}, {"fieldValidation": "Warn"}, {"fieldValidation": ""}])
def test_C3_warn_is_the_default(server, wire, query):
    """Success, and a Warning header for each."""
    answer = wire.post(WORKFLOWS, unknown(server), dryRun="All", **query)
    assert answer.status == 201 and answer.headers.get_all("Warning") == ['299 - "unknown field \\"spec.foo\\""'], answer.headers.get_all("Warning")
    assert "foo" not in answer.json()["spec"]


def test_C3_ignore_drops_silently(server, wire):
    """Ignore: no warning, and the field is not stored either."""
    answer = wire.post(WORKFLOWS, unknown(server), dryRun="All", fieldValidation="Ignore")
    assert answer.status == 201 and answer.headers["Warning"] is None and "foo" not in answer.json()["spec"]


@pytest.mark.needs("overlay")
@pytest.mark.parametrize("verb", ["update", "patch", "apply"])
@pytest.mark.parametrize("validation", ["Strict", "Warn", "Ignore"])
def test_C3_validation_of_updates(server, wire, shared, verb, validation):
    """The same on PUT and PATCH; a Strict PATCH is 422 with the patch as value (an apply, whose body is an object, 400 or 422)."""
    path = f"{WORKFLOWS}/{shared.names[0]}"
    if verb == "update":
        answer = wire.put(path, {**shared.a, "spec": {**shared.a["spec"], "foo": 1}}, fieldValidation=validation, dryRun="All")
    elif verb == "patch":
        answer = wire.patch(path, {"spec": {"foo": 1}}, fieldValidation=validation, dryRun="All")
    else:
        body = {"apiVersion": shared.a["apiVersion"], "kind": "Workflow", "metadata": {"name": shared.names[0]}, "spec": {"foo": 1}}
        answer = wire.patch(path, body, APPLY, fieldValidation=validation, dryRun="All", fieldManager="tester")
    if validation == "Strict":
        assert (answer.status, answer.json()["reason"]) in {"update": [(400, "BadRequest")], "patch": [(422, "Invalid")]}.get(verb, [(400, "BadRequest"), (422, "Invalid")])
        assert 'strict decoding error: unknown field "spec.foo"' in answer.json()["message"] or verb == "apply" and "foo" in answer.json()["message"], answer.body
    else:
        assert answer.status == 200 and "foo" not in answer.json()["spec"], answer.body
        assert (answer.headers["Warning"] is not None) == (validation == "Warn")


def test_C3_warnings_are_quoted_and_cut(server, wire):
    """Quoted strings without control characters; altogether at most 4096 runes."""
    manifest = server.manifest(server.unique())
    manifest["spec"].update({"x" * 500 + str(i): 1 for i in range(20)})
    manifest["spec"]['q"\t\\'] = 1
    answer = wire.post(WORKFLOWS, manifest, dryRun="All")
    warnings = answer.headers.get_all("Warning")
    assert answer.status == 201 and sum(map(len, warnings)) < 4096 + 20 * 20
    for warning in warnings:
        assert re.fullmatch(r'299 - "(?:[^"\\\x00-\x1f]|\\.)*"', warning), warning


def test_C4_the_last_duplicate_wins(server, wire):
    """Duplicate keys: the last wins, after a warning; names are case-sensitive."""
    name = server.unique("twice")
    text = json.dumps(server.manifest(name)).replace('"metadata": {', '"metadata": {"name": "other", ', 1)
    answer = wire.request("POST", WORKFLOWS + "?dryRun=All", text.encode(), {"Content-Type": "application/json"})
    assert answer.status == 201 and answer.json()["metadata"]["name"] == name
    assert 'duplicate field \\"metadata.name\\"' in "".join(answer.headers.get_all("Warning"))
    manifest = {**server.manifest(name), "Spec": {}}
    assert 'unknown field \\"Spec\\"' in wire.post(WORKFLOWS, manifest, dryRun="All").headers["Warning"]


def test_C5_a_body_above_the_limit_is_413(server, wire):
    """3 MiB and one byte: 413, without reading it all; 3 MiB are read."""
    connection = http.client.HTTPSConnection("127.0.0.1", server.gateway.port, timeout=20, context=server.gateway.tls)
    connection.putrequest("POST", WORKFLOWS)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "3145729")
    connection.endheaders()
    answer = connection.getresponse()
    status = json.loads(answer.read())
    connection.close()
    assert (answer.status, status["code"], status["reason"]) == (413, 413, "RequestEntityTooLarge")
    assert status["message"] == "Request entity too large: limit is 3145728"
    body = json.dumps(server.manifest("x")).encode()
    fits = wire.request("POST", WORKFLOWS + "?dryRun=All", body + b" " * (3145728 - len(body)), {"Content-Type": "application/json"})
    assert fits.status == 201, fits.body


def test_C5_a_chunked_body_above_the_limit_is_413(server):
    """The same without a Content-Length."""
    connection = http.client.HTTPSConnection("127.0.0.1", server.gateway.port, timeout=20, context=server.gateway.tls)
    connection.putrequest("POST", WORKFLOWS)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    try:
        for _ in range(49):
            connection.send(b"10000\r\n" + b" " * 65536 + b"\r\n")
    except OSError:
        pass
    answer = connection.getresponse()
    assert answer.status == 413 and json.loads(answer.read())["reason"] == "RequestEntityTooLarge"
    connection.close()


@pytest.mark.needs("overlay")
def test_C5_too_many_json_patch_operations(wire, shared):
    """At most 10 000 operations."""
    operations = [{"op": "test", "path": "/kind", "value": "Workflow"}] * 10_001
    is_status(wire.patch(f"{WORKFLOWS}/{shared.names[0]}", operations, JSON_PATCH), 413, "RequestEntityTooLarge")


def test_C7_the_server_sets_the_metadata(server, wire):
    """uid, creationTimestamp, resourceVersion, generation 1, namespace; the client's uid and times are not taken, its status dropped."""
    manifest = server.manifest(server.unique("meta"))
    manifest["metadata"].update(uid="11111111-1111-4111-8111-111111111111", creationTimestamp="2001-01-01T00:00:00Z", generation=7, selfLink="/x",
                                deletionTimestamp="2001-01-01T00:00:00Z")
    manifest["status"] = {"phase": "Succeeded", "message": "mine"}
    made = wire.post(WORKFLOWS, manifest)
    assert made.status == 201, made.body
    made = made.json()
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made["metadata"]["uid"])
    assert made["metadata"]["uid"] != manifest["metadata"]["uid"] and made["metadata"]["generation"] == 1 and made["metadata"]["namespace"] == "default"
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(made["metadata"]["creationTimestamp"])
    assert abs(age.total_seconds()) < 30 and "selfLink" not in made["metadata"] and "deletionTimestamp" not in made["metadata"]
    assert made["status"].get("message") != "mine" and int(made["metadata"]["resourceVersion"]) > 0


def test_C7_a_resource_version_on_create_is_refused(server, wire):
    """resourceVersion should not be set on objects to be created: 400."""
    manifest = server.manifest(server.unique())
    manifest["metadata"]["resourceVersion"] = "5"
    is_status(wire.post(WORKFLOWS, manifest), 400, "BadRequest", "resourceVersion should not be set on objects to be created")


def test_C8_another_namespace_than_the_urls_is_400(server, wire):
    """The namespace of the object and of the URL."""
    manifest = server.manifest(server.unique())
    manifest["metadata"]["namespace"] = "other"
    is_status(wire.post(WORKFLOWS, manifest), 400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request")


def test_C8_kind_and_version_may_be_absent(server, wire):
    """Absent apiVersion and kind are assumed; another one is 400."""
    manifest = server.manifest(server.unique())
    del manifest["apiVersion"], manifest["kind"]
    made = wire.post(WORKFLOWS, manifest, dryRun="All")
    assert made.status == 201 and made.json()["kind"] == "Workflow" and made.json()["apiVersion"] == f"{GROUP}/v1alpha1"
    for wrong in ({"kind": "Zork"}, {"apiVersion": "v1", "kind": "Zork"}, {"apiVersion": "other.example.com/v1", "kind": "Workflow"}):
        status = is_status(wire.post(WORKFLOWS, {**manifest, **wrong}), 400, "BadRequest")
        assert "cannot be handled as a Workflow" in status["message"] or "does not match" in status["message"], status["message"]


@pytest.mark.parametrize("name", ["Bad_Name", "-a", "a-", "a..b", "a b", "ä", "a" * 254, "A"])
def test_C9_names_are_subdomains(server, wire, name):
    """RFC 1123, at most 253."""
    status = is_status(wire.post(WORKFLOWS, server.manifest(name)), 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "metadata.name" and status["details"]["kind"] == "Workflow"
    if len(name) < 250:
        assert f'metadata.name: Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters' in status["message"]


def test_C9_the_text_of_a_bad_name(server, wire):
    """The whole text."""
    is_status(wire.post(WORKFLOWS, server.manifest("Bad_Name")), 422, "Invalid",
              'Workflow.workflow.example.com "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case '
              "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
              "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")


def test_C9_a_name_is_required(server, wire):
    """Neither name nor generateName."""
    manifest = server.manifest("x")
    del manifest["metadata"]["name"]
    is_status(wire.post(WORKFLOWS, manifest), 422, "Invalid", "metadata.name: Required value: name or generateName is required")


@pytest.mark.parametrize("base", ["gen-", "g" * 80])
def test_C10_generate_name(server, wire, base):
    """The base cut to 58 and five letters of the safe alphabet; a dry run makes a name, too."""
    manifest = server.manifest("x")
    manifest["metadata"] = {"generateName": base}
    found = [wire.post(WORKFLOWS, manifest, dryRun="All").json()["metadata"] for _ in range(3)]
    for one in found:
        assert re.fullmatch(re.escape(base[:58]) + "[bcdfghjklmnpqrstvwxz2456789]{5}", one["name"]) and one["generateName"] == base
    assert len({one["name"] for one in found}) > 1
    made = wire.post(WORKFLOWS, manifest, fieldManager="maker")
    assert made.status == 201
    assert made.json()["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"] == {"f:generateName": {}}


def test_C10_an_empty_name_with_generate_name(server, wire):
    """kubectl may send an empty name beside generateName."""
    manifest = server.manifest("")
    manifest["metadata"]["generateName"] = "gen-"
    assert wire.post(WORKFLOWS, manifest, dryRun="All").status == 201


def test_C11_exists_is_409_already_exists(server, wire, shared):
    """AlreadyExists, not Conflict."""
    is_status(wire.post(WORKFLOWS, server.manifest(shared.names[0])), 409, "AlreadyExists", f'{RESOURCE} "{shared.names[0]}" already exists', name=shared.names[0],
              group=GROUP, kind="workflows")


@pytest.mark.needs("overlay")
def test_C11_a_terminating_one_says_so(server, wire):
    """`object is being deleted: ` in front."""
    name = server.finished("term", metadata={"finalizers": ["example.com/hold"]})["metadata"]["name"]
    wire.delete(f"{WORKFLOWS}/{name}")
    status = is_status(wire.post(WORKFLOWS, server.manifest(name)), 409, "AlreadyExists")
    assert status["message"] == f'object is being deleted: {RESOURCE} "{name}" already exists'
    wire.patch(f"{WORKFLOWS}/{name}", {"metadata": {"finalizers": None}})


OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u"}


@pytest.mark.parametrize("metadata, field", [
    ({"labels": {"bad key": "x"}}, "metadata.labels"), ({"labels": {"a": "b c"}}, "metadata.labels"), ({"labels": {"a": "x" * 64}}, "metadata.labels"),
    ({"annotations": {"bad key": "x"}}, "metadata.annotations"), ({"annotations": {"a": "x" * 262145}}, "metadata.annotations"),
    ({"ownerReferences": [{**OWNER, "uid": ""}]}, "metadata.ownerReferences.uid"), ({"ownerReferences": [{**OWNER, "name": ""}]}, "metadata.ownerReferences.name"),
    ({"ownerReferences": [{**OWNER, "kind": ""}]}, "metadata.ownerReferences.kind"),
    ({"ownerReferences": [{**OWNER, "apiVersion": ""}]}, "metadata.ownerReferences.apiVersion"),
    ({"ownerReferences": [{**OWNER, "apiVersion": "a/b/c"}]}, "metadata.ownerReferences.apiVersion"),
    ({"ownerReferences": [{**OWNER, "kind": "Event"}]}, "metadata.ownerReferences"),
    ({"ownerReferences": [{**OWNER, "controller": True}, {**OWNER, "uid": "v", "controller": True}]}, "metadata.ownerReferences"),
    ({"finalizers": ["no good"]}, "metadata.finalizers"), ({"finalizers": ["/x"]}, "metadata.finalizers")])
def test_C12_metadata_is_validated(server, wire, metadata, field):
    """Labels, annotations, ownerReferences and finalizers."""
    manifest = server.manifest(server.unique())
    manifest["metadata"].update(metadata)
    status = is_status(wire.post(WORKFLOWS, manifest, dryRun="All"), 422, "Invalid")
    assert any(cause["field"].startswith(field) for cause in status["details"]["causes"]), status


@pytest.mark.parametrize("metadata, text", [
    ({"finalizers": ["foo"]}, 'metadata.finalizers: "foo": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers'),
    ({"finalizers": ["finalizer.example.com"]}, 'metadata.finalizers: "finalizer.example.com": prefer a domain-qualified finalizer name including a path (/) to avoid '
     "accidental conflicts with other finalizer writers"), ({"finalizers": ["example.com/x"]}, None), ({"finalizers": ["orphan"]}, None),
    ({"ownerReferences": [OWNER, OWNER]}, ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as "
     "early as 1.24; please fix your requests; duplicate UID(s) observed: u")])
def test_C12_doubtful_metadata_gets_a_warning(server, wire, metadata, text):
    """Finalizers that could be anybody's, and owners that come twice, on create and update (as seen of a real server)."""
    manifest = server.manifest(server.unique())
    name = server.finished("warn")["metadata"]["name"]
    manifest["metadata"].update(metadata)
    for answer in (wire.post(WORKFLOWS, manifest, dryRun="All"), wire.patch(f"{WORKFLOWS}/{name}", {"metadata": metadata}, dryRun="All")):
        assert answer.status in (200, 201), answer.body
        quoted = text and text.replace('"', '\\"')
        assert (answer.headers["Warning"] or "") == (f'299 - "{quoted}"' if text else "")
        assert len(answer.json()["metadata"].get("ownerReferences", [0])) == 1


def test_C12_several_errors_are_told_at_once(server, wire):
    """`is invalid: [e1, e2]`, one cause each."""
    manifest = server.manifest("Bad_Name")
    manifest["metadata"].update(labels={"a": "b c"})
    manifest["spec"]["timeout"] = "zork"
    status = is_status(wire.post(WORKFLOWS, manifest), 422, "Invalid")
    assert status["message"].startswith('Workflow.workflow.example.com "Bad_Name" is invalid: [') and status["message"].endswith("]")
    assert len(status["details"]["causes"]) >= 3


def test_C6_without_a_cluster_namespaces_are_the_bindings(server, wire):
    """A create in a namespace that there is not is refused (with a cluster: 404 of the Namespace, see Tests/EndToEnd/test_admission.py)."""
    answer = wire.post(f"{API}/namespaces/no-such-namespace/workflows", server.manifest(server.unique()))
    assert answer.status in (404, 422) and answer.json()["kind"] == "Status", answer.body


