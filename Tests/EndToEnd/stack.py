"""Starts the real binaries in a folder of their own: engine, gateway, kubectl of several versions."""

import http.server
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("WORKFLOW_BIN") or ROOT / ".build" / "debug")
KUBECTLS = {path.parent.name: path for path in sorted((ROOT / ".venv-test" / "kubectl").glob("*/kubectl"))}
GROUP = "workflow.example.com"
API = f"/apis/{GROUP}/v1alpha1"
GIVEN_PORTS = set()


def free_port():
    """A port that nobody takes while a server restarts; another one every time."""
    while True:
        port = int(subprocess.run([ROOT / "hack" / "free-port"], check=True, capture_output=True).stdout)
        if port not in GIVEN_PORTS:
            GIVEN_PORTS.add(port)
            return port


def until_there(path):
    """A step that ends when the test has made the file."""
    return f"until [ -e {path} ]; do sleep 0.1; done"


class ThreadedServer(http.server.ThreadingHTTPServer):
    """On a port of loopback. Many clients may come at once: what finds no room in the queue comes again a second later."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)


def eventually(check, seconds=60, what="condition"):
    """Calls `check` until it returns something true. The end-to-end tests wait for real processes, so there is no clock to inject."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            last = check()
            if last:
                return last
        except Exception as error:  # noqa: BLE001 - shown below
            last = error
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come true in {seconds} s; last: {last!r}")


class Engine:
    """The built-in engine."""

    def __init__(self, folder, *flags, port=None, templates=True):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.flags = list(flags)
        self.port = free_port() if port is None else port
        self.templates = templates
        self.process = None
        self.start()

    def start(self):
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        templates = ["--templates", str(ROOT / "hack" / "templates")] if self.templates else []
        self.process = subprocess.Popen(
            [str(BIN / "workflow-engine"), "--listen", f"127.0.0.1:{self.port}", "--port-file", str(port_file), "--token-file",
             str(self.folder / "token"), "--data-dir", str(self.folder / "data"), "--request-log", str(self.folder / "requests.log"),
             "--allow-faults", *templates, *self.flags],
            stdout=open(self.folder / "engine.log", "ab"), stderr=subprocess.STDOUT)
        eventually(lambda: port_file.exists() and port_file.read_text().strip(), what="the engine's port")
        self.port = int(port_file.read_text())

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self):
        return (self.folder / "token").read_text().strip()

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            data = answer.read()
            return json.loads(data) if data else None

    def requests(self):
        """Method and target of each request so far."""
        path = self.folder / "requests.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [" ".join(line.split()[1:3]) for line in lines]


class Gateway:
    """The gateway with certificates of its own."""

    def __init__(self, folder, config, port=None, adapters=ROOT / "adapters", flags=("--authorization-mode", "AlwaysAllow")):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.adapters = adapters
        self.flags = [str(flag) for flag in flags]
        self.port = free_port() if port is None else port
        # Whether requests are repeated after a 429 with Retry-After, as client-go does.
        self.patient = False
        self.config = self.folder / "gateway.yaml"
        self.config.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
        subprocess.run([str(BIN / "workflow-apiserver"), "certificates", "--dir", str(self.folder / "pki")], check=True)
        self.process = None
        self.start()

    def start(self, ready=True):
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        pki = self.folder / "pki"
        self.process = subprocess.Popen(
            [str(BIN / "workflow-apiserver"), "serve", "--config", str(self.config), "--adapters-dir", str(self.adapters), "--bind-address",
             "127.0.0.1", "--secure-port", str(self.port), "--port-file", str(port_file), "--tls-cert-file", str(pki / "server.crt"),
             "--tls-private-key-file", str(pki / "server.key"), "--client-ca-file", str(pki / "ca.crt"), *self.flags],
            stdout=open(self.folder / "gateway.log", "ab"), stderr=subprocess.STDOUT)
        eventually(lambda: self.process.poll() is not None or port_file.exists() and port_file.read_text().strip(), what="the gateway's port")
        assert self.process.poll() is None, (self.folder / "gateway.log").read_text()[-3000:]
        self.port = int(port_file.read_text())
        self.kubeconfig = self.folder / "kubeconfig"
        self.kubeconfig.write_bytes(subprocess.run(
            [str(BIN / "workflow-apiserver"), "kubeconfig", "--dir", str(pki), "--server", self.url], check=True, capture_output=True).stdout)
        if ready:
            eventually(lambda: self.raw("GET", "/readyz").status == 200, what="/readyz")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    @property
    def tls(self):
        context = ssl.create_default_context(cafile=str(self.folder / "pki" / "ca.crt"))
        context.load_cert_chain(str(self.folder / "pki" / "admin.crt"), str(self.folder / "pki" / "admin.key"))
        return context

    def raw(self, method, path, body=None, headers=None, timeout=60):
        """One request, whatever the answer: an object with status, headers, body (bytes) and json()."""
        answer = self.once(method, path, body, headers, timeout)
        for _ in range(10):
            if not self.patient or answer.status != 429:
                break
            time.sleep(int(answer.headers["Retry-After"]))
            answer = self.once(method, path, body, headers, timeout)
        return answer

    def once(self, method, path, body=None, headers=None, timeout=60):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data, headers=dict(headers or {}))
        if data is not None and not request.has_header("Content-type"):
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=self.tls) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Output:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"


class Stack:
    """Engine and gateway together, and kubectl against them."""

    def __init__(self, bindings=None, backend=None, engine_flags=(), gateway_flags=("--authorization-mode", "AlwaysAllow"), **document):
        self.folder = Path(tempfile.mkdtemp(prefix="workflow-e2e-"))
        self.engine = Engine(self.folder / "engine", *engine_flags)
        backend = {"name": "ci", "adapter": "local", "url": self.engine.url,
                   "credentials": {"token": {"file": str(self.folder / "engine" / "token")}}, **(backend or {})}
        poll = {"interval": "500ms", "sweepInterval": "10s"}
        self.bindings = bindings or [{"backend": "ci", "namespace": "default", "poll": poll}]
        self.gateway = Gateway(
            self.folder / "gateway", {"backends": [backend], "bindings": self.bindings, **document}, flags=gateway_flags)
        self.wait_for_sweep()

    def wait_for_sweep(self):
        """Until every binding was read completely once; before that lists and creates are 503."""
        eventually(lambda: self.gateway.raw("GET", f"{API}/workflows").status == 200, what="the first sweep")

    def wait_for_the_end(self):
        """Until no run goes on."""
        def look():
            return {item["status"]["phase"] for item in self.gateway.raw("GET", f"{API}/workflows").json()["items"]} <= {"Succeeded", "Failed"}
        eventually(look, what="the end of all runs")

    def stop(self):
        self.gateway.stop()
        self.engine.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def environment(self, version):
        return {**os.environ, "KUBECONFIG": str(self.gateway.kubeconfig), "HOME": str(self.folder / f"home-{version}")}

    def kubectl(self, *arguments, version="1.33", check=True, stdin=None, timeout=60):
        done = subprocess.run(
            [str(KUBECTLS[version]), *arguments], capture_output=True, text=True, env=self.environment(version), input=stdin, timeout=timeout)
        output = Output(done)
        if check:
            assert done.returncode == 0, output
        return output

    def kubectl_start(self, *arguments, version="1.33"):
        return subprocess.Popen(
            [str(KUBECTLS[version]), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment(version))

    def get(self, name, namespace="default"):
        return self.gateway.raw("GET", f"{API}/namespaces/{namespace}/workflows/{name}").json()

    def create(self, manifest, namespace="default", query=""):
        return self.gateway.raw("POST", f"{API}/namespaces/{namespace}/workflows{query}", manifest)

    def phase(self, name, phase, seconds=60, namespace="default"):
        """Waits for a phase and returns the object."""
        def look():
            found = self.get(name, namespace)
            return found if found.get("status", {}).get("phase") == phase else None
        return eventually(look, seconds, f"{name} {phase}")


def workflow(name, *commands, **spec):
    """A Workflow with one `sh -c` step per command."""
    steps = [{"name": f"step-{i}", "command": ["sh", "-c", command]} for i, command in enumerate(commands)]
    manifest = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "Workflow", "metadata": {"name": name}, "spec": {**spec}}
    if steps:
        manifest["spec"]["steps"] = steps
    return manifest
