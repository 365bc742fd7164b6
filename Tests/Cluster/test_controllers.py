"""The cluster's own controllers work on our kinds, and never lose anything because an engine is away."""

import time

import pytest

from stack import API, eventually, workflow

pytestmark = pytest.mark.usefixtures("controllers")


def owned(cluster, name, owner, kind="Workflow", version="workflow.example.com/v1alpha1", **more):
    """A ConfigMap that goes with its owner."""
    reference = {"apiVersion": version, "kind": kind, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], **more}
    cluster.kubectl("create", "-n", "team-a", "-f", "-", stdin={
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "ownerReferences": [reference]}})


def config_map(cluster, name):
    return cluster.get("configmap", name, "-n", "team-a")


def collect_a_canary(cluster, name, seconds=120):
    """Returns once the garbage collector is seen to work: a ConfigMap whose owner, another one, is deleted, goes."""
    cluster.kubectl("create", "configmap", f"{name}-owner", "-n", "team-a")
    owned(cluster, name, config_map(cluster, f"{name}-owner"), kind="ConfigMap", version="v1")
    cluster.kubectl("delete", "configmap", f"{name}-owner", "-n", "team-a")
    eventually(lambda: config_map(cluster, name) is None, seconds, f"the collection of {name}")


def test_what_a_workflow_owns_goes_with_it(world):
    made = world.create(workflow("owner", "true"))
    owned(world.cluster, "result", made)
    other = world.create(workflow("other", "true"))
    owned(world.cluster, "others", other)
    collect_a_canary(world.cluster, "canary-0")
    assert config_map(world.cluster, "result"), "collected while its owner exists"
    world.cluster.kubectl("delete", "wf", "owner", "-n", "team-a")
    eventually(lambda: config_map(world.cluster, "result") is None, 60, "the collection")
    assert config_map(world.cluster, "others")
    world.cluster.kubectl("delete", "wf", "other", "-n", "team-a")


def test_a_workflow_goes_with_its_owner(world):
    world.cluster.kubectl("create", "configmap", "pipeline", "-n", "team-a")
    owner = config_map(world.cluster, "pipeline")
    manifest = workflow("dependent", "true")
    manifest["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "pipeline", "uid": owner["metadata"]["uid"]}]
    world.create(manifest)
    world.phase("dependent", "Succeeded")
    world.cluster.kubectl("delete", "configmap", "pipeline", "-n", "team-a")
    eventually(lambda: world.cluster.get("wf", "dependent", "-n", "team-a") is None, 60, "the deletion of the dependent workflow")


def test_foreground_deletion_takes_the_dependents_first(world):
    made = world.create(workflow("foreground", "true"))
    world.phase("foreground", "Succeeded")
    owned(world.cluster, "first", made, blockOwnerDeletion=True)
    world.cluster.kubectl("delete", "wf", "foreground", "-n", "team-a", "--cascade=foreground", "--timeout=60s")
    assert config_map(world.cluster, "first") is None and world.cluster.get("wf", "foreground", "-n", "team-a") is None


def test_orphaned_dependents_stay(world):
    made = world.create(workflow("parent", "true"))
    world.phase("parent", "Succeeded")
    owned(world.cluster, "orphan", made)
    world.cluster.kubectl("delete", "wf", "parent", "-n", "team-a", "--cascade=orphan", "--timeout=60s")
    collect_a_canary(world.cluster, "canary-orphan")
    assert "ownerReferences" not in config_map(world.cluster, "orphan")["metadata"]


def test_nothing_is_collected_while_the_engine_is_down(world):
    """Neither in the running cluster nor when gateway and garbage collector start again and find the engine away."""
    made = world.create(workflow("survivor", "true"))
    world.phase("survivor", "Succeeded")
    owned(world.cluster, "kept", made)
    collect_a_canary(world.cluster, "canary-1")
    engine = world.engines["team-a"]
    engine.stop()
    try:
        collect_a_canary(world.cluster, "canary-2")
        assert config_map(world.cluster, "kept")
        world.gateway.stop()
        world.cluster.controllers.stop()
        world.gateway.start()
        eventually(lambda: world.cluster.request(f"{API}/workflows").status == 503, 60, "the 503 of what was never read")
        world.cluster.controllers.start()
        eventually(lambda: world.available()["status"] == "True", 60, "Available=True without the engine")
        collect_a_canary(world.cluster, "canary-3")
        # The collector now asks for the owner that it has not seen, and again with growing pauses; one answer of 404 would be the end.
        for _ in range(20):
            assert config_map(world.cluster, "kept")
            time.sleep(1)
    finally:
        if world.gateway.process.poll() is not None:
            world.gateway.start()
        if world.cluster.controllers.process.poll() is not None:
            world.cluster.controllers.start()
        engine.start()
    found = eventually(lambda: world.cluster.get("wf", "survivor", "-n", "team-a"), 60, "the survivor")
    assert found["metadata"]["uid"] == made["metadata"]["uid"]
    collect_a_canary(world.cluster, "canary-4")
    assert config_map(world.cluster, "kept")
    world.cluster.kubectl("delete", "wf", "survivor", "-n", "team-a")
    eventually(lambda: config_map(world.cluster, "kept") is None, 90, "the collection in the end")


def test_a_namespace_with_workflows_finishes_deleting(world):
    """What runs is cancelled; what the engine has done stays in the engine."""
    world.create(workflow("finished", "true"), namespace="doomed")
    world.phase("finished", "Succeeded", namespace="doomed")
    world.create(workflow("running", "sleep 600"), namespace="doomed")
    world.phase("running", "Running", namespace="doomed")
    out = world.cluster.kubectl("delete", "namespace", "doomed", "--timeout=80s").out
    print(out)
    assert world.cluster.get("namespace", "doomed") is None
    jobs = world.jobs("doomed")
    assert jobs["doomed.finished"]["state"] == "succeeded"
    eventually(lambda: world.jobs("doomed")["doomed.running"]["state"] == "cancelled", what="the cancel")


def test_a_terminating_namespace_takes_no_workflow(world):
    patch = lambda finalizers: world.cluster.kubectl(  # noqa: E731
        "patch", "namespace", "held", "--type=merge", "-p", '{"metadata":{"finalizers":%s}}' % finalizers)
    patch('["example.com/hold"]')
    world.cluster.kubectl("delete", "namespace", "held", "--wait=false")
    try:
        refused = world.cluster.kubectl("create", "-n", "held", "-f", "-", stdin=workflow("late", "true"), check=False)
        assert refused.code == 1 and "because it is being terminated" in refused.err, refused
        answer = world.cluster.request(f"{API}/namespaces/held/workflows", method="POST", body=workflow("late", "true"))
        assert answer.status == 403 and answer.json()["details"]["causes"][0]["reason"] == "NamespaceTerminating", answer.json()
        assert world.jobs("held") == {}
    finally:
        patch("[]")
    eventually(lambda: world.cluster.get("namespace", "held") is None, 60, "the end of the namespace")
