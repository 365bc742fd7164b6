"""Real clients besides kubectl: the Python dynamic client, kopf, and many watches on one HTTP/2 connection."""

import json
import os
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from stack import API, BIN, KUBECTLS, eventually, free_port, workflow


def test_python_dynamic_client_sees_the_life_of_a_workflow(stack):
    from kubernetes import config, dynamic
    from kubernetes.client import ApiClient, Configuration

    configuration = Configuration()
    config.load_kube_config(str(stack.gateway.kubeconfig), client_configuration=configuration)
    client = dynamic.DynamicClient(ApiClient(configuration))
    workflows = client.resources.get(api_version="workflow.example.com/v1alpha1", kind="Workflow")
    start = workflows.get(namespace="default").metadata.resourceVersion
    events = []

    def watch():
        for event in workflows.watch(namespace="default", resource_version=start, timeout=120):
            if event["object"].metadata.name == "dynamic":
                events.append((event["type"], event["object"].get("status", {}).get("phase")))
                if event["type"] == "DELETED":
                    return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    workflows.create(namespace="default", body=workflow("dynamic", "true"))
    eventually(lambda: ("MODIFIED", "Succeeded") in events, what="the events")
    workflows.delete(name="dynamic", namespace="default")
    thread.join(60)
    kinds = [kind for kind, _ in events]
    assert kinds[0] == "ADDED" and kinds[-1] == "DELETED" and set(kinds[1:-1]) == {"MODIFIED"}


def test_kopf_handler_sees_events(stack, tmp_path):
    program = tmp_path / "operator.py"
    program.write_text(textwrap.dedent("""
        import kopf

        @kopf.on.event("workflow.example.com", "v1alpha1", "workflows")
        def seen(event, name, **_):
            print("SEEN", event["type"], name, flush=True)
    """))
    # kopf wants to see the core API's namespaces before it does anything.
    port = free_port()
    front = subprocess.Popen([sys.executable, str(Path(__file__).parent / "kube_stand_in.py"), str(port), stack.gateway.url,
                              str(stack.gateway.folder / "pki")])
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}], "users": [{"name": "u", "user": {"token": "x"}}]}))
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    eventually(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=2).status == 200, what="the stand-in")
    log = tmp_path / "kopf.log"
    running = subprocess.Popen(
        [sys.executable, "-m", "kopf", "run", "--standalone", "-n", "default", str(program)], env=environment, stdout=log.open("w"),
        stderr=subprocess.STDOUT)
    try:
        # It watches from then on.
        stack.create(workflow("probe", "true"))
        eventually(lambda: " probe\n" in log.read_text(), what="kopf to see anything at all")
        stack.create(workflow("for-kopf", "sleep 1"))
        stack.phase("for-kopf", "Succeeded")
        stack.gateway.raw("DELETE", f"{API}/namespaces/default/workflows/for-kopf")

        def seen():
            kinds = [line.split()[-2] for line in log.read_text().splitlines() if "SEEN" in line and line.endswith("for-kopf")]
            return kinds and kinds[0] == "ADDED" and "MODIFIED" in kinds and kinds[-1] == "DELETED"
        try:
            eventually(seen, what="ADDED, MODIFIED, DELETED in kopf")
            # An informer recovers by itself when the gateway dies: its versions are of another life, so it gets 410 and lists again.
            stack.gateway.kill()
            stack.gateway.start()
            stack.wait_for_sweep()
            stack.create(workflow("after-restart", "true"))
            eventually(lambda: "SEEN ADDED after-restart" in log.read_text() or "SEEN None after-restart" in log.read_text(),
                       what="events after the restart")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{log.read_text()[-3000:]}") from None
    finally:
        running.terminate()
        running.wait(60)
        front.kill()
        front.wait(60)


def test_kubectl_plugin(stack):
    """`kubectl workflow …`, found on the PATH as kubectl finds plugins."""
    def plugin(*arguments, check=True):
        environment = {**stack.environment("1.33"), "KUBECTL": str(KUBECTLS["1.33"])}
        environment["PATH"] = f"{BIN}:{environment['PATH']}"
        done = subprocess.run([str(KUBECTLS["1.33"]), "workflow", *arguments], capture_output=True, text=True, env=environment, timeout=60)
        assert done.returncode == 0 or not check, done.stderr
        return done

    stack.create(workflow("plugged", "echo one; sleep 2; echo two"))
    assert plugin("logs", "plugged", "-f").stdout.splitlines() == ["[step-0] one", "[step-0] two"]
    assert plugin("logs", "plugged", "--step", "step-0", "--tail", "1").stdout == "two\n"
    stack.create(workflow("stopped", "sleep 60"))
    stack.phase("stopped", "Running")
    assert plugin("cancel", "wf/stopped", "-n", "default").stdout == "workflow.workflow.example.com/stopped cancelled\n"
    assert stack.phase("stopped", "Failed")["status"]["reason"] == "Cancelled"
    assert plugin("retry", "stopped").stdout == "workflow.workflow.example.com/stopped retried\n"
    assert stack.phase("stopped", "Running")["status"]["attempt"] == 2
    missing = plugin("logs", "no-such", check=False)
    assert missing.returncode == 1 and "not found" in missing.stderr
    assert "expected the name of a Workflow" in plugin("logs", "../x", check=False).stderr


def test_300_cancelled_watches_leave_another_alive(stack):
    h2 = pytest.importorskip("h2.connection")
    import h2.config
    import h2.events
    import socket

    sock = socket.create_connection(("127.0.0.1", stack.gateway.port))
    context = stack.gateway.tls
    context.set_alpn_protocols(["h2"])
    sock = context.wrap_socket(sock, server_hostname="127.0.0.1")
    assert sock.selected_alpn_protocol() == "h2"
    connection = h2.connection.H2Connection(config=h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()
    sock.sendall(connection.data_to_send())
    received = {}
    ended = []

    def pump(seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            sock.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = sock.recv(65536)
            except TimeoutError:
                return
            assert data, "the server closed the connection"
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    received.setdefault(event.stream_id, b"")
                    received[event.stream_id] += event.data
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                    ended.append(event.stream_id)
                assert not isinstance(event, h2.events.ConnectionTerminated), event
            sock.sendall(connection.data_to_send())

    def watch():
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, [
            (":method", "GET"), (":path", f"{API}/namespaces/default/workflows?watch=true"), (":scheme", "https"),
            (":authority", f"127.0.0.1:{stack.gateway.port}")], end_stream=True)
        sock.sendall(connection.data_to_send())
        return stream

    kept = watch()
    pump(0.5)
    for _ in range(300):
        stream = watch()
        pump(0.01)
        connection.reset_stream(stream, error_code=8)
        sock.sendall(connection.data_to_send())
    stack.create(workflow("after-300", "true"))
    eventually(lambda: pump(0.2) or b"after-300" in received.get(kept, b""), what="the event on the kept watch")
    assert kept not in ended
    sock.close()
