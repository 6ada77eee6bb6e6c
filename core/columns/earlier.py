"""Reading 1: the rules by which models of release 0.1.0 read cells.

Release 0.1.0 applied a type in a spec to the values that the upload had parsed: the codes
`01` and `1` became the number 1, and then the category `1`. The predictions of its models
must not change. Later models read the original text (reading 2).
"""

from __future__ import annotations

import math
import re
from typing import Any

from core.columns.boolean import FALSE, TRUE, Boolean
from core.columns.categorical import Categorical, Text
from core.columns.number_formats import parse_number
from core.columns.numeric import Numeric
from core.lazy import pl
from fitserve.schemas.datasets import ColumnFormat

_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


def _number(text: str, form: ColumnFormat) -> float | None:
    return math.inf if _INFINITE.fullmatch(text) else parse_number(text, form)


class EarlierNumeric(Numeric):
    """Numbers; words such as `inf` are read in upper and lower case."""

    def parse_cell(self, text: str, form: ColumnFormat) -> float | None:
        """Return the number in a text; None if the text is not a number."""
        return _number(text, form)


class EarlierBoolean(Boolean):
    """Booleans that accept any number and use its value."""

    def parse_cell(self, text: str, form: ColumnFormat) -> float | None:
        """Return 1 or 0 for a word, and the value of a number."""
        low = text.lower()
        return float(low in TRUE) if low in TRUE + FALSE else _number(text, form)


class EarlierCategorical(Categorical):
    """Categories made of parsed values; a whole number has no decimal point."""

    def raw(self, column: pl.Series) -> pl.Series:
        """Return the values of a stored column as text."""
        if column.dtype.is_float() and (column.is_null() | (column % 1 == 0)).all():
            column = column.cast(pl.Int64)
        if column.dtype.is_temporal():
            column = column.dt.to_string("iso:strict")
        return column.cast(pl.String)

    def parse_cell(self, text: str, form: ColumnFormat) -> str:
        """Return the text unchanged."""
        return text

    def spellings(self, cell: Any) -> tuple[str, ...]:
        """Return the only text that a JSON cell stands for."""
        if isinstance(cell, bool):
            return (str(cell).lower(),)
        if not isinstance(cell, int | float):
            return ()
        is_whole = isinstance(cell, float) and cell.is_integer()
        return (str(int(cell)) if is_whole else str(cell),)


class EarlierText(EarlierCategorical, Text):
    """Texts, read by the same rules as categories."""
