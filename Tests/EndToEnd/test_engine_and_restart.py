"""What happens when the engine or the gateway goes away in the middle, and that reads are really translated into calls."""

import concurrent.futures
import copy
import json
import os
import threading
import time
from pathlib import Path

import pytest

from stack import API, Stack, eventually, until_there, workflow

WORKFLOWS = f"{API}/namespaces/default/workflows"


def watch_lines(stack, query, lines, stop):
    """Collects watch events until the connection ends."""
    import urllib.request
    request = urllib.request.Request(stack.gateway.url + WORKFLOWS + "?watch=true" + query)
    try:
        with urllib.request.urlopen(request, context=stack.gateway.tls, timeout=120) as answer:
            for line in answer:
                lines.append(json.loads(line))
                if stop.is_set():
                    return
    except OSError:
        return


def start_watch(stack, query=""):
    lines, stop = [], threading.Event()
    thread = threading.Thread(target=watch_lines, args=(stack, query, lines, stop), daemon=True)
    thread.start()
    return lines, stop


def assert_nothing_is_open_for_writing(pid):
    """No file but the log; sockets and pipes are none."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            path = os.readlink(descriptor)
            info = Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text()
        except FileNotFoundError:
            continue  # closed meanwhile
        flags = int(next(line.split()[1] for line in info.splitlines() if line.startswith("flags")), 8)
        if path.startswith("/") and not path.startswith("/dev") and flags & os.O_ACCMODE != os.O_RDONLY:
            assert path.endswith("gateway.log"), f"{path} is open for writing"


def test_gateway_killed_in_the_middle_of_a_run():
    with Stack() as stack:
        gate = stack.folder / "long-may-end"
        stack.create(workflow("long", until_there(gate), "true"))
        stack.create(workflow("short", "true"))
        foreign = stack.engine.call("POST", "/v1/jobs", {"steps": [{"name": "a", "command": ["true"]}]})["id"]
        stack.phase("short", "Succeeded")
        stack.phase("long", "Running")
        eventually(lambda: sorted(item["status"]["phase"] for item in stack.gateway.raw("GET", WORKFLOWS).json()["items"]) == ["Running", "Succeeded", "Succeeded"],
                   what="three runs, two of them ended")
        before = {item["metadata"]["name"]: item for item in stack.gateway.raw("GET", WORKFLOWS).json()["items"]}
        assert_nothing_is_open_for_writing(stack.gateway.process.pid)
        stack.gateway.kill()
        stack.gateway.start()
        eventually(lambda: len(stack.gateway.raw("GET", WORKFLOWS).json().get("items", [])) == 3, what="three runs after the restart")
        after = {item["metadata"]["name"]: item for item in stack.gateway.raw("GET", WORKFLOWS).json()["items"]}
        assert after.keys() == before.keys()
        for name in before:
            a, b = copy.deepcopy(before[name]), copy.deepcopy(after[name])
            a["metadata"].pop("resourceVersion"), b["metadata"].pop("resourceVersion")
            if name != "long":
                assert a == b
            else:
                assert a["metadata"] == b["metadata"] and a["spec"] == b["spec"]
        gate.touch()
        stack.phase("long", "Succeeded")
        jobs = stack.engine.call("GET", "/v1/jobs?limit=100")["items"]
        assert len([job for job in jobs if job.get("idempotencyKey") == "default.long"]) == 1
        assert foreign in [job["id"] for job in jobs]


def test_an_informer_recovers_from_a_restart():
    from kubernetes import client, config, watch

    with Stack() as stack:
        configuration = client.Configuration()
        config.load_kube_config(str(stack.gateway.kubeconfig), client_configuration=configuration)
        api = client.CustomObjectsApi(client.ApiClient(configuration))
        old = api.list_namespaced_custom_object("workflow.example.com", "v1alpha1", "default", "workflows")["metadata"]["resourceVersion"]
        stack.gateway.kill()
        stack.gateway.start()
        stack.wait_for_sweep()
        with pytest.raises(client.ApiException) as expired:
            for _ in watch.Watch().stream(api.list_namespaced_custom_object, "workflow.example.com", "v1alpha1", "default", "workflows",
                                          resource_version=old, timeout_seconds=5):
                pass
        assert expired.value.status == 410
        new = api.list_namespaced_custom_object("workflow.example.com", "v1alpha1", "default", "workflows")["metadata"]["resourceVersion"]
        assert int(new) > int(old)


def test_engine_stopped_and_started_again():
    with Stack() as stack:
        stack.create(workflow("kept", "true"))
        stack.phase("kept", "Succeeded")
        events, stop = start_watch(stack)
        eventually(lambda: events, what="the initial event")
        stack.engine.stop()
        time.sleep(1.5)  # an answer younger than a second may be shared without a warning
        answer = stack.gateway.raw("GET", WORKFLOWS)
        assert answer.status == 200 and [item["metadata"]["name"] for item in answer.json()["items"]] == ["kept"]
        assert "showing the last known state" in answer.headers["Warning"] and answer.headers["Warning"].startswith("299 - ")
        shown = stack.kubectl("get", "wf")
        assert "Warning:" in shown.err and "kept" in shown.out
        refused = stack.create(workflow("refused", "true"))
        assert refused.status in (503, 504) and refused.json()["kind"] == "Status"
        assert stack.get("unknown")["code"] == 503, "404 would make the garbage collector delete dependents"
        time.sleep(3)
        stack.engine.start()
        eventually(lambda: stack.create(workflow("later", "true")).status == 201, seconds=60, what="a create after the return")
        stack.phase("later", "Succeeded")
        assert "DELETED" not in [event["type"] for event in events]
        stop.set()


def test_reads_are_calls_and_many_readers_share_one():
    bindings = [{"backend": "ci", "namespace": "default", "poll": {"interval": "0"}}]
    with Stack(bindings=bindings) as stack:
        made = stack.create(workflow("live", "sleep 60")).json()
        job = made["status"]["backend"]["id"]
        stack.phase("live", "Running")
        time.sleep(1.5)
        quiet = len(stack.engine.requests())
        time.sleep(3)
        assert len(stack.engine.requests()) == quiet, "polling is off, yet the engine is asked"
        stack.engine.call("POST", f"/v1/jobs/{job}/cancel", {})
        eventually(lambda: stack.engine.call("GET", f"/v1/jobs/{job}")["state"] == "cancelled", what="the cancel")
        time.sleep(1.5)
        count = len(stack.engine.requests())
        out = stack.kubectl("get", "wf", "live").out
        assert "Failed" in out
        new = stack.engine.requests()[count:]
        assert any(job in line for line in new), new
        time.sleep(1.5)
        count = len(stack.engine.requests())
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            states = list(pool.map(lambda _: stack.get("live")["status"]["phase"], range(50)))
        assert set(states) == {"Failed"}
        calls = [line for line in stack.engine.requests()[count:] if line.startswith(f"GET /v1/jobs/{job}")]
        # One; a reader that comes more than a second later rightly causes another.
        assert 1 <= len(calls) <= 1 + int(time.monotonic() - began), calls


def test_a_copied_envelope_is_a_foreign_run():
    with Stack() as stack:
        ours = stack.create(workflow("original", "sleep 3")).json()
        job = stack.engine.call("GET", f"/v1/jobs/{ours['status']['backend']['id']}")
        copied = stack.engine.call("POST", "/v1/jobs", {"steps": [{"name": "a", "command": ["true"]}], "envelope": job["envelope"]})["id"]

        def both():
            items = {item["status"]["backend"]["id"]: item for item in stack.gateway.raw("GET", WORKFLOWS).json()["items"]}
            return items if copied in items else None
        items = eventually(both, what="the copy")
        assert items[job["id"]]["metadata"]["name"] == "original" and items[job["id"]]["metadata"]["uid"] == ours["metadata"]["uid"]
        assert items[copied]["metadata"]["name"] != "original" and items[copied]["metadata"]["uid"] != ours["metadata"]["uid"]
        refused = stack.gateway.raw("DELETE", f"{WORKFLOWS}/{items[copied]['metadata']['name']}")
        assert refused.status == 403


@pytest.mark.parametrize("fault, accepted", [("close-before", False), ("close-after", True)])
def test_a_lost_answer_never_runs_a_job_twice(fault, accepted):
    with Stack() as stack:
        stack.engine.call("PUT", "/v1/faults", {"faults": [f"{fault};count=1;method=POST;path=/v1/jobs"]})
        answer = stack.create(workflow("once", "true"))
        jobs = [job for job in stack.engine.call("GET", "/v1/jobs?limit=100")["items"] if job.get("idempotencyKey") == "default.once"]
        if accepted:
            assert answer.status == 201 and len(jobs) == 1
        else:
            assert answer.status == 504 and "Retry-After" not in answer.headers and not jobs
            again = stack.create(workflow("once", "true"))
            assert again.status == 409 and "submission in doubt" in again.json()["message"]


def test_a_rate_limited_engine_is_a_429_with_retry_after():
    with Stack() as stack:
        stack.engine.call("PUT", "/v1/faults", {"faults": ["429=7;count=1;method=POST;path=/v1/jobs"]})
        answer = stack.create(workflow("limited", "true"))
        assert answer.status == 429 and answer.headers["Retry-After"] == "7" and answer.json()["reason"] == "TooManyRequests"
