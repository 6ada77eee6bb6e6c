"""Recognise lines of units, or second lines of names, between names and values."""

import re

from core.columns.cells import NULLS
from core.datasets.header import is_number

_MOST_LINES = 2
_LEAST_ROWS = 3
_LOOK_AT = 200
_MOSTLY = 0.9
_LEAST_WORDS = 2
_UNIT = re.compile(
    r"[\[(].*[\])]|(?:1/)?(?:[%‰°$€£¥]|°[CFK]"
    r"|[kKmMµuncdGTh]?(?:m|g|s|l|L|W|Wh|V|A|Hz|J|Pa|N|mol|K|bar|bit|B)(?:[²³23])?"
    r"|(?:m|km|mi)/(?:s|h)|mph|kn|[A-Z]{3}|ft|in|lbs?|oz|t|ha|min|sec|hours?|h|d|days?"
    r"|years?|yr|deg|rad|ppm|psi)"
)
Row = list[str]


def num_unit_lines(table: list[Row]) -> int:
    """Return how many lines below the names hold units or further names.

    Such a line has words above columns of numbers, and no number above any of them.
    """
    lines = 0
    while lines < _MOST_LINES and _is_unit_line(table[lines + 1 :]):
        lines += 1
    return lines if lines and _holds_numbers(table[lines + 1 :]) else 0


def _is_unit_line(rows: list[Row]) -> bool:
    """Return whether the first row has units, or names, of the columns below it."""
    if len(rows) <= _LEAST_ROWS:
        return False
    first = [cell.strip() for cell in rows[0]]
    columns = [_column(rows[1 : _LOOK_AT + 1], i) for i in range(len(first))]
    pairs = list(zip(first, columns, strict=True))
    if any(cell and (is_number(cell) or cell in below) for cell, below in pairs):
        return False
    words = [cell for cell, below in pairs if cell and _are_numbers(below)]
    return all(cell not in NULLS for cell in words) and _are_units(words)


def _are_units(words: list[str]) -> bool:
    """Return whether words above numbers are units or names, rather than odd cells."""
    if words and all(_UNIT.fullmatch(word) for word in words):
        return True
    differ = len(set(words)) >= _LEAST_WORDS
    return differ and all(word[0].isalpha() or _UNIT.fullmatch(word) for word in words)


def _column(rows: list[Row], place: int) -> list[str]:
    cells = (row[place].strip() for row in rows if place < len(row))
    return [cell for cell in cells if cell not in NULLS]


def _are_numbers(cells: list[str]) -> bool:
    return bool(cells) and sum(map(is_number, cells)) >= _MOSTLY * len(cells)


def _holds_numbers(rows: list[Row]) -> bool:
    return any(is_number(cell) for cell in rows[0]) if rows else False
