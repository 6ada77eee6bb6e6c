"""The numbers of rows that a request reports, from the profile alone."""

from pathlib import Path

import pytest

from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec
from core.runs.planning.split_counts import estimate_rows
from core.runs.planning.target import Target
from fitserve.schemas.datasets import ColumnRead, TopValue
from fitserve.specs.run import RunCreate

ABSENT = Path("absent.parquet")


def column(name, unique=90, missing=0, top=(), kind="categorical"):
    values = [TopValue(value=value, count=count) for value, count in top]
    return ColumnRead(
        name=name, type=kind, missing=missing, unique=unique, min=None, max=None,
        mean=None, top=values, warnings=[],
    )  # fmt: skip


def estimate(*columns, split=None, num_targets=100, **fit):
    """Estimate the split of a table of 100 rows whose file does not exist."""
    table = TypedTable("t", 100, [*columns], [ABSENT])
    target = Target("y", "numeric", "regression", num_targets, [], [])
    create = RunCreate.model_validate({"target": "y", "split": split or {}, "fit": fit})
    return estimate_rows(create, target, table, None)


def test_no_request_reads_a_table_to_split_it():
    """The profile has the rows with a target, the counts of words, and the missing cells."""
    assert estimate() == ({"train": 80, "validation": 20}, [])
    by_time = {"by": "time", "column": "t", "test": 0.1}
    found, warnings = estimate(column("t", missing=3, kind="datetime"), split=by_time)
    assert found == {"train": 70, "validation": 20, "test": 10}
    assert "3 missing cell(s)" in warnings[0]
    words = column("s", 3, top=[("Train", 70), ("dev", 20), ("test", 10)])
    found, _ = estimate(words, split={"by": "column", "column": "s"}, num_targets=50)
    assert found == {"train": 35, "validation": 10, "test": 5}
    for num_groups, num_held in ((90, 20), (7, 14), (3, 33)):
        split = {"by": "group", "column": "g"}
        found, _ = estimate(column("g", num_groups), split=split)
        assert found == {"train": 100 - num_held, "validation": num_held}


@pytest.mark.parametrize(
    ("held", "split", "said"),
    [
        (column("g", unique=2), {"by": "group", "test": 0.1}, "the column has 2 group"),
        (column("g"), {"by": "time"}, "needs a column of times or numbers"),
        (column("g", 2, top=[("train", 60), ("x", 40)]), {"by": "column"}, "'x'"),
        (column("g", 1, 30, top=[("train", 70)]), {"by": "column"}, "a missing cell"),
        (column("g", 1, top=[("test", 100)]), {"by": "column"}, "100 for test"),
    ],
)
def test_a_split_that_the_profile_shows_to_be_impossible_is_refused_at_once(
    held, split, said
):
    with pytest.raises(InvalidSpec) as refused:
        estimate(held, split={"column": "g", **split})
    assert said in refused.value.errors[0].detail


def test_cells_of_rows_without_a_target_are_not_refused():
    """Rows without a target may be rows to predict; the worker checks the others."""
    words = column("s", 2, 10, top=[("train", 80), ("predict", 10)])
    found, _ = estimate(words, split={"by": "column", "column": "s"}, num_targets=80)
    assert found == {"train": 80, "validation": 0}
    with pytest.raises(InvalidSpec, match="'predict'"):
        estimate(words, split={"by": "column", "column": "s"}, num_targets=95)
