"""Check that webhooks are sent to public addresses only.

A name that is resolved again after the check may lead to an address of the internal
network (DNS rebinding), so the sender connects to the address that was checked.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from core.settings import WebhookRules

Resolve = Callable[[str, int], list[str]]

_TUNNELS = tuple(
    IPv6Network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)
"""Networks of tunnels: their addresses contain an IPv4 address that is not checked."""
_SPECIAL = tuple(
    ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
)
"""Special-purpose networks (IANA) that Python 3.11 wrongly calls global."""
_SCHEMES = {"https": 443, "http": 80}
_MAX_PORT = 65_535
_THIS_HOST = "localhost"
_MAX_HOST, _MAX_LABEL = 253, 63
"""The most characters of a host name and of a part between its dots (RFC 1035)."""


_FOR_DEVELOPMENT = (
    "to send webhooks to this machine in development, start the service with "
    "FITSERVE_WEBHOOKS__ALLOW_LOOPBACK=true"
)


class Refused(Exception):
    """A webhook may not be sent to the URL; the message says why.

    `hint` says how to allow the URL, if a setting does.
    """

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.hint = hint


@dataclass(frozen=True)
class Target:
    """The parts of a URL, parsed once: the sender uses the parts that were checked."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str, rules: WebhookRules) -> "Target":
        """Parse and check the URL without a resolver, or raise Refused."""
        import httpx  # noqa: PLC0415  large, and rarely needed

        try:
            parsed = httpx.URL(url)
            host = parsed.raw_host.decode("ascii").strip("[]")
        except (httpx.InvalidURL, UnicodeError) as error:
            raise Refused(f"not a valid URL: {error}") from error
        if not host or parsed.scheme not in _SCHEMES:
            raise Refused("expected https:// and a host name")
        if parsed.userinfo:
            raise Refused("it contains a user name or password; use `secret` instead")
        _refuse_bad_host(host)
        port = _SCHEMES[parsed.scheme] if parsed.port is None else parsed.port
        path = parsed.raw_path.decode("ascii")
        target = cls(parsed.scheme, host, port, path)
        target._check(rules)
        return target

    @property
    def authority(self) -> str:
        """Return the value of the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _SCHEMES[self.scheme] else f"{host}:{self.port}"

    def _check(self, rules: WebhookRules) -> None:
        if not 1 <= self.port <= _MAX_PORT:
            raise Refused(f"expected a port from 1 to {_MAX_PORT}")
        address = _literal(self.host)
        if address is not None:
            check_address(address, rules)
        if rules.allow_loopback:
            return  # http and any port; `find` checks that the address is loopback
        if self.scheme != "https":
            is_here = self.host == _THIS_HOST
            raise Refused("expected https://", _FOR_DEVELOPMENT if is_here else None)
        if self.port not in rules.ports:
            allowed = ", ".join(str(port) for port in rules.ports)
            raise Refused(f"port {self.port} is not allowed; use {allowed}")

    def find(self, rules: WebhookRules, resolve: Resolve) -> str:
        """Return the address to connect to; raise Refused if any is not public."""
        found = [ip_address(text) for text in resolve(self.host, self.port)]
        if not found:
            raise Refused("the host has no address")
        for address in found:
            check_address(address, rules)
            if not _is_loopback(address):
                self._check_public(rules)
        return str(found[0])

    def _check_public(self, rules: WebhookRules) -> None:
        """Check by the rules without `allow_loopback`."""
        self._check(rules.model_copy(update={"allow_loopback": False}))


def check_url(url: str, rules: WebhookRules) -> None:
    """Raise Refused if the URL is not allowed; the host is not resolved."""
    Target.of(url, rules)


def system_resolve(host: str, port: int) -> list[str]:
    """Return every address of the host, or raise Refused."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused("the host has no address") from error
    return [str(entry[4][0]) for entry in found]


def check_address(address: IPv4Address | IPv6Address, rules: WebhookRules) -> None:
    """Raise Refused unless the address is public, or an allowed loopback address."""
    if rules.allow_loopback and _is_loopback(address):
        return
    if not _is_public(address):
        hint = _FOR_DEVELOPMENT if _is_loopback(address) else None
        raise Refused("the host is not a public address", hint)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address.is_site_local or any(address in tunnel for tunnel in _TUNNELS):
            return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_loopback(address: IPv4Address | IPv6Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _refuse_bad_host(host: str) -> None:
    """Raise Refused for a host that no resolver accepts."""
    labels = host.removesuffix(".").split(".")
    if len(host) > _MAX_HOST or not all(0 < len(one) <= _MAX_LABEL for one in labels):
        raise Refused(
            f"expected a host of at most {_MAX_HOST} characters, with 1 to "
            f"{_MAX_LABEL} between two dots"
        )


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
