"""Splits."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.runs.planning.splits import Shares
from fitserve.enums import Task
from fitserve.specs.run import SplitSpec
from workers.training.data import split_rows


def table(classes):
    return pl.DataFrame({"x": list(range(len(classes))), "y": classes})


@given(st.integers(0, 2**31 - 1), st.integers(1, 99))
def test_a_split_is_a_partition_that_the_seed_decides(seed, num_train):
    """Every row on one side, the same rows each time."""
    rows = table([float(i) for i in range(100)])
    first = split_rows(
        rows, "y", Task.REGRESSION, SplitSpec(), Shares(1 - num_train / 100, 0.0), seed
    )
    again = split_rows(
        rows, "y", Task.REGRESSION, SplitSpec(), Shares(1 - num_train / 100, 0.0), seed
    )
    assert first.train.equals(again.train)
    assert first.train.height == num_train
    assert sorted([*first.train["x"], *first.validation["x"]]) == list(range(100))


@given(st.integers(0, 2**31 - 1))
def test_classes_keep_their_shares(seed):
    """10 % of a class stays 10 % on both sides, to within a row."""
    rows = table(["rare"] * 20 + ["common"] * 180)
    split = split_rows(rows, "y", Task.BINARY, SplitSpec(), Shares(0.25, 0.0), seed)
    rare = (split.train["y"] == "rare").sum()
    assert 14 <= rare <= 16
