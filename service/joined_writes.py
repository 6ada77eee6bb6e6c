"""Send the head and the body of a response by one call of the operating system.

uvicorn writes them one after another, so a small response is two segments: the client
wakes up twice, and the second call takes a tenth of the time of a predict request.
"""

from asyncio import AbstractEventLoop, Transport
from typing import Any

_HEAD = b"HTTP/1.1 "


class JoinedWrites:
    """A transport that keeps the head of a response until the next write.

    A body that is not written at once, such as that of a stream, does not delay the head:
    the event loop sends it in its next pass. Every other method is the transport's own.
    """

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send the data after a waiting head, or let a head wait."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self._send_head)
            return
        self._transport.write(data)

    def close(self) -> None:
        """Send what waits, and close the transport."""
        self._send_head()
        self._transport.close()

    def _send_head(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            if not self._transport.is_closing():
                self._transport.write(head)
