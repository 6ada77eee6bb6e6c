"""Convert rows and frames to the bodies of predict requests."""

from collections.abc import Iterable, Iterator
from typing import Any

from fitserve.client.cells import plain
from fitserve.client.frames import is_frame, names_of, slices

Table = dict[str, Any]
"""The part of a predict body that holds rows: `instances`, or `columns` and `data`."""


def batches(rows: Any, size: int) -> Iterator[Table]:
    """Yield rows, an array or a frame as one or more bodies of at most `size` rows."""
    if is_frame(rows):
        names = names_of(rows)
        yield from ({"columns": names, "data": part} for part in slices(rows, size))
        return
    if hasattr(rows, "items"):
        rows = [rows]  # one row, by name
    instances = [_row(row) for row in rows]
    for start in range(0, max(1, len(instances)), size):
        yield {"instances": instances[start : start + size]}


def _row(row: Any) -> Any:
    if hasattr(row, "items"):  # a dict, or a Series of pandas
        return {str(name): plain(cell) for name, cell in row.items()}
    if isinstance(row, Iterable) and not isinstance(row, str | bytes):
        return [plain(cell) for cell in row]
    return plain(row)  # not a row; the service refuses it
