"""Return the rows of a file to predict next to their predictions."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import QueryParams

from core.columns.base import LARGEST_EXACT
from core.errors import InvalidInstances
from core.lazy import pl
from fitserve.problems import FieldError
from service.parsing_options import BOOLEANS

ROWS = "rows"


def wants_rows(params: QueryParams) -> bool:
    """Return whether `?rows=true` is in the query; raise InvalidInstances."""
    given = params.get(ROWS, "false")
    wanted = BOOLEANS.get(given.lower())
    if wanted is not None:
        return wanted
    detail = f"got {given[:40]!r}, expected true or false"
    error = FieldError(pointer=f"#/query/{ROWS}", detail=detail)
    raise InvalidInstances(f"`rows`: {detail}.", [error])


def rows_of(cells: pl.DataFrame) -> dict[str, Any]:
    """Return the columns with at least one cell, and the cells by row as JSON values."""
    used = [column for column in cells if column.null_count() < cells.height]
    plain = pl.DataFrame([_plain(column) for column in used])
    return {"columns": plain.columns, "data": plain.rows()}


def _plain(column: pl.Series) -> pl.Series:
    """Return a column as JSON values: moments and large whole numbers are text."""
    kind = column.dtype
    if kind.is_temporal():
        return column.dt.to_string("iso")
    return column.cast(pl.String) if kind.is_integer() and _is_large(column) else column


def _is_large(column: pl.Series) -> bool:
    """Return whether a whole number is too large for a JSON reader with doubles."""
    bounds = column.min(), column.max()  # as Python's int: polars casts what it compares
    return any(isinstance(b, int) and abs(b) > LARGEST_EXACT for b in bounds)
