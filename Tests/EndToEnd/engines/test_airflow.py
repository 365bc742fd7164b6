"""The main job on a real Apache Airflow."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
import uuid

import pytest
import yaml

from stack import API, ROOT, eventually, workflow

WORKFLOWS = f"{API}/namespaces/default/workflows"


class Airflow:
    """Airflow's own API, as a person in its pages would use it."""

    def __init__(self, url):
        self.url = url
        self.token = self.call("POST", "/auth/token", {"username": "admin", "password": "adminpw"}, token=None)["access_token"]

    def call(self, method, path, body=None, token=""):
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.url + path, method=method, headers=headers, data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            data = answer.read()
            return json.loads(data) if data else None

    def start(self, dag, run, conf=None):
        return self.call("POST", f"/api/v2/dags/{dag}/dagRuns", {"dag_run_id": run, "logical_date": None, "conf": conf or {}})

    def run(self, dag, run):
        try:
            return self.call("GET", f"/api/v2/dags/{dag}/dagRuns/{run}")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise


def unique(base):
    return f"{base}-{uuid.uuid4().hex[:6]}"


def template(stack, dag):
    """Airflow is up before it has read its DAGs, and the gateway looks once a minute."""
    def look():
        items = stack.gateway.raw("GET", f"{API}/namespaces/default/workflowtemplates").json()["items"]
        return next((item["metadata"]["name"] for item in items if item["spec"]["engineName"] == dag), None)
    return eventually(look, 180, f"the template of {dag}")


def item_with_id(stack, backend_id):
    return next((item for item in stack.gateway.raw("GET", WORKFLOWS).json()["items"] if item["status"]["backend"]["id"] == backend_id), None)


def test_templates_have_their_parameters(stack):
    name = template(stack, "example_etl")
    found = yaml.safe_load(stack.kubectl("get", "wftmpl", name, "-o", "yaml").out)
    assert set(found["spec"]["parametersSchema"]["properties"]) >= {"rows", "message"}
    names = stack.kubectl("get", "wftmpl").out
    assert "other-team" not in names, "outside the binding's tags"


def test_submit_watch_log_and_delete(stack):
    name = unique("etl")
    watch = stack.kubectl_start("get", "wf", "-w")
    try:
        manifest = workflow(name, templateRef={"name": template(stack, "example_etl")}, parameters={"rows": 3, "message": "from kubectl"})
        manifest["metadata"]["labels"] = {"team": "data"}
        out = stack.kubectl("create", "-f", "-", stdin=json.dumps(manifest)).out
        assert "created" in out
        run = Airflow(stack.airflow).run("example_etl", f"default.{name}")
        assert run["conf"]["rows"] == 3, "the run id is derived from the name"
        stack.kubectl("wait", "--for=condition=Complete", "--timeout=120s", f"wf/{name}", timeout=150)
        lines = []
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            line = watch.stdout.readline()
            lines.append(line)
            if name in line and "Succeeded" in line:
                break
        phases = [line.split()[2] for line in lines if line.startswith(name)]
        assert phases[0] in ("Pending", "Running") and phases[-1] == "Succeeded", phases
    finally:
        watch.kill()

    def complete():
        found = stack.get(name)
        return found if found["status"]["progress"] == "3/3" else None
    found = eventually(complete, what="3/3")
    assert found["metadata"]["labels"]["team"] == "data"
    assert [step["phase"] for step in found["status"]["steps"]] == ["Succeeded"] * 3
    log = stack.kubectl("get", "--raw", f"{WORKFLOWS}/{name}/log").out
    assert "from kubectl" in log and "[extract] " in log
    stack.kubectl("delete", "wf", name)
    assert Airflow(stack.airflow).run("example_etl", f"default.{name}") is None


def test_a_run_started_in_airflow_appears_in_an_open_watch(stack):
    run = unique("by-hand")
    watch = stack.kubectl_start("get", "wf", "-w", "-o", "wide")
    try:
        time.sleep(2)
        Airflow(stack.airflow).start("example_etl", run)
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            if f"example_etl/{run}" in watch.stdout.readline():
                break
        else:
            raise AssertionError("it did not appear")
    finally:
        watch.kill()
    item = eventually(lambda: item_with_id(stack, f"example_etl/{run}"), what="the run in a list")
    refused = stack.kubectl("delete", "wf", item["metadata"]["name"], check=False)
    assert refused.code == 1 and "access: Submit" in refused.err
    assert Airflow(stack.airflow).run("example_etl", run)


def test_a_cancel_is_told_apart_from_a_failure(stack):
    failing, cancelled = unique("failing"), unique("cancelled")
    stack.create(workflow(failing, templateRef={"name": template(stack, "example_failing")}))
    answer = stack.create(workflow(cancelled, templateRef={"name": template(stack, "example_slow")}, parameters={"seconds": 300}))
    assert answer.status == 201, answer.json()
    stack.phase(cancelled, "Running", 180)
    stopped = stack.gateway.raw("POST", f"{WORKFLOWS}/{cancelled}/cancel", {})
    assert stopped.status in (200, 201), stopped.json()
    assert stack.phase(cancelled, "Failed", 180)["status"]["reason"] == "Cancelled"
    assert stack.phase(failing, "Failed", 180)["status"].get("reason") != "Cancelled"
    assert Airflow(stack.airflow).run("example_slow", f"default.{cancelled}")["note"] is None, "people's notes are theirs"
    stack.kubectl("delete", "wf", cancelled, failing)
    left = [entry["key"] for entry in Airflow(stack.airflow).call("GET", "/api/v2/variables?limit=1000")["variables"]]
    uid = answer.json()["metadata"]["uid"]
    assert not [key for key in left if uid in key]


def test_deleting_an_active_run_cancels_and_removes_it(stack):
    name = unique("active")
    stack.create(workflow(name, templateRef={"name": template(stack, "example_slow")}, parameters={"seconds": 300}))
    stack.phase(name, "Running", 180)
    stack.kubectl("delete", "wf", name, timeout=90)
    eventually(lambda: Airflow(stack.airflow).run("example_slow", f"default.{name}") is None, what="the removal in Airflow")


def test_inline_steps_run_through_the_runner_dag(stack):
    name = unique("inline")
    stack.create(workflow(name, "echo one", "echo two; exit 3"))
    found = stack.phase(name, "Failed", 180)

    def steps():
        shown = {step["name"]: step["phase"] for step in stack.get(name)["status"].get("steps", [])}
        return shown == {"step-0": "Succeeded", "step-1": "Failed"}
    eventually(steps, what="the steps of " + json.dumps(found["status"].get("steps")))
    assert "[step-0] " in stack.kubectl("get", "--raw", f"{WORKFLOWS}/{name}/log").out


def test_timeout_is_enforced_by_the_gateway(stack):
    name = unique("timeout")
    stack.create(workflow(name, templateRef={"name": template(stack, "example_slow")}, parameters={"seconds": 300}, timeout="8s"))
    assert stack.phase(name, "Failed", 180)["status"]["reason"] == "TimedOut"


def test_a_schedule_is_refused_with_airflows_reason(stack):
    refused = stack.create(workflow(unique("cron"), templateRef={"name": template(stack, "example_etl")}, schedule="0 3 * * *"))
    assert refused.status == 422 and "spec.schedule" in refused.json()["message"] and "DAG" in refused.json()["message"]


def test_wrong_parameters_are_refused_before_airflow_is_asked(stack):
    refused = stack.create(workflow(unique("typed"), templateRef={"name": template(stack, "example_etl")}, parameters={"rows": "many"}))
    assert refused.status == 422 and "spec.parameters.rows" in refused.json()["message"]


def test_a_rerun_with_the_same_conf_is_a_foreign_run(stack):
    name, copy = unique("original"), unique("copy")
    ours = stack.create(workflow(name, templateRef={"name": template(stack, "example_etl")})).json()
    airflow = Airflow(stack.airflow)
    airflow.start("example_etl", copy, airflow.run("example_etl", f"default.{name}")["conf"])
    item = eventually(lambda: item_with_id(stack, f"example_etl/{copy}"), what="the copy")
    assert item["metadata"]["name"] != name and item["metadata"]["uid"] != ours["metadata"]["uid"]
    assert stack.get(name)["metadata"]["uid"] == ours["metadata"]["uid"]


def test_names_and_uids_survive_a_restart(stack):
    name = unique("kept")
    made = stack.create(workflow(name, templateRef={"name": template(stack, "example_etl")})).json()
    stack.phase(name, "Succeeded", 180)
    before = {item["metadata"]["uid"]: item["metadata"]["name"] for item in stack.gateway.raw("GET", WORKFLOWS).json()["items"]}
    stack.gateway.kill()
    stack.gateway.start()
    stack.wait_for_sweep()
    after = {item["metadata"]["uid"]: item["metadata"]["name"] for item in stack.gateway.raw("GET", WORKFLOWS).json()["items"]}
    assert after == before and after[made["metadata"]["uid"]] == name


@pytest.mark.timeout(600)
def test_the_adapter_keeps_its_contract(stack):
    """AdapterConformance, with this Airflow."""
    done = subprocess.run(
        ["swift", "test", "--skip-build", "--filter", "Airflow"], cwd=ROOT, capture_output=True, text=True, timeout=580,
        env={**os.environ, "AIRFLOW_URL": stack.airflow})
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
