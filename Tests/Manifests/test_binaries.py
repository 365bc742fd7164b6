"""The real programs take what the manifests give them: flags, configuration, certificates; and the roles cover what they serve."""

import base64
import json
import re
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest

from rendering import ENGINE, GATEWAY, RENDERINGS, ROOT, container, only, pod, rendered, run
from stack import API, eventually, free_port

pytestmark = pytest.mark.skipif(not GATEWAY.exists(), reason="no binary: run hack/build first")


def flags_of(program, *command):
    return set(re.findall(r"--[a-z][a-z0-9-]*", run(program, *command, "--help")))


@pytest.mark.parametrize("name", RENDERINGS)
def test_the_flags_of_the_manifests_are_the_programs(name):
    args = container(rendered(name))["args"]
    assert args[0] == "serve"
    unknown = {arg.split("=")[0] for arg in args[1:]} - flags_of(GATEWAY, "serve")
    assert not unknown, f"workflow-apiserver knows no {unknown}"


def test_the_engines_flags_are_the_programs():
    args = container(rendered("kustomize:overlays/dev"), "workflow-engine")["args"]
    assert {arg.split("=")[0] for arg in args} <= flags_of(ENGINE)


@pytest.mark.parametrize("name", RENDERINGS)
def test_the_program_takes_these_flags_together(name, tmp_path):
    """Ends where it reads the configuration, which is not there: status 1; a wrong flag would be status 64."""
    args = [f"--config={tmp_path}/missing.yaml" if arg.startswith("--config=") else arg for arg in container(rendered(name))["args"]]
    args = ["--bind-address=127.0.0.1" if arg.startswith("--bind-address=") else arg for arg in args]
    done = subprocess.run([str(GATEWAY), *args], capture_output=True, text=True, timeout=90)
    assert done.returncode == 1, f"status {done.returncode}: {done.stderr}"
    assert "missing.yaml" in done.stderr


def test_the_gateway_may_listen_for_the_cluster(tmp_path):
    """The manifests bind 0.0.0.0 with authorization by the cluster: that is no wrong flag."""
    args = [f"--config={tmp_path}/missing.yaml" if arg.startswith("--config=") else arg for arg in container(rendered("kustomize:base"))["args"]]
    done = subprocess.run([str(GATEWAY), *args], capture_output=True, text=True, timeout=90)
    assert done.returncode == 1, f"status {done.returncode}: {done.stderr}"


class Machine:
    """One Pod's containers as processes: its ConfigMaps and Secrets as files, its paths below a folder."""

    def __init__(self, things, folder, secrets=()):
        self.things, self.folder = things, folder
        self.processes = []
        self.engine_port = free_port()
        contents = {}
        for thing in [*secrets, *things]:
            if thing["kind"] == "ConfigMap":
                contents[thing["metadata"]["name"]] = {name: text.encode() for name, text in thing["data"].items()}
            if thing["kind"] == "Secret":
                data = {name: base64.b64decode(text) for name, text in thing.get("data", {}).items()}
                contents[thing["metadata"]["name"]] = data | {name: text.encode() for name, text in thing.get("stringData", {}).items()}
        volumes = {volume["name"]: volume for volume in pod(things)["spec"]["volumes"]}
        for one in pod(things)["spec"]["containers"]:
            for mount in one["volumeMounts"]:
                target = self.path(mount["mountPath"])
                volume = volumes[mount["name"]]
                name = volume.get("configMap", {}).get("name") or volume.get("secret", {}).get("secretName")
                if volume.get("secret", {}).get("optional") and name not in contents:
                    continue
                if "subPath" in mount or "projected" in volume:
                    continue
                target.mkdir(parents=True, exist_ok=True)
                for file, data in contents[name].items() if name else ():
                    (target / file).write_bytes(self.moved(data.decode()).encode())

    def path(self, path):
        return self.folder / path.lstrip("/")

    def moved(self, text):
        text = re.sub(r"(?<![\w.])/(etc/workflow|run/engine|var/lib/workflow-engine)\b", lambda hit: f"{self.folder}/{hit[1]}", text)
        return text.replace("/usr/share/workflow-apiserver/adapters", str(ROOT / "adapters")).replace(":8090", f":{self.engine_port}")

    def start(self, program, name, *more):
        args = [self.moved(arg) for arg in container(self.things, name)["args"]]
        log = open(self.folder / f"{name}.log", "wb")
        self.processes.append(subprocess.Popen([str(program), *args, *more], stdout=log, stderr=subprocess.STDOUT))

    def start_gateway(self):
        """As the manifest says, but on loopback, where AlwaysAllow needs no cluster. Flags that come later count."""
        port_file = self.folder / "port"
        self.start(
            GATEWAY, "workflow-apiserver", "--bind-address=127.0.0.1", "--secure-port=0", f"--port-file={port_file}",
            "--authorization-mode=AlwaysAllow")
        process, log = self.processes[-1], self.folder / "workflow-apiserver.log"
        eventually(lambda: process.poll() is not None or port_file.exists() and port_file.read_text().strip(), what="the gateway's port")
        assert process.poll() is None, log.read_text()[-2000:]
        self.port = int(port_file.read_text())

    def get(self, path):
        return self.call("GET", path)

    def call(self, method, path, body=None):
        """The status, and the body: parsed where it is JSON."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            request = urllib.request.Request(
                f"https://127.0.0.1:{self.port}{path}", method=method, data=None if body is None else json.dumps(body).encode(),
                headers={} if body is None else {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, context=context, timeout=60) as answer:
                code, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            code, text = error.code, error.read().decode()
        return code, json.loads(text) if text.startswith("{") else text

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(60)


@pytest.fixture
def machine(tmp_path):
    started = []

    def make(name, **options):
        started.append(Machine(rendered(name), tmp_path, **options))
        return started[-1]

    yield make
    for one in started:
        one.stop()


def certificate():
    return [only(rendered("kustomize:overlays/own-certificate"), "Secret", "workflow-apiserver-tls")]


@pytest.mark.parametrize("name", [
    "kustomize:base", "kustomize:overlays/cert-manager", "kustomize:overlays/dev", "kustomize:example", "chart:default", "chart:self-signed"])
def test_the_gateway_starts_with_the_configuration_of(name, machine):
    pretended = machine(name, secrets=certificate())
    pretended.start_gateway()
    assert pretended.get("/livez") == (200, "ok")
    code, found = pretended.get(API)
    assert (code, found["kind"]) == (200, "APIResourceList")


def test_an_example_key_is_not_taken_for_a_key(machine):
    """Long enough to start with, so that the example can be tried; its text says that it is none."""
    secret = only(rendered("kustomize:example"), "Secret", "workflow-apiserver-envelope-key")
    assert len(secret["stringData"]["key"]) >= 32 and secret["stringData"]["key"].startswith("replace-me")


@pytest.mark.parametrize("name", ["kustomize:overlays/own-certificate", "chart:generated"])
def test_the_certificate_is_the_one_that_kube_apiserver_expects(name, machine):
    pretended = machine(name)
    pretended.start_gateway()
    apiservice = only(rendered(name), "APIService")["spec"]
    context = ssl.create_default_context(cadata=base64.b64decode(apiservice["caBundle"]).decode())
    server_name = f"{apiservice['service']['name']}.{apiservice['service']['namespace']}.svc"
    with socket.create_connection(("127.0.0.1", pretended.port), timeout=10) as raw:
        with context.wrap_socket(raw, server_hostname=server_name) as secure:
            assert ("DNS", server_name) in secure.getpeercert()["subjectAltName"]


def test_the_dev_overlay_runs_a_workflow(machine):
    pretended = machine("kustomize:overlays/dev")
    pretended.path("/var/lib/workflow-engine").mkdir(parents=True, exist_ok=True)
    pretended.start(ENGINE, "workflow-engine")
    eventually(lambda: pretended.path("/run/engine/token").exists(), what="the engine's token")
    pretended.start_gateway()

    # The engine and the first sweep come up side by side, as the containers do.
    eventually(lambda: pretended.get(f"{API}/namespaces/default/workflowtemplates/hello")[0] == 200, what="the template")
    eventually(lambda: pretended.get(f"{API}/namespaces/default/workflows")[0] == 200, what="the first sweep")
    manifest = {"apiVersion": "workflow.example.com/v1alpha1", "kind": "Workflow", "metadata": {"name": "first"},
                "spec": {"templateRef": {"name": "hello"}, "parameters": {"who": "world"}}}
    code, made = pretended.call("POST", f"{API}/namespaces/default/workflows", manifest)
    assert code == 201, made
    eventually(lambda: pretended.get(f"{API}/namespaces/default/workflows/first")[1]["status"]["phase"] == "Succeeded", what="success")
    code, log = pretended.get(f"{API}/namespaces/default/workflows/first/log")
    assert code == 200 and "hello world" in log


def test_the_roles_cover_everything_that_is_served(machine):
    pretended = machine("kustomize:base", secrets=certificate())
    pretended.start_gateway()
    served = {(one["name"], verb) for one in pretended.get(API)[1]["resources"] for verb in one["verbs"]}
    assert len(served) > 10

    def granted(role):
        rules = only(rendered("kustomize:base"), "ClusterRole", role)["rules"]
        return {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}

    assert not served - granted("workflow-admin"), "workflow-admin lacks what discovery has"
    read = {(name, verb) for name, verb in served if verb in ("get", "list", "watch")}
    assert not read - granted("workflow-viewer")
    # Nothing is granted that there is not, but for writes that discovery may list later.
    later = {("workflows", "update"), ("workflows/status", "update"), ("workflows/status", "patch")}
    assert not granted("workflow-admin") - served - later
