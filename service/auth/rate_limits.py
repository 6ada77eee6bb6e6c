"""Token buckets, which limit the rate of requests from a key or an address."""

import ipaddress
import time
from collections import OrderedDict

_MAX_ADDRESSES = 10_000
_LONGEST_WAIT = 86_400.0
"""Seconds; a rate can be so small that the true wait is infinite."""
_IPV6_HOST_BITS = 64


class TokenBucket:
    """A bucket that gains `rate` tokens a second, and holds `rate` tokens by default."""

    __slots__ = ("_at", "_capacity", "_rate", "_tokens")

    def __init__(self, rate: float, capacity: float | None = None) -> None:
        self._rate = rate
        self._capacity = self._tokens = max(1.0, rate if capacity is None else capacity)
        self._at = time.monotonic()

    def take(self) -> float:
        """Take a token and return 0, or return the seconds until one is available."""
        now = time.monotonic()
        self._tokens += (now - self._at) * self._rate
        self._at = now
        self._tokens = min(self._tokens, self._capacity)
        if self._tokens < 1:
            return min((1 - self._tokens) / self._rate, _LONGEST_WAIT)
        self._tokens -= 1
        return 0.0

    def give_back(self) -> None:
        """Return a token that was not needed."""
        self._tokens += 1


class AddressBuckets:
    """A bucket for each recent address; the least recently used is removed first."""

    def __init__(self, per_minute: float) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def bucket(self, address: str) -> TokenBucket:
        """Return the bucket of an IPv4 address, or of the /64 of an IPv6 address."""
        name = _network(address)
        bucket = self._buckets.pop(name, None)
        if bucket is None:
            if len(self._buckets) >= _MAX_ADDRESSES:
                self._buckets.popitem(last=False)
            bucket = TokenBucket(self._per_minute / 60, max(1.0, self._per_minute / 2))
        self._buckets[name] = bucket
        return bucket


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(int(parsed) >> _IPV6_HOST_BITS)
