"""Serve prepared answers on a real socket, and record the requests."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Answer:
    """A prepared answer; `is_cut` closes it early, and `hold` delays its end by seconds."""

    body: Any = b""
    status: int = 200
    type: str = "application/json"
    is_cut: bool = False
    hold: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """A recorded request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Wire:
    """A fake server; `answers` sets the answers of a route, and the last one repeats."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    routes: dict[str, list[Answer]] = field(default_factory=dict)
    is_over: threading.Event = field(default_factory=threading.Event)

    def answers(self, route: str, *given: Any) -> None:
        self.routes[route] = [
            one if isinstance(one, Answer) else Answer(one) for one in given
        ]

    def next_answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        waiting = self.routes.get(f"{asked.method} {asked.path}")
        if waiting is None:
            sentence = f"the test has no answer to {asked.method} {asked.path}"
            return problem(501, "none", sentence)
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]


def problem(status: int, slug: str, detail: str, errors: tuple[Any, ...] = ()) -> Answer:
    """Return an RFC 9457 problem as the service sends it."""
    body = {
        "type": f"/problems/{slug}",
        "title": slug,
        "status": status,
        "detail": detail,
        "instance": "/v1",
        "request_id": "r1",
        "errors": list(errors),
    }
    return Answer(body, status, "application/problem+json")


def sse(*events: tuple[str, dict[str, Any]], **options: Any) -> Answer:
    """Return a stream of events; the number of an epoch is its id."""
    text = ""
    for name, data in events:
        text += f"event: {name}\ndata: {json.dumps(data)}\n"
        text += f"id: {data['epoch']}\n\n" if name == "epoch" else "\n"
    return Answer(text.encode(), type="text/event-stream", **options)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wire: Wire

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query))
        asked = Asked(self.command, parts.path, query, headers, self._body())
        self._send(self.wire.next_answer(asked))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  required names

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, answer: Answer) -> None:
        body = answer.body
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        more = 1 if answer.is_cut or answer.hold else 0
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.type)
        self.send_header("Content-Length", str(len(body) + more))
        for header in answer.headers.items():
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body)
        self.wire.is_over.wait(answer.hold)
        self.close_connection = bool(more)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        # some tests disconnect on purpose
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving() -> Iterator[Wire]:
    """Start a fake server on a free port."""
    wire = Wire()
    handler = type("Handler", (_Handler,), {"wire": wire})
    with _Server(("127.0.0.1", 0), handler) as server:
        wire.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield wire
        wire.is_over.set()
        server.shutdown()
        thread.join()
