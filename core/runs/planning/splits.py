"""Assign rows to training, validation and test, by any version of the rule."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets.value_hashes import Hashes, value_bits
from core.errors import InvalidSpec
from core.lazy import pl
from core.runs.planning.group_split import choose_groups, refuse_too_few
from core.runs.planning.positions import ArrivedRows, positions
from fitserve.enums import Task
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import SplitSpec
from fitserve.specs.training import FitSpec

TRAIN, VALIDATION, TEST = range(3)
NAMES = ("train", "validation", "test")
_WORDS = {
    **dict.fromkeys(("train", "training", "tr", "fit"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval"), VALIDATION),
    **dict.fromkeys(("test", "testing", "holdout", "hold-out"), TEST),
}
_MOST_SHOWN = 5
_TINY = 1e-9
COLUMN = ("split", "column")
BY_POSITION = 3
"""From this version of the rule on, rows are held out by their positions."""
SPLITTING = BY_POSITION
"""The version of the rule for new runs; each run stores the version that split its rows.

In version 3 each row and group has a fixed position, by which it is held out. Versions 1
and 2 draw rows by the seed. Version 2 holds out the groups whose sum of rows is nearest
to the shares; version 1 goes through the groups in random order.
"""

Indices = NDArray[np.int64]
SplitCodes = NDArray[np.int8]
"""TRAIN, VALIDATION or TEST for each row, `[N]`."""


@dataclass(frozen=True)
class StoredRows:
    """The stored hash of each row, and the number of the arrival that brought it."""

    hashes: Hashes
    arrivals: Indices

    def where(self, mask: NDArray[np.bool_]) -> StoredRows:
        """Return the rows at which the mask is true."""
        return StoredRows(self.hashes[mask], self.arrivals[mask])


@dataclass(frozen=True)
class Shares:
    """The shares of rows for validation and test, 0 to 1."""

    validation: float
    test: float

    @property
    def num_parts(self) -> int:
        """Return the number of parts that are held out."""
        return (self.validation > 0) + (self.test > 0)


@dataclass(frozen=True)
class RowsToSplit:
    """The rows of a run that have a target, and the split that the run asks for.

    Args:
        frame: the target and the column of `split`.
        target: the name of the target.
        task: the task; the classes of a classification stratify a random split.
        split: the split of the spec.
        shares: the shares of rows to hold out.

    """

    frame: pl.DataFrame
    target: str
    task: Task
    split: SplitSpec
    shares: Shares

    @property
    def column(self) -> pl.Series | None:
        """Return the column that determines the split, if it has one."""
        name = self.split.column
        return None if name is None else self.frame[name]

    @property
    def classes(self) -> pl.Series | None:
        """Return the target as numbers of classes; None for a regression."""
        is_regression = self.task == Task.REGRESSION
        return None if is_regression else self.frame[self.target].to_physical()


def assign_by_seed(rows: RowsToSplit, seed: int, splitting: int) -> SplitCodes:
    """Return the split of each row by version 1 or 2 of the rule.

    `splitting` is the version. Raises InvalidSpec if the column of the split does not
    determine a split.
    """
    column, shares = rows.column, rows.shares
    if column is not None and rows.split.by != "group":
        return _by_column(column, rows.split, shares)
    if column is not None:
        by_group = _by_group_in_order if splitting == 1 else _by_group
        return by_group(column, shares, seed)
    rng = np.random.default_rng(seed)
    return _cut(_order(rows.frame.height, rows.classes, rng), shares)


def assign_by_position(rows: RowsToSplit, stored: StoredRows, key: int) -> SplitCodes:
    """Return the split of each row by version 3 of the rule.

    `stored` describes the rows of `rows`, in their order. Raises InvalidSpec if the
    column of the split does not determine a split.
    """
    column, shares = rows.column, rows.shares
    if column is not None and rows.split.by != "group":
        return _by_column(column, rows.split, shares)
    one_class = np.zeros(rows.frame.height, np.int64)
    if column is not None:
        groups = value_bits(column)
        refuse_too_few(len(np.unique(groups)), shares.num_parts)
        return _held_out(ArrivedRows(groups, one_class, stored.arrivals), shares, key)
    classes = one_class
    if rows.classes is not None:
        classes = rows.classes.rank("dense").to_numpy().astype(np.int64)
    return _held_out(ArrivedRows(stored.hashes, classes, stored.arrivals), shares, key)


def _by_column(column: pl.Series, split: SplitSpec, shares: Shares) -> SplitCodes:
    """Return the split of each row by the word in its cell, or by time."""
    if split.by == "column":
        return _by_words(column)
    # rows without a time count as the oldest
    return _cut(column.arg_sort(nulls_last=False).to_numpy(), shares)


def _held_out(rows: ArrivedRows, shares: Shares, key: int) -> SplitCodes:
    """Hold out the lowest positions for test, and the highest for validation."""
    found = positions(rows, key)
    codes = np.full(len(found), TRAIN, np.int8)
    codes[found >= 1 - shares.validation] = VALIDATION
    codes[found < shares.test] = TEST
    return codes


def counts(num_rows: int, shares: Shares) -> tuple[int, int, int]:
    """Return the numbers of training, validation and test rows in a split by row."""
    # 1 - 0.9 is slightly below 0.1; the rounding must not lose a row
    rest = math.floor(num_rows * (1 - shares.test) + _TINY)
    train = math.floor(num_rows * (1 - shares.test - shares.validation) + _TINY)
    return train, rest - train, num_rows - rest


def _cut(order: Indices, shares: Shares) -> SplitCodes:
    train, validation, _ = counts(len(order), shares)
    codes = np.full(len(order), TEST, np.int8)
    codes[order[:train]] = TRAIN
    codes[order[train : train + validation]] = VALIDATION
    return codes


def _order(num_rows: int, strata: pl.Series | None, rng: np.random.Generator) -> Indices:
    """Return a random order in which every prefix has the proportions of the strata."""
    shuffled = rng.permutation(num_rows)
    if strata is None:
        return shuffled
    codes = strata.rank("dense").to_numpy()[shuffled]
    place = np.empty(num_rows)
    for code in np.unique(codes):
        members = np.flatnonzero(codes == code)
        place[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return shuffled[np.argsort(place, kind="stable")]


def _by_group(column: pl.Series, shares: Shares, seed: int) -> SplitCodes:
    """Assign whole groups, as near to the shares as whole groups allow.

    The rows whose group is missing are one group.
    """
    groups = column.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    _, places, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    rng = np.random.default_rng(seed)
    chosen = choose_groups(sizes, (shares.test, shares.validation), rng)
    codes: SplitCodes = np.array([TEST, VALIDATION, TRAIN], np.int8)[chosen][places]
    return codes


def _by_group_in_order(column: pl.Series, shares: Shares, seed: int) -> SplitCodes:
    """Assign whole groups in random order, by the shares that their middles are in."""
    groups = column.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    codes = np.full(len(groups), TRAIN, np.int8)
    filled = 0
    for group in np.random.default_rng(seed).permutation(np.unique(groups)):
        members = groups == group
        middle = (filled + members.sum() / 2) / len(groups)
        if middle < shares.test:
            codes[members] = TEST
        elif middle < shares.test + shares.validation:
            codes[members] = VALIDATION
        filled += int(members.sum())
    return codes


def _by_words(column: pl.Series) -> SplitCodes:
    words = column.cast(pl.String).str.strip_chars().str.to_lowercase()
    refuse_words(words.drop_nulls().unique(), is_missing=words.null_count() > 0)
    codes: SplitCodes = words.replace_strict(_WORDS, return_dtype=pl.Int8).to_numpy()
    return codes


def side_of_word(word: str) -> int | None:
    """Return TRAIN, VALIDATION or TEST for a cell; None if the word is unknown."""
    return _WORDS.get(word.strip().lower())


def refuse_words(words: Iterable[str], *, is_missing: bool) -> None:
    """Raise InvalidSpec if the column of the split has a missing cell or other words."""
    unknown = sorted(word for word in words if side_of_word(word) is None)
    if not unknown and not is_missing:
        return
    shown = ", ".join(repr(word) for word in unknown[:_MOST_SHOWN]) or "a missing cell"
    detail = f"the column contains {shown}; expected train, validation or test in cells"
    raise split_error(f"The rows cannot be split: {detail}", detail, *COLUMN)


def shares_of(split: SplitSpec, fit: FitSpec) -> Shares:
    """Return the shares of the dataset that are held out for validation and test."""
    has_own = fit.validation_dataset is not None
    return Shares(0.0 if has_own else fit.validation_split, split.test)


def split_error(sentence: str, detail: str, *path: str) -> InvalidSpec:
    """Return an InvalidSpec about the split, with a pointer to `path`."""
    error = FieldError(pointer=pointer(*path), detail=detail)
    return InvalidSpec(f"{sentence}.", [error])
