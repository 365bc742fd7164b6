"""Admission of the cluster: webhooks, policies, quotas and namespaces, as a user of kubectl sees them."""

import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from admission_cluster import REGISTRATION, Cluster, Webhooks, binding, json_patch, policy
from stack import API, BIN, Stack, eventually, workflow

MUTATING = f"{REGISTRATION}/mutatingwebhookconfigurations"
VALIDATING = f"{REGISTRATION}/validatingwebhookconfigurations"
POLICIES = f"{REGISTRATION}/validatingadmissionpolicies"
BINDINGS = f"{REGISTRATION}/validatingadmissionpolicybindings"
QUOTA = "count/workflows.workflow.example.com"


@pytest.fixture(scope="module")
def world():
    folder = Path(tempfile.mkdtemp(prefix="workflow-admission-"))
    subprocess.run([str(BIN / "workflow-apiserver"), "certificates", "--dir", str(folder)], check=True)
    cluster, hooks = Cluster(folder), Webhooks(folder)
    flags = ["--authorization-mode", "AlwaysAllow", "--kubeconfig", cluster.kubeconfig(folder / "cluster.yaml"),
             "--authentication-skip-lookup"]
    with Stack(gateway_flags=flags) as stack:
        yield stack, cluster, hooks
    cluster.stop()
    hooks.stop()


@pytest.fixture
def rules(world):
    """The cluster without any rule; what a test put there is gone after it."""
    stack, cluster, hooks = world
    yield world
    cluster.clear()
    hooks.requests.clear()
    eventually(lambda: stack.create(workflow("free", "true"), query="?dryRun=All").status == 201, what="no rule in force")


def refused(stack, name="probe"):
    """The refusal of a dry run; None when it would be admitted."""
    answer = stack.create(workflow(name, "true"), query="?dryRun=All")
    return answer.json() if answer.status >= 400 else None


def apply(stack, name, *arguments, **more):
    manifest = workflow(name, "true", **more)
    return stack.kubectl("apply", "-f", "-", *arguments, stdin=yaml.safe_dump(manifest), check=False)


def test_a_validating_webhook_denies_and_warns(rules):
    stack, cluster, hooks = rules

    def answer(request):
        bad = request["name"].startswith("bad")
        return {"allowed": not bad, "warnings": ["mind the gap"], "status": {"message": "names must be good", "code": 403, "reason": "Forbidden"}}

    cluster.put(VALIDATING, hooks.configuration("names", "/names", answer))
    eventually(lambda: refused(stack, "bad"), what="the webhook in force")
    denied = apply(stack, "bad-1")
    assert denied.code == 1
    assert 'admission webhook "names.example.com" denied the request: names must be good' in denied.err
    assert "Warning: mind the gap" in denied.err
    assert stack.gateway.raw("GET", f"{API}/namespaces/default/workflows/bad-1").status == 404
    done = apply(stack, "good-1")
    assert done.code == 0 and "Warning: mind the gap" in done.err
    request = [request for path, request in hooks.requests if request["name"] == "good-1"][0]
    assert request["operation"] == "CREATE" and request["kind"]["kind"] == "Workflow" and request["userInfo"]["username"]
    assert request["object"]["metadata"]["namespace"] == "default" and request["oldObject"] is None
    # A delete is asked about as well, with the object as it was.
    stack.phase("good-1", "Succeeded")
    assert stack.kubectl("delete", "workflow", "good-1").code == 0
    request = [request for _, request in hooks.requests if request["operation"] == "DELETE"][0]
    assert request["object"] is None and request["oldObject"]["metadata"]["name"] == "good-1"


def test_a_mutating_webhook_changes_what_is_stored(rules):
    stack, cluster, hooks = rules
    patch = json_patch({"op": "add", "path": "/metadata/labels", "value": {"team": "core"}}, {"op": "add", "path": "/spec/timeout", "value": "90s"},
                       {"op": "add", "path": "/spec/nonsense", "value": 1})
    cluster.put(MUTATING, hooks.configuration("defaults", "/defaults", lambda request: patch if request["operation"] == "CREATE" else {}))
    eventually(lambda: stack.create(workflow("x", "true"), query="?dryRun=All").json()["metadata"].get("labels", {}).get("team"),
               what="the webhook in force")
    assert apply(stack, "mutated").code == 0
    found = stack.phase("mutated", "Succeeded")
    assert found["metadata"]["labels"]["team"] == "core" and found["spec"]["timeout"] == "90s" and "nonsense" not in found["spec"]
    listed = stack.kubectl("get", "workflows", "-l", "team=core", "-o", "name")
    assert "mutated" in listed.out


def test_a_webhook_that_is_away(rules):
    stack, cluster, hooks = rules
    cluster.put(VALIDATING, hooks.configuration("away", "/away", url="https://127.0.0.1:9"))
    message = eventually(lambda: refused(stack), what="the webhook in force")["message"]
    assert message.startswith('Internal error occurred: failed calling webhook "away.example.com": failed to call webhook: Post "https://127.0.0.1:9/away')
    failed = apply(stack, "away-1")
    assert failed.code == 1 and "failed calling webhook" in failed.err
    cluster.put(VALIDATING, hooks.configuration("away", "/away", url="https://127.0.0.1:9", failurePolicy="Ignore"), "MODIFIED")
    eventually(lambda: not refused(stack), what="failurePolicy Ignore")
    # A certificate of somebody else is no webhook of ours.
    other = hooks.configuration("away", "/away", lambda _: {})
    other["webhooks"][0]["clientConfig"]["caBundle"] = ""
    cluster.put(VALIDATING, other, "MODIFIED")
    assert "certificate" in eventually(lambda: refused(stack), what="the check of the certificate")["message"].lower()


def test_a_slow_webhook_is_given_up(rules):
    stack, cluster, hooks = rules
    cluster.put(VALIDATING, hooks.configuration("slow", "/slow", lambda _: time.sleep(3) or {}, timeoutSeconds=1))
    began = time.monotonic()
    message = eventually(lambda: refused(stack), what="the webhook in force")["message"]
    assert "context deadline exceeded" in message and "?timeout=1s" in message
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("failure_policy", ["Fail", "Ignore"])
def test_many_writes_at_once_do_not_wait_for_each_other(rules, failure_policy):
    """Each call has a connection of its own: load is no reason to refuse, nor to let through what the webhook refuses."""
    stack, cluster, hooks = rules
    allowed, inside, lock, all_come, enough = failure_policy == "Fail", 0, threading.Lock(), threading.Event(), threading.Event()

    def answer(_):
        """When all come, none goes before so many are there."""
        nonlocal inside
        with lock:
            inside += 1
            if inside > 16:
                enough.set()
        if all_come.is_set():
            enough.wait(25)
        with lock:
            inside -= 1
        return {"allowed": allowed}
    cluster.put(VALIDATING, hooks.configuration("busy", "/busy", answer, timeoutSeconds=30, failurePolicy=failure_policy))
    eventually(lambda: refused(stack) is None and hooks.requests if allowed else refused(stack), what="the webhook")
    count = 40
    all_come.set()
    with ThreadPoolExecutor(count) as pool:
        codes = list(pool.map(lambda i: stack.create(workflow(f"busy-{i}", "true"), query="?dryRun=All").status, range(count)))
    assert codes == [201 if allowed else 400] * count
    assert enough.is_set(), "a few at a time take many times as long"


def test_policies_in_cel(rules):
    stack, cluster, _ = rules
    cluster.put(POLICIES, policy("limits", variables=[{"name": "count", "expression": "size(object.spec.?steps.orValue([]))"}], validations=[
        {"expression": "variables.count <= 2", "messageExpression": "'at most 2 steps in ' + namespaceObject.metadata.labels.env + ', not ' + string(variables.count)"},
        {"expression": "!object.metadata.name.startsWith('root') || authorizer.requestResource.check('root').allowed()"},
    ], matchConditions=[{"name": "creates", "expression": "request.operation == 'CREATE'"}]))
    cluster.put(BINDINGS, binding("limits-here", "limits"))
    three = workflow("three", "true", "true", "true")
    answer = eventually(lambda: (a := stack.create(three, query="?dryRun=All")).status == 422 and a, what="the policy in force").json()
    assert answer["reason"] == "Invalid"
    text = "ValidatingAdmissionPolicy 'limits' with binding 'limits-here' denied request: at most 2 steps in prod, not 3"
    assert answer["message"] == f'workflows.workflow.example.com "three" is forbidden: {text}'
    assert answer["details"]["causes"] == [{"message": text}]
    denied = stack.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(three), check=False)
    assert denied.code == 1 and "at most 2 steps in prod" in denied.err
    assert apply(stack, "root-1").code == 0
    # Warn instead of Deny.
    cluster.put(BINDINGS, binding("limits-here", "limits", validationActions=["Warn"]), "MODIFIED")
    eventually(lambda: stack.create(three, query="?dryRun=All").status == 201, what="the binding's change")
    warned = stack.kubectl("apply", "-f", "-", "--dry-run=server", stdin=yaml.safe_dump(three))
    assert "Warning: Validation failed for ValidatingAdmissionPolicy 'limits' with binding 'limits-here': at most 2 steps" in warned.err


def test_a_mutating_policy(rules):
    stack, cluster, _ = rules
    expression = "Object{metadata: Object.metadata{labels: {'made-by': 'policy'}}}"
    cluster.put(f"{REGISTRATION}/mutatingadmissionpolicies", policy("labels", reinvocationPolicy="Never", mutations=[
        {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}]))
    cluster.put(f"{REGISTRATION}/mutatingadmissionpolicybindings", binding("labels-all", "labels"))
    eventually(lambda: stack.create(workflow("x", "true"), query="?dryRun=All").json()["metadata"].get("labels", {}).get("made-by"),
               what="the policy in force")
    assert apply(stack, "by-policy").code == 0
    assert stack.get("by-policy")["metadata"]["labels"]["made-by"] == "policy"


def test_quotas(rules):
    stack, cluster, _ = rules
    present = len(stack.gateway.raw("GET", f"{API}/namespaces/default/workflows").json()["items"])
    quota = {"metadata": {"name": "runs", "namespace": "default"}, "spec": {"hard": {QUOTA: "0"}}}
    cluster.put("/api/v1/resourcequotas", quota)
    eventually(lambda: refused(stack), what="the quota in force")
    cluster.put("/api/v1/resourcequotas", {**quota, "spec": {"hard": {QUOTA: str(present + 1)}}}, "MODIFIED")
    eventually(lambda: not refused(stack), what="the larger quota")
    assert apply(stack, "within").code == 0
    over = apply(stack, "over")
    assert over.code == 1
    assert f"exceeded quota: runs, requested: {QUOTA}=1, used: {QUOTA}={present + 1}, limited: {QUOTA}={present + 1}" in over.err
    # What the engine's own users start counts, and is never refused.
    stack.phase("within", "Succeeded")
    stack.kubectl("delete", "workflow", "within")
    stack.engine.call("POST", "/v1/jobs", {"steps": [{"name": "a", "command": ["true"]}]})
    eventually(lambda: refused(stack), what="the foreign run in the count")


def test_namespaces(rules):
    stack, cluster, _ = rules
    missing = stack.create(workflow("lost", "true"), namespace="nowhere")
    assert missing.status == 404 and missing.json()["message"] == 'namespaces "nowhere" not found'
    cluster.put("/api/v1/namespaces", {"metadata": {"name": "default", "labels": {"env": "prod"}}, "status": {"phase": "Terminating"}}, "MODIFIED")
    try:
        answer = eventually(lambda: refused(stack, "late"), what="the namespace going")
        assert answer["reason"] == "Forbidden" and answer["details"]["causes"][0]["reason"] == "NamespaceTerminating"
        assert "unable to create new content in namespace default because it is being terminated" in answer["message"]
    finally:
        cluster.put("/api/v1/namespaces", {"metadata": {"name": "default", "labels": {"env": "prod"}}, "status": {"phase": "Active"}}, "MODIFIED")


def test_writes_wait_for_the_rules():
    """A list that may not be read is no empty list: nothing is written without knowing the rules."""
    folder = Path(tempfile.mkdtemp(prefix="workflow-admission-"))
    subprocess.run([str(BIN / "workflow-apiserver"), "certificates", "--dir", str(folder)], check=True)
    cluster = Cluster(folder)
    cluster.refuses.add(VALIDATING)
    flags = ["--authorization-mode", "AlwaysAllow", "--kubeconfig", cluster.kubeconfig(folder / "cluster.yaml"),
             "--authentication-skip-lookup"]
    with Stack(gateway_flags=flags) as stack:
        answer = stack.create(workflow("early", "true"))
        # Only somebody who grants it can mend that, so nobody is told to try again.
        assert answer.status == 503 and answer.headers["Retry-After"] is None
        text = "not yet ready to handle request: the gateway's account may not list validatingwebhookconfigurations"
        assert text in answer.json()["message"]
        assert stack.gateway.raw("GET", f"{API}/namespaces/default/workflows").status == 200
        cluster.refuses.clear()
        eventually(lambda: stack.create(workflow("early", "true")).status == 201, what="the first list")
    cluster.stop()
