"""The commands of issue-sized daily work, with the oldest, a middle and the newest kubectl."""

import json
import time

import pytest
import yaml

from stack import KUBECTLS, ROOT, eventually, until_there, workflow

VERSIONS = ["1.27", "1.30", "1.33"]
pytestmark = pytest.mark.parametrize("version", VERSIONS)


def name_of(base, version):
    return f"{base}-{version.replace('.', '-')}"


def apply(stack, manifest, version, verb="create"):
    return stack.kubectl(verb, "-f", "-", version=version, stdin=json.dumps(manifest))


def test_api_resources(stack, version):
    out = stack.kubectl("api-resources", version=version).out
    lines = {line.split()[0]: line.split() for line in out.splitlines()}
    assert lines["workflows"][1] == "wf" and lines["workflows"][-1] == "Workflow" and lines["workflows"][-2] == "true"
    assert lines["workflowtemplates"][-1] == "WorkflowTemplate"
    assert lines["workflowbackends"][-2] == "false"


def test_create_wait_table_and_delete(stack, version):
    name = name_of("table", version)
    assert f"workflow.workflow.example.com/{name} created" in apply(stack, workflow(name, "true", "true"), version).out
    stack.kubectl("wait", "--for=condition=Complete", "--timeout=60s", f"workflow/{name}", version=version)
    header, row = [line.split() for line in stack.kubectl("get", "wf", name, version=version).out.splitlines()]
    assert header == ["NAME", "TEMPLATE", "PHASE", "PROGRESS", "STARTED", "DURATION", "AGE"]
    assert row[:4] == [name, "<inline>", "Succeeded", "2/2"]
    wide = stack.kubectl("get", "wf", name, "-o", "wide", version=version).out
    assert wide.split("\n")[0].split()[-4:] == ["BACKEND", "ID", "URL", "MESSAGE"]
    full = yaml.safe_load(stack.kubectl("get", "wf", name, "-o", "yaml", version=version).out)
    assert full["status"]["phase"] == "Succeeded" and full["metadata"]["uid"]
    assert [step["name"] for step in full["status"]["steps"]] == ["step-0", "step-1"]
    described = stack.kubectl("describe", "wf", name, version=version).out
    assert "Phase:" in described and "Succeeded" in described
    assert "deleted" in stack.kubectl("delete", "wf", name, version=version).out
    gone = stack.kubectl("get", "wf", name, version=version, check=False)
    assert gone.code == 1 and f'workflows.workflow.example.com "{name}" not found' in gone.err


def test_apply_twice(stack, version):
    name = name_of("apply", version)
    manifest = workflow(name, "true")
    assert "created" in apply(stack, manifest, version, "apply").out
    assert "unchanged" in apply(stack, manifest, version, "apply").out
    assert len([job for job in stack.engine.call("GET", "/v1/jobs?limit=1000")["items"] if job.get("idempotencyKey") == f"default.{name}"]) == 1


def test_selectors_chunks_and_all_namespaces(stack, version):
    team = name_of("team", version)
    for i in range(5):
        manifest = workflow(f"{team}-{i}", "true")
        manifest["metadata"]["labels"] = {"team": team}
        apply(stack, manifest, version)
    for i in range(5):
        stack.phase(f"{team}-{i}", "Succeeded")
    names = [f"workflow.workflow.example.com/{team}-{i}" for i in range(5)]
    assert stack.kubectl("get", "wf", "-l", f"team={team}", "-o", "name", version=version).out.split() == names
    assert stack.kubectl("get", "wf", "-l", f"team in ({team}),team", "-o", "name", version=version).out.split() == names
    assert stack.kubectl("get", "wf", "-l", f"team={team}", "--chunk-size=2", "-o", "name", version=version).out.split() == names
    one = stack.kubectl("get", "wf", "--field-selector", f"metadata.name={team}-3", "-o", "name", version=version).out.split()
    assert one == [names[3]]
    failed = stack.kubectl("get", "wf", "-l", f"team={team}", "--field-selector", "status.phase=Failed", version=version)
    assert failed.out == "" and "No resources found" in failed.err
    everywhere = stack.kubectl("get", "wf", "-A", version=version).out
    assert everywhere.split()[0] == "NAMESPACE" and f"{team}-4" in everywhere


def test_get_watch(stack, version):
    name = name_of("watched", version)
    watch = stack.kubectl_start("get", "wf", "-w", version=version)
    try:
        gate = stack.folder / f"{name}-may-end"
        apply(stack, workflow(name, until_there(gate)), version)

        def read_until(phase):
            return next(line for line in watch.stdout if line.startswith(name) and line.split()[2] == phase)
        assert read_until("Running")
        gate.touch()
        assert read_until("Succeeded")
    finally:
        watch.kill()


def test_explain(stack, version):
    out = stack.kubectl("explain", "workflow.spec", version=version).out
    for field in ("templateRef", "parameters", "steps", "timeout", "schedule", "suspend"):
        assert field in out


def test_wait_for_delete(stack, version):
    name = name_of("waited", version)
    apply(stack, workflow(name, "sleep 60"), version)
    stack.phase(name, "Running")
    wait = stack.kubectl_start("wait", "--for=delete", f"wf/{name}", "--timeout=60s", version=version)
    time.sleep(1)
    stack.kubectl("delete", "wf", name, "--wait=false", version=version)
    assert wait.wait(60) == 0, wait.stdout.read()


def test_dry_run_creates_nothing(stack, version):
    name = name_of("dry", version)
    before = len(stack.engine.call("GET", "/v1/jobs?limit=1000")["items"])
    out = stack.kubectl("create", "--dry-run=server", "-f", "-", "-o", "yaml", version=version, stdin=json.dumps(workflow(name, "true"))).out
    made = yaml.safe_load(out)["metadata"]
    assert made["uid"] and made["creationTimestamp"] and not made.get("resourceVersion")
    assert stack.kubectl("get", "wf", name, version=version, check=False).code == 1
    assert len(stack.engine.call("GET", "/v1/jobs?limit=1000")["items"]) == before


def test_strict_validation_names_the_unknown_field(stack, version):
    manifest = workflow(name_of("strict", version), "true")
    manifest["spec"]["nope"] = 1
    refused = stack.kubectl("create", "--validate=strict", "-f", "-", version=version, check=False, stdin=json.dumps(manifest))
    assert refused.code == 1 and "nope" in refused.err


def test_the_issues_own_manifest_fails_with_the_engines_words(stack, version):
    manifest = yaml.safe_load((ROOT / "examples" / "example-workflow.yaml").read_text())
    manifest["metadata"]["name"] = name_of("example", version)
    manifest["spec"]["steps"][0]["command"][0] = "no-such-toolchain"
    apply(stack, manifest, version)
    found = stack.phase(manifest["metadata"]["name"], "Failed")
    assert "command not found: no-such-toolchain" in found["status"]["message"]
    assert "image golang:1.21 ignored" in found["status"]["message"]


def test_delete_all_leaves_foreign_runs_alone(stack, version):
    foreign = stack.engine.call("POST", "/v1/jobs", {"steps": [{"name": "a", "command": ["true"]}]})["id"]
    eventually(lambda: foreign in stack.kubectl("get", "wf", "-o", "wide", version=version).out, what="the foreign run")
    mine = name_of("mine", version)
    apply(stack, workflow(mine, "true"), version)
    stack.phase(mine, "Succeeded")
    out = stack.kubectl("delete", "wf", "--all", version=version, check=False)
    assert "access: Submit" in out.err and mine in out.out
    assert stack.engine.call("GET", f"/v1/jobs/{foreign}")["id"] == foreign
    stack.engine.call("DELETE", f"/v1/jobs/{foreign}")


def test_every_installed_version_is_known(version):
    assert version in KUBECTLS
