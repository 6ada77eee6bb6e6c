"""The two ways to wait for the service: in an event loop, or in this thread.

This module contains everything that differs between `AsyncClient` and `Client`.
"""

import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from typing import Any, BinaryIO, TypeVar

import anyio
import httpx
from anyio import to_thread

from fitserve.client.blocking import each

Result = TypeVar("Result")
Content = Callable[[], AsyncIterator[bytes]]
"""Returns the body of a request; called again for each retry."""
_CONNECT_RETRIES = 2  # only for connecting, so nothing is sent twice
_CHUNK = 64 * 1024  # larger chunks are slower


class Connection:
    """HTTP, files and pauses, awaited in the running event loop."""

    def __init__(self, **options: Any) -> None:
        self.http = httpx.AsyncClient(transport=self._transport(), **options)

    def _transport(self) -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(retries=_CONNECT_RETRIES)

    async def sleep(self, seconds: float) -> None:
        """Pause this call."""
        await anyio.sleep(seconds)

    async def outside(self, work: Callable[..., Result], *args: Any) -> Result:
        """Run a function that reads or writes files, without blocking the event loop."""
        return await to_thread.run_sync(work, *args)

    async def chunks(self, file: BinaryIO) -> AsyncIterator[bytes]:
        """Yield the content of a file from its start."""
        file.seek(0)
        while chunk := await self.outside(file.read, _CHUNK):
            yield chunk


class BlockingConnection(Connection):
    """HTTP, files and pauses in this thread; its coroutines never wait for a loop."""

    def _transport(self) -> httpx.AsyncBaseTransport:
        return _BlockingTransport()

    async def sleep(self, seconds: float) -> None:
        """Block the thread."""
        time.sleep(seconds)

    async def outside(self, work: Callable[..., Result], *args: Any) -> Result:
        """Run the function in this thread."""
        return work(*args)


class _BlockingTransport(httpx.AsyncBaseTransport):
    def __init__(self) -> None:
        self._http = httpx.HTTPTransport(retries=_CONNECT_RETRIES)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not isinstance(request.stream, httpx.SyncByteStream):
            request.stream = _Sent(request.stream)
        answer = self._http.handle_request(request)
        answer.stream = _Received(answer.stream)
        return answer

    async def aclose(self) -> None:
        self._http.close()


class _Sent(httpx.SyncByteStream):
    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return each(aiter(self._stream))


class _Received(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        self._stream.close()
