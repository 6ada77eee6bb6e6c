"""Give each row a fixed position from 0 to 1, by which it is held out.

Rows of one unit (equal rows, or the rows of one group) have the same position. An arrival
is the rows of one upload or append. It gives a position to each unit whose first row it
brings, and later arrivals move no unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets.value_hashes import Hashes, mix, mix_one

Positions = NDArray[np.float64]
Numbers = NDArray[np.int64]

_FRACTION = 0x5851F42D4C957F2D
_LARGE = 0.1
"""A unit with more than this share of its stratum is large."""
_JUST_BELOW_ONE = 1 - 2.0**-53


@dataclass(frozen=True)
class ArrivedRows:
    """Rows that are divided among the sides of a split, in the order of the table.

    Args:
        units: the unit of each row: its hash, or the hash of its group.
        classes: the class of each row; zeros if the rows are not stratified.
        arrivals: the number of the arrival of each row, in ascending order.

    """

    units: Hashes
    classes: Numbers
    arrivals: Numbers


@dataclass(frozen=True)
class _Units:
    """The different units; a stratum is the units of one class that are new together."""

    hashes: Hashes
    strata: Numbers
    sizes: Numbers
    """The number of rows of each unit in the arrival in which it is new."""
    is_first: NDArray[np.bool_]
    """Whether the unit is in the first arrival."""


def positions(rows: ArrivedRows, key: int) -> Positions:
    """Return the position of each row, from 0 to below 1.

    The units that are new in an arrival are ordered by keyed hash within their class.
    There a unit covers as many ranks as it has rows, and its position is one of these
    ranks plus a fraction, divided by the number of rows. In the first arrival that is the
    middle rank, large units come in the middle of the order, and the outermost units are
    moved to both ends. In later arrivals it is a random rank, so that few units are
    spread evenly.
    """
    if not len(rows.units):
        return np.empty(0)
    units, places = _units(rows)
    keyed = mix(units.hashes ^ np.uint64(mix_one(key)))
    order = _order(units, keyed)
    found = np.empty(len(order))
    found[order] = _positions_in(order, units, _fractions(keyed))
    _reach_both_ends(found, units.is_first)
    return found[places]


def _units(rows: ArrivedRows) -> tuple[_Units, Numbers]:
    """Return the units of the rows, and the place of each row's unit among them.

    The size of a unit counts only its rows in the arrival in which it is new.
    """
    hashes, first, places = np.unique(rows.units, return_index=True, return_inverse=True)
    arrivals, classes = rows.arrivals[first], rows.classes[first]
    is_own = rows.arrivals == arrivals[places]
    sizes = np.bincount(places[is_own], minlength=len(hashes))
    num_classes = int(rows.classes.max()) + 1
    strata = arrivals * num_classes + classes
    return _Units(hashes, strata, sizes, arrivals == rows.arrivals.min()), places


def _fractions(keyed: Hashes) -> Positions:
    """Return a number from 0 to below 1 for each unit."""
    bits = mix(keyed + np.uint64(_FRACTION)) >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53


def _totals(units: _Units) -> Numbers:
    """Return the number of rows in the stratum of each unit."""
    _, places = np.unique(units.strata, return_inverse=True)
    totals = np.bincount(places, weights=units.sizes)
    return totals[places].astype(np.int64)


def _order(units: _Units, keyed: Hashes) -> Numbers:
    """Return the order of units: by stratum and keyed hash, large ones in the middle."""
    shares = units.sizes / _totals(units)
    levels = np.maximum(0, np.ceil(np.log2(shares / _LARGE))).astype(np.int64)
    levels[~units.is_first] = 0
    order = np.lexsort((keyed, units.strata))
    if not levels.any():
        return order
    order = np.lexsort((keyed, levels, units.strata))
    is_late = _is_second_half(units.strata[order], levels[order])
    inward = np.where(is_late, -levels[order], levels[order])
    return order[np.lexsort((inward, is_late, units.strata[order]))]


def _is_second_half(strata: Numbers, levels: Numbers) -> NDArray[np.bool_]:
    """Return whether each sorted unit is in the second half of its level.

    A unit that is alone in its level is in the second half.
    """
    is_new = np.ones(len(strata), np.bool_)
    is_new[1:] = (np.diff(strata) != 0) | (np.diff(levels) != 0)
    starts, counts = _stretches(is_new)
    ranks = np.arange(len(strata)) - np.repeat(starts, counts)
    return ranks >= np.repeat(counts // 2, counts)


def _stretches(is_new: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Return the start and length of each stretch; `is_new` is true where one starts."""
    starts = np.flatnonzero(is_new)
    return starts, np.diff(np.append(starts, len(is_new)))


def _positions_in(order: Numbers, units: _Units, fractions: Positions) -> Positions:
    """Return the positions of the units, in this order."""
    strata, sizes, fraction = units.strata[order], units.sizes[order], fractions[order]
    before, totals = _rows_before(strata, sizes), _totals(units)[order]
    is_first = units.is_first[order]
    middle = before + (sizes - 1) / 2 + fraction
    found = np.where(is_first, middle, before + fraction * sizes) / totals
    is_many, is_rest = is_first & (sizes > 1), sizes < totals
    found[is_many & is_rest & (before == 0)] = 0.0
    found[is_many & is_rest & (before + sizes == totals)] = _JUST_BELOW_ONE
    found[is_many & ~is_rest] = 0.5
    return np.minimum(found, _JUST_BELOW_ONE)


def _reach_both_ends(found: Positions, is_first: NDArray[np.bool_]) -> None:
    """Move the outermost units of the first arrival to both ends, in place.

    A small table then has a row for every share above 0.
    """
    first = np.flatnonzero(is_first)
    if len(first) > 1:
        found[first[np.argmin(found[first])]] = 0.0
        found[first[np.argmax(found[first])]] = _JUST_BELOW_ONE


def _rows_before(strata: Numbers, sizes: Numbers) -> Numbers:
    """Return how many rows of its stratum come before each unit, in sorted order."""
    before = np.cumsum(sizes) - sizes
    starts, counts = _stretches(np.append(True, np.diff(strata) != 0))
    return before - np.repeat(before[starts], counts)
