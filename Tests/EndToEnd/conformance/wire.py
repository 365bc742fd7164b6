"""HTTP/1.1 over TLS with nothing added by a library: what is sent stands in the test."""

import http.client
import json
import socket
import ssl
import time
from urllib.parse import quote, urlencode

from stack import API, GROUP, Answer

WORKFLOWS = f"{API}/namespaces/default/workflows"
TEMPLATES = f"{API}/namespaces/default/workflowtemplates"
RESOURCE = f"workflows.{GROUP}"
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


def with_query(path, query):
    """`None` leaves a parameter out, a list repeats it."""
    pairs = [(key, one) for key, value in query.items() if value is not None for one in (value if isinstance(value, list) else [value])]
    return path + ("?" if "?" not in path else "&") + urlencode(pairs, quote_via=quote) if pairs else path


def best_seconds(ask):
    """How long the quickest of three answers took, all of them 200: the machine may be busy with something else during one."""
    seconds = []
    for _ in range(3):
        begun = time.monotonic()
        assert ask().status == 200
        seconds.append(time.monotonic() - begun)
    return min(seconds)


class Wire:
    """One user's connection to the server. Kept alive, and opened anew when the server has closed it."""

    def __init__(self, port, tls):
        self.port, self.tls = port, tls
        self.connection = None

    def request(self, method, path, body=None, headers=None, patience=60, **query):
        """The answer, whatever it is. A `body` that is no bytes is sent as JSON with its Content-Type; bytes go without one unless it is given."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        path = with_query(path, query)
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=patience, context=self.tls)
            try:
                self.connection.timeout = patience
                if self.connection.sock:
                    self.connection.sock.settimeout(patience)
                self.connection.putrequest(method, path, skip_accept_encoding=True)
                if body is not None and not any(name.lower() == "content-length" for name in headers):
                    self.connection.putheader("Content-Length", str(len(body)))
                for name, value in headers.items():
                    for one in value if isinstance(value, list) else [value]:
                        self.connection.putheader(name, one)
                self.connection.endheaders(body)
                answer = self.connection.getresponse()
                return Answer(answer.status, answer.headers, answer.read())
            except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLError, http.client.CannotSendRequest):
                self.close()
                if attempt == 2 or method != "GET":
                    raise
            except Exception:
                self.close()
                raise
        raise AssertionError("not reached")

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def get(self, path, accept=None, **query):
        return self.request("GET", path, headers={"Accept": accept} if accept is not None else {}, **query)

    def post(self, path, body, **query):
        return self.request("POST", path, body, **query)

    def put(self, path, body, **query):
        return self.request("PUT", path, body, **query)

    def patch(self, path, body, kind=MERGE, accept=None, **query):
        return self.request("PATCH", path, body, {"Content-Type": kind, **({"Accept": accept} if accept else {})}, **query)

    def delete(self, path, body=None, **query):
        return self.request("DELETE", path, body, **query)

    def events(self, path, accept=None, seconds=1, count=None, **query):
        """The events of a watch: exactly `count`, after which there is silence; otherwise all until `timeoutSeconds` ends it."""
        if count is not None:
            with self.stream(path, accept, watch="true", timeoutSeconds=30, **query) as stream:
                assert stream.status == 200, stream.answer.read()
                found = [stream.next() for _ in range(count)]
                more = stream.pause(0.2)
                assert more is None, f"{count} events expected, then {more}"
                return found
        answer = self.request("GET", path, headers={"Accept": accept} if accept else {}, watch="true", timeoutSeconds=seconds, **query)
        assert answer.status == 200, (answer.status, answer.body)
        assert not answer.body or answer.body.endswith(b"\n"), answer.body[-200:]
        return [json.loads(line) for line in answer.body.splitlines()]

    def stream(self, path, accept=None, **query):
        return Stream(self.port, self.tls, with_query(path, query), accept)


class Stream:
    """An open watch on a connection of its own."""

    def __init__(self, port, tls, path, accept=None):
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=tls)
        self.connection.request("GET", path, headers={"Accept": accept} if accept else {})
        self.answer = self.connection.getresponse()
        self.status, self.headers = self.answer.status, self.answer.headers

    def next(self, seconds=60):
        """The next event; None at the end of the body. A silence is a TimeoutError."""
        if self.answer.fp is not None and self.connection.sock is not None:
            self.connection.sock.settimeout(seconds)
        line = self.answer.readline()
        return json.loads(line) if line else None

    def until(self, wanted, seconds=60):
        """All events up to the first that `wanted` accepts."""
        deadline, events = time.monotonic() + seconds, []
        while time.monotonic() < deadline:
            event = self.next(max(0.1, deadline - time.monotonic()))
            assert event is not None, f"the watch ended after {events}"
            events.append(event)
            if wanted(event):
                return events
        raise AssertionError(f"not seen in {seconds} s: {events}")

    def pause(self, seconds):
        """The event that comes in this time, or None. The stream is of no use after a silence."""
        try:
            return self.next(seconds)
        except (TimeoutError, socket.timeout):
            return None

    def close(self):
        sock = self.connection.sock
        if sock:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def is_status(answer, code, reason, message=None, **details):
    """The answer is a Status with this code and reason, in JSON; `message` is in its message. Returns it."""
    assert answer.status == code, (answer.status, answer.body[:2000])
    assert answer.headers["Content-Type"].split(";")[0] == "application/json", answer.headers["Content-Type"]
    status = answer.json()
    assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure"), status
    assert (status["code"], status.get("reason")) == (code, reason), status
    assert isinstance(status["metadata"], dict), status
    if message is not None:
        assert message in status["message"], f"expected {message!r}\n in      {status['message']!r}"
    for key, value in details.items():
        assert status["details"].get(key) == value, status
    return status


def names(items):
    return [item["metadata"]["name"] for item in items]


def version(item):
    return int(item["metadata"]["resourceVersion"])
