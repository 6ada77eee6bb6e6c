"""Test the histograms of columns, which count every row."""

import numpy as np
import polars as pl
import pytest

from core.columns.facts import ColumnFacts
from core.datasets import histograms as module
from core.datasets import statistics
from core.datasets.blocks import scan_files
from core.datasets.histograms import histograms
from fitserve.enums import ColumnType

ROWS = 5_000


def counted(*columns):
    """Return the histogram of each column of numbers."""
    table = pl.LazyFrame({f"x{i}": list(c) for i, c in enumerate(columns)}, strict=False)
    facts = [ColumnFacts(f"x{i}", ColumnType.NUMERIC) for i in range(len(columns))]
    table = table.cast(pl.Float64)
    return list(histograms(table, facts, statistics.of_table(table, facts)).values())


def test_a_sorted_and_a_shuffled_table_have_the_same_histogram(read):
    """The order of the rows does not matter, and no row is left out."""
    values = np.random.default_rng(3).normal(50, 9, ROWS).round(4)
    found = []
    for rows in (values, np.sort(values)):
        lines = [f"{value},{'ab'[i % 2]}" for i, value in enumerate(rows)]
        _, _, columns = read("\n".join(["size,kind", *lines]) + "\n")
        assert columns["kind"].histogram is None
        found.append(columns["size"].histogram)
    shuffled, ordered = found
    assert shuffled == ordered
    expected, edges = np.histogram(values, bins=16)
    assert shuffled.counts == expected.tolist()
    assert (shuffled.low, shuffled.high) == (edges[0], edges[-1])


def test_parts_are_added(monkeypatch):
    """A long table is read in parts of its rows."""
    columns = [np.arange(101), np.arange(101) * 0.5]
    whole = counted(*columns)
    monkeypatch.setattr(module, "SMALL_CELLS", 14)
    assert counted(*columns) == whole
    assert [sum(one.counts) for one in whole] == [101, 101]


def test_blocks_are_counted_as_one_table(tmp_path, monkeypatch):
    """An append has the histograms of all rows of its version."""
    monkeypatch.setattr(module, "SMALL_CELLS", 0)
    paths = [tmp_path / f"{i}.parquet" for i in range(2)]
    for first, path in zip((0, 60), paths, strict=True):
        numbers = np.arange(first, first + 60, dtype=float)
        pl.DataFrame({"x0": numbers}).write_parquet(path)
    rows, facts = scan_files(paths), [ColumnFacts("x0", ColumnType.NUMERIC)]
    found = histograms(rows, facts, statistics.of_table(rows, facts))
    assert [found["x0"]] == counted(np.arange(120))


@pytest.mark.parametrize(
    ("values", "low", "high", "counts"),
    [
        ([1, 2, 2, 5], 0.5, 5.5, [1, 2, 0, 0, 1]),
        (range(17, 91), 16.5, 91.5, [5] * 14 + [4]),
        ([7, 7, None], 7.0, 7.0, [2]),
        ([0.25, None, 0.75], 0.25, 0.75, [1, *[0] * 14, 1]),
        ([-1.5e308, 1.5e308], -1.5e308, 1.5e308, [1, *[0] * 14, 1]),
        ([0.0, 5e-324], 0.0, 5e-324, [2, *[0] * 15]),
        ([2.0**60, 2.0**61], 2.0**60, 2.0**61, [1, *[0] * 14, 1]),
    ],
)
def test_the_intervals(values, low, high, counts):
    """Intervals of whole numbers hold equally many; missing cells are not counted."""
    (found,) = counted(values)
    assert (found.low, found.high, found.counts) == (low, high, counts)


def test_columns_without_values_have_none():
    """A column without values, or of another type, has no histogram."""
    assert counted([None, None]) == []
    table = pl.LazyFrame({"day": ["a"]})
    facts = [ColumnFacts("day", ColumnType.CATEGORICAL)]
    assert histograms(table, facts, statistics.of_table(table, facts)) == {}


def test_a_range_too_small_for_a_width_has_a_histogram():
    """Its width is 0 as a float, or 1 / width is infinite."""
    for values in ([1e-310, 2e-310], [5e-324, 1e-323, 0.0], [1e-309, 2e-309]):
        (found,) = counted(values)
        assert sum(found.counts) == len(values)
