"""Find columns that reveal the target to a network.

A copy contains the target in another form. In a deciding column, each value always occurs
with the same target. Such columns are often known only after the target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.datasets.typed_table import TypedTable
from core.lazy import pl
from core.runs.planning.features import Selection

_COPY = "a copy of the target"
_RENAMED = "one to one with the target"
_UNIT = "the target in another unit"
"""An exact linear relation; the column stays a feature, since this may be the task."""
_WITH_GAPS = ", except where it is missing"
"""Completes the kind of a copy that lacks cells; the column stays a feature."""

_SAMPLE = 20_000
_LEAST_ROWS = 10
_MOST_VALUES = 1_000
_ROWS_A_VALUE = 5
"""The mean number of rows per value; with fewer rows, a relation may be chance."""
_EXACT = 1 - 1e-12
_MOST_MISSING = 0.01
"""A copy may lack this share of the rows; with more missing cells it stays a feature."""


def find_copies(table: TypedTable, target: str) -> dict[str, str]:
    """Return the columns that are copies of the target, each with its kind of copy."""
    others = [column.name for column in table.columns if column.name != target]
    return _in_all_rows(
        table.scan(), target, others, lambda rows, names: _relations(rows, target, names)
    )


def exclusion_reasons(copies: dict[str, str]) -> dict[str, str]:
    """Return the copies to exclude unless the spec includes them, with the reasons."""
    is_kept = (_UNIT, _WITH_GAPS)
    return {name: what for name, what in copies.items() if not what.endswith(is_kept)}


def leakage_warnings(
    table: TypedTable, target: str, selection: Selection, copies: dict[str, str]
) -> list[str]:
    """Return a warning for each feature that is a copy or determines the target."""
    suspects = {n: c.unique for n, c in selection.columns.items() if n not in copies}
    deciding = _find_deciding(table, target, suspects)
    return [
        *(
            f"the column {name!r} is {what}: use it only if it is known before the target"
            for name, what in copies.items()
            if name in selection.columns
        ),
        *(
            f"the column {name!r} alone determines {target!r} ({suspects[name]:,} "
            "values, each always with the same target): use it only if it is known "
            "before the target, or leave it out with `features.exclude`"
            for name in deciding
        ),
    ]


def _in_all_rows(
    rows: pl.LazyFrame,
    target: str,
    names: list[str],
    check: Callable[[pl.DataFrame, list[str]], dict[str, str]],
) -> dict[str, str]:
    """Return the columns that `check` finds in the first rows and then in all rows."""
    head = rows.select([target, *names]).head(_SAMPLE).collect()
    found = check(head, names)
    if not found or head.height < _SAMPLE:
        return found
    every = rows.select([target, *found]).collect(engine="streaming")
    return check(every, list(found))


def _relations(rows: pl.DataFrame, target: str, names: Iterable[str]) -> dict[str, str]:
    found = {name: _relation(rows, target, name) for name in names}
    return {name: relation for name, relation in found.items() if relation is not None}


def _relation(rows: pl.DataFrame, target: str, name: str) -> str | None:
    every = rows.select(
        pl.col(target).alias("target"), pl.col(name).alias("column")
    ).drop_nulls("target")
    pair = every.drop_nulls()
    if pair.height < _LEAST_ROWS or pair["target"].n_unique() < 2:
        return None
    found = _relation_of_pairs(pair)
    has_gaps = every.height - pair.height > _MOST_MISSING * every.height
    return found + _WITH_GAPS if found and has_gaps else found


def _relation_of_pairs(pair: pl.DataFrame) -> str | None:
    """Return how the cells of two columns without missing cells are related."""
    if pair["target"].dtype == pair["column"].dtype and bool(
        (pair["target"] == pair["column"]).all()
    ):
        return _COPY
    if pair["target"].dtype.is_float() and pair["column"].dtype.is_float():
        correlation = pair.select(pl.corr("target", "column")).item()
        is_line = correlation is not None and abs(correlation) >= _EXACT
        return _UNIT if is_line else None
    return _RENAMED if _is_renaming(pair) else None


def _is_renaming(pair: pl.DataFrame) -> bool:
    """Return whether the values correspond one to one, each in several rows."""
    values = pair["target"].n_unique()
    if values > min(_MOST_VALUES, pair.height // _ROWS_A_VALUE):
        return False
    return values == pair["column"].n_unique() == pair.unique().height


def _find_deciding(
    table: TypedTable, target: str, unique: dict[str, int]
) -> dict[str, str]:
    """Return the columns in which each value occurs with a single target.

    `unique` holds the number of values of each column to check.
    """
    rows = table.scan().drop_nulls(target)
    num_rows = int(rows.select(pl.len()).collect().item())
    most = min(_MOST_VALUES, num_rows // _ROWS_A_VALUE)
    suspects = [name for name, n in unique.items() if 2 <= n <= most]
    return _in_all_rows(
        rows, target, suspects, lambda rows, names: _deciding(rows, target, names)
    )


def _deciding(rows: pl.DataFrame, target: str, names: list[str]) -> dict[str, str]:
    """Return the deciding columns; a missing cell counts as a value."""
    if not names or rows[target].n_unique() < 2:
        return {}
    most = [pl.col(target).n_unique().over(name).max().alias(name) for name in names]
    targets = rows.select(most).row(0, named=True)
    return {name: "decides the target" for name in names if targets[name] == 1}
