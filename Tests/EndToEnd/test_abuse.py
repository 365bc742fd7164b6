"""Peers that mean no good: memory stays bounded, and honest clients are served meanwhile."""

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from pathlib import Path

import pytest

import h2_frames as h2
from stack import API, Stack, eventually, workflow
from test_delegation import World, remote

# What the gateway may grow by, in MiB, under any of the attacks below.
ALLOWED_GROWTH = 200
SECONDS = 4


@pytest.fixture(scope="module")
def stack():
    with Stack() as running:
        assert running.create(workflow("honest", "true")).status == 201
        running.phase("honest", "Succeeded")
        yield running


class Honest(threading.Thread):
    """One client that goes on listing, and another that holds a watch."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.served, self.failures, self.done = stack, 0, [], threading.Event()

    def run(self):
        while not self.done.is_set():
            try:
                answer = self.stack.gateway.once("GET", f"{API}/workflows?resourceVersion=0")
                if answer.status != 200:
                    self.failures.append(answer.status)
                self.served += 1
            except Exception as error:  # noqa: BLE001 - collected and shown
                self.failures.append(error)
            self.done.wait(0.05)


@contextlib.contextmanager
def honest_clients(stack):
    before = resident(stack)
    watch = h2.connect(stack.gateway, ("http/1.1",), timeout=60)
    watch.sendall(f"GET {API}/workflows?watch=true HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert b"honest" in read_until(watch, b"honest")
    client = Honest(stack)
    client.start()
    yield
    # A short attack leaves time for few requests; the ones after it count as well.
    eventually(lambda: client.failures or client.served > 5, what="the honest client's requests")
    client.done.set()
    client.join(60)
    assert client.failures == [], client.failures[:3]
    name = f"after-{time.monotonic_ns()}"
    assert stack.create(workflow(name, "true")).status == 201
    assert name.encode() in read_until(watch, name.encode()), "the watch that was open all the time sees what happens after"
    watch.close()
    assert stack.gateway.process.poll() is None
    grown = resident(stack) - before
    assert grown < ALLOWED_GROWTH, f"{grown:.0f} MiB more than before"


def resident(running):
    """The memory in MiB of a gateway, or of a stack's."""
    process = getattr(running, "gateway", running).process
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def read_until(connection, text):
    data = b""
    while text not in data:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def flood(stack, burst, seconds=SECONDS, connections=2):
    """Sends what `burst(stream id)` makes over h2 connections, new ones where the server ends them. Returns how many it ended."""
    ended = [0] * connections
    def attack(index):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with h2.connect_h2(stack.gateway) as connection:
                    stream = 1
                    while time.monotonic() < end:
                        data, stream = burst(stream)
                        connection.sendall(data)
                        drain(connection)
            except OSError:
                ended[index] += 1
    threads = [threading.Thread(target=attack, args=(i,)) for i in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 30)
        assert not thread.is_alive()
    return sum(ended)


def drain(connection):
    """Takes what the server sent, so that the attack is not ended by our own full buffers. Raises when the server has closed."""
    connection.settimeout(0.0)
    try:
        while True:
            if not connection.recv(1 << 16):
                raise ConnectionResetError
    except (ssl.SSLWantReadError, BlockingIOError):
        pass
    finally:
        connection.settimeout(10)


def rapid_reset(stream):
    block, data = h2.request_block(f"{API}/workflows?resourceVersion=0"), b""
    for _ in range(200):
        data += h2.frame(h2.HEADERS, h2.END_STREAM | h2.END_HEADERS, stream, block) + h2.frame(h2.RST_STREAM, 0, stream, h2.CANCEL)
        stream += 2
    return data, stream


def settings_flood(stream):
    return h2.frame(h2.SETTINGS, 0, 0, struct.pack(">HI", 4, 65535)) * 500, stream


def ping_flood(stream):
    return h2.frame(h2.PING, 0, 0, b"12345678") * 500, stream


def continuation_flood(stream):
    if stream == 1:
        return h2.frame(h2.HEADERS, 0, 1, h2.request_block("/")), 3
    return h2.frame(h2.CONTINUATION, 0, 1, h2.literal("x-a", "b" * 100) * 100), stream


def empty_data_flood(stream):
    if stream == 1:
        return h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.request_block(f"{API}/namespaces/default/workflows", "POST")), 3
    return h2.frame(h2.DATA, 0, 1) * 500, stream


def window_flood(stream):
    return h2.frame(h2.WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)) * 500, stream


@pytest.mark.parametrize("burst", [rapid_reset, settings_flood, ping_flood, continuation_flood, empty_data_flood, window_flood],
                         ids=lambda burst: burst.__name__)
def test_http2_floods(stack, burst):
    with honest_clients(stack):
        ended = flood(stack, burst)
    if burst is not window_flood:  # Costs the server nothing, so nothing need end it.
        assert ended > 0, "the server ends a connection that only makes work"


def test_slowloris_on_both_protocols(stack):
    with honest_clients(stack), contextlib.ExitStack() as opened:
        slow = []
        for index in range(300):
            connection = opened.enter_context(h2.connect(stack.gateway, ("http/1.1",), certificate=False))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ")
            slow.append(connection)
        for _ in range(SECONDS * 2):
            for connection in slow:
                with contextlib.suppress(OSError):
                    connection.sendall(b"a")
            time.sleep(0.3)


def test_slow_readers_of_a_large_answer(stack):
    """They ask for much and take nothing: their answers share bytes, or wait in the server only once."""
    for index in range(60):
        stack.create({**workflow(f"large-{index}", "true"), "metadata": {"name": f"large-{index}", "annotations": {"a": "x" * 20_000}}})
    with honest_clients(stack), contextlib.ExitStack() as opened:
        for _ in range(100):
            connection = opened.enter_context(h2.connect(stack.gateway, ("http/1.1",)))
            connection.sendall(f"GET {API}/workflows?resourceVersion=0 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        time.sleep(SECONDS)


def test_slow_writers_of_a_body(stack):
    with honest_clients(stack), contextlib.ExitStack() as opened:
        for _ in range(200):
            connection = opened.enter_context(h2.connect(stack.gateway, ("http/1.1",)))
            connection.sendall(f"POST {API}/namespaces/default/workflows HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n{{".encode())
        time.sleep(SECONDS)


BODY = 3 << 20


def test_strangers_bodies_that_do_not_end_are_bounded(stack):
    """Nobody knows yet who sends them: all of them together have their share of memory, and the others are told to come again."""
    with honest_clients(stack), contextlib.ExitStack() as opened:
        before = resident(stack)
        head = f"POST {API}/namespaces/default/workflows HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY}\r\n\r\n".encode()
        plain = []
        for _ in range(120):
            connection = opened.enter_context(h2.connect(stack.gateway, ("http/1.1",), certificate=False, timeout=5))
            with contextlib.suppress(OSError):
                connection.sendall(head + b" " * (BODY - 1))
            plain.append(connection)
        assert_turned_away(plain, more_than=90)
        streams = opened.enter_context(h2.connect(stack.gateway, certificate=False))
        statuses = send_bodies(streams, count=60)
        assert len(statuses) == 60 and all(block[:1] != b"\x88" for block in statuses.values()), statuses
        grown = resident(stack) - before
        assert grown < 100, f"{grown:.0f} MiB for strangers"
        # One whose certificate is known sends as much as ever meanwhile.
        big = {**workflow("big-meanwhile", "true"), "metadata": {"name": "big-meanwhile", "annotations": {"a": "x" * 200_000}}}
        assert stack.create(big).status == 201


def answered(connection):
    """The status that came by now; None for none."""
    connection.settimeout(0.05)
    try:
        return int(connection.recv(4096).split()[1])
    except (TimeoutError, OSError, IndexError):
        return None


def assert_turned_away(connections, more_than):
    """So many have the answer 429, or get it soon, and nobody another one. Returns those without an answer."""
    statuses = dict.fromkeys(connections)

    def look():
        statuses.update({one: answered(one) for one, status in statuses.items() if status is None})
        return list(statuses.values()).count(429) > more_than
    eventually(look, what="429 for those that are too many")
    assert set(statuses.values()) == {429, None}, list(statuses.values())
    return [one for one, status in statuses.items() if status is None]


def send_bodies(connection, count):
    """Sends all but the last byte of a body on each stream, as far as the windows let it. Returns the header blocks of the answers."""
    connection.sendall(h2.PREFACE + h2.frame(h2.SETTINGS))
    block = h2.request_block(f"{API}/namespaces/default/workflows", "POST")
    left = {1 + 2 * index: BODY - 1 for index in range(count)}
    windows = {stream: 65535 for stream in (0, *left)}
    for stream in left:
        connection.sendall(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, block))
    answers, data, idle_since = {}, b"", time.monotonic()
    while len(answers) < count and time.monotonic() - idle_since < 30:
        for stream in left:
            size = min(16384, left[stream], windows[stream], windows[0])
            if stream not in answers and size > 0:
                connection.sendall(h2.frame(h2.DATA, 0, stream, b" " * size))
                left[stream], windows[stream], windows[0] = left[stream] - size, windows[stream] - size, windows[0] - size
                idle_since = time.monotonic()
        connection.settimeout(0.02)
        with contextlib.suppress(TimeoutError, ssl.SSLWantReadError):
            data += connection.recv(1 << 16)
        connection.settimeout(10)
        while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big"):
            size, kind, flags, stream = int.from_bytes(data[:3], "big"), data[3], data[4], int.from_bytes(data[5:9], "big")
            payload, data = data[9:9 + size], data[9 + size:]
            if kind == h2.WINDOW_UPDATE and stream in windows:
                windows[stream] += int.from_bytes(payload, "big")
            elif kind == h2.SETTINGS and not flags & h2.ACK:
                for at in range(0, size, 6):
                    name, value = struct.unpack(">HI", payload[at:at + 6])
                    if name == 4:
                        for other in left:
                            windows[other] += value - 65535
                connection.sendall(h2.frame(h2.SETTINGS, h2.ACK))
            elif kind in (h2.HEADERS, h2.RST_STREAM):
                answers.setdefault(stream, payload)
    return answers


def test_answers_that_nobody_reads_do_not_pile_up(stack):
    """One connection asks for one document after the other and reads none: it has to wait, not we."""
    request = b"GET /openapi/v2 HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n"
    with honest_clients(stack), contextlib.ExitStack() as opened:
        before = resident(stack)
        greedy = [opened.enter_context(h2.connect(stack.gateway, ("http/1.1",))) for _ in range(3)]
        # Each sends until the gateway takes no more from it.
        for connection in greedy:
            connection.settimeout(2)
            with contextlib.suppress(TimeoutError, ssl.SSLWantWriteError):
                for _ in range(1_000):
                    connection.sendall(request * 10)
        grown = resident(stack) - before
        assert grown < 40, f"{grown:.0f} MiB of answers that nobody reads"
        # One that reads after all has what it asked for.
        greedy[0].settimeout(60)
        begin, tail, seen = b"HTTP/1.1 200 OK", b"", 0
        while seen < 200:
            piece = greedy[0].recv(1 << 16)
            assert piece
            seen, tail = seen + (tail + piece).count(begin), piece[1 - len(begin):]


def test_trailers_that_do_not_end_are_bounded(stack):
    trailers = b"".join(b"T%d: %s\r\n" % (index, b"v" * 9_000) for index in range(100))
    with honest_clients(stack), contextlib.ExitStack() as opened:
        before, plain = resident(stack), []
        for _ in range(150):
            connection = opened.enter_context(h2.connect(stack.gateway, ("http/1.1",), certificate=False, timeout=5))
            with contextlib.suppress(OSError):
                connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + trailers)
            plain.append(connection)
        assert_turned_away(plain, more_than=90)
        grown = resident(stack) - before
        assert grown < 100, f"{grown:.0f} MiB of trailers"


def test_strangers_bodies_are_bounded_while_the_cluster_is_asked_whose_they_are(tmp_path):
    """The cluster does not answer. Their bodies are whole, and one review is for all of them."""
    world = World(tmp_path)
    asked, answer = threading.Event(), threading.Event()

    class Slow(dict):
        def get(self, token):
            asked.set()
            answer.wait(120)
            return super().get(token)

    try:
        world.kube.tokens = Slow()
        before = resident(world.home)
        head = f"POST {API}/namespaces/default/workflows HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a\r\nContent-Length: {BODY}\r\n\r\n"
        with contextlib.ExitStack() as opened:
            plain = []
            # So few that they are all here before the gateway gives up on the cluster, after ten seconds.
            for _ in range(30):
                connection = opened.enter_context(world.home.connect().wrap_socket(
                    socket.create_connection(("127.0.0.1", world.home.port), timeout=60), server_hostname="localhost"))
                connection.settimeout(5)
                with contextlib.suppress(OSError):
                    connection.sendall(head.encode() + b" " * BODY)
                plain.append(connection)
            assert asked.wait(60)
            waiting = assert_turned_away(plain, more_than=15)
            grown = resident(world.home) - before
            assert grown < 100, f"{grown:.0f} MiB for strangers"
            # The kubelet, and the front proxy.
            assert world.home.wire().request("GET", "/livez").status == 200
            big = {**workflow("big", "true"), "metadata": {"name": "big", "annotations": {"a": "x" * 200_000}}}
            headers = {**remote("jane", "system:masters"), "Content-Type": "application/json"}
            assert world.proxy.request("POST", f"{API}/namespaces/default/workflows", big, headers).status == 201
            answer.set()
            eventually(lambda: 401 in map(answered, waiting), what="the answer to those that waited")
    finally:
        answer.set()
        world.stop()


def test_oversized_headers_and_bodies(stack):
    with honest_clients(stack):
        with h2.connect(stack.gateway, ("http/1.1",)) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
                for _ in range(2_000):
                    connection.sendall(b"X-A: " + b"a" * 1_000 + b"\r\n")
            connection.settimeout(60)
            with contextlib.suppress(OSError):
                answer = connection.recv(65536)
                assert answer == b"" or b" 431 " in answer.split(b"\r\n")[0], answer[:200]
        answer = stack.gateway.once("POST", f"{API}/namespaces/default/workflows", b" " * (3 << 20) + b"{}")
        assert answer.status == 413 and answer.json()["message"] == "Request entity too large: limit is 3145728"


def test_yaml_that_is_made_to_take_long(stack):
    """Aliases, keys that are collections, flow collections one in the other, tag directives: each kept the server busy for minutes."""
    deep, wide = 900, b"[" + b"a," * 1_000_000 + b"]"
    bodies = [b"- " + b"-&" * 1_000_000 + b"\n*x\n", b"{" * deep + wide + b"}" * deep, b"? " * deep + wide, b"[" * deep + wide + b"]" * deep,
              b"".join(b"%%TAG !%d! b\n" % number for number in range(150_000)) + b"--- a\n"]
    with honest_clients(stack):
        for body in bodies:
            begin = time.monotonic()
            answer = stack.gateway.once("POST", f"{API}/namespaces/default/workflows", body, {"Content-Type": "application/yaml"}, timeout=60)
            assert answer.status == 400 and len(answer.body) < 1_000 and time.monotonic() - begin < 30


def test_ten_thousand_connections_opened_and_dropped(stack):
    with honest_clients(stack):
        for index in range(10_000):
            with socket.create_connection(("127.0.0.1", stack.gateway.port), timeout=60) as connection:
                if index % 10 == 0:
                    connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    eventually(lambda: open_files(stack) < 60, what="the connections' file descriptors")


def open_files(stack):
    return len(list(Path(f"/proc/{stack.gateway.process.pid}/fd").iterdir()))


def test_handshakes_that_never_end_do_not_keep_others_out(stack):
    with honest_clients(stack), contextlib.ExitStack() as opened:
        for _ in range(900):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", stack.gateway.port), timeout=60))
            connection.sendall(b"\x16\x03\x01")
        time.sleep(SECONDS)


def test_nonsense_is_answered_or_cut(stack):
    for text in [b"\x00" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                 b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"]:
        with h2.connect(stack.gateway, ("http/1.1",), certificate=False) as connection:
            connection.sendall(text)
            answer = b""
            with contextlib.suppress(OSError):
                answer = connection.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert not answer or int(head.split()[1]) in (400, 401, 403, 505), (text, answer)
            if body:
                assert json.loads(body)["kind"] == "Status"
