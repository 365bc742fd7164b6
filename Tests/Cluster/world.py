"""The gateway at home in that cluster: deploy/'s manifests applied, its Service pointing to loopback, one built-in engine per namespace."""

import base64
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import yaml

from cluster import KUBECTL, LOGS, Cluster
from stack import BIN, GROUP, ROOT, Engine, Gateway, eventually

DEPLOY = ROOT / "deploy"
SERVICE = ("workflow-system", "workflow-apiserver")
APISERVICE = f"v1alpha1.{GROUP}"
# Namespaces with a binding. `absent` is never created.
NAMESPACES = ["team-a", "doomed", "held", "absent"]
# What is applied before the gateway runs. The workload itself is not: the gateway is a process of this test.
APPLIED = {"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}


def manifests(folder=DEPLOY / "base"):
    """The objects that a folder of deploy/ makes."""
    made = subprocess.run([str(KUBECTL), "kustomize", str(folder)], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return [document for document in yaml.safe_load_all(made.stdout) if document]


class ClusterGateway(Gateway):
    """The gateway with what a Deployment would give it: a serving certificate for its Service and its account's kubeconfig."""

    def __init__(self, folder, config, certificate, kubeconfig):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "gateway.yaml"
        self.config.write_text(yaml.safe_dump(config))
        self.certificate = certificate
        self.flags = self.delegation(kubeconfig)
        self.port = 0
        self.process = None
        self.start()

    def delegation(self, kubeconfig):
        """The cluster's CAs come from kube-system, as for any extension server."""
        return ["--kubeconfig", kubeconfig, "--authentication-kubeconfig", kubeconfig, "--authorization-kubeconfig", kubeconfig,
                "--authorization-mode", "Webhook", "--v", "2"]

    def start(self):
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        certificate, key = self.certificate
        log = self.folder / "gateway.log"
        words = [
            BIN / "workflow-apiserver", "serve", "--config", self.config, "--adapters-dir", ROOT / "adapters", "--bind-address", "127.0.0.1",
            "--secure-port", self.port, "--port-file", port_file, "--tls-cert-file", certificate, "--tls-private-key-file", key, *self.flags]
        self.process = subprocess.Popen([str(word) for word in words], stdout=open(log, "ab"), stderr=subprocess.STDOUT)
        listening = lambda: port_file.exists() and port_file.read_text().strip()  # noqa: E731
        eventually(lambda: self.process.poll() is not None or listening(), what="the gateway's port")
        assert self.process.poll() is None, log.read_text()[-3000:]
        self.port = int(port_file.read_text())


class World:
    """Everything together."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="workflow-cluster-"))
        self.engines = {}
        self.gateway = self.cluster = None
        try:
            self.cluster = Cluster(self.folder)
            self.deploy()
            self.start_gateway()
            self.register()
            self.cluster.start_controllers()
            self.populate()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        for part in [self.gateway, self.cluster, *self.engines.values()]:
            if part:
                part.stop()
        self.keep_logs()
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep_logs(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob("*/*.log"):
            shutil.copy(path, LOGS / f"{path.parent.name}.log")

    def deploy(self):
        self.manifests = manifests()
        self.cluster.kubectl("apply", "-f", "-", stdin=[one for one in self.manifests if one["kind"] == "Namespace"])
        self.cluster.kubectl("apply", "-f", "-", stdin=[one for one in self.manifests if one["kind"] in APPLIED])

    def account_token(self, name, namespace):
        return self.cluster.kubectl("create", "token", name, "-n", namespace, "--duration=2h").out.strip()

    def start_gateway(self):
        namespace, name = SERVICE
        for bound in NAMESPACES:
            self.engines[bound] = Engine(self.folder / f"engine-{bound}")
        backends = [
            {"name": f"ci-{bound}", "adapter": "local", "url": engine.url, "credentials": {"token": {"file": str(engine.folder / "token")}}}
            for bound, engine in self.engines.items()]
        poll = {"interval": "500ms", "sweepInterval": "5s"}
        bindings = [{"backend": f"ci-{bound}", "namespace": bound, "poll": poll} for bound in self.engines]
        hosts = [f"DNS:{name}.{namespace}.svc", f"DNS:{name}.{namespace}.svc.cluster.local", "DNS:localhost", "IP:127.0.0.1"]
        certificate = self.cluster.serving.issue("gateway", name, hosts=hosts)
        account = self.cluster.kubeconfig(token=self.account_token(name, namespace), name="gateway-account")
        self.gateway = ClusterGateway(self.folder / "gateway", {"backends": backends, "bindings": bindings}, certificate, account)
        eventually(lambda: self.direct("/readyz").status == 200, 30, "the gateway's /readyz")

    def register(self):
        """The Service as an ExternalName for localhost, which the aggregator resolves without a proxy, and deploy's APIService."""
        namespace, name = SERVICE
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
                   "spec": {"type": "ExternalName", "externalName": "localhost"}}
        [registered] = [one for one in self.manifests if one["kind"] == "APIService"]
        spec = registered["spec"]
        assert registered["metadata"]["name"] == APISERVICE, registered
        assert (spec["service"]["namespace"], spec["service"]["name"]) == SERVICE, registered
        spec.pop("insecureSkipTLSVerify", None)
        spec["caBundle"] = base64.b64encode(self.cluster.serving.certificate.read_bytes()).decode()
        spec["service"]["port"] = self.gateway.port
        self.cluster.kubectl("apply", "-f", "-", stdin=[service, registered])
        eventually(lambda: self.available()["status"] == "True", 60, "the APIService's Available=True")

    def available(self):
        conditions = self.cluster.get("apiservice", APISERVICE)["status"]["conditions"]
        return next(condition for condition in conditions if condition["type"] == "Available")

    def populate(self):
        made = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES if name != "absent"]
        self.cluster.kubectl("apply", "-f", "-", stdin=made)

    def direct(self, path, **more):
        """A request to the gateway itself, past the kube-apiserver."""
        return self.cluster.request(path, base=self.gateway.url, **more)

    def create(self, manifest, namespace="team-a", **more):
        """kubectl create; returns the object."""
        return json.loads(self.cluster.kubectl("create", "-n", namespace, "-f", "-", "-o", "json", stdin=manifest, **more).out)

    def phase(self, name, phase, namespace="team-a", seconds=30):
        """Waits for a phase and returns the object."""
        def look():
            found = self.cluster.get("wf", name, "-n", namespace)
            return found if found and found.get("status", {}).get("phase") == phase else None
        return eventually(look, seconds, f"{name} {phase}")

    def jobs(self, namespace="team-a"):
        """The engine's own view: its jobs by idempotency key."""
        return {job.get("idempotencyKey"): job for job in self.engines[namespace].call("GET", "/v1/jobs?limit=1000")["items"]}
