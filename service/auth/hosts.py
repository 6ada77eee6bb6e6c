"""Serve only programs on this machine while no API key exists.

Starlette's TrustedHostMiddleware does not fit: it answers with a plain 400, does not
check Origin, and cannot be switched off when the first key is created.
"""

from core.errors import ForbiddenHost
from core.settings import Settings


class AllowedHosts:
    """The host names that an API without keys accepts.

    Origin reveals a web page that calls localhost, and Host reveals DNS rebinding.
    """

    def __init__(self, settings: Settings) -> None:
        self._origins = {origin.encode() for origin in settings.cors_origins}
        self._hosts = {host.lower().encode() for host in settings.allowed_hosts}

    def check(self, headers: dict[bytes, bytes]) -> None:
        """Raise ForbiddenHost if the request may come from another machine."""
        if not self._is_local(headers):
            raise ForbiddenHost(
                "Without an API key, this service accepts requests only from its own "
                "machine, at localhost or 127.0.0.1. Create a key with `fitserve keys "
                "create`, or set FITSERVE_ALLOWED_HOSTS."
            )

    def _is_local(self, headers: dict[bytes, bytes]) -> bool:
        if _host_name(headers.get(b"host", b"")) not in self._hosts:
            return False
        origin = headers.get(b"origin")
        if origin is None or origin in self._origins:
            return True
        return _host_name(origin.partition(b"://")[2]) in self._hosts


def _host_name(host: bytes) -> bytes:
    name, colon, port = host.rpartition(b":")
    return (name if colon and port.isdigit() else host).lower()
