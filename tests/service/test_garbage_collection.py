"""No full garbage collection stalls the API under load."""

import contextlib
import socket
import subprocess
import sys

import httpx
import orjson
import pytest

from tests.conftest import bench_in
from tests.live import free_port
from tests.service.small_model import ROW
from tests.timing import until

pytestmark = [pytest.mark.keras, pytest.mark.heavy]

CONNECTIONS = 32
ROUNDS = 300
WATCHED = """
import gc, runpy, sys

def note(phase, info):
    if phase == "stop":
        print(info["generation"], info["collected"], file=log, flush=True)

log = open(sys.argv[1], "w")
gc.callbacks.append(note)
runpy.run_module("service", run_name="__main__")
"""


@pytest.fixture
def watched(tmp_path, broker_url, small_home):
    """Start a real API process; yield its port, and the file of its collections."""
    with bench_in(tmp_path / "home", broker_url, small_home) as bench:
        environment = bench.environment
    port, log = free_port(), tmp_path / "collections"
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHED, str(log)],
        env=environment | {"FITSERVE_PORT": str(port)},
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: _is_up(port))
        yield port, log
    finally:
        process.terminate()
        process.wait()


def _is_up(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/live").is_success
    except httpx.TransportError:
        return False


def load(port):
    """Send a predict request over each connection, many times; return the answers."""
    body = orjson.dumps({"instances": [ROW]})
    head = (
        "POST /v1/models/m/predict HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    answers = []
    with contextlib.ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            for _ in range(CONNECTIONS)
        ]
        for _ in range(ROUNDS):
            for connection in connections:
                connection.sendall(head.encode() + body)
            answers += [_answer(connection) for connection in connections]
    return answers


def _answer(connection):
    """Return a whole response, which ends with the body's closing brace."""
    received = b""
    while not received.endswith(b"}"):
        more = connection.recv(65536)
        assert more, f"closed after {received!r}"
        received += more
    return received


def test_no_full_collection_happens_under_load(watched):
    """Requests leave hardly any cycles for the collections of young objects."""
    port, log = watched
    before = len(log.read_text().splitlines())
    answers = load(port)
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    lines = log.read_text().splitlines()[before:]
    found = [tuple(map(int, line.split())) for line in lines]
    assert all(generation < 2 for generation, _ in found)
    assert sum(collected for _, collected in found) < len(answers) / 10
