"""What can be changed after submission, as kubectl's users do it, and deletes that meet trouble on their way."""

import json

from stack import API, eventually, workflow

WORKFLOWS = f"{API}/namespaces/default/workflows"


def test_label_annotate_and_apply_over_create(stack):
    stack.kubectl("create", "-f", "-", stdin=json.dumps(workflow("labelled", "true")))
    done = stack.phase("labelled", "Succeeded")
    stack.kubectl("label", "wf", "labelled", "team=build", "tier=ci")
    stack.kubectl("label", "wf", "labelled", "tier-")
    stack.kubectl("annotate", "wf", "labelled", "note=kept")
    assert "configured" in stack.kubectl("apply", "-f", "-", stdin=json.dumps(workflow("labelled", "true"))).out
    found = stack.get("labelled")
    assert found["metadata"]["labels"]["team"] == "build" and "tier" not in found["metadata"]["labels"]
    assert found["metadata"]["annotations"]["note"] == "kept"
    assert found["metadata"]["generation"] == done["metadata"]["generation"]
    version = found["metadata"]["resourceVersion"]
    assert "not labeled" in stack.kubectl("label", "wf", "labelled", "team=build").out
    assert stack.get("labelled")["metadata"]["resourceVersion"] == version, "what changes nothing makes no version"
    stack.gateway.kill()
    stack.gateway.start()
    stack.wait_for_sweep()
    assert stack.get("labelled")["metadata"]["annotations"]["note"] == "kept"


def test_a_changed_spec_is_refused_by_field(stack):
    stack.kubectl("apply", "-f", "-", stdin=json.dumps(workflow("fixed", "true")))
    refused = stack.kubectl("apply", "-f", "-", check=False, stdin=json.dumps(workflow("fixed", "false")))
    assert refused.code == 1 and "spec.steps: Forbidden" in refused.err and "delete the Workflow and create it anew" in refused.err
    assert "annotations" not in refused.err


def test_cancel_by_patch(stack):
    stack.create(workflow("patched", "sleep 60"))
    stack.phase("patched", "Running")
    stack.kubectl("patch", "wf", "patched", "--type=merge", "-p", '{"spec":{"cancel":true}}')
    found = stack.phase("patched", "Failed")
    assert found["status"]["reason"] == "Cancelled" and found["spec"]["cancel"] is True
    assert found["metadata"]["generation"] == found["status"]["observedGeneration"] == 2


def test_suspend_and_resume_by_patch(stack):
    stack.create(workflow("held", "true", suspend=True))
    eventually(lambda: stack.get("held")["status"].get("reason") == "Suspended", what="Suspended")
    stack.kubectl("patch", "wf", "held", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    stack.phase("held", "Succeeded")


def test_dry_run_patch_and_cancel_change_nothing(stack):
    stack.create(workflow("untouched", "sleep 3"))
    stack.phase("untouched", "Running")
    version = stack.get("untouched")["metadata"]["resourceVersion"]
    out = stack.kubectl("label", "wf", "untouched", "team=x", "--dry-run=server", "-o", "json").out
    assert json.loads(out)["metadata"]["labels"]["team"] == "x"
    assert stack.gateway.raw("POST", f"{WORKFLOWS}/untouched/cancel?dryRun=All", {}).status in (200, 201)
    assert "team" not in stack.get("untouched")["metadata"]["labels"] and stack.get("untouched")["metadata"]["resourceVersion"] == version
    stack.phase("untouched", "Succeeded")


def test_labels_of_the_gateway_are_refused(stack):
    manifest = workflow("impostor", "true")
    manifest["metadata"]["labels"] = {"workflow.example.com/branch": "main"}
    assert stack.create(manifest).status == 422


def test_a_schedule_and_its_runs_can_be_cleaned_up(stack):
    made = stack.create(workflow("every-minute", templateRef={"name": "hello"}, parameters={"who": "cron"}, schedule="* * * * *"))
    assert made.status == 201, made.json()
    found = stack.get("every-minute")
    assert found["status"]["phase"] == "Running" and found["status"]["reason"] == "Scheduled" and found["status"]["nextRunTime"]
    assert "next run" in stack.kubectl("get", "wf", "every-minute", "-o", "wide").out
    schedule = found["status"]["backend"]["id"]

    def child():
        items = stack.gateway.raw("GET", f"{WORKFLOWS}?labelSelector=workflow.example.com/schedule%3D{schedule}").json()["items"]
        return items[0] if items else None
    run = eventually(child, 75, "the first run of the schedule")
    assert "ownerReferences" not in run["metadata"]
    refused = stack.gateway.raw("GET", f"{WORKFLOWS}/every-minute/log")
    assert refused.status == 405 and "a schedule has no log" in refused.json()["message"]
    stack.phase(run["metadata"]["name"], "Succeeded")
    stack.kubectl("delete", "wf", run["metadata"]["name"])
    stack.kubectl("delete", "wf", "every-minute")


def test_a_delete_whose_cancel_failed_is_made_good(stack):
    stack.create(workflow("stubborn", "sleep 60"))
    job = stack.phase("stubborn", "Running")["status"]["backend"]["id"]
    stack.engine.call("PUT", "/v1/faults", {"faults": [f"503;count=1;method=POST;path=/v1/jobs/{job}/cancel"]})
    assert stack.gateway.raw("DELETE", f"{WORKFLOWS}/stubborn").status == 503
    eventually(lambda: stack.gateway.raw("GET", f"{WORKFLOWS}/stubborn").status == 404, 40, "the deletion")
    assert not [entry for entry in stack.engine.call("GET", "/v1/jobs?limit=1000")["items"] if entry["id"] == job]
