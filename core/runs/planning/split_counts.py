"""Estimate the rows of each side of a split, and check the sides once they are known.

A request knows only the profile of the table; the worker counts the rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.columns import kind_of
from core.columns.facts import EXACT_ROWS
from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec
from core.lazy import pl
from core.runs.planning.group_split import refuse_too_few
from core.runs.planning.splits import (
    COLUMN,
    NAMES,
    TEST,
    VALIDATION,
    Shares,
    SplitCodes,
    counts,
    refuse_words,
    shares_of,
    side_of_word,
    split_error,
)
from core.runs.planning.target import Target
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.run import RunCreate, SplitSpec

_LEAST_ROWS = 5
_FAR_SHARE = 0.05
"""The largest difference from a wanted share that is not reported."""


def estimate_rows(
    create: RunCreate, target: Target, table: TypedTable, validation: TypedTable | None
) -> tuple[dict[str, int], list[str]]:
    """Estimate from the profile how many rows with a target each side gets.

    Returns the numbers, and warnings. Raises InvalidSpec if the profile shows that a side
    will be empty, or that the column of the split does not fit the split.
    """
    split, shares = create.split, shares_of(create.split, create.fit)
    _refuse_too_few_rows(target.num_rows, shares)
    numbers: tuple[int, ...] = counts(target.num_rows, shares)
    warnings: list[str] = []
    column = None if split.column is None else table.column(split.column)
    if column is not None:
        without = table.num_rows - target.num_rows
        _refuse_column(split, shares, column, table, without)
        if not without:
            warnings = _missing_warnings(split, column.missing)
        if split.by == "column":
            numbers = _counts_of_words(column, target.num_rows)
        if split.by == "group":
            numbers = _counts_of_groups(_num_groups(column), target.num_rows, shares)
    found = dict(zip(NAMES, numbers, strict=True))
    if validation is not None:
        found["validation"] += rows_with_target(validation, target.name)
    if split.by != "column" or _shows_all(column):
        refuse_empty(found, split, shares)
    return {name: n for name, n in found.items() if n or name != "test"}, warnings


def rows_with_target(table: TypedTable, target: str) -> int:
    """Return the number of rows with a target, from the profile of a table."""
    column = table.column(target)
    return table.num_rows - (column.missing if column else 0)


def _refuse_column(
    split: SplitSpec, shares: Shares, column: ColumnRead, table: TypedTable, without: int
) -> None:
    """Raise InvalidSpec if the column certainly does not determine a split.

    `without` is the number of rows without a target, whose cells do not count.
    """
    if split.by == "time":
        _refuse_unordered(column)
    if split.by == "group" and table.num_rows <= EXACT_ROWS:
        refuse_too_few(_num_groups(column), shares.num_parts)
    if split.by == "column":
        shown = [top.value for top in column.top if top.count > without]
        refuse_words(shown, is_missing=column.missing > without)


def _num_groups(column: ColumnRead) -> int:
    """Return the number of groups; the rows with a missing cell are one group."""
    return column.unique + (column.missing > 0)


def _counts_of_groups(
    num_groups: int, num_rows: int, shares: Shares
) -> tuple[int, int, int]:
    """Estimate the rows of each side of a split by groups, as if all had one size."""
    held = [
        round(max(1, round(share * num_groups)) * num_rows / num_groups) if share else 0
        for share in (shares.validation, shares.test)
    ]
    return max(0, num_rows - sum(held)), held[0], held[1]


def _counts_of_words(column: ColumnRead, num_rows: int) -> tuple[int, ...]:
    """Estimate the rows of each side of a split by words, from the most frequent ones."""
    numbers = np.zeros(len(NAMES))
    for top in column.top:
        side = side_of_word(top.value)
        if side is not None:
            numbers[side] += top.count
    total = max(1.0, float(numbers.sum()))
    return tuple(round(number * num_rows / total) for number in numbers.tolist())


def _shows_all(column: ColumnRead | None) -> bool:
    """Return whether the profile shows all words of a column."""
    return column is not None and column.unique <= len(column.top)


def _refuse_unordered(column: ColumnRead) -> None:
    """Raise InvalidSpec if the column of a split by time has no times or numbers."""
    if kind_of(column.type).is_ordered:
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
    at = pointer(*COLUMN)
    error = FieldError(pointer=at, detail=detail, hint=hint, column=column.name)
    raise InvalidSpec(f"The rows cannot be split: {detail}.", [error])


def _refuse_too_few_rows(num_rows: int, shares: Shares) -> None:
    if num_rows < _LEAST_ROWS:
        detail = (
            f"the dataset has {num_rows} row(s) with a target; "
            f"at least {_LEAST_ROWS} are needed"
        )
        raise split_error(f"Too few rows: {detail}", detail, "target")
    if shares.validation + shares.test >= 1:
        detail = (
            f"`fit.validation_split` {shares.validation:g} and `split.test` "
            f"{shares.test:g} leave no rows for training"
        )
        raise split_error(detail, detail, "split", "test")


def refuse_empty(found: dict[str, int], split: SplitSpec, shares: Shares) -> None:
    """Raise InvalidSpec if a side that the spec asks for has no rows."""
    by_column = split.by == "column"
    required = {
        "train": True,
        "validation": shares.validation > 0 and not by_column,
        "test": shares.test > 0 and not by_column,
    }
    if all(found.get(name) for name, is_required in required.items() if is_required):
        return
    numbers = ", ".join(f"{found[name]} for {name}" for name in found)
    detail = f"{sum(found.values())} row(s) with a target split into {numbers}"
    if split.by == "random":
        detail += "; rows that are equal in all columns but ids stay together"
    at = ("fit", "validation_split") if split.column is None else COLUMN
    raise split_error(f"The rows cannot be split: {detail}", detail, *at)


def counts_of(codes: SplitCodes) -> dict[str, int]:
    """Return the number of rows of each side."""
    return {name: int(np.sum(codes == code)) for code, name in enumerate(NAMES)}


def split_warnings(
    split: SplitSpec, column: pl.Series | None, shares: Shares, found: dict[str, int]
) -> list[str]:
    """Return warnings about missing cells of the split's column, and about shares.

    `column` holds only rows with a target; `found` counts the rows of each side.
    """
    missing = 0 if column is None else column.null_count()
    warnings = _missing_warnings(split, missing)
    if split.by in ("group", "random"):
        warnings += _share_warnings(split, shares, found)
    return warnings


def _missing_warnings(split: SplitSpec, missing: int) -> list[str]:
    """Return warnings about `missing` cells of the split's column."""
    warnings, name = [], split.column
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
    return warnings


def _share_warnings(split: SplitSpec, shares: Shares, found: dict[str, int]) -> list[str]:
    total = sum(found.values())
    wanted = {VALIDATION: shares.validation, TEST: shares.test}
    far = [
        f"{found[NAMES[code]]:,} of {total:,} rows for {NAMES[code]} ({share:.0%} wanted)"
        for code, share in wanted.items()
        if _is_far(found[NAMES[code]], share * total, total)
    ]
    if not far:
        return []
    what = "equal rows stay together, which gives"
    if split.column is not None:
        what = f"whole groups of {split.column!r} give"
    return [f"{what} {' and '.join(far)}"]


def _is_far(number: int, wanted: float, total: int) -> bool:
    """Return whether a side has far more or fewer rows than wanted.

    A few rows in a small table are not far.
    """
    return abs(number - wanted) > max(_FAR_SHARE * total, 1)


def zero_weight_errors(
    weights: NDArray[np.float32], codes: SplitCodes, name: str
) -> list[FieldError]:
    """Return an error for each side in which every row has the weight 0."""
    return [
        FieldError(
            pointer=pointer("fit", "sample_weight"),
            detail=f"all {count:,} {NAMES[code]} rows have the weight 0 in {name!r}",
            hint="use another split, or give some of these rows a weight",
            column=name,
        )
        for code in range(len(NAMES))
        if (count := int((codes == code).sum())) and not weights[codes == code].any()
    ]
