"""How users name a dataset: by id, by name, or by name and version."""

from dataclasses import dataclass

_MARK = "@"
_MOST_DIGITS = 9


@dataclass(frozen=True)
class Reference:
    """A dataset as a user names it.

    Args:
        name: the id or the name.
        version: the number of the version; None: the newest.

    """

    name: str
    version: int | None = None


def parse_reference(ref: str) -> Reference:
    """Return the name and the version in `houses@2`; no name contains an @."""
    name, mark, number = ref.rpartition(_MARK)
    is_number = number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS
    return Reference(name, int(number)) if mark and is_number else Reference(ref)
