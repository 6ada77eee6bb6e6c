"""Format a number for a reader: the rule of the page, the command line and the report.

`docs/values.md` states the rule. `dashboard/static/modules/format.js` has the same rule;
a test compares both.
"""

import math
from decimal import ROUND_HALF_UP, Decimal

_LEAST, _MOST = 1e-4, 1e15
"""The sizes without an exponent; above, a float64 cannot represent every integer."""
_DIGITS = 4
_THOUSANDS = 10_000
"""The least size with marks between thousands: a year has none."""


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


def _plain(size: Decimal) -> str:
    if size < 1_000:
        return _trimmed(f"{_rounded(size, size.adjusted() - _DIGITS + 1):f}")
    rounded = _rounded(size, -2 if size < 1_000_000 else 0)
    return _trimmed(f"{rounded:,f}" if rounded >= _THOUSANDS else f"{rounded:f}")


def _rounded(size: Decimal, power: int) -> Decimal:
    """Round to a multiple of a power of ten; a half is rounded up."""
    return size.quantize(Decimal(1).scaleb(power), rounding=ROUND_HALF_UP)


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
