"""Slow clients, on real sockets."""

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
"""The deadline, one check before and after it, and a margin for a busy machine."""


async def app(scope, receive, send):
    """Answer with the length of the body; answer /large with 32 MB."""
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
    """Send a byte at a time; return the seconds until the server closed, and its answer."""
    began, answer = time.monotonic(), b""
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
        answer += more
    return time.monotonic() - began, answer


def assert_refused(answer, status, slug):
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
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
def test_a_trickling_client_gets_408_and_is_disconnected(address, beginning):
    """Single bytes do not extend the deadline."""
    with socket.create_connection(address) as connection:
        connection.sendall(beginning)
        byte = b"\r\n" if beginning == b"\r\n" else b"a"
        seconds, answer = trickle(connection, b"" if not beginning else byte)
    assert 1.0 < seconds < SLOWEST
    assert_refused(answer[answer.rindex(b"HTTP/1.1") :], 408, "request-timeout")


def test_a_body_at_the_required_rate_is_read_to_its_end(address):
    """The whole body may take longer than a body that is too slow."""
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
def test_a_client_that_does_not_read_is_disconnected(address, kept):
    """This holds with keep-alive and without."""
    with socket.create_connection(address) as connection:
        head = b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: %s\r\n\r\n"
        connection.sendall(head % kept)
        time.sleep(SLOWEST + 1)
        assert read_all(connection) < 32_000_000


def test_a_client_that_reads_at_the_required_rate_gets_the_whole_answer(address):
    """The client may take longer than a client that does not read."""
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


def test_an_endless_head_is_refused(address):
    with socket.create_connection(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n")
        with contextlib.suppress(OSError):
            for _ in range(50):
                connection.sendall(b"x-many: " + b"a" * 200 + b"\r\n")
                time.sleep(0.002)
        _, answer = trickle(connection, b"")
    assert_refused(answer, 431, "head-too-large")


@pytest.mark.parametrize(
    ("head", "status", "slug"),
    [
        (b"GET /\x00 HTTP/1.1\r\n\r\n", 400, "bad-request"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 431, "head-too-large"),
    ],
)
def test_bytes_that_are_not_http_get_a_problem(address, head, status, slug):
    with socket.create_connection(address) as connection:
        connection.sendall(head)
        _, answer = trickle(connection, b"")
    assert_refused(answer, status, slug)


def test_a_kept_connection_is_not_closed_between_requests(address):
    """All pauses together are longer than the deadline of a head."""
    with httpx.Client(base_url=f"http://{address[0]}:{address[1]}") as client:
        for _ in range(5):
            assert client.post("/", content=b"abc").text == "3"
            time.sleep(0.5)


def test_two_hundred_trickling_clients_delay_no_other_client(address):
    slow = [socket.create_connection(address) for _ in range(200)]
    began = time.monotonic()
    for connection in slow:
        connection.sendall(b"GET / HTTP/1.1\r\nx-slow: a")
    latencies = []
    with httpx.Client(base_url=f"http://{address[0]}:{address[1]}") as client:
        while time.monotonic() < began + SLOWEST:
            sent_at = time.monotonic()
            assert client.get("/").status_code == 200
            latencies.append(time.monotonic() - sent_at)
            time.sleep(0.01)
    for connection in slow:
        connection.settimeout(0.5)
        assert b"408" in connection.recv(1000)
        assert connection.recv(1000).endswith((b"", b"}"))
        connection.close()
    assert quantiles(latencies, n=100)[98] < 0.5
