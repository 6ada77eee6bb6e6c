"""Make and parse keys: `fitserve_<id>_<secret><checksum>`.

The prefix lets scanners find leaked keys in repositories and logs. The checksum reveals
a mistyped key without a database query. The secret is 43 characters of base 62, 256 bits.
"""

import re
import secrets
import string
import zlib
from typing import NamedTuple

PREFIX = "fitserve"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID, _SECRET, _CHECKSUM = 12, 43, 6
_FORM = re.compile(
    rf"{PREFIX}_([0-9A-Za-z]{{{_ID}}})_([0-9A-Za-z]{{{_SECRET + _CHECKSUM}}})"
)
LONGEST = 200
"""Texts with more characters are not parsed; a key has 71."""


class Token(NamedTuple):
    """The id and the secret of a key."""

    key_id: str
    secret: str

    def __str__(self) -> str:
        text = f"{PREFIX}_{self.key_id}_{self.secret}"
        return text + _checksum(text)


def new_token() -> Token:
    """Return a new random key, from the system's source of randomness."""
    return Token(_by_chance(_ID), _by_chance(_SECRET))


def parse(text: str) -> Token | None:
    """Return the parts of a key; None if its form or its checksum is wrong."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    token = Token(found[1], found[2][:_SECRET])
    return token if str(token) == text else None


def _by_chance(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECKSUM):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits
