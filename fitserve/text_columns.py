"""Decide whether a column of text holds categories, by counts over all rows."""

from fitserve.enums import ColumnType

_LONG = 100
"""A column whose cells are longer on average is text."""


def type_of_texts(present: int, unique: int, length: float | None) -> ColumnType:
    """Return categorical or text, by counts over all rows and the mean length of a cell.

    A column without a value counts as numeric.
    """
    if not present:
        return ColumnType.NUMERIC
    own_value_each = unique == present and present > 10
    few = unique <= max(20, present // 2)
    short = (length or 0) <= _LONG
    is_category = few and short and not own_value_each
    return ColumnType.CATEGORICAL if is_category else ColumnType.TEXT
