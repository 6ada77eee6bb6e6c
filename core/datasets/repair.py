"""Repair a CSV that polars cannot read."""

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.datasets.dialect import Layout
from core.datasets.marks import ESCAPE
from core.errors import InvalidTable
from fitserve.csv_marks import Marks

_END = "\x1fend"  # no CSV has a row of this cell


@dataclass(frozen=True)
class Way:
    """A way to read lines that are not valid CSV, and a warning that describes it."""

    warning: str
    marks: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


_ESCAPES = Way("a backslash is read as the escape of a quote", {"escape": ESCAPE})
_WAYS = (
    Way("unmatched quotes are read as Python's csv.reader reads them"),
    _ESCAPES,
    Way("blanks before quotes are left out", {"skip_blanks": True}),
    Way("quotes are read as plain characters", options={"quoting": csv.QUOTE_NONE}),
)


def repair(source: Path, layout: Layout, target: Path, why: str) -> list[str]:
    """Write the table again without harmless faults; return warnings about the repair.

    Harmless faults are empty cells after the last column, and unusual quotes and blanks.
    Raises InvalidTable with the line of a fault that cannot be repaired.
    """
    fault = find_fault(source, layout)
    if fault is None:
        _rewrite(source, layout, target, Way(""))
        return []
    # a quote that is never closed cannot be repaired
    ways = [] if "unexpected end" in fault else _WAYS
    for way in ways:
        if _is_even(source, layout, way):
            _rewrite(source, layout, target, way)
            return [f"{way.warning}: the file is not valid CSV ({fault.rstrip('.')})"]
    raise InvalidTable(f"The CSV cannot be read. {fault or why.splitlines()[0]}")


def find_fault(source: Path, layout: Layout) -> str | None:
    """Return a message about the first line that is not as wide as the table, or None."""
    with source.open(encoding="utf-8", newline="") as file:
        reader = _reader(file, layout, Way(""), strict=True)
        first = 1
        try:
            for cells in reader:
                first = reader.line_num + 1
                if reader.line_num > layout.num_lines and _is_odd(cells, layout):
                    return _told(reader.line_num, cells, layout)
        except csv.Error as error:
            begun = f" The row begins in line {first}: a quote there may never be closed."
            where = begun if first < reader.line_num else ""
            return f"Line {reader.line_num} cannot be read as CSV: {error}.{where}"
    return None


def without_runs(source: Path, target: Path) -> None:
    """Write the lines with one blank between columns, instead of one or more."""
    with (
        source.open(encoding="utf-8") as file,
        target.open("w", encoding="utf-8", newline="\n") as plain,
    ):
        plain.writelines(" ".join(line.split()) + "\n" for line in file)


def write_valid(source: Path, layout: Layout, target: Path) -> None:
    """Write the lines with doubled quotes, instead of escapes and blanks before quotes.

    The number of each line stays. Raises InvalidTable if a quote is never closed.
    """
    with (
        source.open(encoding="utf-8", newline="") as file,
        target.open("w", encoding="utf-8", newline="") as plain,
    ):
        reader = layout.marks.reader(itertools.chain(file, [_END]))
        writer = csv.writer(
            plain,
            delimiter=layout.delimiter,
            quotechar=layout.quote,
            lineterminator="\n",
        )
        row, lines = [""], [0, 0]  # the last lines of the rows before
        for following in reader:
            if lines[-1]:
                writer.writerow(row)
            row, lines = following, [lines[-1], reader.line_num]
    if row != [_END]:
        raise InvalidTable(
            f"The CSV cannot be read. Line {lines[0] + 1} opens a quote that is never "
            "closed."
        )
    if layout.escape:
        layout.warnings.append(_ESCAPES.warning)


def _reader(file: Any, layout: Layout, way: Way, *, strict: bool = False) -> Any:
    marks = replace(Marks(layout.delimiter, layout.quote), **way.marks)
    return marks.reader(file, strict=strict, **way.options)


def _is_odd(cells: list[str], layout: Layout) -> bool:
    if len(cells) < len(layout.names):
        return any(cell.strip() for cell in cells)
    return any(cell.strip() for cell in cells[len(layout.names) :])


def _told(line: int, cells: list[str], layout: Layout) -> str:
    mark = {"\t": "tabs", ",": "commas", ";": "semicolons"}.get(layout.delimiter)
    return (
        f"Line {line} has {len(cells)} cells; expected {len(layout.names)}, one for each "
        f"column. Quote cells that contain {mark or repr(layout.delimiter)}, and keep "
        "the delimiters of empty cells."
    )


def _is_even(source: Path, layout: Layout, way: Way) -> bool:
    """Return whether every line is one row that is as wide as the table."""
    with source.open(encoding="utf-8", newline="") as file:
        reader, lines = _reader(file, layout, way), 0
        for cells in reader:
            is_one_line = reader.line_num == lines + 1
            lines = reader.line_num
            if lines > layout.num_lines and (not is_one_line or _is_odd(cells, layout)):
                return False
    return True


def _rewrite(source: Path, layout: Layout, target: Path, way: Way) -> None:
    with (
        source.open(encoding="utf-8", newline="") as file,
        target.open("w", encoding="utf-8", newline="") as plain,
    ):
        reader = _reader(file, layout, way)
        csv.writer(plain, lineterminator="\n").writerows(_rows(reader, layout))


def _rows(reader: Any, layout: Layout) -> Iterator[list[str]]:
    width = len(layout.names)
    for cells in reader:
        if reader.line_num > layout.num_lines and any(cells):
            yield cells[:width]
