"""Where a webhook may go: to public addresses, found once and connected to as found.

A name that is checked and then resolved again may have moved meanwhile to an address
within our own network (DNS rebinding), so the address that was checked is the one used.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

from core.settings import WebhookRules

Resolve = Callable[[str, int], list[str]]

_TUNNELS = tuple(
    IPv6Network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)
"""An IPv4 address inside, where no rule for IPv4 would look for it."""
_SCHEMES = {"https": 443, "http": 80}


class Refused(Exception):
    """The URL leads where no webhook may go; the message says why."""


@dataclass(frozen=True)
class Target:
    """A URL taken apart once, so that what is checked is what is used."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str, rules: WebhookRules) -> "Target":
        """Raises Refused for what can be told without asking a resolver."""
        try:
            parsed = httpx.URL(url)
            host = parsed.raw_host.decode("ascii").strip("[]")
        except (httpx.InvalidURL, UnicodeError) as error:
            raise Refused(f"it is no URL: {error}") from error
        if not host or parsed.scheme not in _SCHEMES:
            raise Refused("only https:// and a host name are taken")
        if parsed.userinfo:
            raise Refused("it holds a user name or password; use the secret instead")
        port = parsed.port or _SCHEMES[parsed.scheme]
        path = parsed.raw_path.decode("ascii")
        target = cls(parsed.scheme, host, port, path)
        target._check(rules)
        return target

    @property
    def authority(self) -> str:
        """The header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _SCHEMES[self.scheme] else f"{host}:{self.port}"

    def _check(self, rules: WebhookRules) -> None:
        address = _literal(self.host)
        if address is not None:
            check_address(address, rules)
        if rules.allow_loopback:
            return  # http and any port, which only a loopback address will get
        if self.scheme != "https":
            raise Refused("only https:// is taken")
        if self.port not in rules.ports:
            allowed = ", ".join(str(port) for port in rules.ports)
            raise Refused(f"the port {self.port} is not allowed, only {allowed}")

    def find(self, rules: WebhookRules, resolve: Resolve) -> str:
        """The address to connect to; Refused if any of the host's is not public."""
        found = [ip_address(text) for text in resolve(self.host, self.port)]
        if not found:
            raise Refused("its host has no address")
        for address in found:
            check_address(address, rules)
            if not _is_loopback(address):
                self._check_public(rules)
        return str(found[0])

    def _check_public(self, rules: WebhookRules) -> None:
        """What loopback is let off by `allow_loopback` holds for all others."""
        self._check(rules.model_copy(update={"allow_loopback": False}))


def check_url(url: str, rules: WebhookRules) -> None:
    """Raises Refused for what is wrong with the URL wherever its host may be."""
    Target.of(url, rules)


def system_resolve(host: str, port: int) -> list[str]:
    """Every address of the host; Refused if there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused("its host has no address") from error
    return [str(entry[4][0]) for entry in found]


def check_address(address: IPv4Address | IPv6Address, rules: WebhookRules) -> None:
    """Raises Refused unless the address is public, or loopback and that is allowed."""
    if rules.allow_loopback and _is_loopback(address):
        return
    if not _is_public(address):
        raise Refused("its host is not a public address")


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address.is_site_local or any(address in tunnel for tunnel in _TUNNELS):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_loopback(address: IPv4Address | IPv6Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
