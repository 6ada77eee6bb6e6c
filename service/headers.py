"""Headers that every answer has, so that a browser makes no more of it than it is."""

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
    # styles are what a plot (SVG) is drawn with
    b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
)
_JSON: Pair = (b"content-type", b"application/json")
_OF_JSON = [*_ALWAYS, _NO_STORE]


def security_headers(given: Sequence[Pair]) -> list[Pair]:
    """Those that are missing: a page or a stream may have its own policy.

    JSON has none, as there is nothing in it to run; each header costs a prediction some
    half a microsecond.
    """
    if len(given) == 2 and _JSON in given:  # with its length: nearly every answer
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
