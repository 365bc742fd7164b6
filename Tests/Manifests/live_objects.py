"""As much of a cluster as `lookup` of a chart asks: discovery, and the objects that one puts there."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def plural(kind):
    name = kind.lower()
    return name[:-1] + "ies" if name.endswith("y") else name + "s"


class LiveObjects:
    """
    Objects by their path.

    :param kinds: objects of all kinds that there are
    """

    def __init__(self, kinds):
        self.objects = {}
        self.resources = {}
        for thing in kinds:
            self.resources.setdefault(thing["apiVersion"], {})[thing["kind"]] = "namespace" in thing["metadata"]
        live = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                code, body = live.answer(self.path.partition("?")[0])
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, path):
        if path == "/version":
            return 200, {"major": "1", "minor": "33", "gitVersion": "v1.33.0"}
        if path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            groups = [{"groupVersion": version, "version": version.split("/")[1]} for version in self.resources if "/" in version]
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
                {"name": group["groupVersion"].split("/")[0], "versions": [group], "preferredVersion": group} for group in groups]}
        version = path.removeprefix("/apis/").removeprefix("/api/")
        if version in self.resources:
            return 200, {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": [
                {"name": plural(kind), "singularName": kind.lower(), "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"]}
                for kind, namespaced in self.resources[version].items()]}
        if path in self.objects:
            return 200, self.objects[path]
        return 404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound", "message": f"{path} not found"}

    def put(self, thing):
        """As the release workflow-apiserver made it."""
        metadata, version = thing["metadata"], thing["apiVersion"]
        metadata["annotations"] = {
            **metadata.get("annotations", {}), "meta.helm.sh/release-name": "workflow-apiserver", "meta.helm.sh/release-namespace": "workflow-system"}
        space = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
        self.objects[f"/{'apis' if '/' in version else 'api'}/{version}{space}/{plural(thing['kind'])}/{metadata['name']}"] = thing

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
