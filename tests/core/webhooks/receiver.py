"""Receivers of webhooks on loopback that count connections and record requests."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """A receiver; `answers` holds statuses or functions in order, the last one repeats."""

    port: int = 0
    answers: list[Any] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    connections: int = 0
    names: list[str | None] = field(default_factory=list)
    """The server names of the TLS handshakes."""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.requests]


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver = self.receiver
        receiver.requests.append(({"": self.path, **headers}, body))
        several = receiver.answers
        answer = several.pop(0) if len(several) > 1 else several[0]
        if callable(answer):
            answer(self)
            return
        self.send_response(answer)
        for name, value in receiver.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"x" * 100_000)  # more than a sender should read

    do_GET = do_POST  # noqa: N815  http.server's name

    def log_message(self, *_: Any) -> None:
        pass


def drip(handler: _Handler) -> None:
    """Send an answer that never ends, one byte at a time."""
    for _ in range(100):
        try:
            handler.wfile.write(b"H")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.05)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver

    def get_request(self) -> tuple[socket.socket, Any]:
        self.receiver.connections += 1
        return super().get_request()

    def handle_error(self, *_: Any) -> None:
        """Ignore errors; some tests close the sender's connection."""


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver()
    handler = type("Handler", (_Handler,), {"receiver": receiver})
    with _Server(("127.0.0.1", 0), handler) as server:
        server.receiver, receiver.port = receiver, server.server_port
        if tls is not None:
            tls.sni_callback = lambda _, name, __: receiver.names.append(name)
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
