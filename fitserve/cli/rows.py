"""Rows of a CSV to be predicted: what is said of one is said of its line."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fitserve.cli.refusals import MOST_SHOWN
from fitserve.client.errors import headline
from fitserve.problems import FieldError, Problem

_BREAK = re.compile(r"\r\n|\r|\n")
_SAID = re.compile(r"^row \d+", re.IGNORECASE)
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

    def refused(self, problem: Problem) -> str:
        """A refusal, its faults told by the lines that they come from."""
        faults = [_fault(error, self) for error in problem.errors]
        more = len(faults) - MOST_SHOWN
        shown = [f"  {fault}" for fault in dict.fromkeys(faults[:MOST_SHOWN])]
        rest = [f"  {more} more"] if more > 0 else []
        return "\n".join([headline(problem), *shown, *rest])


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


def _fault(error: FieldError, rows: Rows) -> str:
    hint = f" ({error.hint})" if error.hint else ""
    if error.row is None:
        return f"{rows.path}: {error.detail}{hint}"
    place = f"{rows.path}, {rows.place(error.row)}"
    said, count = _SAID.subn(lambda _: place, error.detail, count=1)
    return (said if count else f"{place}: {error.detail}") + hint
