"""The rows of a run: read, cleared of rows without a target, split."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fitserve.statuses import Task

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Raw columns and targets of the two sides; `validation` may be empty."""

    train: pl.DataFrame
    validation: pl.DataFrame


def read_rows(table: Path, columns: list[str], target: str) -> pl.DataFrame:
    """The rows of a Parquet table that have a target."""
    wanted = [*columns, target]
    return pl.read_parquet(table, columns=wanted).drop_nulls(target).select(wanted)


def split_rows(
    rows: pl.DataFrame, target: str, task: Task, num_train: int, seed: int
) -> Split:
    """Draw `num_train` rows to train on; the rest validate.

    Classes keep their shares on both sides as far as whole rows allow. The same seed
    draws the same rows.
    """
    if num_train == rows.height:
        return Split(rows, rows.clear())
    rng = np.random.default_rng(seed)
    strata = None if task == Task.REGRESSION else rows[target].to_physical()
    order = _order(rows.height, strata, rng)
    return Split(rows[order[:num_train]], rows[order[num_train:]])


def _order(num_rows: int, strata: pl.Series | None, rng: np.random.Generator) -> Indices:
    """A random order in which every prefix holds each stratum in its share."""
    shuffled = rng.permutation(num_rows)
    if strata is None:
        return shuffled
    codes = strata.rank("dense").to_numpy()[shuffled]
    place = np.empty(num_rows)
    for code in np.unique(codes):
        members = np.flatnonzero(codes == code)
        place[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return shuffled[np.argsort(place, kind="stable")]
