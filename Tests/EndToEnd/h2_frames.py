"""HTTP/2 frames by hand, for what no well-behaved library sends."""

import socket
import ssl
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
CANCEL = struct.pack(">I", 8)


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header field without indexing and without Huffman coding (RFC 7541 6.2.2)."""
    def text(data):
        data = data.encode()
        assert len(data) < 127
        return bytes([len(data)]) + data
    return b"\x00" + text(name) + text(value)


def request_block(path, method="GET"):
    return literal(":method", method) + literal(":scheme", "https") + literal(":authority", "localhost") + literal(":path", path)


def connect(gateway, protocols=("h2",), certificate=True, timeout=10):
    """`timeout`, in seconds, is for what is sent and received later; a server under attack may take its time for the handshake."""
    context = ssl.create_default_context(cafile=str(gateway.folder / "pki" / "ca.crt"))
    if certificate:
        context.load_cert_chain(str(gateway.folder / "pki" / "admin.crt"), str(gateway.folder / "pki" / "admin.key"))
    context.set_alpn_protocols(list(protocols))
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", gateway.port), timeout=60), server_hostname="localhost")
    connection.settimeout(timeout)
    return connection


def connect_h2(gateway):
    connection = connect(gateway)
    connection.sendall(PREFACE + frame(SETTINGS))
    return connection
