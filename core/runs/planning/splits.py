"""Split rows for training, validation and test, in the validate route and the fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.columns import kind_of
from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec
from core.lazy import pl
from core.runs.planning.group_split import choose_groups
from core.runs.planning.target import Target
from fitserve.enums import Task
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import RunCreate, SplitSpec
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
_LEAST_ROWS = 5
_FAR_SHARE = 0.05
"""A share of the rows that is further from the wanted share than this is reported."""
_COLUMN = ("split", "column")
SPLITTING = 2
"""The version of the rule that splits rows; each run stores the version it was made by.

Version 2 holds out the groups whose rows are nearest to the shares; version 1 goes
through them in random order.
"""

Indices = NDArray[np.int64]
SplitCodes = NDArray[np.int8]
"""TRAIN, VALIDATION or TEST for each row, `[N]`."""


@dataclass(frozen=True)
class Shares:
    """The shares of rows for validation and test, 0 to 1."""

    validation: float
    test: float


def assign(
    rows: pl.DataFrame,
    target: str,
    task: Task,
    split: SplitSpec,
    shares: Shares,
    seed: int,
    splitting: int = SPLITTING,
) -> SplitCodes:
    """Return the split of each row; the same seed draws the same rows.

    `rows` holds the target and the column of `split`; `splitting` is the version of the
    rule. Raises InvalidSpec if that column does not determine a split.
    """
    column = rows[split.column] if split.column is not None else None
    if split.by == "column" and column is not None:
        return _by_words(column)
    if split.by == "group" and column is not None:
        by_group = _by_group_in_order if splitting == 1 else _by_group
        return by_group(column, shares, seed)
    if split.by == "time" and column is not None:
        # rows without a time count as the oldest
        return _cut(column.arg_sort(nulls_last=False).to_numpy(), shares)
    rng = np.random.default_rng(seed)
    strata = None if task == Task.REGRESSION else rows[target].to_physical()
    return _cut(_order(rows.height, strata, rng), shares)


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
    unknown = sorted(set(words.drop_nulls().unique()) - set(_WORDS))
    if unknown or words.null_count():
        shown = (
            ", ".join(repr(word) for word in unknown[:_MOST_SHOWN]) or "a missing cell"
        )
        detail = (
            f"the column contains {shown}; expected train, validation or test in cells"
        )
        raise split_error(f"The rows cannot be split: {detail}", detail, *_COLUMN)
    codes: SplitCodes = words.replace_strict(_WORDS, return_dtype=pl.Int8).to_numpy()
    return codes


def count_rows(
    create: RunCreate,
    target: Target,
    table: TypedTable,
    validation: TypedTable | None,
    *,
    seed: int,
) -> tuple[dict[str, int], list[str]]:
    """Return the number of rows with a target in each split, and warnings.

    Raises InvalidSpec if a split that the spec asks for is empty, or if the column of the
    split does not fit it.
    """
    split, shares = create.split, shares_of(create.split, create.fit)
    warnings: list[str] = []
    if split.column is None:
        numbers: tuple[int, ...] = counts(target.num_rows, shares)
    else:
        _refuse_unordered(split, table)
        rows = table.read([target.name, split.column]).drop_nulls(target.name)
        codes = assign(rows, target.name, target.task, split, shares, seed)
        numbers = tuple(int(np.sum(codes == code)) for code in range(len(NAMES)))
        warnings = _split_warnings(split, rows[split.column], shares, numbers)
    found = dict(zip(NAMES, numbers, strict=True))
    if validation is not None:
        column = validation.column(target.name)
        found["validation"] += validation.num_rows - (column.missing if column else 0)
    _refuse_empty(found, create, target)
    if not found["test"]:
        del found["test"]
    return found, warnings


def _refuse_unordered(split: SplitSpec, table: TypedTable) -> None:
    """Raise InvalidSpec if the column of a split by time has no times or numbers."""
    column = table.column(split.column or "")
    if split.by != "time" or column is None or kind_of(column.type).is_ordered:
        return
    shown = f", such as {column.top[0].value!r}," if column.top else ""
    detail = (
        f"a split by time needs a column of times or numbers; {column.name!r} is "
        f"{column.type}, and its cells{shown} would be sorted as text"
    )
    hint = (
        f'read the column as times by `features.types` {{"{column.name}": "datetime"}}, '
        "write its cells as 2024-01-31, or name the rows in a column of train, "
        'validation and test (`"by": "column"`)'
    )
    at = pointer(*_COLUMN)
    error = FieldError(pointer=at, detail=detail, hint=hint, column=column.name)
    raise InvalidSpec(f"The rows cannot be split: {detail}.", [error])


def _split_warnings(
    split: SplitSpec, column: pl.Series, shares: Shares, numbers: tuple[int, ...]
) -> list[str]:
    """Return warnings about missing cells, and about shares that groups do not allow."""
    warnings, name, missing = [], split.column, column.null_count()
    if missing and split.by == "group":
        warnings.append(
            f"the column {name!r}, which groups the rows, has {missing:,} missing "
            "cell(s): these rows are one group"
        )
    if missing and split.by == "time":
        warnings.append(
            f"the column {name!r}, which orders the rows, has {missing:,} missing "
            "cell(s): these rows count as the oldest"
        )
    if split.by == "group":
        warnings += _share_warnings(name, shares, numbers)
    return warnings


def _share_warnings(
    name: str | None, shares: Shares, numbers: tuple[int, ...]
) -> list[str]:
    total = sum(numbers)
    wanted = {VALIDATION: shares.validation, TEST: shares.test}
    far = [
        f"{numbers[code]:,} of {total:,} rows for {NAMES[code]} ({share:.0%} wanted)"
        for code, share in wanted.items()
        if abs(numbers[code] - share * total) > _FAR_SHARE * total
    ]
    if not far:
        return []
    return [f"whole groups of {name!r} give {' and '.join(far)}"]


def shares_of(split: SplitSpec, fit: FitSpec) -> Shares:
    """Return the shares of the dataset that are held out for validation and test."""
    has_own = fit.validation_dataset is not None
    return Shares(0.0 if has_own else fit.validation_split, split.test)


def _refuse_empty(found: dict[str, int], create: RunCreate, target: Target) -> None:
    """Raise InvalidSpec if a required split has no rows."""
    shares = shares_of(create.split, create.fit)
    _refuse_too_few_rows(target, shares)
    by_column = create.split.by == "column"
    required = {
        "train": True,
        "validation": shares.validation > 0 and not by_column,
        "test": shares.test > 0 and not by_column,
    }
    if all(found[name] for name, is_required in required.items() if is_required):
        return
    numbers = ", ".join(f"{found[name]} for {name}" for name in found)
    detail = f"{target.num_rows} row(s) with a target split into {numbers}"
    at = ("fit", "validation_split") if create.split.column is None else _COLUMN
    raise split_error(f"The rows cannot be split: {detail}", detail, *at)


def _refuse_too_few_rows(target: Target, shares: Shares) -> None:
    if target.num_rows < _LEAST_ROWS:
        detail = (
            f"the dataset has {target.num_rows} row(s) with a target; "
            f"at least {_LEAST_ROWS} are needed"
        )
        raise split_error(f"Too few rows: {detail}", detail, "target")
    if shares.validation + shares.test >= 1:
        detail = (
            f"`fit.validation_split` {shares.validation:g} and `split.test` "
            f"{shares.test:g} leave no rows for training"
        )
        raise split_error(detail, detail, "split", "test")


def split_error(sentence: str, detail: str, *path: str) -> InvalidSpec:
    """Return an InvalidSpec about the split, with a pointer to `path`."""
    error = FieldError(pointer=pointer(*path), detail=detail)
    return InvalidSpec(f"{sentence}.", [error])
