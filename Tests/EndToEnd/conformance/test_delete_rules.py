"""§7.5: delete."""

import pytest

from stack import API, GROUP
from wire import METADATA, RESOURCE, TABLE, WORKFLOWS, is_status, names

pytestmark = pytest.mark.needs("delete")


def path(name):
    return f"{WORKFLOWS}/{name}"


@pytest.fixture
def made(server):
    return server.finished("del")


BODIES = [None, b"", {}, {"propagationPolicy": "Background"}, {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"},
          {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", "gracePeriodSeconds": 0}, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"},
          {"orphanDependents": False}, {"apiVersion": f"{GROUP}/v1alpha1", "kind": "DeleteOptions"}]


@pytest.mark.parametrize("body", BODIES)
def test_C24_gone_at_once_is_a_status_with_the_uid(server, wire, made, body):
    """200, Status Success with uid in details: kubectl waits for that incarnation. Body: none, kubectl's, kcm's."""
    name = made["metadata"]["name"]
    answer = wire.delete(path(name), body)
    assert answer.status == 200, answer.body
    assert answer.json() == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                             "details": {"name": name, "group": GROUP, "kind": "workflows", "uid": made["metadata"]["uid"]}}
    assert wire.get(path(name)).status == 404


@pytest.mark.parametrize("query", [{"propagationPolicy": "Background"}, {"gracePeriodSeconds": "0"}, {"orphanDependents": "false"}])
def test_C24_options_in_the_query(server, wire, made, query):
    """The same as query parameters."""
    assert wire.delete(path(made["metadata"]["name"]), **query).json()["status"] == "Success"


@pytest.mark.needs("overlay")
def test_C24_still_there_is_the_object(server, wire):
    """With finalizers: 200 with the object and its deletionTimestamp; a repeated DELETE changes nothing."""
    name = server.finished("fin", metadata={"finalizers": ["example.com/hold"]})["metadata"]["name"]
    first = wire.delete(path(name))
    assert first.status in (200, 202) and first.json()["kind"] == "Workflow" and first.json()["metadata"]["deletionTimestamp"]
    assert first.json()["metadata"]["deletionGracePeriodSeconds"] == 0 and first.json()["metadata"]["generation"] == 2
    again = wire.delete(path(name))
    assert again.json()["metadata"]["resourceVersion"] == first.json()["metadata"]["resourceVersion"]
    assert name in names(wire.get(WORKFLOWS).json()["items"])
    assert wire.patch(path(name), {"metadata": {"finalizers": None}}).status == 200
    server.gone(name)


@pytest.mark.needs("overlay")
def test_C24_still_there_in_the_old_spelling_is_202(server, wire):
    """orphanDependents: false, and the object stays: 202 Accepted."""
    name = server.finished("fin", metadata={"finalizers": ["example.com/hold"]})["metadata"]["name"]
    for expected, body in ((202, {"orphanDependents": False}), (200, None)):
        answer = wire.delete(path(name), body)
        assert answer.status == expected and answer.json()["kind"] == "Workflow", (answer.status, answer.body)
    assert wire.patch(path(name), {"metadata": {"finalizers": None}}).status == 200
    server.gone(name)


@pytest.mark.parametrize("conditions, text", [
    ({"uid": "zork"}, "the UID in the precondition (zork) does not match the UID in record ("),
    ({"resourceVersion": "3"}, "the ResourceVersion in the precondition (3) does not match the ResourceVersion in record (")])
@pytest.mark.parametrize("as_query", [False, True])
def test_C25_preconditions(server, wire, shared, conditions, text, as_query):
    """409 Conflict, and the object is still there."""
    if as_query:
        answer = wire.delete(path(shared.names[0]), **{f"preconditions.{key}": value for key, value in conditions.items()})
        if answer.status == 200:
            pytest.fail("preconditions in the query were ignored, and the object deleted")
    else:
        answer = wire.delete(path(shared.names[0]), {"preconditions": conditions})
    is_status(answer, 409, "Conflict", text, name=shared.names[0], group=GROUP, kind="Workflow")
    assert server.read(shared.names[0]) == shared.a


def test_C25_fitting_preconditions(server, wire, made):
    """The garbage collector sends uid and version."""
    found = server.read(made["metadata"]["name"])["metadata"]
    body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": found["uid"], "resourceVersion": found["resourceVersion"]}}
    assert wire.delete(path(found["name"]), body).json()["status"] == "Success"


@pytest.mark.needs("overlay")
@pytest.mark.parametrize("body, finalizer", [
    ({"propagationPolicy": "Foreground"}, "foregroundDeletion"), ({"propagationPolicy": "Orphan"}, "orphan"), ({"orphanDependents": True}, "orphan")])
def test_C26_foreground_and_orphan(server, wire, made, body, finalizer):
    """The finalizer is added and the object kept, until the garbage collector takes it away by a merge patch with the version."""
    name = made["metadata"]["name"]
    answer = wire.delete(path(name), body)
    assert answer.status in (200, 202), answer.body
    found = answer.json()["metadata"]
    assert found["finalizers"] == [finalizer] and found["deletionTimestamp"] and found["deletionGracePeriodSeconds"] == 0
    assert found["generation"] == made["metadata"]["generation"] + 1
    current = wire.get(path(name), METADATA).json()["metadata"]
    assert current["finalizers"] == [finalizer]
    done = wire.patch(path(name), {"metadata": {"resourceVersion": current["resourceVersion"], "finalizers": None}}, accept=METADATA)
    assert done.status == 200, done.body
    server.gone(name)


@pytest.mark.needs("overlay")
def test_C26_without_a_policy_the_finalizers_stay_in_their_order(server, wire):
    """Nothing is to be added or taken away."""
    name = server.finished("order", metadata={"finalizers": ["orphan", "example.com/hold"]})["metadata"]["name"]
    assert wire.delete(path(name)).json()["metadata"]["finalizers"] == ["orphan", "example.com/hold"]
    assert wire.patch(path(name), {"metadata": {"finalizers": None}}).status == 200
    server.gone(name)


def test_C26_an_empty_policy_in_the_query_is_422(server, wire, shared):
    """It is no policy."""
    is_status(wire.delete(path(shared.names[0]), propagationPolicy=""), 422, "Invalid", 'propagationPolicy: Unsupported value: ""')
    assert server.read(shared.names[0]) == shared.a


@pytest.mark.needs("overlay")
def test_C26_background_keeps_none(server, wire, made):
    """Background and unset: no finalizer."""
    assert wire.delete(path(made["metadata"]["name"]), {"propagationPolicy": "Background"}).json()["kind"] == "Status"


@pytest.mark.parametrize("body, text", [
    ({"propagationPolicy": "Zork"}, 'propagationPolicy: Unsupported value: "Zork": supported values: "Foreground", "Background", "Orphan", "nil"'),
    ({"propagationPolicy": "Orphan", "orphanDependents": True}, "orphanDependents and deletionPropagation cannot be both set")])
def test_C26_bad_policies_are_422(wire, shared, body, text):
    """422, DeleteOptions in the message."""
    status = is_status(wire.delete(path(shared.names[0]), body), 422, "Invalid", text)
    assert status["message"].startswith('DeleteOptions.meta.k8s.io "" is invalid: ')


def test_C27_a_missing_object_is_404(wire):
    """404 NotFound."""
    is_status(wire.delete(path("no-such")), 404, "NotFound", f'{RESOURCE} "no-such" not found', name="no-such", group=GROUP, kind="workflows")


@pytest.mark.parametrize("sub", ["status", "log", "cancel"])
def test_C27_subresources_cannot_be_deleted(wire, shared, sub):
    """405, naming the verb and the resource."""
    is_status(wire.delete(f"{path(shared.names[0])}/{sub}"), 405, "MethodNotAllowed", f'delete is not supported on resources of kind "{RESOURCE}"')


def test_C27_a_grace_period_is_accepted_and_ignored(wire, made):
    """gracePeriodSeconds."""
    assert wire.delete(path(made["metadata"]["name"]), {"gracePeriodSeconds": 30}).json()["status"] == "Success"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', {"kind": "Zork"}, {"preconditions": []}, {"gracePeriodSeconds": "x"}])
def test_C27_a_bad_body_deletes_nothing(server, wire, shared, body):
    """400."""
    is_status(wire.delete(path(shared.names[0]), body), 400, "BadRequest")
    assert server.read(shared.names[0]) == shared.a


def several(server, mark, count=3):
    return [server.finished("coll", {"coll": mark, "n": str(i)})["metadata"]["name"] for i in range(count)]


@pytest.mark.parametrize("body", [None, {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}])
def test_C28_deletecollection_respects_selectors(server, wire, body):
    """Only what is selected; 200 with the list of what was deleted, or a Status; the list is then empty."""
    mark = server.unique("coll")
    made = several(server, mark)
    answer = wire.delete(WORKFLOWS, body, labelSelector=f"coll={mark},n!=1")
    assert answer.status == 200, answer.body
    found = answer.json()
    assert found["kind"] == "WorkflowList" and sorted(names(found["items"])) == [made[0], made[2]] or found.get("status") == "Success"
    assert names(wire.get(WORKFLOWS, labelSelector=f"coll={mark}").json()["items"]) == [made[1]]
    assert wire.delete(WORKFLOWS, fieldSelector=f"metadata.name={made[1]}").status == 200
    assert wire.get(WORKFLOWS, labelSelector=f"coll={mark}").json()["items"] == []


@pytest.mark.needs("overlay")
def test_C28_deletecollection_respects_finalizers(server, wire):
    """What has finalizers is marked and stays."""
    mark = server.unique("coll")
    name = server.finished("coll", {"coll": mark}, metadata={"finalizers": ["example.com/hold"]})["metadata"]["name"]
    assert wire.delete(WORKFLOWS, labelSelector=f"coll={mark}").status == 200
    assert server.read(name)["metadata"]["deletionTimestamp"]
    wire.patch(path(name), {"metadata": {"finalizers": None}})
    server.gone(name)


def test_C28_deletecollection_dry_run(server, wire, shared):
    """dryRun deletes nothing, wherever it stands."""
    for arguments in (({"dryRun": ["All"]}, {}), (None, {"dryRun": "All"})):
        assert wire.delete(WORKFLOWS, arguments[0], labelSelector=shared.selector, **arguments[1]).status == 200
    assert names(wire.get(WORKFLOWS, labelSelector=shared.selector).json()["items"]) == shared.names


def test_C28_deletecollection_of_nothing(wire):
    """Nothing selected: 200."""
    assert wire.delete(WORKFLOWS, labelSelector="no=such").status == 200
    is_status(wire.delete(f"{API}/workflows"), 405, "MethodNotAllowed")


def test_C24_an_active_run_is_cancelled_first(server, wire):
    """Deleting an active run: the object is terminating until the engine has let it go, then gone; or it is gone at once."""
    found = server.running("active")
    answer = wire.delete(path(found["metadata"]["name"]), {"propagationPolicy": "Background"})
    assert answer.status in (200, 202), answer.body
    assert answer.json()["kind"] == "Status" and answer.json()["details"]["uid"] == found["metadata"]["uid"] or answer.json()["metadata"]["deletionTimestamp"]
    server.gone(found["metadata"]["name"])


def test_C24_a_delete_can_answer_with_metadata(server, wire, made):
    """The metadata client asks for protobuf or JSON, other programs for a Table: a Status is a Status."""
    answer = wire.request("DELETE", path(made["metadata"]["name"]), headers={"Accept": f"application/vnd.kubernetes.protobuf,{TABLE},application/json"})
    assert answer.status == 200 and answer.json()["kind"] == "Status"
