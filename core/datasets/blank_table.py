"""Recognise tables whose columns are separated by blanks, one or more, or tabs."""

import re
from collections import Counter

from core.columns.cells import NULLS
from core.datasets.header import is_number

_TOKEN = re.compile(r'"[^"]*"|\S+')
_MOSTLY = 0.9
_LEAST_NUMBERS = 2
_LEAST_ROWS = 3
Row = list[str]


def is_blank_table(text: str) -> bool:
    """Return whether blanks separate the columns of a table, rather than words.

    Every line has the same number of words; or most lines have it, and there is a column
    of numbers below a line of names or a title.
    """
    rows = _rows(text)
    width, count = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
    if width < 2:
        return False
    if count == len(rows):
        return True
    body = [row for row in rows[1:] if len(row) == width]
    if len(body) < _MOSTLY * len(rows[1:]):
        return False
    numbers = _number_columns(body, width)
    if len(rows[0]) == width - 1:
        return numbers > 0 and _are_row_names([row[0] for row in body], width)
    return numbers >= _LEAST_NUMBERS


def splits_numbers(text: str, delimiter: str) -> bool:
    """Return whether the delimiter leaves several numbers in one cell in all rows.

    Then blanks separate the columns, and the delimiter is one more blank (a tab before a
    name) or a decimal mark.
    """
    rows = _rows(text)
    if delimiter not in "\t," or len(rows) < _LEAST_ROWS:
        return False
    if len({len(row) for row in rows}) != 1:
        return False
    lines = [line.split(delimiter) for line in text.splitlines() if line.strip()]
    columns = zip(*lines, strict=False)
    return any(all(_are_numbers(cell) for cell in cells[1:]) for cells in columns)


def _rows(text: str) -> list[Row]:
    lines = (line for line in text.splitlines() if line.strip())
    return [_TOKEN.findall(line) for line in lines if line.lstrip()[0] not in "#%"]


def _are_numbers(cell: str) -> bool:
    words = cell.split()
    return len(words) > 1 and all(map(_is_value, words)) and any(map(is_number, words))


def _is_value(word: str) -> bool:
    return is_number(word) or word in NULLS


def _number_columns(rows: list[Row], width: int) -> int:
    """Return how many columns hold numbers."""
    counts = (sum(_is_value(row[i]) for row in rows) for i in range(width))
    return sum(count >= _MOSTLY * len(rows) for count in counts)


def _are_row_names(names: list[str], width: int) -> bool:
    """Return whether the first cells may be row names, which R writes without a head."""
    if len(set(names)) < len(names):
        return False
    return width > 2 or all(name[0] == '"' or is_number(name) for name in names)
