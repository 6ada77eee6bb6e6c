"""Headers of every response that limit what a browser does with the response."""

from collections.abc import Sequence

Pair = tuple[bytes, bytes]

_ALWAYS: list[Pair] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_CACHE, _POLICY = b"cache-control", b"content-security-policy"
_NO_STORE: Pair = (_CACHE, b"no-store")
_SANDBOX: Pair = (
    _POLICY,
    # a plot (SVG) needs its styles
    b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
)
_JSON: Pair = (b"content-type", b"application/json")
_OF_JSON = [*_ALWAYS, _NO_STORE]


def security_headers(given: Sequence[Pair]) -> list[Pair]:
    """Return the headers that a response lacks; it may set a policy itself.

    JSON needs no policy, because it contains nothing to run, and each header costs a
    prediction about half a microsecond.
    """
    if len(given) == 2 and _JSON in given:  # the other is Content-Length: most responses
        return _OF_JSON
    added, names = list(_ALWAYS), [name for name, _ in given]
    if _CACHE not in names:
        added.append(_NO_STORE)
    if _POLICY not in names and not _is_json(given):
        added.append(_SANDBOX)
    return added


def _is_json(headers: Sequence[Pair]) -> bool:
    return any(
        name == b"content-type" and value.partition(b";")[0].endswith(b"json")
        for name, value in headers
    )
