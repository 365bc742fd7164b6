"""A stand-in for the cluster that admission reads: webhook configurations, policies, namespaces, quotas; and webhooks. Both over TLS, in this process."""

import base64
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import yaml

from stack import ThreadedServer

REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
COLLECTIONS = ["/api/v1/namespaces", "/api/v1/resourcequotas"] + [
    f"{REGISTRATION}/{kind}{rest}" for kind in ("mutating", "validating")
    for rest in ("webhookconfigurations", "admissionpolicies", "admissionpolicybindings")]


class Server:
    """An HTTPS server on loopback with the gateway's own test certificates."""

    def __init__(self, pki, handler, protocols=("http/1.1",)):
        self.http = ThreadedServer(handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki / "server.crt", pki / "server.key")
        context.set_alpn_protocols(protocols)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.http.server_address[1]}"
        self.ca = (pki / "ca.crt").read_bytes()
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


class Cluster(Server):
    def __init__(self, pki):
        self.changed = threading.Condition()
        self.objects = {path: {} for path in COLLECTIONS}
        self.events = []
        self.version = 1
        self.refuses = set()
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, code, body):
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                path, _, query = self.path.partition("?")
                if path in cluster.refuses:
                    return self.answer(403, {"kind": "Status", "code": 403, "reason": "Forbidden", "message": f"no list of {path} for you"})
                if path in cluster.objects and "resourceVersion=" in query:
                    return self.watch(path, int(query.split("resourceVersion=")[1].split("&")[0]))
                if path in cluster.objects:
                    with cluster.changed:
                        items, version = list(cluster.objects[path].values()), cluster.version
                    return self.answer(200, {"kind": "List", "metadata": {"resourceVersion": str(version)}, "items": items})
                parent, _, name = path.rpartition("/")
                found = cluster.objects.get(parent, {}).get(("", name))
                if found:
                    return self.answer(200, found)
                return self.answer(404, {"kind": "Status", "code": 404, "reason": "NotFound", "message": "not found",
                                         "details": {"name": name} if parent in cluster.objects else {}})

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                # Everybody may do everything: whether that is asked rightly is another test's.
                return self.answer(201, {"kind": "Status", "status": {"allowed": True}})

            def watch(self, path, version):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                try:
                    while True:
                        with cluster.changed:
                            cluster.changed.wait_for(lambda: cluster.version > version, timeout=1)
                            due = [event for event in cluster.events if event[0] > version and event[1] == path]
                            version = cluster.version
                        for _, _, event in due:
                            line = json.dumps(event).encode() + b"\n"
                            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                            self.wfile.flush()
                except OSError:
                    pass

        super().__init__(pki, Handler)
        self.put("/api/v1/namespaces", {"metadata": {"name": "default", "labels": {"env": "prod"}}, "status": {"phase": "Active"}})

    def put(self, path, body, kind="ADDED"):
        """Adds, changes or (DELETED) removes an object; whoever watches is told."""
        with self.changed:
            self.version += 1
            body["metadata"]["resourceVersion"] = str(self.version)
            key = (body["metadata"].get("namespace", ""), body["metadata"]["name"])
            if kind == "DELETED":
                self.objects[path].pop(key, None)
            else:
                self.objects[path][key] = body
            self.events.append((self.version, path, {"type": kind, "object": body}))
            self.changed.notify_all()

    def remove(self, path, name, namespace=""):
        self.put(path, self.objects[path][(namespace, name)], "DELETED")

    def clear(self):
        for path in COLLECTIONS[1:]:
            for namespace, name in list(self.objects[path]):
                self.remove(path, name, namespace)

    def kubeconfig(self, path):
        Path(path).write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "a",
            "clusters": [{"name": "a", "cluster": {"server": self.url, "certificate-authority-data": base64.b64encode(self.ca).decode()}}],
            "users": [{"name": "a", "user": {"token": "stand-in"}}], "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}]}))
        return path


class Webhooks(Server):
    """
    Answers reviews by path; each answer is a function of the request and returns the members of the response.

    It says that it would rather speak HTTP/2, which it cannot: nobody who calls a webhook may take that up.
    """

    def __init__(self, pki):
        self.answers, self.requests = {}, []
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = self.path.partition("?")[0]
                hooks.requests.append((path, review["request"]))
                response = {"uid": review["request"]["uid"], "allowed": True, **hooks.answers[path](review["request"])}
                data = json.dumps({"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        super().__init__(pki, Handler, ("h2", "http/1.1"))

    def configuration(self, name, path, answer=None, url=None, **more):
        """One configuration with one webhook that is asked about every write of Workflows."""
        if answer:
            self.answers[path] = answer
        return {"metadata": {"name": name}, "webhooks": [{
            "name": f"{name}.example.com", "rules": [RULE], "failurePolicy": "Fail", "matchPolicy": "Equivalent", "namespaceSelector": {},
            "clientConfig": {"url": (url or self.url) + path, "caBundle": base64.b64encode(self.ca).decode()}, "objectSelector": {},
            "sideEffects": "None", "timeoutSeconds": 30, "admissionReviewVersions": ["v1"], **more}]}


RULE = {"operations": ["*"], "apiGroups": ["workflow.example.com"], "apiVersions": ["*"], "resources": ["workflows"], "scope": "*"}


def json_patch(*operations):
    return {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(operations).encode()).decode()}


def policy(name, kind="validating", **spec):
    return {"metadata": {"name": name, "uid": name, "generation": 1},
            "spec": {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": [RULE]}, **spec}}


def binding(name, policy_name, **spec):
    return {"metadata": {"name": name}, "spec": {"policyName": policy_name, "validationActions": ["Deny"], **spec}}
