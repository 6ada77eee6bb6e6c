"""Bodies that are too large or come without a key, on real sockets.

FITSERVE_TEST_BODY=1073741824 pytest -s tests/service/auth/test_large_bodies.py
"""

import contextlib
import os
import socket
import subprocess
import sys
import time

import httpx
import psutil
import pytest

from core.database.migrate import upgrade
from core.settings import Settings
from tests.live import free_port

KEY = "a-secret-of-many-characters"
LIMIT = 64 * 1024 * 1024
BODY = int(os.environ.get("FITSERVE_TEST_BODY", str(256 * 1024 * 1024)))
MIB = 1024 * 1024
CHUNK = b"1,2,3,4,5,6,7,8\n" * 4096
HEAD = "POST /v1/datasets?name=big HTTP/1.1\r\nHost: localhost\r\n"


class Api:
    """An API process, with its bytes read and its files."""

    def __init__(self, home):
        self.home, self.port = home, free_port()
        settings = Settings(home=home)
        home.mkdir()
        upgrade(settings.resolved_database_url)
        environment = {
            **os.environ,
            "FITSERVE_HOME": str(home),
            "FITSERVE_PORT": str(self.port),
            "FITSERVE_API_KEY": KEY,
            "FITSERVE_LIMITS__MAX_UPLOAD_BYTES": str(LIMIT),
        }
        command = [sys.executable, "-m", "service"]
        self.process = subprocess.Popen(command, env=environment)
        self.seen = psutil.Process(self.process.pid)
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{self.port}/health/live").is_success:
                    return
            time.sleep(0.05)

    def num_read(self):
        """Return the bytes of all reads of the process, including sockets."""
        return self.seen.io_counters().read_chars

    def files(self):
        return [p for p in (self.home / "files").rglob("*") if p.is_file()]


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    api = Api(tmp_path_factory.mktemp("large") / "home")
    yield api
    api.process.terminate()
    api.process.wait()


def send(api, head, chunks):
    """Send until the server stops reading; return its answer and the bytes sent."""
    sent, answer = 0, b""
    with socket.create_connection(("127.0.0.1", api.port)) as connection:
        connection.settimeout(20)
        with contextlib.suppress(OSError):
            connection.sendall((HEAD + head + "\r\n").encode())
            for chunk in chunks:
                connection.sendall(chunk)
                sent += len(chunk)
        with contextlib.suppress(OSError):
            answer = connection.recv(65536)
    return answer, sent


def chunked(num_bytes):
    framed = b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK)
    for _ in range(num_bytes // len(CHUNK)):
        yield framed
    yield b"0\r\n\r\n"


def test_a_body_without_a_key_is_hardly_read(api):
    """The body is chunked, so that its length is unknown; the server closes the connection."""
    before = api.num_read()
    answer, sent = send(api, "Transfer-Encoding: chunked\r\n", chunked(BODY))
    read = api.num_read() - before
    report = f"{BODY:,} offered, {sent:,} taken by sockets, {read:,} read"
    print(f"\nwithout a key: {report}")  # noqa: T201  the figure, with -s
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert read <= MIB
    assert api.files() == []


@pytest.mark.parametrize(
    ("head", "chunks", "status"),
    [
        (f"Content-Length: {LIMIT + 1}\r\n", [], b"413"),
        ("Transfer-Encoding: chunked\r\n", chunked(LIMIT + 2 * MIB), b"413"),
        ("Content-Length: 10\r\n", [b"x,y\n1,2\n3,4\n5,6\n"], b"400"),
    ],
    ids=["length", "chunked", "wrong length"],
)
def test_a_body_over_the_limit_leaves_no_file(api, head, chunks, status):
    """The memory of the process stays small, and a wrong length does not help."""
    before = api.seen.memory_info().rss
    answer, sent = send(api, f"Authorization: Bearer {KEY}\r\n{head}", chunks)
    grown = api.seen.memory_info().rss - before
    print(f"\nwith a key: {sent:,} sent, {grown:,} bytes grown")  # noqa: T201  as above
    assert answer.split()[1] == status
    assert grown <= 32 * MIB
    # the 400 is sent before the request is cancelled and its file deleted
    for _ in range(200):
        left = [p for p in api.files() if "datasets" not in p.parts]
        if not left:
            break
        time.sleep(0.05)
    assert not left
