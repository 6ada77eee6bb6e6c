"""Format a number for readers of the page, the command line and the report.

`docs/values.md` states the rule. `dashboard/static/modules/format.js` has the same rule;
a test compares both.
"""

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

_LEAST, _MOST = 1e-4, 1e15
"""The bounds of sizes that need no exponent. From 1e15 on, a float64 has no decimals."""
_DIGITS = 4
_PLAIN = 1_000
"""The least size at which decimals are dropped."""
_THOUSANDS = 10_000
"""The least size that gets marks between thousands; a year gets none."""

_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"))


def rows_text(number: int, which: str = "") -> str:
    """Return a number of rows with its noun: `1 row`, `1,000 common test rows`."""
    noun = "row" if number == 1 else "rows"
    return f"{number:,} {which} {noun}" if which else f"{number:,} {noun}"


def number_text(value: float) -> str:
    """Return a number as text: `0.1235`, `2013`, `206,855.82`, `1.5e20`."""
    if not math.isfinite(value):
        return str(value)
    exact, size = abs(Decimal(value)), abs(value)
    if size == 0:
        return "0"
    sign = "-" if value < 0 else ""
    if not _LEAST <= size < _MOST:
        digits, power = f"{_rounded(exact, exact.adjusted() - _DIGITS + 1):e}".split("e")
        return f"{sign}{_trimmed(digits)}e{int(power)}"
    return sign + _plain(exact)


def fixed_text(value: float, decimals: int) -> str:
    """Return a number with all its decimals: `0.90`; 1,000 and more as `number_text`."""
    size = abs(Decimal(value))
    if not math.isfinite(value) or size >= _PLAIN:
        return number_text(value)
    rounded = _rounded(size, -decimals)
    return f"{'-' if value < 0 and rounded else ''}{rounded:f}"


def _plain(size: Decimal) -> str:
    if size < _PLAIN:
        return _trimmed(f"{_rounded(size, size.adjusted() - _DIGITS + 1):f}")
    rounded = _rounded(size, -2 if size < 1_000_000 else 0)
    return _trimmed(f"{rounded:,f}" if rounded >= _THOUSANDS else f"{rounded:f}")


def _rounded(size: Decimal, power: int) -> Decimal:
    """Round to a multiple of a power of ten; a half is rounded up."""
    return size.quantize(Decimal(1).scaleb(power), rounding=ROUND_HALF_UP)


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def axis_texts(ticks: Sequence[float]) -> list[str]:
    """Return the texts of an axis, such as `0.5M` and `1M`.

    A unit is used if the ticks then have two decimals at most. The texts have all digits
    of the ticks, so that different ticks look different.
    """
    most = max(map(abs, ticks), default=0.0)
    if not _LEAST <= most < _MOST:
        return [_exponential(tick) for tick in ticks]
    for size, unit in _UNITS:
        if most >= size and all(_is_short(tick / size) for tick in ticks):
            return [_with_unit(tick, size, unit) for tick in ticks]
    return [_with_unit(tick, 1.0, "") for tick in ticks]


def _exponential(tick: float) -> str:
    if tick == 0:
        return "0"
    digits, power = f"{Decimal(repr(tick)):e}".split("e")
    return f"{_trimmed(digits)}e{int(power)}"


def _is_short(value: float) -> bool:
    return abs(value * 100 - round(value * 100)) < 1e-6


def _with_unit(tick: float, size: float, unit: str) -> str:
    if tick == 0:
        return "0"
    value = abs(tick) / size
    digits = f"{value:,.10f}" if value >= _THOUSANDS else f"{value:.10f}"
    return f"{'-' if tick < 0 else ''}{_trimmed(digits)}{unit}"
