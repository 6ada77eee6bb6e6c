"""The format of names and references, and suggestions for misspelt names."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"

Name = Annotated[
    str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=100)
]
"""A name that fits into a URL path segment: letters, digits, dot, dash, underscore."""

MOST_REFERENCE = 110
"""Most characters in `<name>@<version>`."""
_MARK = "@"
_MOST_DIGITS = 9

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""The name of a column of a dataset."""


VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
"""The number of a version of a model in the body of a request."""

WorkerTag = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,29}$")]
"""A tag of a worker, such as `gpu`: lower-case letters, digits, dash."""
MOST_WORKER_TAGS = 4

WEBHOOK_PREFIX = "whsec_"
"""The first letters of a webhook's secret (Standard Webhooks 1.0.0)."""

DEFAULT_WORKSPACE = "default"
"""The workspace of rows created without a key, or before workspaces existed."""


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


def version_ref(name: str, number: int) -> str:
    """Return the reference to a version of a dataset, such as `houses@2`."""
    return f"{name}{_MARK}{number}"


def nearest(name: object, known: Iterable[str]) -> str | None:
    """Return the known name closest to `name` regardless of case, or None."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(str(name)[:200].casefold(), by_folded, n=1)
    return by_folded[found[0]] if found else None


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return a hint with the nearest known name, or with the first known names."""
    known = list(known)
    near = nearest(name, known)
    if near is not None:
        return f"did you mean `{near}`?"
    shown = ", ".join(f"`{item}`" for item in known[:20])
    more = f" and {len(known) - 20} more" if len(known) > 20 else ""
    return f"known names: {shown}{more}" if known else ""


def to_name(label: str, default: str) -> str:
    """Return a valid name made from any label, such as a file name."""
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", label).strip("-._")[:100]
    return cleaned or default
