"""Send the head and the body of a response by one call of the operating system.

uvicorn writes them one after another. So the client of a small response wakes up twice,
and the second call takes a tenth of the time of a predict request.
"""

from asyncio import AbstractEventLoop, Transport
from typing import Any

_HEAD = b"HTTP/1.1 "


class JoinedWrites:
    """A transport that holds the head of a response back until the next write.

    If the body does not follow at once, as in a stream, the event loop sends the head
    alone in its next pass. All other methods are those of the wrapped transport.
    """

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Hold a head back; send other data, together with the head if one is held."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self._send_head)
            return
        self._transport.write(data)

    def close(self) -> None:
        """Send a head that is held back, and close the transport."""
        self._send_head()
        self._transport.close()

    def _send_head(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            if not self._transport.is_closing():
                self._transport.write(head)
