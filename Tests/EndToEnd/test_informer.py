"""Programs that keep a copy of our objects: an informer of the Python client, kopf with its finalizers and annotations, and two managers that apply."""

import collections
import json
import os
import random
import subprocess
import sys
import textwrap
import threading
import time
import types
import urllib.request
from pathlib import Path

import pytest

from kubectl_recorder import Recorder
from stack import API, GROUP, Stack, eventually, free_port, workflow

WORKFLOWS = f"{API}/namespaces/default/workflows"


@pytest.fixture
def stack():
    """The gateway is killed in these tests."""
    with Stack(engine_flags=["--max-parallel-jobs", "32"]) as running:
        yield running


class Informer:
    """kubernetes.informer.SharedInformer over our Workflows, with everything it told written down."""

    def __init__(self, kubeconfig, resync):
        from kubernetes import client, config
        from kubernetes.informer.informer import ADDED, BOOKMARK, DELETED, MODIFIED, SharedInformer
        api = client.CustomObjectsApi(config.new_client_from_config(str(kubeconfig)))

        def listing(**query):
            """:return: object"""
            answer = api.list_namespaced_custom_object(GROUP, "v1alpha1", "default", "workflows", **query)
            if query.get("watch"):
                return answer
            return types.SimpleNamespace(items=answer["items"], metadata=types.SimpleNamespace(resource_version=answer["metadata"]["resourceVersion"]))
        self.informer = SharedInformer(listing, resync_period=resync, key_func=lambda item: item["metadata"]["name"])
        self.told = collections.Counter()
        for kind in (ADDED, MODIFIED, DELETED, BOOKMARK):
            self.informer.add_event_handler(kind, lambda _, kind=kind: self.told.update([kind]))
        self.informer.start()

    def objects(self):
        return {item["metadata"]["uid"]: item for item in self.informer.cache.list()}


def writer(stack, seed, stop, mine):
    """Random creates, labels and deletes, each of objects of its own."""
    chance, number = random.Random(seed), 0
    while not stop.is_set():
        try:
            action = chance.random()
            if action < 0.45 or not mine:
                number += 1
                name = f"w{seed}-{number}"
                if stack.create(workflow(name, chance.choice(["true", "sleep 0.3", "false"]))).status == 201:
                    mine.append(name)
            elif action < 0.8:
                body = json.dumps({"metadata": {"labels": {"turn": str(chance.randrange(5))}}}).encode()
                stack.gateway.raw("PATCH", f"{WORKFLOWS}/{chance.choice(mine)}", body, {"Content-Type": "application/merge-patch+json"})
            else:
                name = mine.pop(chance.randrange(len(mine)))
                if stack.gateway.raw("DELETE", f"{WORKFLOWS}/{name}").status >= 500:
                    mine.append(name)
        except OSError:
            time.sleep(0.2)
        time.sleep(0.05)


def test_informers_end_with_the_list(stack):
    """List, watch, resume, relist after a kill: after random writes every copy is the list, object for object."""
    informers = [Informer(stack.gateway.kubeconfig, 1), Informer(stack.gateway.kubeconfig, 0)]
    stop, names = threading.Event(), [[] for _ in range(3)]
    writers = [threading.Thread(target=writer, args=(stack, seed, stop, names[seed])) for seed in range(3)]
    for thread in writers:
        thread.start()
    time.sleep(4)
    # On another port clients would not find it again.
    stack.gateway.kill()
    stack.gateway.start(ready=False)
    time.sleep(6)
    stop.set()
    for thread in writers:
        thread.join()
    stack.wait_for_sweep()
    stack.wait_for_the_end()

    def listed():
        return {item["metadata"]["uid"]: item for item in stack.gateway.raw("GET", WORKFLOWS).json()["items"]}
    assert len(listed()) > 5
    for informer in informers:
        eventually(lambda: informer.objects() == listed(), what=f"the list in the copy; told {dict(informer.told)}")
        assert informer.told["ADDED"] > 5 and informer.told["DELETED"] > 0
    for informer in informers:
        informer.informer._stop_event.set()  # stop() would wait for the open watch


OPERATOR = """
    import kopf

    KIND = ("workflow.example.com", "v1alpha1", "workflows")
    seen = set()

    def say(what, name, **more):
        print("CALL", what, name, *more.values(), flush=True)

    @kopf.on.startup()
    def configure(settings, **_):
        settings.watching.server_timeout = 10

    @kopf.on.create(*KIND)
    def created(name, **_):
        say("create", name)
        if name not in seen:
            seen.add(name)
            raise kopf.TemporaryError("once more, so that progress is kept", delay=1)

    @kopf.on.update(*KIND, field="metadata.labels")
    def updated(name, **_):
        say("update", name)

    @kopf.on.delete(*KIND)
    def deleted(name, **_):
        say("delete", name)
"""


class Kopf:
    """kopf against the gateway: a stand-in answers for the core API, a recorder counts the requests."""

    def __init__(self, stack, folder):
        self.recorder = Recorder(stack.gateway)
        port = free_port()
        self.front = subprocess.Popen([sys.executable, str(Path(__file__).parent / "kube_stand_in.py"), str(port), self.recorder.url,
                                       str(stack.gateway.folder / "pki")])
        eventually(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=2).status == 200, what="the stand-in")
        (folder / "operator.py").write_text(textwrap.dedent(OPERATOR))
        (folder / "kubeconfig").write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}], "users": [{"name": "u", "user": {"token": "x"}}]}))
        self.log = folder / "kopf.log"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kopf", "run", "--standalone", "-n", "default", str(folder / "operator.py")], env={**os.environ, "KUBECONFIG": str(folder / "kubeconfig")},
            stdout=self.log.open("w"), stderr=subprocess.STDOUT)

    def calls(self, what, name):
        return sum(line == f"CALL {what} {name}" for line in self.log.read_text().splitlines())

    def patches(self):
        return sum(method == "PATCH" for method, *_ in self.recorder.requests)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.front.kill()
        self.front.wait(60)
        self.recorder.stop()


# How long kopf's handlers are watched: 600 for ten minutes.
KOPF_SECONDS = float(os.environ.get("KOPF_SECONDS", "30"))


@pytest.mark.timeout(300 + KOPF_SECONDS)
def test_kopf_handlers_finalizer_and_progress(stack, tmp_path):
    """on.create (repeated once, with its progress in annotations), on.update and on.delete, each as often as there was cause, and no loop of PATCHes."""
    kopf = Kopf(stack, tmp_path)
    try:
        eventually(lambda: any("watch=true" in path for _, path, _ in kopf.recorder.requests), what="kopf's watch")
        names, begun = ["kopf-0", "kopf-1"], time.monotonic()
        for name in names:
            assert stack.create(workflow(name, "sleep 1")).status == 201
        for name in names:
            eventually(lambda: kopf.calls("create", name) == 2, what=f"the repeated handler of {name}")
            stack.phase(name, "Succeeded")
        found = stack.get("kopf-0")["metadata"]
        assert found["finalizers"] == ["kopf.zalando.org/KopfFinalizerMarker"]

        def handled_last():
            return json.loads(stack.get("kopf-0")["metadata"].get("annotations", {}).get("kopf.zalando.org/last-handled-configuration", "null"))
        eventually(handled_last, what="what was handled last")
        changes = 0
        while time.monotonic() - begun < KOPF_SECONDS * 0.6:
            changes += 1
            body = json.dumps({"metadata": {"labels": {"turn": str(changes)}}}).encode()
            assert stack.gateway.raw("PATCH", f"{WORKFLOWS}/kopf-0", body, {"Content-Type": "application/merge-patch+json"}).status == 200
            eventually(lambda: kopf.calls("update", "kopf-0") == changes, what=f"update {changes}")
            time.sleep(1)
        # kopf writes this after the handler.
        eventually(lambda: handled_last()["metadata"]["labels"].get("turn") == str(changes), what="the last change among what was handled")
        before = kopf.patches()
        while time.monotonic() - begun < KOPF_SECONDS:
            time.sleep(0.5)
        assert kopf.patches() == before, f"PATCHes without a cause: {[path for method, path, _ in kopf.recorder.requests if method == 'PATCH'][before:]}"
        assert kopf.calls("update", "kopf-0") == changes and kopf.calls("update", "kopf-1") == 0 and kopf.calls("create", "kopf-0") == 2
        assert before <= 8 * len(names) + 4 * changes, "more PATCHes than handlers need"
        for name in names:
            assert stack.gateway.raw("DELETE", f"{WORKFLOWS}/{name}").status == 200
            eventually(lambda: stack.gateway.raw("GET", f"{WORKFLOWS}/{name}").status == 404, what=f"{name} gone, without its finalizer")
            assert kopf.calls("delete", name) == 1
    except AssertionError as error:
        raise AssertionError(f"{error}\n{kopf.log.read_text()[-4000:]}") from None
    finally:
        kopf.stop()


def apply(stack, manager, manifest, *flags, check=True):
    return stack.kubectl("apply", "--server-side", f"--field-manager={manager}", *flags, "-f", "-", stdin=json.dumps(manifest), check=check)


def owned(stack, name):
    """Manager → labels that it owns."""
    return {entry["manager"]: sorted(set(entry["fieldsV1"].get("f:metadata", {}).get("f:labels", {})) - {"."}) for entry in stack.get(name)["metadata"].get("managedFields", [])
            if entry["operation"] == "Apply"}


def test_two_managers_apply(stack):
    """Two managers share an object: conflict, force, shared ownership, giving up; and the loser is told whose the field is."""
    def manifest(**labels):
        made = workflow("both", "true")
        made["metadata"]["labels"] = labels
        return made
    assert "serverside-applied" in apply(stack, "one", manifest(tier="a", own1="x")).out
    stack.phase("both", "Succeeded")
    refused = apply(stack, "two", manifest(tier="b", own2="y"), check=False)
    assert refused.code == 1 and 'conflict with "one": .metadata.labels.tier' in refused.err and "own2" not in stack.get("both")["metadata"]["labels"]
    apply(stack, "two", manifest(tier="b", own2="y"), "--force-conflicts")
    found = stack.get("both")["metadata"]["labels"]
    assert (found["tier"], found["own1"], found["own2"]) == ("b", "x", "y")
    assert owned(stack, "both") == {"one": ["f:own1"], "two": ["f:own2", "f:tier"]}
    refused = apply(stack, "one", manifest(tier="a", own1="x"), check=False)
    assert refused.code == 1 and 'conflict with "two": .metadata.labels.tier' in refused.err
    apply(stack, "one", manifest(tier="b", own1="x"))
    assert owned(stack, "both") == {"one": ["f:own1", "f:tier"], "two": ["f:own2", "f:tier"]}, "the same value is shared"
    apply(stack, "two", manifest(own2="y"))
    assert stack.get("both")["metadata"]["labels"]["tier"] == "b", "the other one still has it"
    apply(stack, "one", manifest(own1="x"))
    assert "tier" not in stack.get("both")["metadata"]["labels"]
    version = stack.get("both")["metadata"]["resourceVersion"]
    for _ in range(3):
        apply(stack, "one", manifest(own1="x"))
    assert stack.get("both")["metadata"]["resourceVersion"] == version, "what changes nothing makes no version"
    stack.gateway.kill()
    stack.gateway.start()
    stack.wait_for_sweep()
    assert owned(stack, "both") == {"one": ["f:own1"], "two": ["f:own2"]}, "ownership survives a restart"
