"""Read DataFrames of pandas and polars, for uploads and for predictions."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

from fitserve.client.cells import plain
from fitserve.text_columns import type_of_texts

_FRAMES = frozenset({"pandas", "polars"})
_CATEGORIES = ("category", "categorical", "enum")
_TEXTS = ("object", "str", "string", "utf8")
_SLICE = 10_000
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")


def is_frame(value: object) -> bool:
    """Return whether a value is a DataFrame of pandas or polars."""
    library = type(value).__module__.partition(".")[0]
    return library in _FRAMES and type(value).__name__ == "DataFrame"


def names_of(frame: Any) -> list[str]:
    """Return the names of the columns as text; pandas also allows numbers."""
    return [str(name) for name in frame.columns]


def slices(frame: Any, size: int) -> Iterator[list[list[Any]]]:
    """Yield the rows of a frame as JSON cells, `size` rows at a time.

    A frame without rows yields one empty list.
    """
    cells = [_cell_reader(column) for column in _columns(frame)]
    for start in range(0, max(1, len(frame)), size):
        columns = _columns(_slice(frame, start, start + size))
        read = [
            [cell(value) for value in column.to_list()]
            for cell, column in zip(cells, columns, strict=True)
        ]
        yield [list(row) for row in zip(*read, strict=True)]


def csv_of(frame: Any) -> bytes:
    """Return a frame as CSV in UTF-8, without its index; missing cells are empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names_of(frame))
    for rows in slices(frame, _SLICE):
        writer.writerows([_written(cell) for cell in row] for row in rows)
    return text.getvalue().encode(errors="replace")


def types_of(frame: Any) -> dict[str, str]:
    """Return the types of the columns whose type the service would not detect.

    These are columns of categories, and columns of text whose cells look like numbers,
    such as the code `02134`.
    """
    found = {}
    for name, column in zip(names_of(frame), _columns(frame), strict=True):
        kind = str(column.dtype).lower()
        if kind.startswith(_CATEGORIES):
            found[name] = "categorical"
        elif kind in _TEXTS and (digits_type := _type_of_digits(column.to_list())):
            found[name] = digits_type
    return found


def _type_of_digits(cells: list[Any]) -> str | None:
    """Return the type of a column of text, if most of its cells look like numbers."""
    present = [cell for cell in map(plain, cells) if cell is not None]
    if not present or not all(isinstance(cell, str) for cell in present):
        return None
    if 2 * sum(_NUMBER.fullmatch(text) is not None for text in present) < len(present):
        return None
    length = sum(map(len, present)) / len(present)
    return type_of_texts(len(present), len(set(present)), length).value


def _columns(frame: Any) -> list[Any]:
    """Return the columns by position: in pandas, two may have the same name."""
    if hasattr(frame, "iloc"):
        return [frame.iloc[:, i] for i in range(frame.shape[1])]
    columns: list[Any] = frame.get_columns()
    return columns


def _slice(frame: Any, start: int, end: int) -> Any:
    return (frame.iloc if hasattr(frame, "iloc") else frame)[start:end]


def _cell_reader(column: Any) -> Callable[[Any], Any]:
    """Return `plain`, or for datetimes a function with the same precision for all."""
    if not str(column.dtype).lower().startswith("datetime"):
        return plain
    found = column.dt.microsecond
    fraction = (found() if callable(found) else found).max()
    has_fractions = fraction is not None and fraction > 0
    timespec = "microseconds" if has_fractions else "seconds"

    def moment(cell: Any) -> str | None:
        return None if plain(cell) is None else cell.isoformat(timespec=timespec)

    return moment


def _written(cell: Any) -> Any:
    return ("false", "true")[cell] if isinstance(cell, bool) else cell
