"""Test the configuration of the proxy, with Debian's Caddy where it is installed."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from core.settings import Limits
from service.server import api_config, make_server
from tests.live import free_port
from tests.s3 import accepts
from tests.timing import until

ROOT = Path(__file__).parents[2]
CADDYFILE = (ROOT / "deploy/Caddyfile").read_text()
needs_caddy = pytest.mark.skipif(
    shutil.which("caddy") is None,
    reason="Caddy is missing: apt-get install --no-install-recommends caddy",
)


def directives():
    """Return the first words of the lines that are no comments."""
    lines = (line.split() for line in CADDYFILE.splitlines())
    return [words[0] for words in lines if words and not words[0].startswith("#")]


def test_nothing_is_buffered_or_limited():
    """`flush_interval -1` would hide from the API that a client has left."""
    refused = {
        *("request_buffers", "response_buffers", "flush_interval", "encode"),
        *("request_body", "read_body", "write", "stream_timeout"),
        *("read_timeout", "write_timeout", "response_header_timeout"),
    }
    assert refused.isdisjoint(directives())


def test_idle_connections_are_closed_before_the_api_closes_them():
    [keepalive] = re.findall(r"keepalive (\d+)s", CADDYFILE)
    api = api_config(lambda: None, "127.0.0.1", 0)
    assert int(keepalive) < api.timeout_keep_alive
    [head] = re.findall(r"read_header (\d+)s", CADDYFILE)
    assert float(head) == Limits().head_seconds


class Upstream:
    """An application that tells how the proxy passes requests and answers on."""

    def __init__(self):
        self.began = threading.Event()
        """The first part of a body has arrived."""
        self.may_end = threading.Event()
        self.left = threading.Event()
        """The client of a stream has left."""
        self.requests = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        self.requests += 1
        if scope["path"] == "/upload":
            await self.upload(receive, send)
        elif scope["path"] == "/events":
            await self.events(receive, send)
        else:
            who = f"{scope['scheme']} {scope['client'][0]}"
            await answer(send, who)

    async def upload(self, receive, send):
        size, is_more = 0, True
        while is_more:
            message = await receive()
            size, is_more = size + len(message["body"]), message["more_body"]
            if size:
                self.began.set()
        await answer(send, str(size))

    async def events(self, receive, send):
        await receive()  # the request
        await begin(send, "text/event-stream")
        await send(part(b"data: 1\n\n"))
        leaving = asyncio.ensure_future(receive())
        ending = asyncio.ensure_future(asyncio.to_thread(self.may_end.wait, 20))
        await asyncio.wait([leaving, ending], return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            self.left.set()
            self.may_end.set()
            return
        leaving.cancel()
        await send(part(b"data: 2\n\n") | {"more_body": False})


async def answer(send, text):
    await begin(send, "text/plain")
    await send({"type": "http.response.body", "body": text.encode()})


async def begin(send, kind):
    headers = [(b"content-type", kind.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


def part(body):
    return {"type": "http.response.body", "body": body, "more_body": True}


@contextmanager
def served(app, port=0):
    """Serve an application with the API's options; yield the port."""
    listener = socket.create_server(("127.0.0.1", port))
    config = api_config(app, "127.0.0.1", 0)
    config.lifespan = "off"
    server = make_server(config, Limits())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    until(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def proxied(folder, upstreams):
    """Run Caddy with the file before upstreams on these ports; yield its URL."""
    port = free_port()
    config = CADDYFILE.replace(":8000 {", f":{port} {{")
    if len(upstreams) == 1:  # `localhost` may have an address that refuses connections
        config = config.replace("name service", "name localhost")
        config = config.replace("port 8000", f"port {upstreams[0]}")
    else:
        fixed = " ".join(f"127.0.0.1:{each}" for each in upstreams)
        config = re.sub(r"dynamic a \{.*?\}", f"to {fixed}", config, flags=re.DOTALL)
    (folder / "Caddyfile").write_text(config)
    command = ["caddy", "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stderr=log)
    until(lambda: process.poll() is None and accepts(port))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def upstream():
    return Upstream()


@pytest.fixture
def client(upstream, tmp_path):
    with (
        served(upstream) as port,
        proxied(tmp_path, [port]) as url,
        httpx.Client(base_url=url, timeout=20) as client,
    ):
        yield client


@needs_caddy
@pytest.mark.heavy
def test_an_event_arrives_at_once(client, upstream):
    with client.stream("GET", "/events") as answer:
        parts = answer.iter_raw()
        assert next(parts) == b"data: 1\n\n"
        upstream.may_end.set()
        assert b"".join(parts) == b"data: 2\n\n"


@needs_caddy
@pytest.mark.heavy
def test_the_api_notices_that_a_client_has_left(client, upstream):
    with client.stream("GET", "/events") as answer:
        next(answer.iter_raw())
    until(upstream.left.is_set, 10)


@needs_caddy
@pytest.mark.heavy
def test_the_first_part_of_an_upload_does_not_wait_for_the_last(client, upstream):
    def body():
        yield b"x" * 100_000
        assert upstream.began.wait(10)
        yield b"x" * 20_000_000

    answer = client.post("/upload", content=body())
    assert (answer.status_code, answer.text) == (200, "20100000")


@needs_caddy
@pytest.mark.heavy
def test_the_address_of_a_client_cannot_be_forged(client):
    """The API believes the proxy, which replaces the headers of the client."""
    forged = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    assert client.get("/", headers=forged).text == "http 127.0.0.1"


@needs_caddy
@pytest.mark.heavy
def test_replicas_share_the_requests_and_a_stopped_one_is_left_out(tmp_path):
    """The second of two replicas stops; no request fails.

    Caddy before 2.11.2, such as Debian's, repeats only requests without a body.
    """
    first, second = Upstream(), Upstream()
    with served(first) as port, ExitStack() as stack:
        other = stack.enter_context(served(second))
        with (
            proxied(tmp_path, [port, other]) as url,
            httpx.Client(base_url=url, timeout=20) as client,
        ):
            assert all(client.get("/").is_success for _ in range(40))
            assert first.requests > 0
            assert second.requests > 0
            before = first.requests
            stack.close()
            answers = [client.get("/") for _ in range(20)]
            assert [each.status_code for each in answers] == [200] * 20
            assert first.requests == before + 20
