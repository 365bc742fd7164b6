"""§9: server-side apply."""

import json
import re

import pytest
import yaml

from stack import API, GROUP, workflow
from wire import APPLY, JSON_PATCH, WORKFLOWS, is_status

pytestmark = pytest.mark.needs("overlay")


@pytest.fixture
def item(server):
    return server.finished("ssa")["metadata"]["name"]


def document(name, labels=None, annotations=None, **more):
    metadata = {"name": name, **({"labels": labels} if labels else {}), **({"annotations": annotations} if annotations else {})}
    return {"apiVersion": f"{GROUP}/v1alpha1", "kind": "Workflow", "metadata": metadata, **more}


def apply(wire, name, body, manager="one", **query):
    return wire.patch(f"{WORKFLOWS}/{name}", body, APPLY, fieldManager=manager, **query)


def entry(found, manager, operation="Apply"):
    return next((one for one in found["metadata"].get("managedFields", []) if (one["manager"], one["operation"]) == (manager, operation)), None)


def test_S1_the_clients_that_apply_are_answered(server, wire):
    """Flux and Helm 4 apply to create (201) and again (200)."""
    name = server.unique("flux")
    body = {**server.manifest(name)}
    body["metadata"]["labels"] = {"app": "flux"}
    made = apply(wire, name, body, "kustomize-controller", force="true")
    assert made.status == 201, made.body
    server.settled(name)
    assert apply(wire, name, body, "kustomize-controller", force="true").status == 200
    dry = apply(wire, name, body, "kustomize-controller", force="true", dryRun="All")
    assert dry.status == 200 and dry.json()["metadata"]["labels"]["app"] == "flux"


@pytest.mark.parametrize("encode", [lambda body: yaml.safe_dump(body).encode(), lambda body: json.dumps(body).encode()], ids=["yaml", "json"])
def test_S3_yaml_and_json(wire, item, encode):
    """The body is YAML or JSON."""
    answer = apply(wire, item, encode(document(item, {"form": "x"})))
    assert answer.status == 200 and answer.json()["metadata"]["labels"]["form"] == "x", answer.body


def test_S3_a_field_manager_is_required(wire, item):
    """422 with the text."""
    is_status(wire.patch(f"{WORKFLOWS}/{item}", document(item), APPLY), 422, "Invalid", "fieldManager: Required value: is required for apply patch")


def test_S3_managed_fields_must_be_nil(wire, item):
    """400."""
    body = document(item)
    body["metadata"]["managedFields"] = [{"manager": "x", "operation": "Apply", "apiVersion": f"{GROUP}/v1alpha1", "fieldsType": "FieldsV1", "fieldsV1": {}}]
    is_status(apply(wire, item, body), 400, "BadRequest", "metadata.managedFields must be nil")


@pytest.mark.parametrize("body", [{"metadata": {}}, {"apiVersion": f"{GROUP}/v1alpha1"}, {"kind": "Zork", "apiVersion": f"{GROUP}/v1alpha1"}])
def test_S3_a_kind_is_required(wire, item, body):
    """Wrong or absent kind: 400."""
    status = is_status(apply(wire, item, {**body, "metadata": {"name": item}}), 400, "BadRequest")
    if "kind" not in body and "apiVersion" not in body:
        assert "invalid object type: /, Kind=" in status["message"]


def test_S3_another_name_is_400(wire, item):
    """The name of the body and of the URL."""
    is_status(apply(wire, item, document("other")), 400, "BadRequest")


def test_S3_a_uid_without_an_object_is_409(server, wire):
    """uid given and object missing."""
    name = server.unique("absent")
    body = {**server.manifest(name)}
    body["metadata"]["uid"] = "11111111-1111-4111-8111-111111111111"
    is_status(apply(wire, name, body), 409, "Conflict", "uid mismatch: ")


def test_S3_a_version_is_a_lock(server, wire, item):
    """resourceVersion given: optimistic lock."""
    body = document(item, {"lock": "1"})
    body["metadata"]["resourceVersion"] = "1"
    is_status(apply(wire, item, body), 409, "Conflict")
    body["metadata"]["resourceVersion"] = server.read(item)["metadata"]["resourceVersion"]
    assert apply(wire, item, body).status == 200


def test_S3_the_same_again_changes_nothing(server, wire, item):
    """Same version, no event, the time is not bumped."""
    first = apply(wire, item, document(item, {"again": "1"})).json()
    second = apply(wire, item, document(item, {"again": "1"}))
    assert second.status == 200 and second.json() == first
    assert wire.events(WORKFLOWS, resourceVersion=first["metadata"]["resourceVersion"], count=0, fieldSelector=f"metadata.name={item}") == []


def test_S4_json_patch_replaces_managed_fields(server, wire, item):
    """kubectl merges managers by a JSON Patch; [{}] resets all."""
    apply(wire, item, document(item, {"s4": "1"}))
    found = server.read(item)
    version = found["metadata"]["resourceVersion"]
    answer = wire.patch(f"{WORKFLOWS}/{item}", [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]},
                                                {"op": "replace", "path": "/metadata/resourceVersion", "value": version}], JSON_PATCH)
    assert answer.status == 200, answer.body
    assert not entry(server.read(item), "one")


def test_S4_kubectl_apply_over_client_side_apply(server, wire):
    """What kubectl apply --server-side does to an object of kubectl apply."""
    name = server.unique("csa")
    manifest = server.manifest(name)
    manifest["metadata"]["labels"] = {"a": "1"}
    manifest["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(manifest)}
    assert wire.post(WORKFLOWS, manifest, fieldManager="kubectl-client-side-apply").status == 201
    server.settled(name)
    body = server.manifest(name)
    body["metadata"]["labels"] = {"a": "1"}
    assert apply(wire, name, body, "kubectl", force="false").status == 200
    assert entry(server.read(name), "kubectl-client-side-apply", "Update") and entry(server.read(name), "kubectl")


def test_S5_a_conflict_names_manager_and_field(wire, item):
    """Another manager's field with another value: 409 with a cause FieldManagerConflict."""
    assert apply(wire, item, document(item, {"owner": "one"}), "one").status == 200
    status = is_status(apply(wire, item, document(item, {"owner": "two"}), "two"), 409, "Conflict")
    assert status["message"].startswith("Apply failed with 1 conflict: conflict with \"one\"") and ".metadata.labels.owner" in status["message"]
    cause, = status["details"]["causes"]
    assert cause["reason"] == "FieldManagerConflict" and cause["field"] == ".metadata.labels.owner"


def test_S5_force_takes_the_field(server, wire, item):
    """force=true: the field changes hands."""
    apply(wire, item, document(item, {"owner": "one"}), "one")
    answer = apply(wire, item, document(item, {"owner": "two"}), "two", force="true")
    assert answer.status == 200 and answer.json()["metadata"]["labels"]["owner"] == "two"
    first = entry(server.read(item), "one")
    assert not first or "f:owner" not in json.dumps(first["fieldsV1"])


def test_S5_the_same_value_is_shared(server, wire, item):
    """Same value by two managers: shared; the field goes when both have let it go."""
    apply(wire, item, document(item, {"shared": "x"}), "one")
    assert apply(wire, item, document(item, {"shared": "x"}), "two").status == 200
    assert apply(wire, item, document(item), "one").json()["metadata"]["labels"]["shared"] == "x"
    assert "shared" not in apply(wire, item, document(item), "two").json()["metadata"].get("labels", {})


def test_S5_what_is_no_longer_applied_goes(wire, item):
    """Fields that this manager applied before and no longer does are removed."""
    apply(wire, item, document(item, {"a": "1", "b": "2"}))
    found = apply(wire, item, document(item, {"a": "1"})).json()
    assert found["metadata"]["labels"]["a"] == "1" and "b" not in found["metadata"]["labels"]


def test_S5_updates_own_what_they_change(server, wire, item):
    """A merge patch takes the field over for its manager: the applier then meets a conflict."""
    apply(wire, item, document(item, {"moved": "1"}), "one")
    wire.patch(f"{WORKFLOWS}/{item}", {"metadata": {"labels": {"moved": "2"}}}, fieldManager="editor")
    assert entry(server.read(item), "editor", "Update")
    is_status(apply(wire, item, document(item, {"moved": "1"}), "one"), 409, "Conflict", 'conflict with "editor"')


def test_S5_a_patch_without_manager_is_named_by_its_program(server, wire, item):
    """Without fieldManager the User-Agent up to the slash is the manager."""
    wire.request("PATCH", f"{WORKFLOWS}/{item}", b'{"metadata":{"labels":{"agent":"1"}}}',
                 {"Content-Type": "application/merge-patch+json", "User-Agent": "my-operator/v1 (linux)"})
    assert entry(server.read(item), "my-operator", "Update")


def test_S6_the_form_of_managed_fields(server, wire, item):
    """manager, operation, apiVersion, time, fieldsType, fieldsV1; identity and bookkeeping are not owned."""
    found = apply(wire, item, document(item, {"form": "1"}, {"note": "2"}), "former").json()
    one = entry(found, "former")
    assert (one["apiVersion"], one["fieldsType"]) == (f"{GROUP}/v1alpha1", "FieldsV1") and re.fullmatch(r"[-\dT:]+Z", one["time"])
    assert one["fieldsV1"] == {"f:metadata": {"f:annotations": {"f:note": {}}, "f:labels": {"f:form": {}}}}


@pytest.mark.needs("inlineSteps")
def test_S6_steps_are_keyed_by_name(server, wire):
    """k:{"name":…} for a list that is merged by key."""
    name = server.unique("keyed")
    made = apply(wire, name, workflow(name, "true"), "keyed")
    assert made.status == 201, made.body
    steps = entry(made.json(), "keyed")["fieldsV1"]["f:spec"]["f:steps"]
    assert 'k:{"name":"step-0"}' in steps and set(steps['k:{"name":"step-0"}']) >= {".", "f:name", "f:command"}


def test_S7_merge_keys_equal_openapi(wire):
    """x-kubernetes-list-type and -map-keys are what apply does."""
    spec = wire.get(f"/openapi/v3{API}").json()["components"]["schemas"]["com.example.workflow.v1alpha1.Workflow"]["properties"]["spec"]
    steps = spec["properties"]["steps"] if "properties" in spec else spec["allOf"][0]["properties"]["steps"]
    assert steps["x-kubernetes-list-type"] == "map" and steps["x-kubernetes-list-map-keys"] == ["name"]
