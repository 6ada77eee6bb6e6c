"""Convert one Python value to a cell, for an upload or a prediction."""

import datetime as dt
import math
from decimal import Decimal
from typing import Any

_MISSING = frozenset({"NaTType", "NAType"})  # pandas's
_NATIVE = frozenset({str, int, bool, type(None)})


def plain(cell: Any) -> Any:
    """Return a value as a JSON cell: text, a number, a boolean, or None if missing.

    A NumPy scalar becomes a Python value, a datetime a text in ISO 8601, a duration its
    seconds, and an infinite number the text `inf`, which the service can read. Any other
    value that JSON cannot represent becomes text. The CSV of a frame has the same values.
    """
    if type(cell) in _NATIVE:
        return cell
    if type(cell).__name__ in _MISSING:
        return None
    if type(cell).__module__ == "numpy":
        return _of_numpy(cell)
    if isinstance(cell, float | Decimal):
        return _number(float(cell))
    if isinstance(cell, dt.timedelta):
        return cell.total_seconds()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, bytes | bytearray):
        return cell.decode(errors="replace")
    return cell if isinstance(cell, str | int) else str(cell)


def _number(number: float) -> float | str | None:
    if math.isnan(number):
        return None
    return number if math.isfinite(number) else str(number)


def _of_numpy(cell: Any) -> Any:
    kind = cell.dtype.kind
    if cell.shape:
        return str(cell.tolist())
    if kind in "mM" and str(cell) == "NaT":
        return None
    if kind == "M":
        return str(cell)
    if kind == "m":
        return plain(cell.astype("timedelta64[us]").item())
    value = cell.item()
    return str(value) if type(value) is type(cell) else plain(value)
