"""What can be changed after submission, as kubectl's users do it, and deletes that meet trouble on their way."""

import concurrent.futures
import json
import time

from stack import API, eventually, until_there, workflow

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
    stack.create(workflow("untouched", "sleep 300"))
    stack.phase("untouched", "Running")
    version = stack.get("untouched")["metadata"]["resourceVersion"]
    out = stack.kubectl("label", "wf", "untouched", "team=x", "--dry-run=server", "-o", "json").out
    assert json.loads(out)["metadata"]["labels"]["team"] == "x"
    assert stack.gateway.raw("POST", f"{WORKFLOWS}/untouched/cancel?dryRun=All", {}).status in (200, 201)
    assert "team" not in stack.get("untouched")["metadata"]["labels"] and stack.get("untouched")["metadata"]["resourceVersion"] == version
    assert stack.gateway.raw("POST", f"{WORKFLOWS}/untouched/cancel", {}).status in (200, 201)
    stack.phase("untouched", "Failed")


def test_what_was_read_can_be_created_anew(stack):
    """The labels that the gateway sets go with a Warning, as everything else that is the server's."""
    stack.kubectl("create", "-f", "-", stdin=json.dumps(workflow("original", "true")))
    found = stack.phase("original", "Succeeded")
    assert found["metadata"]["labels"]["workflow.example.com/backend"] == "ci"
    found["metadata"]["name"] = "copy"
    found["metadata"]["labels"]["workflow.example.com/branch"] = "main"
    made = stack.kubectl("create", "-f", "-", stdin=json.dumps({**found, "metadata": {**found["metadata"], "resourceVersion": ""}}))
    assert "labels that begin with workflow.example.com/ are set by the gateway" in made.err
    assert "workflow.example.com/branch" not in stack.get("copy")["metadata"]["labels"]
    assert stack.get("copy")["metadata"]["uid"] != found["metadata"]["uid"]
    refused = stack.gateway.raw("PATCH", f"{WORKFLOWS}/copy", {"metadata": {"labels": {"workflow.example.com/branch": "main"}}},
                                {"Content-Type": "application/merge-patch+json"})
    assert refused.status == 422 and "are set by the gateway" in refused.json()["message"]
    stack.phase("copy", "Succeeded")


def test_what_people_do_in_the_engine_changes_no_spec(stack):
    """A run that is held or resumed in the engine's own pages says so in its status. A write that does not speak of it leaves it alone."""
    manifest = workflow("two-hands", "sleep 1; true", "true", suspend=True)
    stack.create(manifest)
    found = eventually(lambda: stack.get("two-hands") if stack.get("two-hands")["status"].get("reason") == "Suspended" else None, what="Suspended")
    stack.engine.call("POST", f"/v1/jobs/{found['status']['backend']['id']}/resume")
    done = stack.phase("two-hands", "Succeeded")
    assert done["spec"]["suspend"] is True and done["metadata"]["generation"] == 1
    gate = stack.folder / "stopped-may-end"
    stack.create(workflow("stopped", until_there(gate), "true"))
    found = stack.phase("stopped", "Running")
    stack.engine.call("POST", f"/v1/jobs/{found['status']['backend']['id']}/suspend")
    gate.touch()
    held = eventually(lambda: stack.get("stopped") if stack.get("stopped")["status"].get("reason") == "Suspended" else None, what="Suspended")
    assert "suspend" not in held["spec"] and held["metadata"]["generation"] == 1
    held["metadata"]["labels"]["seen"] = "yes"
    before = len(stack.engine.requests())
    assert stack.gateway.raw("PUT", f"{WORKFLOWS}/stopped", held).status == 200
    assert not [line for line in stack.engine.requests()[before:] if line.endswith("/resume")]
    # Who does speak of it is heard.
    stack.kubectl("patch", "wf", "stopped", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    assert stack.phase("stopped", "Succeeded")["spec"]["suspend"] is False


def test_a_cancel_or_a_hold_of_what_has_ended(stack):
    """Nothing is asked of the engine, with a dry run and without; the answer says so."""
    stack.create(workflow("over", "true"))
    stack.phase("over", "Succeeded")
    before = len(stack.engine.requests())
    for query in ("?dryRun=All", ""):
        answer = stack.gateway.raw("PATCH", f"{WORKFLOWS}/over{query}", {"spec": {"cancel": True, "suspend": True}},
                                   {"Content-Type": "application/merge-patch+json"})
        assert answer.status == 200 and answer.json()["spec"]["cancel"] is True
        assert [text for text in answer.headers.get_all("Warning") if "the run has ended; there is nothing to cancel" in text]
    assert not [line for line in stack.engine.requests()[before:] if "/cancel" in line or "/suspend" in line]
    assert stack.get("over")["status"]["phase"] == "Succeeded"


def test_of_two_retries_at_once_one_runs_it_again(stack):
    stack.create(workflow("again", "sleep 5; exit 1"))
    stack.phase("again", "Failed")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: stack.gateway.raw("POST", f"{WORKFLOWS}/again/retry", {}), range(4)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409], [answer.body for answer in answers]
    eventually(lambda: stack.get("again")["status"].get("attempt") == 2 and stack.get("again")["status"]["phase"] == "Failed", what="attempt 2")


def test_a_write_whose_time_is_over_does_not_begin(stack):
    """The client got its 504 and may try again: nothing may come after it."""
    stack.create(workflow("late", "true"))
    stack.phase("late", "Succeeded")
    before = len(stack.engine.requests())
    for method, path, body, kind in (
            ("POST", WORKFLOWS, workflow("too-late", "true"), "application/json"), ("DELETE", f"{WORKFLOWS}/late", None, None),
            ("PATCH", f"{WORKFLOWS}/late", {"metadata": {"labels": {"a": "b"}}}, "application/merge-patch+json"),
            ("POST", f"{WORKFLOWS}/late/retry", {}, "application/json")):
        answer = stack.gateway.raw(method, f"{path}?timeout=1us", body, {"Content-Type": kind} if kind else None)
        assert answer.status == 504 and answer.headers["Retry-After"] is None, (answer.status, answer.body)
    time.sleep(1)
    written = [line for line in stack.engine.requests()[before:] if not line.startswith("GET")]
    assert not written, written
    assert stack.gateway.raw("GET", f"{WORKFLOWS}/too-late").status == 404


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
    run = eventually(child, 150, "the first run of the schedule")
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
    eventually(lambda: stack.gateway.raw("GET", f"{WORKFLOWS}/stubborn").status == 404, what="the deletion")
    assert not [entry for entry in stack.engine.call("GET", "/v1/jobs?limit=1000")["items"] if entry["id"] == job]
