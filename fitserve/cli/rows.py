"""Rows of a CSV to be predicted: what is said of one is said of its line."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fitserve.client import ApiError
from fitserve.client.errors import headline
from fitserve.problems import FieldError, Problem

_BREAK = re.compile(r"\r\n|\r|\n")
_SAID = re.compile(r"^row \d+", re.IGNORECASE)
_MOST_SHOWN = 10
Row = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """The cells of a file by column, and the line that each row begins at."""

    path: Path
    cells: list[Row]
    lines: list[int]

    @classmethod
    def read(cls, path: Path) -> "Rows":
        """The file; ValueError where it has no rows, or rows unlike its header."""
        found = list(_read(path))
        if not found:
            raise ValueError(f"{path} has no rows")
        return cls(path, [row for _, row in found], [line for line, _ in found])

    def place(self, row: int) -> str:
        """Where a row stands, as editors count."""
        return f"line {self.lines[row]}" if row < len(self.lines) else f"row {row}"


def _read(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        header = reader.fieldnames or []
        if len(set(header)) < len(header):
            raise ValueError(f"{path} has two columns of one name")
        for row in reader:
            # csv's ways to say too many cells, and too few
            if None in row or None in row.values():
                raise ValueError(
                    f"line {reader.line_num} of {path} has not the {len(header)} cells "
                    "of its header"
                )
            breaks = sum(len(_BREAK.findall(cell)) for cell in row.values())
            yield reader.line_num - breaks, row


class RefusedRows(ApiError):
    """A refusal whose faults are told by the lines of the file that they come from."""

    def __init__(self, problem: Problem, rows: Rows) -> None:
        super().__init__(problem)
        faults = [_fault(error, rows) for error in problem.errors]
        more = len(faults) - _MOST_SHOWN
        shown = [f"  {fault}" for fault in dict.fromkeys(faults[:_MOST_SHOWN])]
        rest = [f"  {more} more"] if more > 0 else []
        self._shown = "\n".join([headline(problem), *shown, *rest])

    def __str__(self) -> str:
        return self._shown


def _fault(error: FieldError, rows: Rows) -> str:
    hint = f" ({error.hint})" if error.hint else ""
    if error.row is None:
        return f"{rows.path}: {error.detail}{hint}"
    place = f"{rows.path}, {rows.place(error.row)}"
    said, count = _SAID.subn(lambda _: place, error.detail, count=1)
    return (said if count else f"{place}: {error.detail}") + hint


@contextmanager
def by_line(rows: Rows) -> Iterator[None]:
    """Refusals that name rows come out as RefusedRows."""
    try:
        yield
    except ApiError as error:
        if not error.problem.errors:
            raise
        raise RefusedRows(error.problem, rows) from error
