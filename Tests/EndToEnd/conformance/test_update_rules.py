"""§7.3, §7.4: update and patch."""

import concurrent.futures
import json

import pytest

from stack import API, GROUP
from wire import APPLY, JSON_PATCH, MERGE, RESOURCE, STRATEGIC, WORKFLOWS, is_status, version

pytestmark = pytest.mark.needs("overlay")


@pytest.fixture(scope="module")
def item(server):
    """A finished Workflow that the tests of this file change."""
    return server.finished("upd", {"keep": "me"}, annotations={"note": "one"})["metadata"]["name"]


def path(name, sub=""):
    return f"{WORKFLOWS}/{name}{sub}"


def labelled(found, **labels):
    return {**found, "metadata": {**found["metadata"], "labels": {**found["metadata"].get("labels", {}), **labels}}}


def silent_since(server, start, name):
    return server.wire.events(WORKFLOWS, resourceVersion=start, count=0, fieldSelector=f"metadata.name={name}") == []


def test_C13_put_changes_and_answers_with_the_object(server, wire, item):
    """PUT with the current version: 200 with what is stored now."""
    found = server.read(item)
    answer = wire.put(path(item), labelled(found, put="1"))
    assert answer.status == 200 and answer.json()["metadata"]["labels"]["put"] == "1" and version(answer.json()) > version(found)
    assert answer.json() == server.read(item)


def test_C13_put_with_an_old_resource_version_is_409_conflict(server, wire, item):
    """The version in the body is not the current one: 409 Conflict with the text that RetryOnConflict looks for, and details."""
    found = server.read(item)
    assert wire.put(path(item), labelled(found, put="2")).status == 200
    is_status(wire.put(path(item), labelled(found, put="3")), 409, "Conflict",
              f'Operation cannot be fulfilled on {RESOURCE} "{item}": the object has been modified; please apply your changes to the latest version and try again',
              name=item, group=GROUP, kind="workflows")
    assert server.read(item)["metadata"]["labels"]["put"] == "2"


def test_C13_put_without_a_resource_version(server, wire, item):
    """Absent: 422 as a CRD, or an unconditional update."""
    found = labelled(server.read(item), put="4")
    del found["metadata"]["resourceVersion"]
    answer = wire.put(path(item), found)
    if answer.status != 200:
        is_status(answer, 422, "Invalid", "metadata.resourceVersion: Invalid value: 0: must be specified for an update")


def test_C13_put_with_version_0(server, wire, item):
    """No object has it: as absent, and no Conflict, which would be tried again."""
    found = labelled(server.read(item), put="0")
    found["metadata"]["resourceVersion"] = "0"
    is_status(wire.put(path(item), found), 422, "Invalid", "metadata.resourceVersion: Invalid value: 0: must be specified for an update")


@pytest.mark.parametrize("value", ["zork", "-1", "1.5"])
def test_C13_put_with_a_version_that_is_none(server, wire, item, value):
    """Not a version: refused, nothing written."""
    found = labelled(server.read(item), put="bad")
    found["metadata"]["resourceVersion"] = value
    answer = wire.put(path(item), found)
    assert answer.status in (400, 409, 422) and answer.json()["kind"] == "Status"
    assert server.read(item)["metadata"]["labels"].get("put") != "bad"


def test_C14_another_uid_is_409(server, wire, item):
    """uid in the body is not the stored one."""
    found = server.read(item)
    found["metadata"]["uid"] = "11111111-1111-4111-8111-111111111111"
    is_status(wire.put(path(item), found), 409, "Conflict")


def test_C14_another_name_than_the_urls_is_400(server, wire, item):
    """The name of the object and of the URL."""
    found = server.read(item)
    found["metadata"]["name"] = "other"
    is_status(wire.put(path(item), found), 400, "BadRequest", f"the name of the object (other) does not match the name on the URL ({item})")


def test_C14_another_namespace_than_the_urls_is_400(server, wire, item):
    """The namespace of the object and of the URL."""
    found = server.read(item)
    found["metadata"]["namespace"] = "other"
    is_status(wire.put(path(item), found), 400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request")


def test_C14_put_does_not_create(server, wire):
    """A missing object: 404."""
    manifest = server.manifest(server.unique("absent"))
    manifest["metadata"]["resourceVersion"] = "1"
    is_status(wire.put(path(manifest["metadata"]["name"]), manifest), 404, "NotFound")


def test_C15_what_the_server_owns_is_ignored(server, wire, item):
    """generation, creationTimestamp, deletionTimestamp, selfLink and an absent uid pass and are overwritten."""
    found = server.read(item)
    changed = labelled(found, owned="1")
    changed["metadata"].update(generation=99, creationTimestamp="2001-01-01T00:00:00Z", deletionTimestamp="2001-01-01T00:00:00Z", deletionGracePeriodSeconds=5, selfLink="/x")
    del changed["metadata"]["uid"]
    answer = wire.put(path(item), changed)
    assert answer.status == 200, answer.body
    kept = answer.json()["metadata"]
    assert {key: kept[key] for key in ("uid", "generation", "creationTimestamp")} == {key: found["metadata"][key] for key in ("uid", "generation", "creationTimestamp")}
    assert "deletionTimestamp" not in kept and "selfLink" not in kept


def test_C15_times_are_times_or_null(server, wire, item):
    """A creationTimestamp that is no RFC 3339 time is refused by every write; null counts as absent."""
    found = server.read(item)
    changed = {**found, "metadata": {**found["metadata"], "creationTimestamp": "zork"}}
    is_status(wire.put(path(item), changed), 400, "BadRequest", 'cannot be handled as a Workflow: parsing time "zork"')
    is_status(wire.patch(path(item), {"metadata": {"creationTimestamp": "zork"}}), 422, "Invalid", 'parsing time "zork"')
    manifest = server.manifest(server.unique("time"))
    manifest["metadata"]["creationTimestamp"] = "zork"
    is_status(wire.post(WORKFLOWS, manifest), 400, "BadRequest", 'parsing time "zork"')
    manifest["metadata"]["creationTimestamp"] = None
    assert wire.post(WORKFLOWS, manifest, dryRun="All").status == 201
    assert wire.patch(path(item), {"metadata": {"creationTimestamp": None}}).status == 200 and server.read(item) == found


def test_C15_a_whole_number_has_many_spellings(server, wire, item):
    """A PUT with 1.0 where the object has 1, as Python sends it, changes nothing."""
    wire.patch(path(item, "/status"), {"status": {"counted": {"n": 1}}})
    found = server.read(item)
    assert found["status"]["counted"] == {"n": 1}
    changed = {**found, "status": {**found["status"], "counted": {"n": 1.0}}}
    for body in (changed, changed):
        assert wire.put(path(item, "/status"), body).json()["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]


@pytest.mark.parametrize("member, empty", [("finalizers", []), ("ownerReferences", []), ("annotations", {})])
def test_C15_an_empty_collection_is_none(server, wire, member, empty):
    """Neither a change nor anybody's field, whoever sends it: two managers that both clear what is clear do not keep each other busy."""
    made = server.finished("bare")
    name = made["metadata"]["name"]
    start = server.read(name)["metadata"]
    for manager in ("one", "two", "one"):
        for answer in (wire.patch(path(name), {"metadata": {member: empty}}, fieldManager=manager),
                       wire.patch(path(name), [{"op": "add", "path": f"/metadata/{member}", "value": empty}], JSON_PATCH, fieldManager=manager),
                       wire.put(path(name), {**made, "metadata": {**server.read(name)["metadata"], member: empty}}, fieldManager=manager)):
            assert answer.status == 200, answer.body
            assert answer.json()["metadata"] == start
    assert silent_since(server, start["resourceVersion"], name)


def test_C15_who_cleared_a_collection_owns_nothing_of_it(server, wire):
    """Set and then cleared by an update: an apply of it by another manager is no conflict."""
    name = server.finished("cleared")["metadata"]["name"]
    for value in (["example.com/a"], []):
        assert wire.patch(path(name), {"metadata": {"finalizers": value}}, fieldManager="up").status == 200
    assert not [entry for entry in server.read(name)["metadata"]["managedFields"] if "f:finalizers" in entry["fieldsV1"].get("f:metadata", {})]
    body = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "Workflow", "metadata": {"name": name, "finalizers": ["example.com/a"]}}
    assert wire.patch(path(name), body, APPLY, fieldManager="ap").status == 200
    assert wire.patch(path(name), {"metadata": {"finalizers": None}}).status == 200


@pytest.mark.parametrize("verb", ["put", "merge", "json", "empty", "apply"])
def test_C15_what_changes_nothing_has_no_version_and_no_event(server, wire, item, verb):
    """200 with the unchanged version, and no event: level-triggered controllers loop otherwise."""
    if verb == "apply":
        body = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "Workflow", "metadata": {"name": item, "labels": {"applied": "same"}}}
        assert wire.patch(path(item), body, APPLY, fieldManager="noop").status == 200
    found = server.read(item)
    answer = {
        "put": lambda: wire.put(path(item), found),
        "merge": lambda: wire.patch(path(item), {"metadata": {"labels": found["metadata"]["labels"]}}),
        "json": lambda: wire.patch(path(item), [{"op": "replace", "path": "/metadata/labels/keep", "value": "me"}], JSON_PATCH),
        "empty": lambda: wire.patch(path(item), {}),
        "apply": lambda: wire.patch(path(item), body, APPLY, fieldManager="noop"),
    }[verb]()
    assert answer.status == 200 and answer.json() == found
    assert silent_since(server, found["metadata"]["resourceVersion"], item)


@pytest.mark.parametrize("body", [
    {"startTime": "2024-01-15T10:30:00Z"}, {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2024-01-15T10:30:00Z", "reason": "Mine", "message": ""}]}])
@pytest.mark.parametrize("kind", [MERGE, APPLY])
def test_C15_what_is_not_taken_is_no_change(server, wire, item, kind, body):
    """A status whose values are the engine's: 200 with a Warning, the same version, no event and no owner, however often it is written."""
    wire.patch(path(item), {"apiVersion": f"{GROUP}/v1alpha1", "kind": "Workflow", "metadata": {"name": item, "labels": {"accounted": "for"}}}, APPLY, fieldManager="first")
    found = server.read(item)
    if kind == APPLY:
        body = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "Workflow", "metadata": {"name": item}, "status": body}
    else:
        body = {"status": body}
    for _ in range(2):
        answer = wire.patch(path(item, "/status"), body, kind, fieldManager="insistent", force="true" if kind == APPLY else None)
        assert answer.status == 200 and "set by the engine" in answer.headers["Warning"], (answer.status, answer.body)
        assert answer.json() == found
    assert silent_since(server, found["metadata"]["resourceVersion"], item)


def test_C15_false_is_kept_once(server, wire, item):
    """spec.suspend and spec.cancel are there as they were written, also as false; again they are no change."""
    before = server.read(item)["metadata"]["generation"]
    for i in range(2):
        answer = wire.patch(path(item), {"spec": {"suspend": False, "cancel": False}}).json()
        assert (answer["spec"]["suspend"], answer["spec"]["cancel"]) == (False, False) and answer["metadata"]["generation"] == before + 1
        version = answer["metadata"]["resourceVersion"] if i == 0 else version
        assert answer["metadata"]["resourceVersion"] == version


def test_C16_metadata_does_not_raise_the_generation(server, wire, item):
    """generation grows iff the spec changes."""
    before = server.read(item)["metadata"]["generation"]
    assert wire.patch(path(item), {"metadata": {"labels": {"gen": "1"}, "annotations": {"gen": "1"}}}).json()["metadata"]["generation"] == before


@pytest.mark.needs("suspend")
def test_C16_a_change_of_the_spec_raises_the_generation(server, wire):
    """spec.suspend and spec.cancel are changes of the spec; observedGeneration follows."""
    name = server.create("gen", seconds=60, suspend=True)["metadata"]["name"]
    for i, change in enumerate([{"suspend": False}, {"cancel": True}], 2):
        answer = wire.patch(path(name), {"spec": change})
        if answer.status == 422 and "cancel" in change:
            return
        assert answer.status == 200 and answer.json()["metadata"]["generation"] == i == answer.json()["status"]["observedGeneration"], answer.body


def test_C16_the_main_endpoint_ignores_status(server, wire, item):
    """PUT and PATCH on the object leave the status alone, and no version is made."""
    found = server.read(item)
    assert wire.put(path(item), {**found, "status": {"phase": "Pending"}}).json() == found
    assert wire.patch(path(item), {"status": {"phase": "Pending", "message": "mine"}}).json() == found


@pytest.mark.needs("setState")
@pytest.mark.parametrize("verb", ["put", "patch"])
def test_C16_the_status_endpoint_takes_only_status(server, wire, item, verb):
    """Labels, annotations and spec in the body are ignored; the generation stays."""
    found = server.read(item)
    body = labelled({**found, "spec": {"timeout": "1h"}, "status": {**found["status"], "phase": found["status"]["phase"]}}, status="no")
    answer = wire.put(path(item, "/status"), body) if verb == "put" else wire.patch(path(item, "/status"), {"metadata": {"labels": {"status": "no"}}, "spec": {"timeout": "1h"}})
    assert answer.status == 200, answer.body
    assert "status" not in answer.json()["metadata"]["labels"] and answer.json()["spec"] == found["spec"]
    assert answer.json()["metadata"]["generation"] == found["metadata"]["generation"]


@pytest.mark.needs("setState")
def test_C16_the_status_endpoint_has_the_version_rule(server, wire, item):
    """An old version on …/status is 409 as well."""
    found = server.read(item)
    assert wire.patch(path(item), {"metadata": {"labels": {"bump": found["metadata"]["resourceVersion"]}}}).status == 200
    is_status(wire.put(path(item, "/status"), found), 409, "Conflict")


def test_C17_an_emptied_list_of_finalizers_deletes(server, wire):
    """Terminating, finalizers set to empty: gone; the answer is 200 with the last object."""
    name = server.finished("fin", metadata={"finalizers": ["example.com/a", "example.com/b"]})["metadata"]["name"]
    wire.delete(path(name))
    found = wire.patch(path(name), {"metadata": {"finalizers": ["example.com/b"]}})
    assert found.status == 200 and found.json()["metadata"]["finalizers"] == ["example.com/b"] and server.read(name)["metadata"]["deletionTimestamp"]
    last = wire.patch(path(name), {"metadata": {"finalizers": []}})
    assert last.status == 200 and last.json()["kind"] == "Workflow" and not last.json()["metadata"].get("finalizers")
    server.gone(name)


def test_C17_by_put(server, wire):
    """The same by PUT, as controller-runtime's Update does it."""
    name = server.finished("fin", metadata={"finalizers": ["example.com/a"]})["metadata"]["name"]
    wire.delete(path(name))
    found = server.read(name)
    found["metadata"].pop("finalizers")
    assert wire.put(path(name), found).status == 200
    server.gone(name)


def test_C17_no_new_finalizers_while_terminating(server, wire):
    """422 with the exact text."""
    name = server.finished("fin", metadata={"finalizers": ["example.com/f"]})["metadata"]["name"]
    wire.delete(path(name))
    is_status(wire.patch(path(name), {"metadata": {"finalizers": ["example.com/f", "example.com/g"]}}), 422, "Invalid",
              'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/g"}')
    wire.patch(path(name), {"metadata": {"finalizers": None}})
    server.gone(name)


def test_C18_merge_patch(server, wire, item):
    """RFC 7386: null deletes, objects merge, arrays are replaced."""
    wire.patch(path(item), {"metadata": {"labels": {"m1": "a", "m2": "b"}}})
    found = wire.patch(path(item), {"metadata": {"labels": {"m1": None, "m3": "c"}, "annotations": {"a": "b"}}}).json()
    assert "m1" not in found["metadata"]["labels"] and (found["metadata"]["labels"]["m2"], found["metadata"]["labels"]["m3"]) == ("b", "c")
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u"}
    wire.patch(path(item), {"metadata": {"ownerReferences": [owner, {**owner, "uid": "v"}]}})
    found = wire.patch(path(item), {"metadata": {"ownerReferences": [owner]}}).json()
    assert found["metadata"]["ownerReferences"] == [owner]
    assert "ownerReferences" not in wire.patch(path(item), {"metadata": {"ownerReferences": None}}).json()["metadata"]


def test_C18_json_patch(server, wire, item):
    """RFC 6902, all operations, with escaped names."""
    wire.patch(path(item), {"metadata": {"annotations": {"a": "1", "example.com/b": "2"}}})
    operations = [
        {"op": "test", "path": "/metadata/annotations/a", "value": "1"}, {"op": "add", "path": "/metadata/annotations/d", "value": "4"},
        {"op": "replace", "path": "/metadata/annotations/example.com~1b", "value": "3"}, {"op": "copy", "from": "/metadata/annotations/d", "path": "/metadata/annotations/e"},
        {"op": "move", "from": "/metadata/annotations/e", "path": "/metadata/annotations/f"}, {"op": "remove", "path": "/metadata/annotations/a"}]
    answer = wire.patch(path(item), operations, JSON_PATCH)
    assert answer.status == 200, answer.body
    found = answer.json()["metadata"]["annotations"]
    assert (found["d"], found["example.com/b"], found["f"]) == ("4", "3", "4") and "a" not in found and "e" not in found


def test_C18_negative_indices_count_from_the_end(wire, item):
    """As Kubernetes' library has it, though the RFC has none: -1 is the last, and where something is added the place behind it."""
    finalizers = [f"example.com/{letter}" for letter in "abc"]
    wire.patch(path(item), {"metadata": {"finalizers": finalizers[:2]}})
    added = wire.patch(path(item), [{"op": "add", "path": "/metadata/finalizers/-1", "value": finalizers[2]}], JSON_PATCH)
    assert added.status == 200 and added.json()["metadata"]["finalizers"] == finalizers, added.body
    operations = [{"op": "test", "path": "/metadata/finalizers/-1", "value": finalizers[2]}, {"op": "remove", "path": "/metadata/finalizers/-3"}]
    assert wire.patch(path(item), operations, JSON_PATCH).json()["metadata"]["finalizers"] == finalizers[1:]
    is_status(wire.patch(path(item), [{"op": "remove", "path": "/metadata/finalizers/-3"}], JSON_PATCH), 422, "Invalid")
    assert wire.patch(path(item), {"metadata": {"finalizers": None}}).status == 200


def test_C18_json_patch_as_kopf_sends_it(server, wire):
    """test on the version, then finalizers."""
    found = server.finished("kopf")
    name = found["metadata"]["name"]
    operations = [{"op": "test", "path": "/metadata/resourceVersion", "value": found["metadata"]["resourceVersion"]},
                  {"op": "add", "path": "/metadata/finalizers", "value": ["kopf.zalando.org/KopfFinalizerMarker"]}]
    assert wire.patch(path(name), operations, JSON_PATCH).json()["metadata"]["finalizers"] == ["kopf.zalando.org/KopfFinalizerMarker"]
    is_status(wire.patch(path(name), operations, JSON_PATCH), 422, "Invalid")
    assert wire.patch(path(name), [{"op": "remove", "path": "/metadata/finalizers/0"}], JSON_PATCH).status == 200


def test_C18_the_spec_that_was_submitted_is_kept(server, wire, item):
    """What cannot be changed after submission is refused by field path; nothing else of the patch is done."""
    found = server.read(item)
    answer = wire.patch(path(item), {"metadata": {"labels": {"half": "done"}}, "spec": {"timeout": "1h"}})
    status = is_status(answer, 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "spec.timeout" and server.read(item) == found


@pytest.mark.parametrize("target", ["", "/status", "missing"])
def test_C19_strategic_merge_is_415(wire, item, target):
    """415 UnsupportedMediaType with the text on which the garbage collector falls back to a merge patch."""
    answer = wire.patch(path("no-such") if target == "missing" else path(item, target), {"metadata": {}}, STRATEGIC)
    status = is_status(answer, 415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: ")
    assert status["message"].endswith("accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml")


def test_C20_openapi_lists_no_strategic_merge(wire):
    """kubectl apply would send it."""
    for document in (f"/openapi/v3{API}", "/openapi/v2"):
        body = wire.get(document, "application/json").json()
        operation = body["paths"][f"{API}/namespaces/{{namespace}}/workflows/{{name}}"]["patch"]
        kinds = set(operation.get("consumes") or operation["requestBody"]["content"])
        assert kinds == {MERGE, JSON_PATCH, APPLY}, kinds
        assert STRATEGIC not in json.dumps(body)


@pytest.mark.parametrize("body, kind, code, reason, text", [
    (b"{", MERGE, 400, "BadRequest", ""), (b"[]", MERGE, 400, "BadRequest", ""), (b'"x"', MERGE, 400, "BadRequest", ""), (b"{", JSON_PATCH, 400, "BadRequest", "error decoding patch"),
    (b"{}", JSON_PATCH, 400, "BadRequest", "error decoding patch"), (b'[{"op":"test","path":"/metadata/name","value":"x"}]', JSON_PATCH, 422, "Invalid", "the server rejected our request due to an error in our request"),
    (b'[{"op":"remove","path":"/metadata/zork"}]', JSON_PATCH, 422, "Invalid", "the server rejected our request"), (b'[{"op":"zork","path":"/a"}]', JSON_PATCH, 422, "Invalid", "the server rejected our request"),
    (b'[{"op":"remove","path":"/metadata/annotations/zork"}]', JSON_PATCH, 422, "Invalid", "the server rejected our request"),
    (b'{"metadata":{"resourceVersion":"1"}}', MERGE, 409, "Conflict", "the object has been modified"),
    (b'{"metadata":{"labels":[]}}', MERGE, 400, "BadRequest", ""), (b'{"metadata":{"labels":{"a":1}}}', MERGE, 400, "BadRequest", "")])
def test_C21_patches_that_cannot_be_done(server, wire, item, body, kind, code, reason, text):
    """Bad JSON 400; an operation that cannot be applied 422; an old version 409. Nothing is written."""
    found = server.read(item)
    answer = wire.patch(path(item), body, kind)
    if code == 400 and b"labels" in body and answer.status == 422:
        is_status(answer, 422, "Invalid")
    else:
        status = is_status(answer, code, reason, text)
        if kind == JSON_PATCH and code == 422:
            assert [cause["field"] for cause in status["details"]["causes"]] == ["patch"]
    assert server.read(item) == found


@pytest.mark.parametrize("kind, body", [(MERGE, {"metadata": {"name": "other"}}), (JSON_PATCH, [{"op": "replace", "path": "/metadata/name", "value": "other"}])])
def test_C21_another_name_is_400(wire, item, kind, body):
    """A patch cannot rename."""
    is_status(wire.patch(path(item), body, kind), 400, "BadRequest", f"the name of the object (other) does not match the name on the URL ({item})")


@pytest.mark.parametrize("kind, body", [(MERGE, {"metadata": {"uid": "zork"}}), (JSON_PATCH, [{"op": "replace", "path": "/metadata/uid", "value": "zork"}])])
def test_C21_another_uid_is_refused(wire, item, kind, body):
    """422 or 409."""
    assert wire.patch(path(item), body, kind).status in (409, 422)


@pytest.mark.parametrize("kind, body", [(MERGE, {}), (JSON_PATCH, [])])
def test_C21_force_is_for_apply_only(wire, item, kind, body):
    """force with another kind of patch, whatever its value."""
    for force in ("true", "false", ""):
        is_status(wire.patch(path(item), body, kind, force=force), 422, "Invalid", 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch')


@pytest.mark.parametrize("kind, body", [(MERGE, {}), (JSON_PATCH, [])])
@pytest.mark.parametrize("sub", ["", "/status"])
def test_C21_a_missing_object_is_404(wire, kind, body, sub):
    """No create by patch."""
    is_status(wire.patch(path("no-such", sub), body, kind), 404, "NotFound", f'{RESOURCE} "no-such" not found')


def test_C21_the_current_version_in_a_patch_is_fine(server, wire, item):
    """Optimistic lock: the current version in the patch passes (kubectl diff, MergeFromWithOptimisticLock, GC)."""
    found = server.read(item)
    answer = wire.patch(path(item), {"metadata": {"resourceVersion": found["metadata"]["resourceVersion"], "labels": {"lock": found["metadata"]["resourceVersion"]}}})
    assert answer.status == 200 and version(answer.json()) > version(found)


@pytest.mark.needs("quick")
def test_C22_patches_without_a_version_never_conflict(server, wire, item):
    """Concurrent patches are all done: the server repeats them itself."""
    def one(i):
        return server.connect().patch(path(item), {"metadata": {"labels": {f"concurrent-{i}": "1"}}}).status
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(24))) == [200] * 24
    assert all(f"concurrent-{i}" in server.read(item)["metadata"]["labels"] for i in range(24))


@pytest.mark.needs("quick")
def test_C22_of_concurrent_puts_exactly_one_wins(server, wire, item):
    """With a version: one is 200, the others 409."""
    found = server.read(item)

    def one(i):
        return server.connect().put(path(item), labelled(found, race=str(i))).status
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == [200] + [409] * 7


@pytest.mark.needs("setState")
@pytest.mark.parametrize("kind, body", [(MERGE, {"status": {"phase": "Running", "startTime": "2024-01-15T10:30:00Z"}}),
                                        (JSON_PATCH, [{"op": "replace", "path": "/status/phase", "value": "Failed"}])])
def test_C23_patch_of_the_status(server, wire, kind, body):
    """PATCH on …/status, as kubectl --subresource=status sends it: 200; what the engine owns is kept, with a Warning."""
    name = server.running("stat")["metadata"]["name"]
    assert wire.get(path(name, "/status")).json()["kind"] == "Workflow"
    answer = wire.patch(path(name, "/status"), body, kind, fieldManager="kubectl-patch")
    assert answer.status == 200, answer.body
    if kind == JSON_PATCH:
        assert server.settled(name)["status"]["phase"] == "Failed"
    else:
        assert answer.json()["status"]["phase"] == "Running"
        assert answer.json()["status"]["startTime"] != "2024-01-15T10:30:00Z" and answer.headers["Warning"], "the engine owns its times"
    wire.delete(path(name))


@pytest.mark.needs("setState")
def test_C23_unknown_states_are_refused(server, wire, item):
    """A phase that there is not: 422 or 400."""
    assert wire.patch(path(item, "/status"), {"status": {"phase": "Zork"}}).status in (400, 422)


@pytest.mark.parametrize("conditions,text", [
    ([{"type": "Mine", "status": "True"}, {"type": "Mine", "status": "False"}], "Duplicate value"), ([{"status": "True"}], "type: Required value"),
    ([{"type": "Mine", "status": "Zork"}], 'Unsupported value: "Zork"')])
def test_C16_conditions_are_checked(wire, item, conditions, text):
    """What no apply could take afterwards is refused: 422 with the field."""
    is_status(wire.patch(path(item, "/status"), {"status": {"conditions": conditions}}), 422, "Invalid", text)
