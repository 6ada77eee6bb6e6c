"""After ten appends, no version was trained on a row that another version held out."""

import numpy as np
import polars as pl
import pytest

from core.datasets.value_hashes import value_bits
from core.runs.planning.splits import (
    TEST,
    TRAIN,
    VALIDATION,
    RowsToSplit,
    Shares,
    StoredRows,
    assign_by_position,
)
from fitserve.enums import Task
from fitserve.specs.run import SplitSpec

SPLITS = [SplitSpec(test=0.1), SplitSpec(by="group", column="g", test=0.1)]


def grown(seed):
    """Yield the table after each of ten appends, with hashes and arrivals.

    Some rows repeat, some groups get more rows, and some appends have a single row.
    """
    rng = np.random.default_rng(seed)
    rows = pl.DataFrame(schema={"g": pl.Int64, "x": pl.Int64, "y": pl.String})
    arrivals = np.empty(0, np.int64)
    for number in range(11):
        size = 1 if number % 4 == 3 else int(rng.integers(50, 300))
        x = rng.integers(0, 600, size)
        groups = x % (20 + 5 * number)
        new = pl.DataFrame({"g": groups, "x": x, "y": [f"c{v % 3}" for v in x]})
        rows = pl.concat([rows, new.with_columns(pl.col("g").cast(pl.Int64))])
        arrivals = np.append(arrivals, np.full(size, number))
        hashes = value_bits(rows["x"]) + value_bits(rows["g"])
        yield rows, StoredRows(hashes, arrivals)


@pytest.mark.parametrize("split", SPLITS, ids=["random", "group"])
@pytest.mark.parametrize("key", [1, 2, 3])
def test_no_held_out_row_was_ever_trained_on(split, key):
    """No version trained or validated on a test row of another version."""
    held = {code: set() for code in (TRAIN, VALIDATION, TEST)}
    for rows, stored in grown(key):
        shares = Shares(0.2, 0.1)
        task = Task.MULTICLASS
        to_split = RowsToSplit(rows, "y", task, split, shares)
        codes = assign_by_position(to_split, stored, key)
        unit = stored.hashes if split.by == "random" else value_bits(rows["g"])
        for code, found in held.items():
            found |= set(unit[codes == code].tolist())
    assert not held[TEST] & held[TRAIN]
    assert not held[TEST] & held[VALIDATION]
    assert not held[VALIDATION] & held[TRAIN]
    assert all(held.values())
