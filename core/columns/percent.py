"""Read `12.5%` as 0.125 if the user says that percentages are fractions."""

from __future__ import annotations

from core.lazy import pl
from fitserve.schemas.datasets import ColumnFormat

_PERCENT, _PERMILLE = "%", "‰"


def column_of_fractions(numbers: pl.Expr, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return numbers, divided by 100 where the cell has a percent sign."""
    if form.percent == "number":
        return numbers
    return (
        pl.when(text.str.contains(_PERCENT, literal=True))
        .then(numbers / 100)
        .when(text.str.contains(_PERMILLE, literal=True))
        .then(numbers / 1000)
        .otherwise(numbers)
    )


def fraction(number: float, text: str, form: ColumnFormat) -> float:
    """Return the number of one cell, divided by 100 if the cell has a percent sign."""
    if form.percent == "number":
        return number
    return number / (100 if _PERCENT in text else 1000 if _PERMILLE in text else 1)
