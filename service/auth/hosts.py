"""Let only programs of this machine call a service without keys."""

from core.errors import ForbiddenHost
from core.settings import Settings


class Hosts:
    """Checks the host names of requests without a key.

    `Origin` shows a web page that calls localhost, `Host` a rebound DNS name.
    """

    def __init__(self, settings: Settings) -> None:
        self._origins = {origin.encode() for origin in settings.cors_origins}
        self._hosts = {host.lower().encode() for host in settings.allowed_hosts}

    def check(self, headers: dict[bytes, bytes]) -> None:
        """Raise ForbiddenHost if the request may come from elsewhere."""
        if not self._is_local(headers):
            raise ForbiddenHost(
                "Without an API key this service answers only to its own machine, under "
                "localhost or 127.0.0.1. Make a key with `fitserve keys create`, or set "
                "FITSERVE_ALLOWED_HOSTS."
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
