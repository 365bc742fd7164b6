"""A middleman that passes on nothing more, without closing anything: what the gateway asks of the cluster then."""

import base64
import json
import select
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request

import pytest
import yaml

from stack import API, Engine, Gateway, Stack


class Proxy:
    """Passes TCP on; after silence() the connections that there are carry nothing more, and new ones work."""

    def __init__(self, port):
        self.target, self.generation, self.accepted, self.over = port, 0, 0, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.pass_on, args=(client, server, self.generation), daemon=True).start()

    def pass_on(self, client, server, generation):
        with client, server:
            while not self.over:
                if self.generation != generation:
                    time.sleep(0.1)
                    continue
                for source in select.select([client, server], [], [], 0.1)[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)

    def silence(self):
        self.generation += 1

    def stop(self):
        self.over = True
        self.listener.close()


@pytest.fixture
def world(tmp_path):
    """A gateway whose questions about access go through a proxy. Another gateway answers them over HTTP/2, with 401, which is an answer."""
    with Stack() as other:
        proxy = Proxy(other.gateway.port)
        authority = base64.b64encode((other.gateway.folder / "pki" / "ca.crt").read_bytes()).decode()
        kubeconfig = tmp_path / "authorization.yaml"
        kubeconfig.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "a",
            "clusters": [{"name": "a", "cluster": {"server": f"https://127.0.0.1:{proxy.port}", "certificate-authority-data": authority}}],
            "users": [{"name": "a", "user": {"token": "x"}}], "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}]}))
        engine = Engine(tmp_path / "engine")
        gateway = Gateway(tmp_path / "gateway", {
            "backends": [{"name": "ci", "adapter": "local", "url": engine.url, "credentials": {"token": {"file": str(tmp_path / "engine" / "token")}}}],
            "bindings": [{"backend": "ci", "namespace": "default"}]},
            flags=("--authorization-kubeconfig", kubeconfig, "--authentication-skip-lookup"))
        yield gateway, proxy
        gateway.stop()
        engine.stop()
        proxy.stop()


def test_a_silent_connection_is_not_used_again(world):
    gateway, proxy = world

    context = ssl.create_default_context(cafile=str(gateway.folder / "pki" / "ca.crt"))

    def ask(number):
        """As system:anonymous about another namespace each time, so that no decision is remembered. Seconds, and what was said."""
        began = time.monotonic()
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{gateway.url}{API}/namespaces/n{number}/workflows", timeout=60, context=context)
        return time.monotonic() - began, json.loads(caught.value.read())["message"]
    _, usual = ask(1)
    assert "answered 401 to the gateway's SubjectAccessReview" in usual
    ask(2)
    before = proxy.accepted
    proxy.silence()
    seconds, message = ask(3)
    assert seconds > 5 and "cannot be reached" in message
    later = [ask(number) for number in range(4, 8)]
    assert all("answered 401" in message for _, message in later)
    # The machine may be busy with something else during one of them.
    assert sorted(seconds for seconds, _ in later)[-2] < 5
    assert proxy.accepted > before
