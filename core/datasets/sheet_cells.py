"""Convert the cells of a sheet, which have types one by one, to typed columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from core.lazy import pl
from fitserve.sheets import LARGEST_EXACT, text_of

MIXED = "mixed"
_CHUNK = 20_000
_EMPTY = "empty"
_TAGS = {
    frozenset[type](): _EMPTY,
    frozenset({int}): "number",
    frozenset({float}): "number",
    frozenset({int, float}): "number",
    frozenset({bool}): "boolean",
    frozenset({str}): "text",
    frozenset({dt.date}): "date",
    frozenset({dt.datetime}): "moment",
    frozenset({dt.date, dt.datetime}): "moment",
    frozenset({dt.timedelta}): "duration",
    frozenset({dt.time}): "time",
}
Cells = Sequence[Any]


class SheetColumns:
    """The columns of a sheet, written in parts of some thousand rows.

    `tags` names what the cells of each column are; `mixed` cells are text.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[tuple[Path, list[str]]] = []
        self.tags: list[str] = []

    def add(self, rows: Iterable[Cells]) -> None:
        """Write the rows that have a cell."""
        filled = (row for row in rows if any(cell != "" for cell in row))
        while chunk := list(islice(filled, _CHUNK)):
            self._add(chunk)

    def _add(self, rows: list[Cells]) -> None:
        columns = [
            [None if cell == "" else cell for cell in column]
            for column in zip(*rows, strict=True)
        ]
        tags = [_tag(column) for column in columns]
        series = [
            _series(str(i), column, tag)
            for i, (column, tag) in enumerate(zip(columns, tags, strict=True))
        ]
        path = self._folder / f"rows-{len(self._parts)}.parquet"
        pl.DataFrame(series).write_parquet(path, compression="lz4")
        self._parts.append((path, tags))
        known = self.tags or [_EMPTY] * len(tags)
        self.tags = [_both(*pair) for pair in zip(known, tags, strict=True)]

    def write(self, kept: Sequence[int], target: Path) -> None:
        """Write the columns at these places, under their places as names."""
        tables = [pl.scan_parquet(p).select(self._cells(t, kept)) for p, t in self._parts]
        pl.concat(tables).sink_parquet(target, compression="zstd")

    def _cells(self, tags: list[str], kept: Sequence[int]) -> Iterator[pl.Expr]:
        for i in kept:
            cells, own, wanted = pl.col(str(i)), tags[i], self.tags[i]
            if own == wanted:
                yield cells
            elif own == _EMPTY:
                yield cells.cast(_dtype(wanted))
            elif wanted == "moment":
                yield cells.cast(pl.Datetime("us"))
            else:
                yield _texts(cells, own)


def _tag(cells: list[Any]) -> str:
    kinds = frozenset(map(type, cells)) - {type(None)}
    return _TAGS.get(kinds, MIXED)


def _both(one: str, other: str) -> str:
    """Return what a column is whose parts have these tags."""
    if other in (one, _EMPTY):
        return one
    if one == _EMPTY:
        return other
    return "moment" if {one, other} == {"date", "moment"} else MIXED


def _series(name: str, cells: list[Any], tag: str) -> pl.Series:
    if tag == MIXED:
        cells = [None if cell is None else text_of(cell) for cell in cells]
    elif tag == "moment":
        midnight = dt.time()
        cells = [
            dt.datetime.combine(cell, midnight) if type(cell) is dt.date else cell
            for cell in cells
        ]
    return pl.Series(name, cells, dtype=_dtype(tag), strict=False)


def _dtype(tag: str) -> Any:
    return {
        _EMPTY: pl.Float64,
        "number": pl.Float64,
        "boolean": pl.Boolean,
        "date": pl.Date,
        "moment": pl.Datetime("us"),
        "duration": pl.Duration("us"),
        "time": pl.Time,
    }.get(tag, pl.String)


def number_texts(cells: pl.Expr) -> pl.Expr:
    """Return numbers as text; a whole number has no point, as a spreadsheet shows it."""
    is_whole = (cells == cells.floor()) & (cells.abs() <= LARGEST_EXACT)
    whole = cells.cast(pl.Int64, strict=False).cast(pl.String)
    return pl.when(is_whole).then(whole).otherwise(cells.cast(pl.String))


def _texts(cells: pl.Expr, tag: str) -> pl.Expr:
    """Return cells of one type as `text_of` writes them."""
    if tag == "number":
        return number_texts(cells)
    if tag == "duration":
        return (cells.dt.total_microseconds() / 1e6).cast(pl.String)
    pattern = {"moment": "%Y-%m-%dT%H:%M:%S%.f", "time": "%H:%M:%S%.f"}.get(tag)
    return cells.dt.to_string(pattern) if pattern else cells.cast(pl.String)
