"""§8: errors; §10: kubectl logs."""

import pytest

from stack import API, GROUP
from wire import RESOURCE, WORKFLOWS, is_status


@pytest.mark.parametrize("method, path, code, reason, message, details", [
    ("GET", f"{WORKFLOWS}/nope", 404, "NotFound", f'{RESOURCE} "nope" not found', {"name": "nope", "group": GROUP, "kind": "workflows"}),
    ("GET", f"{API}/namespaces/default/workflowtemplates/nope", 404, "NotFound", 'workflowtemplates.workflow.example.com "nope" not found',
     {"name": "nope", "group": GROUP, "kind": "workflowtemplates"}),
    ("GET", f"{API}/workflowbackends/nope", 404, "NotFound", 'workflowbackends.workflow.example.com "nope" not found', {"name": "nope", "group": GROUP, "kind": "workflowbackends"}),
    ("GET", f"{API}/zorks", 404, "NotFound", "the server could not find the requested resource", {}),
    ("GET", f"/apis/{GROUP}/v9/workflows", 404, "NotFound", "the server could not find the requested resource", {}),
    ("GET", "/apis/apps/v1/deployments", 404, "NotFound", "the server could not find the requested resource", {}),
    ("GET", f"{WORKFLOWS}/nope/zork", 404, "NotFound", "the server could not find the requested resource", {}),
    ("GET", f"{API}/namespaces/default/workflowbackends", 404, "NotFound", "the server could not find the requested resource", {}),
    ("POST", f"{API}/workflows", 405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}),
    ("PUT", WORKFLOWS, 405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}),
    ("TRACE", WORKFLOWS, 405, "MethodNotAllowed", "", {})])
def test_E1_errors_are_statuses(wire, method, path, code, reason, message, details):
    """kind Status, apiVersion v1, the code of the answer, a reason that clients look at, details with the plural."""
    answer = wire.request(method, path, b"{}" if method in ("POST", "PUT") else None)
    status = is_status(answer, code, reason, message)
    assert status["details"] == details, status
    assert code != 405 or answer.headers["Allow"]


def test_E1_details_of_a_422_have_the_kind(server, wire):
    """details.kind is the Kind for 422; kubectl prints `The Workflow "X" is invalid:`."""
    manifest = server.manifest("Bad_Name")
    status = is_status(wire.post(WORKFLOWS, manifest), 422, "Invalid")
    assert (status["details"]["name"], status["details"]["group"], status["details"]["kind"]) == ("Bad_Name", GROUP, "Workflow")


@pytest.mark.parametrize("method", ["OPTIONS", "CONNECT"])
def test_E1_other_methods_are_answered(wire, method):
    """No method hangs or breaks the connection without an answer."""
    assert wire.request(method, WORKFLOWS).status >= 400


@pytest.mark.needs("faults")
@pytest.mark.parametrize("fault, code, reason, retry", [("429=7", 429, "TooManyRequests", True), ("503", 503, "ServiceUnavailable", None), ("500", None, None, None)])
def test_E2_retry_after_only_where_nothing_was_written(server, wire, fault, code, reason, retry):
    """A refused submission carries Retry-After (header and details) where it is certain that nothing was written; an unclear one never does."""
    server.engine.call("PUT", "/v1/faults", {"faults": [f"{fault};count=20;path=/v1/jobs;method=POST"]})
    try:
        name = server.unique("fault")
        answer = wire.post(WORKFLOWS, server.manifest(name))
    finally:
        server.engine.call("DELETE", "/v1/faults")
    status = answer.json()
    assert answer.status in ((code,) if code else (500, 502, 503, 504)) and status["kind"] == "Status", status
    if retry:
        assert status["reason"] == reason and int(answer.headers["Retry-After"]) >= 1
    if answer.headers["Retry-After"]:
        assert status["details"]["retryAfterSeconds"] == int(answer.headers["Retry-After"])
        assert not [job for job in server.engine.call("GET", "/v1/jobs?limit=1000")["items"] if job.get("idempotencyKey") == f"default.{name}"]


@pytest.mark.needs("faults")
def test_E2_an_unclear_write_is_not_repeated_by_clients(server, wire):
    """The engine took the job and the answer was lost, for good: never Retry-After; the run is there once."""
    server.engine.call("PUT", "/v1/faults", {"faults": ["close-after;count=1;path=/v1/jobs;method=POST"]})
    name = server.unique("lost")
    answer = wire.post(WORKFLOWS, server.manifest(name))
    server.engine.call("DELETE", "/v1/faults")
    assert answer.status == 201 or answer.headers["Retry-After"] is None, answer.body
    assert len([job for job in server.engine.call("GET", "/v1/jobs?limit=1000")["items"] if job.get("idempotencyKey") == f"default.{name}"]) == 1


@pytest.mark.parametrize("spec, reason, text", [
    ({}, "FieldValueRequired", "Required value"), ({"timeout": "zork"}, "FieldValueInvalid", 'Invalid value: "zork"'),
    ({"templateRef": {}}, "FieldValueRequired", "spec.templateRef.name: Required value"),
    ({"templateRef": {"name": "x"}, "steps": [{"name": "a", "command": ["true"]}]}, None, " is invalid: spec"),
    ({"templateRef": {"name": "no-such-template"}}, "FieldValueNotFound", 'spec.templateRef.name: Not found: "no-such-template"')])
def test_E3_causes_of_a_422(server, wire, spec, reason, text):
    """The reasons of causes, with the field; the message is `<Kind>.<group> "<name>" is invalid: …`."""
    name = server.unique("bad")
    manifest = {"metadata": {"name": name}, "spec": spec}
    if spec.get("timeout"):
        manifest["spec"] = {**server.manifest(name)["spec"], **spec}
    status = is_status(wire.post(WORKFLOWS, manifest), 422, "Invalid", text)
    assert status["message"].startswith(f'Workflow.workflow.example.com "{name}" is invalid: ')
    causes = status["details"]["causes"]
    assert all(cause["field"].startswith("spec") and cause["message"] for cause in causes)
    assert reason is None or reason in [cause["reason"] for cause in causes], causes


@pytest.mark.needs("inlineSteps")
def test_E3_duplicates(server, wire):
    """FieldValueDuplicate, and the index in the path."""
    name = server.unique("twice")
    step = {"name": "a", "command": ["true"]}
    status = is_status(wire.post(WORKFLOWS, {"metadata": {"name": name}, "spec": {"steps": [step, step]}}), 422, "Invalid", 'spec.steps[1].name: Duplicate value: "a"')
    assert status["details"]["causes"][0]["reason"] == "FieldValueDuplicate"
    step["env"] = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    is_status(wire.post(WORKFLOWS, {"metadata": {"name": name}, "spec": {"steps": [step]}}), 422, "Invalid", 'spec.steps[0].env[1].name: Duplicate value: "A"')


def test_K1_there_is_no_scale(wire, shared):
    """kubectl scale gets our 404."""
    is_status(wire.patch(f"{WORKFLOWS}/{shared.names[0]}/scale", {"spec": {"replicas": 1}}, accept="application/json, */*"), 404, "NotFound")


def test_K2_the_log_is_plain_text(server, wire, shared):
    """GET …/log: text/plain, chunked; tailLines; a missing object is 404, a step that there is not is refused."""
    answer = wire.get(f"{WORKFLOWS}/{shared.names[0]}/log")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain")
    assert wire.get(f"{WORKFLOWS}/{shared.names[0]}/log", tailLines=1).body.count(b"\n") <= 1
    is_status(wire.get(f"{WORKFLOWS}/no-such/log"), 404, "NotFound")
    is_status(wire.get(f"{WORKFLOWS}/{shared.names[0]}/log", tailLines="zork"), 400, "BadRequest")


@pytest.mark.needs("inlineSteps", "quick")
def test_K2_follow_is_long_running(server, wire):
    """follow=true goes on until the run ends."""
    name = server.unique("follow")
    wire.post(WORKFLOWS, {"metadata": {"name": name}, "spec": {"steps": [{"name": "s", "command": ["sh", "-c", "echo one; sleep 1; echo two"]}]}})
    assert wire.get(f"{WORKFLOWS}/{name}/log", follow="true").body == b"[s] one\n[s] two\n"
    assert wire.get(f"{WORKFLOWS}/{name}/log", step="s").body == b"one\ntwo\n"
