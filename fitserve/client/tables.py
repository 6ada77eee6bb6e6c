"""Rows and frames on their way to the service: what Python has for a cell, as JSON."""

import datetime as dt
import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

Table = dict[str, Any]
"""The part of a predict body that holds rows: `instances`, or `columns` and `data`."""

_FRAMES = frozenset({"pandas", "polars"})
_MISSING = frozenset({"NaTType", "NAType"})  # pandas's


def is_frame(value: object) -> bool:
    """Whether it is a DataFrame of pandas or polars."""
    library = type(value).__module__.partition(".")[0]
    return library in _FRAMES and type(value).__name__ == "DataFrame"


def batches(rows: Any, size: int) -> tuple[Table, Iterable[Table]]:
    """Return rows, an array or a frame as bodies of at most `size` rows.

    The first one, which there is without a row too, and those after it.
    """
    if is_frame(rows):
        names = [str(name) for name in rows.columns]
        cells = rows.iter_rows() if hasattr(rows, "iter_rows") else _pandas_rows(rows)
        data = [[plain(cell) for cell in row] for row in cells]
        return _batches(data, size, lambda part: {"columns": names, "data": part})
    if hasattr(rows, "items"):
        rows = [rows]  # one row, by name
    instances = [_row(row) for row in rows]
    return _batches(instances, size, lambda part: {"instances": part})


def _batches(
    rows: list[Any], size: int, table: Callable[[list[Any]], Table]
) -> tuple[Table, Iterable[Table]]:
    starts = range(size, len(rows), size)
    return table(rows[:size]), (table(rows[i : i + size]) for i in starts)


def _pandas_rows(frame: Any) -> Iterable[Iterable[Any]]:
    rows: Iterable[Iterable[Any]] = frame.itertuples(index=False, name=None)
    return rows


def _row(row: Any) -> Any:
    if hasattr(row, "items"):  # a dict, or a Series of pandas
        return {str(name): plain(cell) for name, cell in row.items()}
    if isinstance(row, Iterable) and not isinstance(row, str | bytes):
        return [plain(cell) for cell in row]
    return plain(row)  # no row: the service says so


def plain(cell: Any) -> Any:
    """A cell as JSON has it.

    NumPy's scalars become Python's, moments ISO 8601, and what is missing null. An
    infinite number becomes its word, which the service knows.
    """
    if cell is None or type(cell).__name__ in _MISSING:
        return None
    if type(cell).__module__ == "numpy":
        return str(cell) if type(cell).__name__ == "datetime64" else plain(cell.item())
    if isinstance(cell, float):
        return None if math.isnan(cell) else cell if math.isfinite(cell) else str(cell)
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return float(cell)
    return cell


def csv_of(frame: Any) -> bytes:
    """A frame as CSV, its index left out."""
    if hasattr(frame, "write_csv"):
        text: str = frame.write_csv()
    else:
        text = frame.to_csv(index=False)
    return text.encode()


def types_of(frame: Any) -> dict[str, str]:
    """The columns that the frame declares to be categories."""
    kinds = zip(frame.columns, frame.dtypes, strict=True)
    declared = ("category", "categorical", "enum")
    return {
        str(name): "categorical"
        for name, kind in kinds
        if str(kind).lower().startswith(declared)
    }
