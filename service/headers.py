"""Headers that every answer has, so that a browser makes no more of it than it is."""

from collections.abc import Iterable

Pair = tuple[bytes, bytes]

_ALWAYS: list[Pair] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_CACHE, _POLICY = b"cache-control", b"content-security-policy"
_NO_STORE: Pair = (_CACHE, b"no-store")
_SANDBOX: Pair = (
    _POLICY,
    # styles are what a plot (SVG) is drawn with
    b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
)


def security_headers(given: Iterable[Pair]) -> list[Pair]:
    """Those that are missing: a page or a stream may have its own policy."""
    names = [name for name, _ in given]
    added = list(_ALWAYS)
    if _CACHE not in names:
        added.append(_NO_STORE)
    if _POLICY not in names:
        added.append(_SANDBOX)
    return added
