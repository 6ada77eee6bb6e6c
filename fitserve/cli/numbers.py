"""Numbers to look at."""

import math

_MOST = 1e15  # beyond it a float64 does not hold every whole number
_LEAST = 1e-4


def number(value: float) -> str:
    """A number, plain from 0.0001 up to 1e15.

    Four significant digits are enough below a thousand, two decimals below a million,
    and none above.
    """
    size = abs(value)
    if not math.isfinite(value) or not _LEAST <= size < _MOST or size < 1e3:
        return f"{value:.4g}"
    return f"{value:.0f}" if size >= 1e6 else f"{value:.2f}".rstrip("0").rstrip(".")
