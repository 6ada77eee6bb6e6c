"""Which rows train, validate and test: one decision for validate route and fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidSpec
from core.lazy import pl
from fitserve.enums import Task
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import SplitSpec

TRAIN, VALIDATION, TEST = range(3)
NAMES = ("train", "validation", "test")
_WORDS = {
    **dict.fromkeys(("train", "training", "tr", "fit"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval"), VALIDATION),
    **dict.fromkeys(("test", "testing", "holdout", "hold-out"), TEST),
}
_MOST_SHOWN = 5
_TINY = 1e-9

Indices = NDArray[np.int64]
Sides = NDArray[np.int8]


@dataclass(frozen=True)
class Shares:
    """The parts of the rows that are not for training, 0 to 1."""

    validation: float
    test: float


def assign(
    rows: pl.DataFrame,
    target: str,
    task: Task,
    split: SplitSpec,
    shares: Shares,
    seed: int,
) -> Sides:
    """TRAIN, VALIDATION or TEST for each row; the same seed draws the same rows.

    `rows` holds the target and the column that the split goes by. Raises InvalidSpec
    where that column cannot split them.
    """
    column = rows[split.column] if split.column is not None else None
    if split.by == "column" and column is not None:
        return _by_words(column)
    if split.by == "group" and column is not None:
        return _by_group(column, shares, seed)
    if split.by == "time" and column is not None:
        # rows without a time are taken for the oldest
        return _cut(column.arg_sort(nulls_last=False).to_numpy(), shares)
    rng = np.random.default_rng(seed)
    strata = None if task == Task.REGRESSION else rows[target].to_physical()
    return _cut(_order(rows.height, strata, rng), shares)


def counts(num_rows: int, shares: Shares) -> tuple[int, int, int]:
    """Rows to train, validate and test on, of rows that can be drawn one by one."""
    # 1 - 0.9 is a little less than 0.1: that must not cost a row
    rest = math.floor(num_rows * (1 - shares.test) + _TINY)
    train = math.floor(num_rows * (1 - shares.test - shares.validation) + _TINY)
    return train, rest - train, num_rows - rest


def _cut(order: Indices, shares: Shares) -> Sides:
    train, validation, _ = counts(len(order), shares)
    sides = np.full(len(order), TEST, np.int8)
    sides[order[:train]] = TRAIN
    sides[order[train : train + validation]] = VALIDATION
    return sides


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


def _by_group(column: pl.Series, shares: Shares, seed: int) -> Sides:
    """Whole groups on one side; shares hold as far as whole groups allow."""
    codes = column.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    groups = np.random.default_rng(seed).permutation(np.unique(codes))
    sides = np.full(len(codes), TRAIN, np.int8)
    filled = 0
    for group in groups:
        members = codes == group
        middle = (filled + members.sum() / 2) / len(codes)
        if middle < shares.test:
            sides[members] = TEST
        elif middle < shares.test + shares.validation:
            sides[members] = VALIDATION
        filled += int(members.sum())
    return sides


def _by_words(column: pl.Series) -> Sides:
    words = column.cast(pl.String).str.strip_chars().str.to_lowercase()
    unknown = sorted(set(words.drop_nulls().unique()) - set(_WORDS))
    if unknown or words.null_count():
        shown = (
            ", ".join(repr(word) for word in unknown[:_MOST_SHOWN]) or "a missing cell"
        )
        raise split_error(
            f"the column holds {shown}; expected train, validation and test in its cells"
        )
    sides: Sides = words.replace_strict(_WORDS, return_dtype=pl.Int8).to_numpy()
    return sides


def split_error(detail: str) -> InvalidSpec:
    """An error about the split."""
    at = pointer("split", "column")
    return InvalidSpec(
        f"The rows cannot be split: {detail}.", [FieldError(pointer=at, detail=detail)]
    )
