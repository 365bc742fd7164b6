"""A plain HTTP proxy in front of the gateway that writes down what kubectl asks."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler

from stack import ThreadedServer

SINGLE_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "host", "accept-encoding"}


class Recorder:
    def __init__(self, gateway):
        self.gateway, self.requests = gateway, []
        self.server = ThreadedServer(self.handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self):
        """What was asked since the last time."""
        taken, self.requests = self.requests, []
        return taken

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def handler(recorder):  # noqa: N805 - the handler's own `self` is another
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def relay(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
                recorder.requests.append((self.command, self.path, self.headers.get("Content-Type") if self.command == "PATCH" else None))
                upstream = http.client.HTTPSConnection("127.0.0.1", recorder.gateway.port, context=recorder.gateway.tls, timeout=120)
                try:
                    headers = {name: value for name, value in self.headers.items() if name.lower() not in SINGLE_HOP}
                    upstream.request(self.command, self.path, body, headers)
                    answer = upstream.getresponse()
                    self.send_response_only(answer.status)
                    for name, value in answer.getheaders():
                        if name.lower() not in SINGLE_HOP:
                            self.send_header(name, value)
                    if answer.status in (204, 304):
                        self.end_headers()
                        return
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    while data := answer.read1(65536):
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                        self.wfile.flush()
                    self.wfile.write(b"0\r\n\r\n")
                except OSError:
                    self.close_connection = True
                finally:
                    upstream.close()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = relay
        return Handler
