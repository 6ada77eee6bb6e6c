"""Send a POST to one address, without proxies, redirects or another name lookup."""

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from core.webhooks.addresses import Target

UNREACHED = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)
"""Raised by `post` if there is no answer."""


class _Stream(httpcore.NetworkStream):
    """A stream with one deadline for all its operations."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, self._left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, self._left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._left())
        return _Stream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Pinned(httpcore.SyncBackend):
    """A backend that connects to the checked address, for any requested host."""

    def __init__(self, address: str, seconds: float) -> None:
        self._address = address
        self._deadline = time.monotonic() + seconds

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002  httpcore uses it for SNI and the certificate
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left = max(0.001, self._deadline - time.monotonic())
        stream = super().connect_tcp(
            self._address, port, left, local_address, socket_options
        )
        return _Stream(stream, self._deadline)


def post(
    target: Target,
    address: str,
    headers: dict[str, str],
    body: bytes,
    seconds: float,
    tls: ssl.SSLContext,
) -> tuple[int, dict[str, str]]:
    """Send the body. Return status and headers of the answer; its body is not read.

    Raises httpcore's exceptions and OSError.
    """
    url = httpcore.URL(
        scheme=target.scheme.encode(),
        host=target.host.encode(),
        port=target.port,
        target=target.path.encode(),
    )
    sent = [("host", target.authority), *headers.items()]
    with (
        httpcore.ConnectionPool(
            ssl_context=tls, network_backend=_Pinned(address, seconds)
        ) as pool,
        pool.stream("POST", url, headers=sent, content=body) as answer,
    ):
        received = {name.lower().decode(): value for name, value in answer.headers}
        return answer.status, {k: v.decode("latin-1") for k, v in received.items()}
