"""A stand-in for the kube-apiserver that the gateway asks: reviews, the ConfigMap of the front proxy, namespaces. It records what it is asked."""

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from stack import ThreadedServer

MAP = "extension-apiserver-authentication"


def most_reviews(seconds, kept):
    """How often a question may reach the cluster in so many seconds, when the answer is kept for `kept` seconds."""
    return 1 + seconds // kept


class FakeKube:
    """`tokens`: token → user of a TokenReview. `allow`: decides a SubjectAccessReview's spec. `answer`: a code with which reviews fail."""

    def __init__(self, pki):
        self.tokens, self.allow, self.failure = {}, lambda spec: True, None
        self.namespaces = {"default": {}}
        self.config, self.reviews, self.token_reviews = None, [], []
        self.changed = threading.Condition()
        self.version = 1
        self.server = ThreadedServer(self.handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(pki / "server.crt"), str(pki / "server.key"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.server.server_address[1]}"

    def configure(self, data):
        with self.changed:
            self.version += 1
            self.config = data
            self.changed.notify_all()

    def objects(self, path):
        if "/configmaps" in path:
            config = [{"metadata": {"name": MAP, "namespace": "kube-system", "uid": "1", "resourceVersion": str(self.version)}, "data": self.config}]
            return "v1", "ConfigMap", config if self.config is not None else []
        if path.startswith("/api/v1/namespaces"):
            return "v1", "Namespace", [{"metadata": {"name": name, "uid": name, "resourceVersion": "1", **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if more else {})},
                                        "status": {"phase": "Terminating" if more else "Active"}} for name, more in self.namespaces.items()]
        return "v1", "Nothing", []

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def handler(kube):  # noqa: N805 - the handler's own `self` is another
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def send(self, code, body):
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
                if kube.failure and "reviews" in self.path:
                    return self.send(kube.failure, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "InternalError", "message": "broken", "code": kube.failure})
                if self.path.split("?")[0].endswith("/tokenreviews"):
                    kube.token_reviews.append(body["spec"])
                    user = kube.tokens.get(body["spec"].get("token"))
                    body["status"] = {"authenticated": True, "user": user} if user else {"user": {}, "error": "invalid bearer token"}
                    return self.send(201, body)
                if self.path.split("?")[0].endswith("/subjectaccessreviews"):
                    kube.reviews.append(body["spec"])
                    allowed = kube.allow(body["spec"])
                    body["status"] = {"allowed": bool(allowed), "reason": allowed if isinstance(allowed, str) else ""}
                    return self.send(201, body)
                return self.send(201, body)

            do_PUT = do_PATCH = do_POST

            def do_GET(self):
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                version, kind, found = kube.objects(parts.path)
                last = parts.path.rstrip("/").split("/")[-1]
                if query.get("watch"):
                    return self.watch(version, kind, parts.path, int(query.get("resourceVersion", ["0"])[0] or 0))
                if last in ("namespaces", "configmaps") or kind == "Nothing":
                    return self.send(200, {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": str(kube.version)}, "items": found})
                one = next((item for item in found if item["metadata"]["name"] == last), None)
                if one is None:
                    return self.send(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "message": f'"{last}" not found', "code": 404,
                                           "details": {"name": last, "kind": kind.lower() + "s"}})
                self.send(200, {"kind": kind, "apiVersion": version, **one})

            def watch(self, version, kind, path, since):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                # What came between the list and the watch is told first.
                seen = since or kube.version
                deadline = time.monotonic() + 600
                try:
                    while time.monotonic() < deadline:
                        with kube.changed:
                            if kube.version <= seen:
                                kube.changed.wait(0.2)
                        if kube.version > seen:
                            seen = kube.version
                            for item in kube.objects(path)[2]:
                                line = json.dumps({"type": "MODIFIED", "object": {"kind": kind, "apiVersion": version, **item}}).encode() + b"\n"
                                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                                self.wfile.flush()
                except OSError:
                    pass
        return Handler
