"""The gateway behind a real kube-apiserver: registration, the daily commands, what kubectl knows of the kinds."""

import shutil
import subprocess
import time

import pytest
import yaml

from stack import API, GROUP, eventually, workflow
from world import APISERVICE, APPLIED, DEPLOY, manifests


def test_the_apiservice_is_available(world):
    table = world.cluster.kubectl("get", "apiservice", APISERVICE).out
    print(table)
    assert table.split("\n")[1].split()[:3] == [APISERVICE, "workflow-system/workflow-apiserver", "True"]
    assert world.available()["reason"] == "Passed"


def test_the_kinds_are_known(cluster):
    assert f"{GROUP}/v1alpha1" in cluster.kubectl("api-versions").out.split()
    rows = [line.split() for line in cluster.kubectl("api-resources", f"--api-group={GROUP}", "--no-headers").out.splitlines()]
    lines = {row[0]: row for row in rows}
    assert lines["workflows"][1] == "wf" and lines["workflows"][-1] == "Workflow" and lines["workflows"][-2] == "true"
    assert lines["workflowtemplates"][-1] == "WorkflowTemplate" and lines["workflowbackends"][-2] == "false"


def test_create_get_watch_patch_delete(world):
    cluster = world.cluster
    watch = cluster.kubectl_start("get", "wf", "-n", "team-a", "-w")
    try:
        made = world.create(workflow("daily", "sleep 1", "true"))
        assert made["metadata"]["uid"] and made["metadata"]["namespace"] == "team-a"
        lines = []
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            lines.append(watch.stdout.readline())
            if lines[-1].startswith("daily") and "Succeeded" in lines[-1]:
                break
        phases = [line.split()[2] for line in lines if line.startswith("daily")]
        assert phases[-1] == "Succeeded" and "Running" in phases, lines
    finally:
        watch.kill()
    header, row = [line.split() for line in cluster.kubectl("get", "wf", "daily", "-n", "team-a").out.splitlines()]
    assert header[:4] == ["NAME", "TEMPLATE", "PHASE", "PROGRESS"] and row[:4] == ["daily", "<inline>", "Succeeded", "2/2"]
    cluster.kubectl("patch", "wf", "daily", "-n", "team-a", "--type=merge", "-p", '{"metadata":{"labels":{"team":"build"}}}')
    cluster.kubectl("annotate", "wf", "daily", "-n", "team-a", "note=seen")
    found = cluster.get("wf", "-n", "team-a", "-l", "team=build")["items"]
    assert [(item["metadata"]["name"], item["metadata"]["annotations"]["note"]) for item in found] == [("daily", "seen")]
    assert "deleted" in cluster.kubectl("delete", "wf", "daily", "-n", "team-a").out
    assert cluster.get("wf", "daily", "-n", "team-a") is None
    assert "team-a.daily" not in world.jobs()


def test_explain_reads_the_schema_that_the_kube_apiserver_merged(cluster):
    def explained():
        out = cluster.kubectl("explain", "workflow.spec").out
        return out if "templateRef" in out else None
    out = eventually(explained, 60, "kubectl explain")
    for field in ("templateRef", "parameters", "steps", "timeout", "schedule", "suspend"):
        assert field in out
    assert "command" in cluster.kubectl("explain", "workflow.spec.steps", "--recursive").out


def test_the_merged_documents_hold_the_kinds(cluster):
    """OpenAPI v2 and v3 as kubectl reads them, and v2 is what older kubectls validate by."""
    assert f"apis/{GROUP}/v1alpha1" in cluster.request("/openapi/v3").json()["paths"]
    eventually(lambda: f"{API}/namespaces/{{namespace}}/workflows" in cluster.request("/openapi/v2").json()["paths"], 90, "OpenAPI v2")


def test_apply_server_side_and_strict_validation(world):
    manifest = {**workflow("applied", "true"), "metadata": {"name": "applied", "namespace": "team-a"}}
    assert "serverside-applied" in world.cluster.kubectl("apply", "--server-side", "-f", "-", stdin=manifest).out
    assert "unchanged" not in world.cluster.kubectl("apply", "--server-side", "-f", "-", stdin=manifest).err
    manifest["spec"]["nope"] = 1
    refused = world.cluster.kubectl("create", "--validate=strict", "--dry-run=server", "-f", "-", stdin=manifest, check=False)
    assert refused.code == 1 and "nope" in refused.err
    world.cluster.kubectl("delete", "wf", "applied", "-n", "team-a")


def test_a_namespace_that_is_missing_takes_no_workflow(world):
    """`absent` has a binding, but the cluster has no such namespace."""
    refused = world.cluster.kubectl("create", "-n", "absent", "-f", "-", stdin=workflow("lost", "true"), check=False)
    assert refused.code == 1 and 'namespaces "absent" not found' in refused.err, refused
    answer = world.cluster.request(f"{API}/namespaces/absent/workflows", method="POST", body=workflow("lost", "true"))
    assert answer.status == 404 and answer.json()["reason"] == "NotFound"
    assert world.jobs("absent") == {}


@pytest.mark.parametrize("folder", ["base", "overlays/cert-manager", "overlays/monitoring", "overlays/own-certificate", "overlays/dev", "example"])
def test_every_manifest_of_deploy_passes_the_kube_apiserver(world, tmp_path, folder):
    """Those of kinds that this cluster has; the others are cert-manager's and Prometheus'."""
    copy = tmp_path / "deploy"
    shutil.copytree(DEPLOY, copy)
    if folder == "overlays/own-certificate":
        subprocess.run([str(copy / folder / "make-certificate")], check=True, capture_output=True)
    served = {line.split()[-1] for line in world.cluster.kubectl("api-resources", "--no-headers").out.splitlines()}
    known = [one for one in manifests(copy / folder) if one["kind"] in served]
    assert {one["kind"] for one in known} >= APPLIED - {"Role"} | {"Deployment", "APIService"}
    done = world.cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=known)
    assert len(done.out.splitlines()) == len(known) and "Warning" not in done.err, done


def test_the_aggregator_has_no_trouble_with_us(world):
    """Answers of every kind come through unchanged: a Status for an unknown path, a Table, metadata only, YAML."""
    request = world.cluster.request
    lost = request(f"{API}/namespaces/team-a/nothings")
    assert lost.status == 404 and lost.json()["kind"] == "Status"
    world.create(workflow("shown", "true"))
    path = f"{API}/namespaces/team-a/workflows/shown"
    for kind in ("Table", "PartialObjectMetadata"):
        assert request(path, headers={"Accept": f"application/json;as={kind};v=v1;g=meta.k8s.io"}).json()["kind"] == kind
    assert yaml.safe_load(request(path, headers={"Accept": "application/yaml"}).body)["kind"] == "Workflow"
    world.cluster.kubectl("delete", "wf", "shown", "-n", "team-a")


def test_a_watch_that_sends_nothing_begins_at_once(world):
    """The aggregator passes the answer's head on before there is an event, or client-go would wait."""
    began = time.monotonic()
    answer = world.cluster.request(f"{API}/namespaces/team-a/workflows?watch=true&timeoutSeconds=2&labelSelector=nothing=here")
    assert answer.status == 200 and answer.body == b"" and time.monotonic() - began < 10
