"""Encode numbers and datetimes by the same formulas in NumPy, Keras and ONNX.

Values are float64 arrays, Keras tensors or ONNX nodes. They support operators, and `ops`
has `floor`, `sin`, `sqrt`, `log`, `abs`, `sign`, `clip` and `take` for them.
"""

import math
from collections.abc import Callable
from typing import Any

DAY = 86_400.0


def numeric(value: Any, constants: dict[str, Any], ops: Any) -> Any:
    """Scale raw numbers `[N, C]` column by column; missing ones are NaN.

    `constants` holds rows of C numbers: center, scale and, if a column needs them, log
    (1 or 0) and sharpness (1 / clip, or 0).
    """
    if "log" in constants:
        logarithm = ops.sign(value) * ops.log(ops.abs(value) + 1.0)
        value = value + (logarithm - value) * constants["log"]
    value = (value - constants["center"]) / constants["scale"]
    if "sharpness" in constants:
        bent = value * constants["sharpness"]
        value = value / ops.sqrt(bent * bent + 1.0)
    return value


def pieces(value: Any, known: Any, constants: dict[str, Any], ops: Any) -> Any:
    """Return scaled numbers `[N, C]` and the pieces between their knots, by column.

    `known` is 1.0 where there is a value and 0.0 where it is missing. For each output,
    `constants` holds the index of its column, the start of its piece, 1 / its width, and
    its least and greatest value (no bounds for the number itself).
    """
    place = constants["place"]
    value = ops.take(value, place)
    value = (value - constants["begin"]) * constants["slope"]
    value = ops.clip(value, constants["low"], constants["high"])
    return value * ops.take(known, place)


def _elapsed(seconds: Any, ops: Any) -> Any:  # noqa: ARG001  one shape for all parts
    return seconds / DAY


def _year(seconds: Any, ops: Any) -> Any:
    return _civil(seconds, ops)[0]


def _month(seconds: Any, ops: Any) -> Any:
    """Return the month, 0 for January."""
    return _civil(seconds, ops)[1] - 1.0


def _weekday(seconds: Any, ops: Any) -> Any:
    """Return the weekday, 0 for Monday; 1970-01-01 was a Thursday."""
    days = ops.floor(seconds / DAY) + 3.0
    return days - ops.floor(days / 7.0) * 7.0


def _hour(seconds: Any, ops: Any) -> Any:
    return (seconds - ops.floor(seconds / DAY) * DAY) / 3600.0


def _civil(seconds: Any, ops: Any) -> tuple[Any, Any]:
    """Return year and month (1 to 12) in the proleptic Gregorian calendar.

    The formula is from Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013.
    """
    days = ops.floor(seconds / DAY) + 719_468.0
    era = ops.floor(days / 146_097.0)
    day = days - era * 146_097.0
    leaps = ops.floor(day / 1_460.0) - ops.floor(day / 36_524.0)
    year = ops.floor((day - leaps + ops.floor(day / 146_096.0) * -1.0) / 365.0)
    gone = year * 365.0 + ops.floor(year / 4.0) - ops.floor(year / 100.0)
    month = ops.floor(((day - gone) * 5.0 + 2.0) / 153.0)  # 0 for March
    turned = ops.floor(month / 10.0)  # January and February are in the next year
    return year + era * 400.0 + turned, month + 3.0 - turned * 12.0


def _circle(
    part: Callable[[Any, Any], Any], period: float, turn: float
) -> Callable[[Any, Any], Any]:
    def place(seconds: Any, ops: Any) -> Any:
        return ops.sin(part(seconds, ops) * (2 * math.pi / period) + turn)

    return place


_QUARTER = math.pi / 2  # a cosine is a sine shifted by a quarter turn
PARTS: dict[str, Callable[[Any, Any], Any]] = {
    "elapsed": _elapsed,
    "year": _year,
    "month_sin": _circle(_month, 12, 0.0),
    "month_cos": _circle(_month, 12, _QUARTER),
    "weekday_sin": _circle(_weekday, 7, 0.0),
    "weekday_cos": _circle(_weekday, 7, _QUARTER),
    "hour_sin": _circle(_hour, 24, 0.0),
    "hour_cos": _circle(_hour, 24, _QUARTER),
}
"""The parts of a datetime, as functions of seconds since 1970 (UTC) `[N, 1]`."""
