"""Decide which hundred years the two digits of a year can mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

_BIRTH = re.compile(r"birth|born|(^|[^a-z])(dob|geb|nasc|naiss)|geburt", re.IGNORECASE)
"""Names of columns whose dates are never in the future."""


class Years(NamedTuple):
    """The hundred years that two digits mean, and the warning about the column."""

    first: int | None
    warning: str | None


def hundred_years(name: str, counts: Mapping[int, int], example: str) -> Years:
    """Return the hundred years for a column whose dates are in the years of `counts`.

    The years are those of 1970 to 2069. Years in the future move a century back if the
    name of the column says so, or if all years are then closer together. `example` is a
    cell that is in the future.
    """
    now = datetime.now(UTC).year
    late = {year: count for year, count in counts.items() if year > now}
    if not late:
        return Years(None, None)
    first = now - 99
    moved = [year - 100 if year > now else year for year in counts]
    if _BIRTH.search(name) or _span(moved) < _span(counts):
        return Years(
            first,
            f"two-digit years are read as {first} to {now}: {example!r} is in "
            f"{max(late) - 100}; write four digits if this is wrong",
        )
    total = sum(late.values())
    return Years(
        None,
        f"{total:,} cell(s), such as {example!r}, are dates in the future, because their "
        f"two-digit years are read as {min(late)} to {max(late)}; write four digits if "
        "they are in the past",
    )


def _span(years: Mapping[int, int] | list[int]) -> int:
    return max(years) - min(years)
