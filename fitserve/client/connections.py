"""The two ways to wait for the service: in this thread, or in an event loop.

All that differs between `Client` and `AsyncClient` stands here.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol, TypeVar

import anyio
import httpx
from anyio import to_thread
from httpx_sse import EventSource, ServerSentEvent

from fitserve.client.blocking import each

Result = TypeVar("Result")
Content = Callable[[], AsyncIterator[bytes]]
"""Gives a body anew for each time that it is sent."""
_CONNECT_RETRIES = 2  # of connecting only, so nothing is sent twice


class Connection(Protocol):
    """What the calls need of HTTP, files and the clock."""

    async def send(
        self, method: str, path: str, content: Content | None = None, **options: Any
    ) -> httpx.Response:
        """The whole answer; httpx's errors."""

    def stream(
        self, method: str, path: str, **options: Any
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer before its body; that of an error is read."""

    def chunks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        """A streamed body, unpacked."""

    def events(self, answer: httpx.Response) -> AsyncIterator[ServerSentEvent]:
        """A streamed body of server-sent events."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""

    async def outside(self, work: Callable[..., Result], *args: Any) -> Result:
        """What a function of files returns, with nobody kept waiting meanwhile."""

    async def close(self) -> None:
        """Close every connection."""


class BlockingConnection:
    """In this thread. Its coroutines never wait for a loop."""

    def __init__(self, **options: Any) -> None:
        transport = httpx.HTTPTransport(retries=_CONNECT_RETRIES)
        self._http = httpx.Client(transport=transport, **options)

    async def send(
        self, method: str, path: str, content: Content | None = None, **options: Any
    ) -> httpx.Response:
        body = each(content()) if content else None
        return self._http.request(method, path, content=body, **options)

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, **options: Any
    ) -> AsyncIterator[httpx.Response]:
        with self._http.stream(method, path, **options) as answer:
            if answer.is_error:
                answer.read()
            yield answer

    async def chunks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        for chunk in answer.iter_bytes():
            yield chunk

    async def events(self, answer: httpx.Response) -> AsyncIterator[ServerSentEvent]:
        for event in EventSource(answer).iter_sse():
            yield event

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def outside(self, work: Callable[..., Result], *args: Any) -> Result:
        return work(*args)

    async def close(self) -> None:
        self._http.close()


class AsyncConnection:
    """In the event loop that runs."""

    def __init__(self, **options: Any) -> None:
        transport = httpx.AsyncHTTPTransport(retries=_CONNECT_RETRIES)
        self._http = httpx.AsyncClient(transport=transport, **options)

    async def send(
        self, method: str, path: str, content: Content | None = None, **options: Any
    ) -> httpx.Response:
        body = content() if content else None
        return await self._http.request(method, path, content=body, **options)

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, **options: Any
    ) -> AsyncIterator[httpx.Response]:
        async with self._http.stream(method, path, **options) as answer:
            if answer.is_error:
                await answer.aread()
            yield answer

    def chunks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        return answer.aiter_bytes()

    def events(self, answer: httpx.Response) -> AsyncIterator[ServerSentEvent]:
        return EventSource(answer).aiter_sse()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def outside(self, work: Callable[..., Result], *args: Any) -> Result:
        return await to_thread.run_sync(work, *args)

    async def close(self) -> None:
        await self._http.aclose()
