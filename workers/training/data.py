"""The rows of a run: read, cleared of rows without a target, split."""

from dataclasses import dataclass

import polars as pl

from core.datasets.typed_table import TypedTable
from core.runs.planning.splits import TEST, TRAIN, VALIDATION, Shares, assign
from fitserve.enums import Task
from fitserve.specs.run import SplitSpec


@dataclass(frozen=True)
class Split:
    """Raw columns and targets of the sides; `validation` and `test` may be empty."""

    train: pl.DataFrame
    validation: pl.DataFrame
    test: pl.DataFrame


def read_rows(table: TypedTable, columns: list[str], target: str) -> pl.DataFrame:
    """Return the rows of a table that have a target."""
    return table.read([*columns, target]).drop_nulls(target)


def split_rows(
    rows: pl.DataFrame,
    target: str,
    task: Task,
    split: SplitSpec,
    shares: Shares,
    seed: int,
) -> Split:
    """Part the rows as `core.runs.planning.splits` decides."""
    sides = assign(rows, target, task, split, shares, seed)
    parts = [rows.filter(sides == side) for side in (TRAIN, VALIDATION, TEST)]
    return Split(*parts)
