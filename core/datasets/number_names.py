"""Decide whether whole numbers in a first row are names, as pandas writes them."""

import re
from dataclasses import dataclass

from core.columns.cells import NULLS

_WHOLE = re.compile(r"0|[1-9][0-9]{0,3}")
_NUMBER = re.compile(r"[+-]?[0-9.,]*[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?")
_YEAR = re.compile(r"(?:1[89]|20|21)[0-9]{2}")
_MOSTLY = 0.9
_LEAST_ROWS = 3
_LEAST_NAMES = 3
_LEAST_BARE_NAMES = 5


@dataclass(frozen=True)
class _Head:
    """The first row, split into numbers and words, each with the cells below it."""

    numbers: list[str]
    below_numbers: list[list[str]]
    words: list[str]
    below_words: list[list[str]]
    has_index: bool
    """Whether the first cell is empty, above a column in which each cell differs."""

    @property
    def is_range(self) -> bool:
        """Return whether the numbers count from 0 or from 1."""
        first = int(self.numbers[0])
        counted = [str(first + i) for i in range(len(self.numbers))]
        return first in (0, 1) and counted == self.numbers

    @property
    def is_labelled(self) -> bool:
        """Return whether a column of words or of an index stands next to the numbers."""
        return bool(self.words) or self.has_index


def are_number_names(first: list[str], rest: list[list[str]]) -> bool:
    """Return whether the first row has names, some or all of which are whole numbers.

    The numbers must differ in kind from those below: years above other numbers, a count
    from 0 or 1 that no other row has, or numbers above words. Words next to them must
    differ from all words below.
    """
    head = _head(first, rest)
    if head is None or len(rest) < _LEAST_ROWS:
        return False
    if head.has_index and not head.words:
        return True
    if all(not any(map(_is_plain_number, cells)) for cells in head.below_numbers):
        return head.is_range or _are_years(head.numbers)
    if _are_years(head.numbers):
        return _are_years_above_others(head)
    return head.is_range and _is_count(head)


def _head(first: list[str], rest: list[list[str]]) -> _Head | None:
    """Return the parts of the first row; None if a cell of it cannot be a name."""
    cells = [cell.strip() for cell in first]
    columns = [_column(rest, i) for i in range(len(cells))]
    has_index = cells[:1] == [""] and _is_index(columns[0], len(rest))
    named = [i for i, cell in enumerate(cells) if cell]
    numbers = [i for i in named if _is_plain_number(cells[i])]
    words = [i for i in named if i not in numbers]
    differ = len({cells[i] for i in named}) == len(named)
    if not numbers or not differ or any(cells[i] in columns[i] for i in words):
        return None
    if not all(_WHOLE.fullmatch(cells[i]) for i in numbers):
        return None
    if any(cells[i] in NULLS for i in words):
        return None
    return _Head(
        [cells[i] for i in numbers],
        [columns[i] for i in numbers],
        [cells[i] for i in words],
        [columns[i] for i in words],
        has_index,
    )


def _column(rows: list[list[str]], place: int) -> list[str]:
    cells = (row[place].strip() for row in rows if place < len(row))
    return [cell for cell in cells if cell not in NULLS]


def _is_index(cells: list[str], num_rows: int) -> bool:
    return len(cells) == num_rows and len(set(cells)) == num_rows


def _is_plain_number(text: str) -> bool:
    return (
        re.fullmatch(r"[+-]?[0-9.,]*[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?", text) is not None
    )


def _are_years(texts: list[str]) -> bool:
    return all(_YEAR.fullmatch(text) for text in texts)


def _are_years_above_others(head: _Head) -> bool:
    cells = [cell for cells in head.below_numbers for cell in cells]
    years = sum(_YEAR.fullmatch(cell) is not None for cell in cells)
    if years > len(cells) // 2:
        return False
    rising = head.numbers == sorted(head.numbers)
    enough = len(head.numbers) >= _LEAST_NAMES or _have_fractions(head)
    return head.is_labelled or (rising and enough)


def _is_count(head: _Head) -> bool:
    """Return whether only the first row counts from 0 or 1, and its words are names."""
    num_names = len(head.numbers)
    if num_names >= _LEAST_NAMES:
        rows = zip(*head.below_numbers, strict=False)
        if any(_counts(row) for row in rows):
            return False
        enough = num_names >= _LEAST_BARE_NAMES or _have_fractions(head)
        return head.is_labelled or enough
    return bool(head.words) and all(map(_differs, head.words, head.below_words))


def _counts(cells: tuple[str, ...]) -> bool:
    if not all(_WHOLE.fullmatch(cell) for cell in cells):
        return False
    values = [int(cell) for cell in cells]
    return values == list(range(values[0], values[0] + len(values)))


def _have_fractions(head: _Head) -> bool:
    cells = [cell for cells in head.below_numbers for cell in cells]
    return sum("." in cell or "," in cell for cell in cells) >= _MOSTLY * len(cells)


def _differs(name: str, below: list[str]) -> bool:
    """Return whether all cells below a word have capitals or digits, and it has none."""
    has_capitals = name != name.lower()
    has_digits = re.search(r"\d", name) is not None
    capitals = all(cell != cell.lower() for cell in below) and not has_capitals
    digits = all(re.search(r"\d", cell) for cell in below) and not has_digits
    return capitals or digits
