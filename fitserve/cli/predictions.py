"""Predictions beside as much of their rows as a terminal has room for."""

import re
from typing import Any

from rich.cells import cell_len

from fitserve.cli.console import cell, print_table, say, table_width
from fitserve.cli.rows import Row
from fitserve.schemas.predict import PredictResponse

_SHOWN = 20
_GAP = 2  # between two columns of a table
_ID = re.compile(r"(?:^|[\W_])(?:id|key|uuid|name|code)$|[a-z]I[dD]$", re.IGNORECASE)
Columns = dict[str, list[str]]


def show(table: list[Row], answer: PredictResponse) -> None:
    """The first rows; what is left out is counted."""
    own = {name: [cell(row[name]) for row in table[:_SHOWN]] for name in table[0]}
    added = {
        name: [cell(value) for value in values[:_SHOWN]]
        for name, values in answer.table().items()
    }
    found = [*own.items(), *added.items()]
    kept = _fitting([*own], [*added], [_width(*column) for column in found])
    shown = [found[i] for i in kept]
    rows: list[tuple[Any, ...]] = list(zip(*(values for _, values in shown), strict=True))
    print_table([name for name, _ in shown], rows)
    more = _left_out(len(table) - _SHOWN, len(found) - len(kept))
    say(f"{answer.model_name}, version {answer.model_version}{more}")


def _width(name: str, values: list[str]) -> int:
    return max(map(cell_len, (name, *values)))


def _fitting(own: list[str], added: list[str], widths: list[int]) -> list[int]:
    """Which columns there is room for, in their order: the prediction at least."""
    first = len(own)
    named = [i for i, name in enumerate(own) if _ID.search(name)]
    wanted = [first, *named, *range(first + 1, first + len(added)), *range(first)]
    kept: set[int] = set()
    room = table_width() + _GAP
    for i in dict.fromkeys(wanted):
        if i == first or widths[i] + _GAP <= room:
            kept.add(i)
            room -= widths[i] + _GAP
    return sorted(kept)


def _left_out(num_rows: int, num_columns: int) -> str:
    counts = ((num_rows, "row"), (num_columns, "column"))
    told = [f"{n:,} more {noun}{'s' * (n > 1)}" for n, noun in counts if n > 0]
    return f"; {' and '.join(told)} with --output FILE" if told else ""
