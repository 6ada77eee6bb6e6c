"""A proxy before an S3 server that fails as a network or an overloaded store does."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Fault = Callable[["Exchange"], bool]
"""A function that may spoil an exchange; returns whether it has answered it."""


class Exchange(BaseHTTPRequestHandler):
    """A request that is passed on to the store, unless a fault answers it."""

    protocol_version = "HTTP/1.1"
    proxy: "FaultyProxy"

    def handle_all(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length)
        self.proxy.seen.append((self.command, self.headers.get("Range")))
        for fault in list(self.proxy.faults):
            if fault(self):
                return
        self.send(*self.ask())

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_all  # noqa: N815  the base class calls them

    def ask(self) -> tuple[http.client.HTTPResponse, bytes]:
        """Return the answer of the store."""
        connection = http.client.HTTPConnection(self.proxy.upstream, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
        connection.request(self.command, self.path, self.body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def send(
        self,
        answer: http.client.HTTPResponse,
        content: bytes,
        cut_after: int | None = None,
    ) -> None:
        """Send an answer, or only the first `cut_after` bytes of its body."""
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        length = len(content) or int(answer.getheader("Content-Length") or 0)
        if answer.status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content[:cut_after])
        if cut_after is not None:
            self.hang_up()

    def refuse(self, status: int) -> None:
        """Answer with an error instead of the store."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def hang_up(self) -> None:
        """Close the connection."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@dataclass
class FaultyProxy:
    """A proxy for the server `upstream`, with the faults that a test adds."""

    upstream: str
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    endpoint: str = ""

    def count(self, method: str) -> int:
        """Return the number of requests with a method."""
        return sum(seen == method for seen, _ in self.seen)

    @contextmanager
    def serving(self) -> Iterator["FaultyProxy"]:
        handler = type("Handler", (Exchange,), {"proxy": self})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # the client may hang up
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        self.endpoint = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def proxy_of(endpoint: str) -> FaultyProxy:
    """Return a proxy for the server at the endpoint."""
    return FaultyProxy(urlsplit(endpoint).netloc)


def times(count: int, fault: Fault, method: str | None = None) -> Fault:
    """Return a fault that occurs in the first `count` requests with a method."""
    left = [count]

    def limited(exchange: Exchange) -> bool:
        if not left[0] or method not in (None, exchange.command):
            return False
        left[0] -= 1
        return fault(exchange)

    return limited


def overloaded(exchange: Exchange) -> bool:
    """Answer 503, as S3 does for too many requests."""
    exchange.refuse(503)
    return True


def denied(exchange: Exchange) -> bool:
    exchange.refuse(403)
    return True


def away(exchange: Exchange) -> bool:
    """Close the connection without an answer."""
    exchange.hang_up()
    return True


def answer_is_lost(exchange: Exchange) -> bool:
    """Let the store do the work, and close the connection without its answer."""
    exchange.ask()
    exchange.hang_up()
    return True


def silent(seconds: float) -> Fault:
    """Return a fault that sends nothing for some seconds."""

    def wait(_: Exchange) -> bool:
        time.sleep(seconds)
        return False

    return wait


def cut_after(num_bytes: int) -> Fault:
    """Return a fault that closes the connection within a body."""

    def cut(exchange: Exchange) -> bool:
        answer, content = exchange.ask()
        exchange.send(answer, content, num_bytes)
        return True

    return cut
