"""The splits of a table."""

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.typed_table import TypedTable
from core.runs.planning.splits import Shares
from fitserve.enums import Task
from fitserve.specs.run import SplitSpec
from workers.training.splits import SourceTable


def frames(task, classes, validation, seed):
    """Return the training and validation rows of a table with the given targets."""
    rows = pl.DataFrame({"x": list(range(len(classes))), "y": classes})
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        rows.write_parquet(path)
        table = SourceTable(TypedTable("t", rows.height, [], [path]), ["x"], "y")
        splits = table.split(task, SplitSpec(), Shares(validation, 0.0), seed)
        return [
            part.read(0, part.num_stored) for part in (splits.train, splits.validation)
        ]


@given(st.integers(0, 2**31 - 1), st.integers(1, 99))
def test_a_split_is_a_partition_set_by_the_seed(seed, num_train):
    """Every row is in exactly one split, and in the same one each time."""
    classes = [float(i) for i in range(100)]
    share = 1 - num_train / 100
    train, validation = frames(Task.REGRESSION, classes, share, seed)
    again, _ = frames(Task.REGRESSION, classes, share, seed)
    assert train.equals(again)
    assert train.height == num_train
    assert sorted([*train["x"], *validation["x"]]) == list(range(100))


@given(st.integers(0, 2**31 - 1))
def test_classes_keep_their_shares(seed):
    """A class of 10 % has 10 % in each split, to within a row."""
    classes = ["rare"] * 20 + ["common"] * 180
    train, _ = frames(Task.BINARY, classes, 0.25, seed)
    rare = (train["y"] == "rare").sum()
    assert 14 <= rare <= 16
