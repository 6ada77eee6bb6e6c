"""Count the values of columns of numbers in intervals of equal width, over all rows.

The intervals are fixed by the smallest and the largest value, which the first pass over
a table has found. So the counts do not depend on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.columns.base import Stats
from core.columns.facts import ColumnFacts
from core.datasets.raw_table import SMALL_CELLS
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import Histogram

MOST_BINS = 16
_LARGEST_WHOLE = 2**50
"""Up to this number, float64 holds the half below a whole number."""


@dataclass(frozen=True)
class Bins:
    """The intervals of a column, from `low` to `high`."""

    low: float
    high: float
    number: int

    @classmethod
    def of(cls, stats: Stats) -> Self:
        """Return the intervals for a column's values.

        Each interval of whole numbers holds equally many of them, because otherwise some
        bars would be higher than their neighbours without a reason in the data.
        """
        low, high = float(stats.min), float(stats.max)
        if low == high:
            return cls(low, high, 1)
        if not stats.whole or max(-low, high) > _LARGEST_WHOLE:
            return cls(low, high, MOST_BINS)
        count = int(high - low) + 1
        width = -(-count // MOST_BINS)
        number = -(-count // width)
        return cls(low - 0.5, low - 0.5 + width * number, number)

    def place(self, name: str) -> pl.Expr:
        """Return the number of the interval of each value; a missing cell has the last.

        Halves are used, because the width of all intervals may be too large for a float.
        If it is too small for one, 0 / width is no number, and means the first interval.
        """
        half_width = self.high / 2 - self.low / 2 or 1.0
        scaled = (pl.col(name) / 2 - self.low / 2) / half_width * self.number
        last = pl.lit(MOST_BINS, pl.UInt8)
        places = scaled.clip(0, self.number - 1).fill_nan(0)
        return places.cast(pl.UInt8).fill_null(last)


def histograms(
    frame: pl.LazyFrame, facts: Sequence[ColumnFacts], stats: Sequence[Stats]
) -> dict[str, Histogram]:
    """Return the histogram of each column of numbers that has a value, by its name.

    The table is read once more, a part of its rows at a time.
    """
    bins = {
        fact.name: Bins.of(own)
        for fact, own in zip(facts, stats, strict=True)
        if fact.type == ColumnType.NUMERIC and own.min is not None
    }
    if not bins:
        return {}
    counts = _counts(frame, bins, stats[0].rows)
    return {
        name: Histogram(low=own.low, high=own.high, counts=row[: own.number].tolist())
        for (name, own), row in zip(bins.items(), counts, strict=True)
    }


def _counts(
    frame: pl.LazyFrame, bins: Mapping[str, Bins], num_rows: int
) -> NDArray[np.int64]:
    """Return the number of values in each interval: one row of counts per column."""
    places = frame.select(own.place(name) for name, own in bins.items())
    counts = np.zeros((len(bins), MOST_BINS + 1), np.int64)
    for part in _parts(places, num_rows * len(bins)):
        for row, column in enumerate(part):
            counts[row] += np.bincount(column.to_numpy(), minlength=MOST_BINS + 1)
    return counts


def _parts(places: pl.LazyFrame, num_cells: int) -> Iterator[pl.DataFrame]:
    """Return the rows in parts, which together are read once.

    Slices would not do: for each slice, polars reads the earlier blocks of a dataset.
    """
    if num_cells <= SMALL_CELLS:
        return iter([places.collect(engine="in-memory")])
    return iter(places.collect_batches(maintain_order=False, engine="streaming"))
