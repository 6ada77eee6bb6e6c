"""uvicorn with timeouts for slow clients.

uvicorn waits for a request as long as the client likes, and each byte restarts the wait:
a few hundred slow sockets would occupy every connection. Here headers have a deadline,
and a client must send the body and read the response at a minimum speed. One check a
second covers all connections, so that a request costs one addition and no timer.
"""

from asyncio import Transport
from collections.abc import Callable
from enum import Enum
from socket import socket
from types import FrameType
from typing import Any, cast

import orjson
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from core.settings import Limits
from fitserve.problem_types import ProblemType
from fitserve.problems import MEDIA_TYPE
from service.joined_writes import JoinedWrites

_TICKS = 10
"""uvicorn's ticks, a tenth of a second each, between two checks."""


class Phase(Enum):
    """The part of a request that the server waits for."""

    HEAD = 1
    BODY = 2
    NOTHING = 3
    """No data: the application runs, or the connection is idle (limited by uvicorn)."""


class TimeoutProtocol(HttpToolsProtocol):
    """A connection that is checked once a second; a request only counts its bytes."""

    limits = Limits()

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        joined = JoinedWrites(transport, self.loop)
        super().connection_made(cast(Transport, joined))
        self._received = 0
        self._check_at = self.limits.max_head_bytes
        self._waiting: tuple[Phase, object] = (Phase.NOTHING, None)
        self._since, self._before = 0.0, 0
        self._stalled: tuple[float, int] | None = None
        self._answered: object = None

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        if self._received > self._check_at:
            self._check_at = self._received + self.limits.max_head_bytes
            if self._is_unwanted():
                self.transport.close()
            elif self._phase() is Phase.HEAD:
                self._refuse(_HEAD_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  uvicorn's text, not ours
        """Answer bytes that are not HTTP with a problem, and close the connection."""
        is_long = self._received > self.limits.max_head_bytes
        self._refuse(_HEAD_TOO_LARGE if is_long else _NOT_HTTP)

    def _is_unwanted(self) -> bool:
        """Return whether a body continues long after its response has ended.

        uvicorn would read the whole body, of any size, and discard it.
        """
        cycle = self.cycle
        if cycle is None or not (cycle.response_complete and cycle.more_body):
            return False
        was_answered, self._answered = self._answered is cycle, cycle
        return was_answered

    def resume_writing(self) -> None:
        self._stalled = None
        super().resume_writing()

    def check(self, now: float, seconds: float) -> None:
        """Close the connection of a slow client; the last check was `seconds` ago."""
        if self.flow.write_paused and self._is_stuck(now):
            self.transport.abort()
        if self.transport.is_closing():
            return
        waiting = self._phase(), self.cycle
        if waiting != self._waiting:
            self._waiting, self._since, self._before = waiting, now, self._received
        if self.flow.read_paused:  # the service is slow, not the client
            self._since += seconds
        if now - self._since > self._timeout(waiting[0]):
            self._refuse(_TIMEOUT)

    def _phase(self) -> Phase:
        """Return the phase of the newest request."""
        cycle = self.cycle
        if cycle is not None and cycle.more_body:
            return Phase.BODY
        if cycle is not None and not cycle.response_complete:
            return Phase.NOTHING
        is_idle = self.timeout_keep_alive_task is not None
        return Phase.NOTHING if is_idle else Phase.HEAD

    def _timeout(self, phase: Phase) -> float:
        if phase is Phase.HEAD:
            return self.limits.head_seconds
        if phase is Phase.BODY:
            return self._pace(self._received - self._before)
        return float("inf")

    def _is_stuck(self, now: float) -> bool:
        """Return whether the client reads its answer too slowly."""
        unread = self.transport.get_write_buffer_size()
        if self._stalled is None:
            self._stalled = now, unread
        since, first = self._stalled
        return now - since > self._pace(first - unread)

    def _pace(self, num_bytes: int) -> float:
        """Return the maximum time to transfer so many bytes, in seconds."""
        return self.limits.body_seconds + num_bytes / self.limits.body_bytes_per_second

    def _refuse(self, answer: bytes) -> None:
        """Send the reason unless a response has begun, and close the connection."""
        has_begun = self.cycle is not None and not (
            self.cycle.response_complete or not self.cycle.response_started
        )
        if not has_begun:
            self.transport.write(answer)
        self.transport.close()


class TimeoutServer(Server):
    """A server that checks its connections once a second.

    Args:
        config: uvicorn's configuration.
        on_start: called when the application has started, before the first request.
        on_stop: called at a signal to stop, before uvicorn waits for open requests.

    """

    def __init__(
        self, config: Config, on_start: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_start = on_start
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start the application, listen, and call `on_start`."""
        await super().startup(sockets)
        self._on_start()

    def has_one_request(self) -> bool:
        """Return whether one request is in progress; call it during a request."""
        return len(self.server_state.tasks) == 1

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End the requests that wait for a change, then stop."""
        self._on_stop()
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Check all connections in every tenth tick."""
        if counter % _TICKS == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, TimeoutProtocol):
                    connection.check(connection.loop.time(), _TICKS / 10)
        return await super().on_tick(counter)


def api_config(app: Callable[..., Any], host: str, port: int) -> Config:
    """Return uvicorn's options for the API."""
    return Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        limit_concurrency=512,
        ws="none",  # no route uses WebSockets
        timeout_graceful_shutdown=20,
        server_header=False,
    )


def protocol(limits: Limits) -> type[TimeoutProtocol]:
    """Return the class of connections under these limits."""
    return type("LimitedProtocol", (TimeoutProtocol,), {"limits": limits})


def make_server(
    config: Config,
    limits: Limits,
    *,
    on_start: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] = lambda: None,
) -> TimeoutServer:
    """Return a server whose connections have timeouts."""
    config.http = protocol(limits)
    config.ws = "none"  # an upgraded connection would bypass authorization
    return TimeoutServer(config, on_start, on_stop)


def _answer(kind: ProblemType, detail: str) -> bytes:
    problem = kind.problem(detail)
    body = orjson.dumps(problem.model_dump(exclude_none=True))
    head = (
        f"HTTP/1.1 {kind.status} {kind.title}\r\ncontent-type: {MEDIA_TYPE}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


_TIMEOUT = _answer(
    ProblemType.REQUEST_TIMEOUT,
    "The request arrived too slowly. Send the headers at once and the body steadily.",
)
_NOT_HTTP = _answer(
    ProblemType.BAD_REQUEST,
    "The request is not valid HTTP/1.1. Check the request line, the headers and the "
    "framing of the body.",
)
_HEAD_TOO_LARGE = _answer(
    ProblemType.HEAD_TOO_LARGE,
    "The URL and the headers are too large for this service; send fewer or shorter ones.",
)
