"""Give each row a fixed position from 0 to 1, by which it is held out.

Rows of one unit (equal rows, or the rows of one group) have the same position. A unit
gets it in the arrival that brings its first row; later arrivals move no unit.
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
"""A unit with more than this share of the rows that it arrived with is large."""
_JUST_BELOW_ONE = 1 - 2.0**-53


@dataclass(frozen=True)
class Arrived:
    """Rows that are divided among the sides of a split, in the order of the table.

    Args:
        units: the unit of each row: its hash, or the hash of its group.
        classes: the class of each row; zeros if the rows are not stratified.
        arrivals: the number of the arrival of each row, which never falls.

    """

    units: Hashes
    classes: Numbers
    arrivals: Numbers


@dataclass(frozen=True)
class _Units:
    """The different units, and the stratum of each: its first arrival and class."""

    hashes: Hashes
    strata: Numbers
    sizes: Numbers
    is_first: NDArray[np.bool_]
    """Whether the unit is in the first arrival."""


def positions(rows: Arrived, key: int) -> Positions:
    """Return the position of each row, from 0 to below 1.

    The units that are new in an arrival are ordered by keyed hash within their class. A
    unit of one row is at its rank plus a fraction, divided by the number of rows. In the
    first arrival a unit of several rows is at the middle of its rows, large units are in
    the middle, and the outermost units are moved to both ends. In later arrivals a unit
    of several rows is at a random place of its rows, so that few units are spread evenly.
    """
    if not len(rows.units):
        return np.empty(0)
    units, places = _units(rows)
    keyed = mix(units.hashes ^ np.uint64(mix_one(key)))
    order = _order(units, keyed)
    found = np.empty(len(order))
    found[order] = _along(units, order, _fractions(keyed))
    _reach_both_ends(found, units.is_first)
    return found[places]


def _units(rows: Arrived) -> tuple[_Units, Numbers]:
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
    """Return the units by stratum and keyed hash, large ones in the middle."""
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
    starts = np.flatnonzero(is_new)
    counts = np.diff(np.append(starts, len(strata)))
    ranks = np.arange(len(strata)) - np.repeat(starts, counts)
    return ranks >= np.repeat(counts // 2, counts)


def _along(units: _Units, order: Numbers, fractions: Positions) -> Positions:
    """Return the positions of ordered units."""
    strata, sizes, fraction = units.strata[order], units.sizes[order], fractions[order]
    before, totals = _before(strata, sizes), _totals(units)[order]
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


def _before(strata: Numbers, sizes: Numbers) -> Numbers:
    """Return the number of rows before each ordered unit in its stratum."""
    before = np.cumsum(sizes) - sizes
    is_new = np.append(True, np.diff(strata) != 0)
    starts = np.flatnonzero(is_new)
    counts = np.diff(np.append(starts, len(strata)))
    return before - np.repeat(before[starts], counts)
