"""The split of rows into training, validation and test."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.value_hashes import value_bits
from core.errors import InvalidSpec
from core.runs.planning.splits import (
    TEST,
    TRAIN,
    VALIDATION,
    RowsToSplit,
    Shares,
    StoredRows,
    assign_by_position,
    assign_by_seed,
    counts,
)
from fitserve.enums import Task
from fitserve.specs.run import SplitSpec

SHARES = Shares(0.2, 0.1)


def rows(**columns):
    size = len(next(iter(columns.values())))
    return pl.DataFrame({"y": [float(i) for i in range(size)], **columns})


def sides(frame, split, shares=SHARES, task=Task.REGRESSION, key=1):
    numbers = pl.int_range(frame.height, eager=True)
    stored = StoredRows(value_bits(numbers), np.zeros(frame.height, np.int64))
    return assign_by_position(RowsToSplit(frame, "y", task, split, shares), stored, key)


def earlier(frame, split, shares=SHARES, seed=1, splitting=2):
    rows = RowsToSplit(frame, "y", Task.REGRESSION, split, shares)
    return assign_by_seed(rows, seed, splitting)


@given(st.integers(1, 500), st.floats(0, 0.5), st.floats(0, 0.4))
def test_counts_estimate_the_assigned_rows(num_rows, validation, test):
    """The counts that `validate` reports are exact to two rows of each side."""
    shares = Shares(validation, test)
    frame = rows(x=[0.0] * num_rows)
    expected = counts(num_rows, shares)
    for assigned, most in (
        (earlier(frame, SplitSpec(), shares), 0),
        (sides(frame, SplitSpec(), shares), 2),
    ):
        found = [int((assigned == side).sum()) for side in (TRAIN, VALIDATION, TEST)]
        assert sum(found) == num_rows
        assert max(np.abs(np.subtract(found, expected))) <= most


def test_the_newest_rows_are_the_test_rows():
    """In a split by time, training rows are the oldest, then come validation rows."""
    moments = [datetime(2024, 1, 1) + timedelta(hours=i) for i in range(100)]  # noqa: DTZ001
    shuffled = np.random.default_rng(0).permutation(100)
    frame = rows(when=[moments[i] for i in shuffled])
    assigned = sides(frame, SplitSpec(by="time", column="when"))
    assert max(shuffled[assigned == TRAIN]) < min(shuffled[assigned == VALIDATION])
    assert max(shuffled[assigned == VALIDATION]) < min(shuffled[assigned == TEST])
    assert (assigned == TEST).sum() == 10


@given(st.integers(0, 1000))
def test_a_group_is_on_one_side(seed):
    """The shares are as near as whole groups allow."""
    groups = [f"g{i % 40}" for i in range(400)]
    split = SplitSpec(by="group", column="g")
    assigned = sides(rows(g=groups), split, key=seed)
    for group in set(groups):
        members = [side for g, side in zip(groups, assigned, strict=True) if g == group]
        assert len(set(members)) == 1
    assert 60 <= (assigned == VALIDATION).sum() <= 100
    assert 20 <= (assigned == TEST).sum() <= 60


def test_an_earlier_run_keeps_its_rows_and_groups():
    """The rule of its release finds its held-out rows again."""
    frame = rows(g=[f"g{i % 3}" for i in range(30)])
    split = SplitSpec(by="group", column="g")
    shares = Shares(0.2, 0.0)
    for splitting in (1, 2):
        found = earlier(frame, split, shares, splitting=splitting)
        assert (found == VALIDATION).sum() == 10
    two = rows(g=["a", "b"] * 15)
    assert (earlier(two, split, shares, splitting=1) == TRAIN).all()
    held_out = np.flatnonzero(earlier(frame, SplitSpec(), shares) == VALIDATION)
    assert held_out.tolist() == [6, 13, 18, 19, 22, 27]


def test_a_group_is_the_same_in_another_datatype():
    """A column of whole numbers that gets a fraction still names the same groups."""
    groups = [i % 20 for i in range(200)]
    split = SplitSpec(by="group", column="g")
    whole, floats = (
        sides(rows(g=list(map(kind, groups))), split) for kind in (int, float)
    )
    assert np.array_equal(whole, floats)


def test_a_column_may_name_the_sides():
    """The usual words are accepted, and other words are refused."""
    words = ["Train", " val ", "TEST", "training", "dev", "holdout"]
    split = SplitSpec(by="column", column="s")
    expected = [TRAIN, VALIDATION, TEST] * 2
    assert sides(rows(s=words), split).tolist() == expected
    with pytest.raises(InvalidSpec, match="'other'"):
        sides(rows(s=["train", "other"]), split)
    with pytest.raises(InvalidSpec, match="missing cell"):
        sides(rows(s=["train", None]), split)


def test_classes_keep_their_shares_on_three_sides():
    """A class of 10 % has 10 % of each side, to within a row."""
    frame = pl.DataFrame({"y": ["rare"] * 30 + ["common"] * 270})
    assigned = sides(frame, SplitSpec(), task=Task.BINARY)
    for side, expected in ((TRAIN, 21), (VALIDATION, 6), (TEST, 3)):
        rare = (assigned[:30] == side).sum()
        assert abs(int(rare) - expected) <= 1


@pytest.mark.parametrize("given_", [{"by": "time"}, {"by": "random", "column": "x"}])
def test_a_split_has_a_column_only_if_it_needs_one(given_):
    with pytest.raises(ValueError, match="`column` for a split by"):
        SplitSpec(**given_)
