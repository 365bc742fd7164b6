"""The audit log, metrics and limits of the real binary."""

import json
import re
import socket
import ssl
import subprocess
import threading
import time

from stack import API, BIN, ROOT, Stack, eventually, workflow
from test_delegation import World

WORKFLOWS = f"{API}/namespaces/default/workflows"
ALLOW = ("--authorization-mode", "AlwaysAllow")


def audited(folder, *more):
    return (*ALLOW, "--audit-log-path", str(folder / "audit.log"), *more)


def events(folder, stage="ResponseComplete"):
    """The whole log is lines of JSON; every event is well formed."""
    lines = (folder / "audit.log").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert all(event["kind"] == "Event" and event["apiVersion"] == "audit.k8s.io/v1" for event in found)
    return [event for event in found if event["stage"] == stage]


def event(folder, **wanted):
    """The one event with these members, once it is there."""
    def look():
        found = [e for e in events(folder) if all(e.get(k, e.get("objectRef", {}).get(k)) == v for k, v in wanted.items())]
        return found[-1] if found else None
    return eventually(look, what=f"an event with {wanted}")


def test_who_did_what_to_which_run_of_the_engine(tmp_path):
    with Stack(gateway_flags=audited(tmp_path)) as stack:
        created = stack.create(workflow("seen", "sleep 60")).json()
        job = stack.engine.call("GET", "/v1/jobs")["items"][0]["id"]
        stack.phase("seen", "Running")
        assert stack.gateway.raw("POST", f"{WORKFLOWS}/seen/cancel", {}).status in (200, 201)
        stack.phase("seen", "Failed")
        assert stack.gateway.raw("DELETE", f"{WORKFLOWS}/seen").status == 200
        for verb, subresource in [("create", None), ("create", "cancel"), ("delete", None)]:
            found = event(tmp_path, verb=verb, subresource=subresource, name="seen")
            notes = found["annotations"]
            assert notes["workflow.example.com/backend"] == "ci" and job in notes["workflow.example.com/run-id"], found
            assert notes["authorization.k8s.io/decision"] == "allow"
            assert found["user"]["username"] == "demo-admin" and "system:masters" in found["user"]["groups"]
            assert found["sourceIPs"] == ["127.0.0.1"] and found["level"] == "Metadata" and "requestObject" not in found
        assert event(tmp_path, verb="create", subresource=None)["objectRef"]["uid"] == created["metadata"]["uid"]
        # Without a policy reads are not written down.
        assert {found["verb"] for found in events(tmp_path)} <= {"create", "update", "patch", "delete", "deletecollection"}
        assert (tmp_path / "audit.log").stat().st_mode & 0o777 == 0o600
        # The commands of the documentation say it, too.
        commands = re.findall(r"^\$ (jq .*?)^```", (ROOT / "docs" / "audit.md").read_text(), re.S | re.M)
        assert len(commands) >= 3
        told = subprocess.run(["sh", "-c", commands[0]], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        rows = [line.split("\t") for line in told.splitlines()]
        assert [(row[1], row[2], row[3], row[4], row[6]) for row in rows] == [
            ("demo-admin", "create", "default/seen", "-", "ci"), ("demo-admin", "create", "default/seen", "cancel", "ci"),
            ("demo-admin", "delete", "default/seen", "-", "ci")], told
        for command in commands[1:]:
            subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)


def test_a_policy_with_bodies_watches_and_refusals(tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("""
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: None, nonResourceURLs: ["/readyz*"]}
- {level: RequestResponse, verbs: [create]}
- {level: Metadata, resources: [{group: workflow.example.com, resources: [workflows]}]}
""")
    with Stack(gateway_flags=audited(tmp_path, "--audit-policy-file", str(policy))) as stack:
        manifest = workflow("whole", "true")
        answer = stack.create(manifest)
        found = event(tmp_path, verb="create")
        assert found["requestObject"] == manifest and found["auditID"] == answer.headers["Audit-Id"]
        assert found["responseObject"]["metadata"]["uid"] == answer.json()["metadata"]["uid"]
        assert stack.gateway.raw("GET", f"{WORKFLOWS}/nope").status == 404
        assert event(tmp_path, verb="get", name="nope")["responseStatus"]["reason"] == "NotFound"
        assert stack.gateway.raw("GET", f"{WORKFLOWS}?watch=1&timeoutSeconds=1").status == 200
        watched = event(tmp_path, verb="watch")
        started = [e for e in events(tmp_path, "ResponseStarted") if e["auditID"] == watched["auditID"]]
        assert len(started) == 1 and started[0]["stageTimestamp"] < watched["stageTimestamp"]
        assert not any("readyz" in e["requestURI"] for e in events(tmp_path))
        # What is still open when the gateway stops has its last event, too.
        context = stack.gateway.tls
        with socket.create_connection(("127.0.0.1", stack.gateway.port)) as plain, context.wrap_socket(plain, server_hostname="localhost") as held:
            held.sendall(f"GET {WORKFLOWS}?watch=1 HTTP/1.1\r\nHost: x\r\nAudit-Id: open-at-the-end\r\n\r\n".encode())
            held.recv(100)
            stack.gateway.stop()
        assert event(tmp_path, auditID="open-at-the-end")["stage"] == "ResponseComplete"


def test_a_write_that_goes_on_after_its_time_is_in_the_log(tmp_path):
    with Stack(gateway_flags=audited(tmp_path)) as stack:
        stack.engine.call("PUT", "/v1/faults", {"faults": ["slow=12000;count=1;method=POST;path=/v1/jobs"]})
        answer = stack.create(workflow("late", "true"), query="?timeout=3s")
        assert answer.status == 504
        assert answer.json()["message"].endswith(': backend "ci" has not answered; look for the run before it is submitted again'), answer.body
        run = eventually(lambda: stack.engine.call("GET", "/v1/jobs")["items"], what="the run")[0]["id"]
        late = eventually(lambda: [e for e in events(tmp_path) if "workflow.example.com/late-result" in e["annotations"]], what="the second event")
        assert len(late) == 1 and late[0]["auditID"] == answer.headers["Audit-Id"] and late[0]["objectRef"]["name"] == "late"
        notes = late[0]["annotations"]
        assert notes["workflow.example.com/run-id"] == run and notes["workflow.example.com/backend"] == "ci", notes
        assert notes["workflow.example.com/late-result"] == "201" and late[0]["responseStatus"]["code"] == 504
        # One request, which ended once.
        assert {e["auditID"] for e in events(tmp_path)} == {answer.headers["Audit-Id"]} and len(events(tmp_path)) == 2
        counted = [value for key, value in samples(stack).items() if key.startswith("apiserver_request_total{") and 'verb="POST"' in key]
        assert counted == [1.0]


def test_strangers_neither_write_the_log_nor_stop_the_server(tmp_path):
    """What they send is not even read: it may be long, and it may be made to take long."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("{apiVersion: audit.k8s.io/v1, kind: Policy, omitStages: [RequestReceived], rules: [{level: Request, verbs: [create]}]}\n")
    world = World(tmp_path / "world", "--audit-log-path", str(tmp_path / "audit.log"), "--audit-policy-file", str(policy))
    try:
        world.kube.allow = lambda spec: spec["user"] != "system:anonymous"
        jane = world.home.wire(world.users.issue("jane", ["devs"]))
        assert jane.post(WORKFLOWS, workflow("honest", "true")).status == 201
        stranger, begin = world.home.wire(), time.monotonic()
        for kind, body in [("application/yaml", b"- " + b"-&" * 1_000_000 + b"\n*x\n"), ("application/json", json.dumps({"metadata": {"name": "x" * 2_900_000}}).encode())]:
            for _ in range(4):
                assert stranger.request("POST", WORKFLOWS, body, {"Content-Type": kind}).status == 403
        assert stranger.request("POST", WORKFLOWS + "?fieldManager=" + "x" * 500_000, b"{}").status == 403
        assert stranger.get("/readyz").status == 200 and time.monotonic() - begin < 30
        denied = eventually(lambda: [e for e in events(tmp_path) if e["responseStatus"]["code"] == 403][8:] and events(tmp_path), what="the events")
        assert all("requestObject" not in e and "name" not in e["objectRef"] for e in denied if e["responseStatus"]["code"] == 403)
        assert [e["objectRef"]["name"] for e in denied if e["responseStatus"]["code"] == 201] == ["honest"]
        assert (tmp_path / "audit.log").stat().st_size < 50_000
        # Somebody with a wrong token is told so, and is in the log, whatever the path is.
        for path in ("//apis", f"{WORKFLOWS}/%zz"):
            assert stranger.request("DELETE", path, headers={"Authorization": "Bearer wrong"}).status == 401
    finally:
        world.stop()


def test_what_is_wrong_is_told_before_anything_listens(tmp_path):
    config = tmp_path / "gateway.yaml"
    config.write_text("backends: [{name: ci, adapter: local, url: 'http://127.0.0.1:1'}]\nbindings: [{backend: ci, namespace: default}]\n")
    policy = tmp_path / "policy.yaml"
    policy.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Everything\n  user: [jane]\n")

    def serve(*flags):
        done = subprocess.run(
            [str(BIN / "workflow-apiserver"), "serve", "--config", str(config), "--adapters-dir", str(ROOT / "adapters"), "--secure-port", "0",
             *ALLOW, *flags], capture_output=True, text=True, timeout=60)
        assert done.returncode != 0, done
        return done.stderr
    told = serve("--audit-log-path", "-", "--audit-policy-file", str(policy))
    assert "policy.yaml:4: rules[0].level: Unsupported value: \"Everything\"" in told
    assert "policy.yaml:5: rules[0].user: unknown field" in told
    assert "give --audit-log-path" in serve("--audit-policy-file", str(policy))
    assert "cannot read /nowhere" in serve("--audit-log-path", "-", "--audit-policy-file", "/nowhere")
    assert "No such file or directory" in serve("--audit-log-path", "/nowhere/audit.log")
    assert "must not be negative" in serve("--audit-log-maxsize=-1")


def test_standard_output_and_a_full_disk():
    with Stack(gateway_flags=(*ALLOW, "--audit-log-path", "-")) as stack:
        stack.create(workflow("out", "true"))
        log = stack.folder / "gateway" / "gateway.log"
        eventually(lambda: any(line.startswith('{"kind":"Event"') for line in log.read_text().splitlines()), what="an event on standard output")
    with Stack(gateway_flags=(*ALLOW, "--audit-log-path", "/dev/full")) as stack:
        for number in range(3):
            assert stack.create(workflow(f"full-{number}", "true")).status == 201
        eventually(lambda: samples(stack).get('apiserver_audit_error_total{plugin="log"}') == 3, what="the lost events")
        assert (stack.folder / "gateway" / "gateway.log").read_text().count("audit events are lost") == 1


def samples(stack):
    answer = stack.gateway.raw("GET", "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0,*/*;q=0.1"})
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line for line in answer.body.decode().splitlines() if not line.startswith("#")]
    found = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}
    assert len(found) == len(lines)
    return found


def test_metrics(stack):
    stack.create(workflow("counted", "true"))
    stack.phase("counted", "Succeeded")
    with socket.create_connection(("127.0.0.1", stack.gateway.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        plain.recv(100)
    found = samples(stack)

    def total(name, **labels):
        return sum(value for key, value in found.items() if key.split("{")[0] == name and all(f'{k}="{v}"' in key for k, v in labels.items()))
    assert total("apiserver_request_total", verb="POST", resource="workflows", scope="resource", code="201") >= 1
    assert total("workflow_apiserver_backend_requests_total", backend="ci", code="200") >= 1
    assert total("workflow_apiserver_backend_request_duration_seconds_count", backend="ci") >= 1
    assert total("workflow_apiserver_binding_runs", phase="Succeeded") >= 1
    assert total("apiserver_client_certificate_expiration_seconds_count") >= 1
    assert 0 < total("process_resident_memory_bytes") < 1e9
    eventually(lambda: samples(stack)["apiserver_tls_handshake_errors_total"] >= 1, what="the failed handshake")


def test_limits_of_reads_and_watches():
    """system:masters is exempt, so this user is nobody."""
    with Stack(gateway_flags=(*ALLOW, "--max-watches-per-user", "2")) as stack:
        context = ssl.create_default_context(cafile=str(stack.gateway.folder / "pki" / "ca.crt"))

        def watch():
            held = context.wrap_socket(socket.create_connection(("127.0.0.1", stack.gateway.port)), server_hostname="localhost")
            held.sendall(f"GET {WORKFLOWS}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            return held, held.recv(4000).decode()
        open_watches = [watch(), watch()]
        assert all("200 OK" in head for _, head in open_watches)
        refused, head = watch()
        assert " 429 " in head.splitlines()[0] and "retry-after: 1" in head.lower()
        refused.close()
        open_watches[0][0].close()

        def again():
            held, head = watch()
            held.close()
            return "200 OK" in head
        eventually(again, what="room for a watch")
        for held, _ in open_watches:
            held.close()
        assert samples(stack)['apiserver_current_inflight_requests{request_kind="readOnly"}'] >= 0


def test_many_writers_at_once_are_all_in_the_log(tmp_path):
    with Stack(gateway_flags=audited(tmp_path, "--audit-log-maxsize", "1", "--audit-log-maxbackup", "0")) as stack:
        def create(first):
            for number in range(first, first + 10):
                stack.gateway.raw("POST", f"{WORKFLOWS}?dryRun=All", workflow(f"w-{number}", "true"))
        threads = [threading.Thread(target=create, args=(n * 10,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stack.gateway.stop()
        names = [e["objectRef"]["name"] for e in events(tmp_path)]
        assert sorted(names) == sorted(f"w-{n}" for n in range(80))
