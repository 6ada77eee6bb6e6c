"""Decide whether a table has a header, and name its columns."""

import re

from core.columns.cells import NULLS, composed
from core.columns.number_formats import number_pattern
from core.datasets.number_names import are_number_names

_NUMBER = re.compile(number_pattern(".", "").replace("\\.", "[.,]"))
_LOOK_AT = 200
_MOST_CATEGORIES = 20
_MOST_WARNINGS = 10_000
_SHOWN = 3
NO_NAME = "no name"


def has_header(table: list[list[str]], warnings: list[str]) -> bool:
    """Return whether the first row holds names; each column votes.

    A text above numbers votes for a header. A number votes against a header, unless the
    numbers are names, which adds a warning. A text above texts votes against a header if
    the text occurs again in a column of few categories.
    """
    if len(table) < 2:
        return True
    first, rest = table[0], table[1 : _LOOK_AT + 1]
    votes = [_vote(cell, _below(rest, i)) for i, cell in enumerate(first)]
    if any(vote > 0 for vote in votes) or not any(vote < 0 for vote in votes):
        return True
    if not are_number_names(first, rest):
        return False
    number = next(cell.strip() for cell in first if is_number(cell))
    warnings.append(
        f"the first line is read as names, although it holds numbers such as {number!r}; "
        "if it is a row of values, set `header` to false"
    )
    return True


def _below(rows: list[list[str]], place: int) -> list[str]:
    """Return the cells of a column that are not missing."""
    cells = (row[place].strip() for row in rows if place < len(row))
    return [cell for cell in cells if cell not in NULLS]


def _vote(cell: str, below: list[str]) -> int:
    cell = cell.strip()
    if not below or (cell in NULLS and cell):
        return 0
    numbers = sum(is_number(other) for other in below)
    if numbers >= 0.9 * len(below):
        if not cell:
            return 0
        return -1 if is_number(cell) else 1
    if is_number(cell):
        return -1
    few = len(set(below)) <= min(_MOST_CATEGORIES, len(below) // 2)
    return -1 if cell and few and cell in below else 0


def is_number(text: str) -> bool:
    """Return whether a cell is a number, with a point or a comma."""
    return _NUMBER.match(text.strip()) is not None


def column_names(
    table: list[list[str]], warnings: list[str], *, header: bool
) -> list[str]:
    """Return a unique name for every column; add a warning for each changed name."""
    width = max((len(row) for row in table[1:]), default=len(table[0]))
    if not header:
        warnings.append(
            "the first line holds values, so the columns are named column_1, "
            "column_2, …; if that is wrong, set `header`"
        )
        return [f"column_{i}" for i in range(1, len(table[0]) + 1)]
    names = [composed(name) for name in table[0]]
    if len(names) == width - 1 and _all_as_wide(table[1:], width):
        names = ["", *names]  # row names without a name, as R writes them
    names[0] = names[0].lstrip("#").strip() if names[0].startswith("#") else names[0]
    return _unlike(names, warnings)


def _all_as_wide(rows: list[list[str]], width: int) -> bool:
    # if every line ends with a delimiter, the first cells are not row names
    return all(len(row) == width and row[-1].strip() for row in rows)


def _unlike(names: list[str], warnings: list[str]) -> list[str]:
    taken = {name for name in names if name and _usable(name) == name}
    used: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        wanted = _usable(name) or f"column_{place}"
        if wanted in used or (wanted != name and wanted in taken):
            wanted = _free(wanted, taken, used)
        if name.strip() and wanted != name and len(used) < _MOST_WARNINGS:
            warnings.append(
                f"column {place} has the name {name!r}; it is renamed to {wanted!r}"
            )
        used.setdefault(wanted, 1)
    found = list(used)
    warnings += about_unnamed({i: found[i] for i, n in enumerate(names) if not n.strip()})
    return found


def about_unnamed(names: dict[int, str]) -> list[str]:
    """Return warnings of columns without a name, by place; one if they are many."""
    if len(names) <= _SHOWN:
        return [
            f"column {place + 1} has {NO_NAME}; it is renamed to {name!r}"
            for place, name in names.items()
        ]
    shown = ", ".join(repr(name) for name in list(names.values())[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more"
    return [f"{len(names):,} columns have {NO_NAME}; they are renamed to {shown}{more}"]


def _usable(name: str) -> str:
    name = name.strip()
    if name[:1] == "^" and name[-1:] == "$":
        name = name.strip("^$ ")  # polars would read ^…$ as a pattern of names
    return "" if name == "*" else name  # polars would read * as every column


def _free(name: str, taken: set[str], used: dict[str, int]) -> str:
    """Return the name with the next number; `used` holds the last number of each."""
    number = used.get(name, 1) + 1
    while f"{name}_{number}" in taken or f"{name}_{number}" in used:
        number += 1
    if name in used:
        used[name] = number
    return f"{name}_{number}"
