"""A real control plane on loopback, from the binaries that KUBEBUILDER_ASSETS names: etcd, kube-apiserver, kube-controller-manager."""

import base64
import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from stack import KUBECTLS, ROOT, Answer, Output, eventually, free_port

ASSETS = Path(os.environ.get("KUBEBUILDER_ASSETS") or "/nonexistent")
LOGS = ROOT / ".build" / "cluster-logs"
KUBECTL = KUBECTLS.get("1.33") or shutil.which("kubectl")
# Nothing here may go through a proxy: all of it is on loopback.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def missing():
    """Why there can be no cluster here, or None."""
    if "KUBEBUILDER_ASSETS" not in os.environ:
        return "KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver"
    lacking = [name for name in ("etcd", "kube-apiserver") if not os.access(ASSETS / name, os.X_OK)]
    return f"the folder KUBEBUILDER_ASSETS has no {' and no '.join(lacking)}" if lacking else None


class Authority:
    """A certificate authority of its own in a folder."""

    def __init__(self, folder, name):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.certificate, self.key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        self.openssl(self.certificate, self.key, f"/CN={name}", "keyUsage=critical,keyCertSign,cRLSign", signer=[])

    @staticmethod
    def openssl(certificate, key, subject, *extensions, signer):
        added = [word for extension in extensions for word in ("-addext", extension)]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2",
             "-subj", subject, "-out", str(certificate), "-keyout", str(key), *signer, *added], check=True, capture_output=True)

    def issue(self, name, user, *groups, hosts=()):
        """A client certificate for a user in groups or, with `hosts` such as DNS:localhost, a serving one; returns the paths."""
        certificate, key = self.folder / f"{self.name}-{name}.crt", self.folder / f"{self.name}-{name}.key"
        extensions = ["basicConstraints=critical,CA:FALSE", f"extendedKeyUsage={'serverAuth' if hosts else 'clientAuth'}"]
        if hosts:
            extensions.append("subjectAltName=" + ",".join(hosts))
        subject = "".join(f"/O={group}" for group in groups) + f"/CN={user}"
        self.openssl(certificate, key, subject, *extensions, signer=["-CA", str(self.certificate), "-CAkey", str(self.key)])
        return certificate, key


class Server:
    """One program that runs until it is stopped; its log lies in LOGS."""

    def __init__(self, program, *arguments):
        self.program, self.arguments = program, [str(argument) for argument in arguments]
        self.log = LOGS / f"{program}.log"
        self.process = None
        self.start()

    def start(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(ASSETS / self.program), *self.arguments], stdout=log, stderr=log, env=ENVIRONMENT)

    def wait(self, check, seconds=60):
        """Until `check` is true; an ended process is an error at once."""
        eventually(lambda: self.process.poll() is not None or check(), seconds, self.program)
        assert self.process.poll() is None, f"{self.program} ended:\n" + self.log.read_text()[-3000:]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(60)


class Cluster:
    """etcd and kube-apiserver; the controllers are started by `start_controllers`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        shutil.rmtree(LOGS, ignore_errors=True)
        self.servers = []
        self.users = {}
        self.clients = Authority(self.folder / "pki", "clients")
        self.front_proxy = Authority(self.folder / "pki", "front-proxy")
        self.serving = Authority(self.folder / "pki", "serving")
        try:
            self.start_etcd()
            self.start_apiserver()
        except BaseException:
            self.stop()
            raise

    def serve(self, *arguments):
        server = Server(*arguments)
        self.servers.append(server)
        return server

    def stop(self):
        for server in reversed(self.servers):
            server.stop()

    def start_etcd(self):
        self.etcd_url, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        etcd = self.serve(
            "etcd", "--data-dir", self.folder / "etcd", "--unsafe-no-fsync", "--listen-client-urls", self.etcd_url,
            "--advertise-client-urls", self.etcd_url, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}")
        etcd.wait(lambda: urllib.request.urlopen(self.etcd_url + "/health", timeout=2).status == 200)

    def start_apiserver(self):
        known = subprocess.run([str(ASSETS / "kube-apiserver"), "--help"], capture_output=True, text=True, check=True).stdout
        port = free_port()
        self.url = f"https://127.0.0.1:{port}"
        certificate, key = self.serving.issue("kube-apiserver", "kube-apiserver", hosts=["DNS:localhost", "IP:127.0.0.1"])
        proxy_certificate, proxy_key = self.front_proxy.issue("front-proxy-client", "front-proxy-client")
        self.account_key = self.folder / "pki" / "service-account.key"
        subprocess.run(
            ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(self.account_key)], check=True, capture_output=True)
        flags = {
            "etcd-servers": self.etcd_url, "bind-address": "127.0.0.1", "advertise-address": "127.0.0.1", "secure-port": port,
            "endpoint-reconciler-type": "none", "service-cluster-ip-range": "10.0.0.0/24", "authorization-mode": "RBAC",
            "tls-cert-file": certificate, "tls-private-key-file": key, "client-ca-file": self.clients.certificate,
            "requestheader-client-ca-file": self.front_proxy.certificate, "requestheader-allowed-names": "front-proxy-client",
            "requestheader-username-headers": "X-Remote-User", "requestheader-group-headers": "X-Remote-Group",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "proxy-client-cert-file": proxy_certificate, "proxy-client-key-file": proxy_key, "enable-aggregator-routing": "false",
            "service-account-issuer": "https://kubernetes.default.svc", "service-account-key-file": self.account_key,
            "service-account-signing-key-file": self.account_key, "v": 1,
        }
        if "--requestheader-uid-headers" in known:
            flags["requestheader-uid-headers"] = "X-Remote-Uid"
        self.add_user("admin", "system:masters")
        server = self.serve("kube-apiserver", *(f"--{name}={value}" for name, value in flags.items()))
        server.wait(lambda: self.request("/readyz").status == 200, 120)

    def start_controllers(self):
        """kube-controller-manager with the controllers that matter for objects: garbage, namespaces, accounts, aggregated roles."""
        if not os.access(ASSETS / "kube-controller-manager", os.X_OK):
            self.controllers = None
            return
        self.add_user("controllers", "system:masters")
        self.controllers = self.serve(
            "kube-controller-manager", f"--kubeconfig={self.kubeconfig('controllers')}", "--leader-elect=false", "--secure-port=0",
            "--controllers=garbagecollector,namespace,serviceaccount,clusterrole-aggregation",
            f"--service-account-private-key-file={self.account_key}", f"--root-ca-file={self.serving.certificate}", "--v=2")

    # Who asks.

    def add_user(self, name, *groups):
        """A user with a client certificate of the cluster's CA."""
        self.users[name] = self.clients.issue(name, name, *groups)

    def kubeconfig(self, user=None, token=None, server=None, name=None):
        """Path of a kubeconfig for a user's certificate or for a token."""
        path = self.folder / f"{name or user}.kubeconfig"
        encoded = {}
        if token:
            encoded["token"] = token
        else:
            certificate, key = self.users[user]
            encoded["client-certificate-data"] = base64.b64encode(certificate.read_bytes()).decode()
            encoded["client-key-data"] = base64.b64encode(key.read_bytes()).decode()
        authority = base64.b64encode(self.serving.certificate.read_bytes()).decode()
        path.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": server or self.url, "certificate-authority-data": authority}}],
            "users": [{"name": "test", "user": encoded}], "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}))
        return path

    def request(self, path, user="admin", method="GET", body=None, token=None, headers=None, base=None, certificate=None, timeout=30):
        """One request to the kube-apiserver or to another server (`base`) whose certificate the same CA signed, whatever the answer."""
        context = ssl.create_default_context(cafile=str(self.serving.certificate))
        given = certificate or (self.users[user] if user and not token else None)
        if given:
            context.load_cert_chain(*map(str, given))
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body:
            headers.setdefault("Content-Type", "application/json")
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request((base or self.url) + path, method=method, data=data, headers=headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        try:
            with opener.open(request, timeout=timeout) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def command(self, user):
        home = self.folder / f"home-{user}"
        return {**ENVIRONMENT, "KUBECONFIG": str(self.kubeconfig(user)), "HOME": str(home)}

    def kubectl(self, *arguments, user="admin", check=True, stdin=None, timeout=90):
        if isinstance(stdin, (dict, list)):
            stdin = json.dumps(stdin if isinstance(stdin, dict) else {"apiVersion": "v1", "kind": "List", "items": stdin})
        done = subprocess.run(
            [str(KUBECTL), *arguments], capture_output=True, text=True, env=self.command(user), input=stdin, timeout=timeout)
        output = Output(done)
        if check:
            assert done.returncode == 0, output
        return output

    def kubectl_start(self, *arguments, user="admin"):
        return subprocess.Popen(
            [str(KUBECTL), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.command(user))

    def get(self, *arguments):
        """An object as kubectl has it, or None if there is none."""
        found = self.kubectl("get", *arguments, "-o", "json", check=False)
        if found.code != 0:
            assert re.search("NotFound", found.err), found
            return None
        return json.loads(found.out)
