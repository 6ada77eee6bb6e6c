"""Refuse cells of an append that do not fit the type of their column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.columns.facts import Cells, ColumnFacts, Wanted
from core.errors import InvalidTable
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.problems import FieldError, pointer

_SHOWN = 5
_NOTATION = {
    ColumnType.NUMERIC: 'such as `decimal`, or `types={"%s": {"type": "numeric", …}}`',
    ColumnType.DATETIME: 'such as `types={"%s": {"type": "datetime", "format": …}}`',
}


def refuse_misfits(
    cells: Cells, wanted: Mapping[str, Wanted], columns: Iterable[ColumnFacts]
) -> None:
    """Raise InvalidTable if a cell does not fit the type that its column must keep.

    Cells that the column's format knows as strays are missing, as they were before.
    """
    errors = [
        error
        for fact in columns
        if (want := wanted.get(fact.name)) is not None
        and want.is_fixed
        and fact.format.strays
        and (error := _misfit(cells, fact, want)) is not None
    ]
    if errors:
        shown = " ".join(
            f"{e.detail[:1].upper()}{e.detail[1:]}." for e in errors[:_SHOWN]
        )
        raise InvalidTable(f"{shown} {errors[0].hint}.", errors)


def _misfit(cells: Cells, fact: ColumnFacts, want: Wanted) -> FieldError | None:
    known = want.earlier if want.format is None else want.format
    if known is not None and known.more_strays:
        return None  # any cell that does not fit is missing
    text = pl.col(fact.name)
    odd = text.is_not_null() & ~fact.kind.fits(text, fact.format)
    if known is not None and known.strays:
        odd &= ~text.is_in(known.strays)
    found = cells.select(
        odd.sum().alias("count"),
        odd.arg_true().first().alias("row"),
        text.filter(odd).first().alias("cell"),
    ).row(0, named=True)
    if not found["count"]:
        return None
    return _error(fact, found["count"], found["row"], found["cell"])


def _error(fact: ColumnFacts, count: int, row: int, cell: str) -> FieldError:
    detail = (
        f"row {row + 1}, column {fact.name!r}: {cell[:60]!r} is not "
        f"{fact.kind.expected(fact.format, cell)}, the type of the column"
    )
    if count > 1:
        detail += f" ({count:,} cells of this column do not fit)"
    notation = _NOTATION.get(fact.type, "such as `null_values`").replace("%s", fact.name)
    hint = f"Correct the cells, or give the notation of the file, {notation}"
    at = pointer("rows", row, fact.name)
    return FieldError(pointer=at, detail=detail, hint=hint, row=row, column=fact.name)
