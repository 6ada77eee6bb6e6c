"""Choose whole groups of rows for validation and test, at the nearest share of rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidSpec
from fitserve.problems import FieldError, pointer

Sizes = NDArray[np.int64]
_MOST_GROUPS = 1_000
"""Up to this many groups, the nearest sum is searched. Of more groups, a random choice is
near enough, because one of the others always fits the rest."""
_MOST_UNITS = 100_000
"""Sums are exact up to this many rows; in a longer table they are rounded."""


def choose_groups(
    sizes: Sizes, shares: tuple[float, ...], rng: np.random.Generator
) -> NDArray[np.int8]:
    """Return for each group the index of its share, or -1 for the training rows.

    Every share above 0 gets a group, and a group is left for training. Raises InvalidSpec
    if there are too few groups.

    Args:
        sizes: the number of rows of each group.
        shares: the wanted share of all rows; their sum is below 1.
        rng: decides among equally near choices.

    """
    parts = [part for part, share in enumerate(shares) if share > 0]
    refuse_too_few(len(sizes), len(parts))
    chosen = np.full(len(sizes), -1, np.int8)
    for place, part in enumerate(parts):
        free = rng.permutation(np.flatnonzero(chosen < 0))
        later = parts[place + 1 :]
        wanted = _wanted(sizes, free, shares, part, later)
        taken = _nearest(sizes[free], wanted, len(free) - len(later) - 1)
        chosen[free[taken]] = part
    return chosen


def refuse_too_few(num_groups: int, num_parts: int) -> None:
    """Raise InvalidSpec if there are not more groups than parts that are held out."""
    if not num_parts or num_groups > num_parts:
        return
    detail = (
        f"the column has {num_groups} group(s) of rows with a target; "
        f"{num_parts + 1} parts of the split need at least {num_parts + 1}"
    )
    error = FieldError(
        pointer=pointer("split", "column"),
        detail=detail,
        hint="split by a column of more groups, hold out fewer parts, or split by random",
    )
    raise InvalidSpec(f"The rows cannot be split: {detail}.", [error])


def _wanted(
    sizes: Sizes, free: Sizes, shares: tuple[float, ...], part: int, later: list[int]
) -> float:
    """Return how many rows a part should get.

    If one group is larger than all rows that are to be held out, it is for training, and
    the parts divide the other groups.
    """
    available = float(sizes[free].sum() - sizes[free].max())
    held_out = shares[part] + sum(shares[k] for k in later)
    return min(shares[part] * float(sizes.sum()), available * shares[part] / held_out)


def _nearest(sizes: Sizes, wanted: float, most_groups: int) -> Sizes:
    """Return the places of at most `most_groups` groups, whose sum is near `wanted`."""
    if len(sizes) > _MOST_GROUPS:
        return _first_that_fit(sizes, wanted)
    unit = max(1.0, float(sizes.sum()) / _MOST_UNITS)
    units = np.maximum(1, np.round(sizes / unit)).astype(np.int64)
    last_of = _reachable(units, wanted / unit)
    sums = np.flatnonzero(last_of >= 0)[1:]
    for total in sums[np.argsort(np.abs(sums - wanted / unit), kind="stable")]:
        places = _places(int(total), units, last_of)
        if len(places) <= most_groups:
            return np.array(places)
    return np.array([int(sizes.argmin())])


def _first_that_fit(sizes: Sizes, wanted: float) -> Sizes:
    """Return groups that do not exceed `wanted`, and one more if that is nearer."""
    taken, total = [], 0
    for place, size in enumerate(sizes.tolist()):
        if total + size <= wanted:
            taken.append(place)
            total += size
    left = np.setdiff1d(np.arange(len(sizes)), taken)
    best = left[np.argmin(np.abs(sizes[left] + total - wanted))]
    is_nearer = abs(int(sizes[best]) + total - wanted) < wanted - total
    return np.array([*taken, best] if is_nearer else taken)


def _reachable(units: Sizes, wanted: float) -> Sizes:
    """Return for each sum the last group of a choice with this sum, or -1 if none has it.

    The other groups of the choice are found at the sum without this group.
    """
    last_of = np.full(int(units.sum()) + 1, -1, np.int64)
    last_of[0] = len(units)
    top, aim = 0, max(1, round(wanted))
    for place, size in enumerate(units.tolist()):
        found = np.flatnonzero(last_of[: top + 1] >= 0) + size
        new = found[last_of[found] < 0]
        last_of[new] = place
        top += size
        if aim <= top and last_of[aim] >= 0:
            break
    return last_of


def _places(total: int, units: Sizes, last_of: Sizes) -> list[int]:
    places = []
    while total:
        places.append(int(last_of[total]))
        total -= int(units[places[-1]])
    return places
