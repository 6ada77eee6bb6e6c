"""Clients that take their time, on real sockets."""

import contextlib
import json
import socket
import threading
import time
from statistics import quantiles

import httpx
import pytest
import uvicorn

from core.settings import Limits
from service.server import make_server

pytestmark = pytest.mark.heavy

LIMITS = Limits(
    head_seconds=1.5, body_seconds=1.5, body_bytes_per_second=50_000, max_head_bytes=4096
)
SLOWEST = 1.5 + 2.0 + 2.0
"""The deadline, the looks at either end of it, and a busy machine."""


async def app(scope, receive, send):
    """Reads a body and tells its length; answers /large with 32 MB."""
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message.get("more_body", False)
    body = b"x" * 32_000_000 if scope["path"] == "/large" else str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def address():
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    config = uvicorn.Config(app, log_config=None, lifespan="off")
    server = make_server(config, LIMITS)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()
    server.should_exit = True
    thread.join()
    listener.close()


def trickle(connection, byte, pause=0.3, seconds=10.0):
    """Seconds until the server closed, and what it said, a byte being sent meanwhile."""
    began, said = time.monotonic(), b""
    connection.settimeout(pause)
    while time.monotonic() < began + seconds:
        with contextlib.suppress(OSError):
            connection.sendall(byte)
        try:
            more = connection.recv(65536)
        except TimeoutError:
            continue
        except OSError:
            break
        if not more:
            break
        said += more
    return time.monotonic() - began, said


def assert_refused(said, status, slug):
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), said
    assert b"application/problem+json" in head
    assert json.loads(body)["type"] == f"/problems/{slug}"


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ",
        b"\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nx-slow: ",
    ],
    ids=["nothing", "head", "line breaks", "body", "second request"],
)
def test_a_client_that_trickles_is_told_and_cut(address, beginning):
    """A byte now and then buys no time."""
    with socket.create_connection(address) as connection:
        connection.sendall(beginning)
        byte = b"\r\n" if beginning == b"\r\n" else b"a"
        seconds, said = trickle(connection, b"" if not beginning else byte)
    assert 1.0 < seconds < SLOWEST
    assert_refused(said[said.rindex(b"HTTP/1.1") :], 408, "request-timeout")


def test_a_body_that_keeps_the_pace_is_read_to_its_end(address):
    """Longer than the deadline of a body that does not."""
    chunks, chunk = 12, b"x" * 25_000
    with socket.create_connection(address) as connection:
        length = chunks * len(chunk)
        head = f"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n"
        connection.sendall(head.encode())
        for _ in range(chunks):
            connection.sendall(chunk)
            time.sleep(0.25)
        assert b"200 OK" in connection.recv(65536)


@pytest.mark.parametrize("kept", [b"keep-alive", b"close"])
def test_a_client_that_does_not_read_is_cut(address, kept):
    """An answer of 32 MB that nobody takes does not wait for ever, whoever closes."""
    with socket.create_connection(address) as connection:
        head = b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: %s\r\n\r\n"
        connection.sendall(head % kept)
        time.sleep(SLOWEST + 1)
        assert read_all(connection) < 32_000_000


def test_a_client_that_reads_at_a_pace_gets_all_of_it(address):
    """Longer than the deadline of one that does not."""
    with socket.create_connection(address) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        began = time.monotonic()
        assert read_all(connection, pause=0.06) > 32_000_000
        assert time.monotonic() - began > LIMITS.body_seconds + 1


def read_all(connection, pause=0.0):
    read = 0
    with contextlib.suppress(ConnectionError):
        while more := connection.recv(512 * 1024):
            read += len(more)
            time.sleep(pause)
    return read


def test_a_head_without_end_is_refused(address):
    """Soon, however fast it comes."""
    with socket.create_connection(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n")
        with contextlib.suppress(OSError):
            for _ in range(50):
                connection.sendall(b"x-many: " + b"a" * 200 + b"\r\n")
                time.sleep(0.002)
        _, said = trickle(connection, b"")
    assert_refused(said, 431, "head-too-large")


def test_a_connection_that_is_kept_is_not_cut_between_requests(address):
    """Several requests, with pauses beyond the deadline of a head in their sum."""
    with httpx.Client(base_url=f"http://{address[0]}:{address[1]}") as client:
        for _ in range(5):
            assert client.post("/", content=b"abc").text == "3"
            time.sleep(0.5)


def test_two_hundred_that_trickle_are_cut_and_nobody_else_waits(address):
    """Row 25 of the acceptance table, with short deadlines."""
    slow = [socket.create_connection(address) for _ in range(200)]
    began = time.monotonic()
    for connection in slow:
        connection.sendall(b"GET / HTTP/1.1\r\nx-slow: a")
    latencies = []
    with httpx.Client(base_url=f"http://{address[0]}:{address[1]}") as client:
        while time.monotonic() < began + SLOWEST:
            asked = time.monotonic()
            assert client.get("/").status_code == 200
            latencies.append(time.monotonic() - asked)
            time.sleep(0.01)
    for connection in slow:
        connection.settimeout(0.5)
        assert b"408" in connection.recv(1000)
        assert connection.recv(1000).endswith((b"", b"}"))
        connection.close()
    assert quantiles(latencies, n=100)[98] < 0.5
