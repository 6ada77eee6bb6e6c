"""Find the layout of a CSV: delimiter, quotes, and the line where the table begins."""

import csv
import io
import itertools
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from core.columns.base import Hints
from core.columns.cells import composed
from core.datasets.header import (
    column_names,
    has_header,
    is_number,
)
from core.datasets.marks import blanks_before_quote, find_marks
from core.datasets.unit_lines import num_unit_lines
from core.errors import InvalidTable
from fitserve.csv_marks import Marks
from fitserve.specs.parsing import ParsingSpec

_SAMPLE_CHARS = 1024 * 1024
_SAMPLE_ROWS = 1_000
_MOST_PREAMBLE = 30
_MOST_NOTES = 8


@dataclass
class Layout:
    """The position of the table in the file, and the names of its columns."""

    delimiter: str
    quote: str
    escape: str | None = None
    """The character that escapes a quote; see Marks."""
    skip_blanks: bool = False
    """Whether blanks between a delimiter and a quote are left out; see Marks."""
    is_valid: bool = True
    """Whether the values can be read without regard to the two options above."""
    names: list[str] = field(default_factory=list)
    header: bool = True
    num_skipped: int = 0
    """Lines above the header."""
    num_units: int = 0
    """Rows of units, or of further names, between the header and the values."""
    num_lines: int = 0
    """Lines above the first row of values."""
    has_given_names: bool = False
    """Whether the file has no names, and the columns those of an earlier version."""
    made_up: set[str] = field(default_factory=set)
    """Columns whose names are not in the file."""
    warnings: list[str] = field(default_factory=list)

    @property
    def marks(self) -> Marks:
        """Return the characters around the cells."""
        return Marks(self.delimiter, self.quote, self.escape, self.skip_blanks)

    def parsing(self) -> dict[str, Any]:
        """Return the layout for the user, and to read the same file in it again."""
        names = {"names": self.names} if self.has_given_names else {}
        return {
            "delimiter": self.delimiter,
            "quote": self.quote,
            "escape": self.escape,
            "skip_blanks": self.skip_blanks,
            "header": self.header,
            "skipped_lines": self.num_skipped,
            "unit_lines": self.num_units,
            **names,
        }

    def hints(self, decimal: Literal[".", ","] | None) -> Hints:
        """Return hints for the columns: the delimiter `;` suggests decimal commas."""
        return Hints(decimal=decimal, comma_first=self.delimiter == ";")


@dataclass(frozen=True)
class Record:
    """The cells of a row, and the number (1-based) of the last line of the row."""

    line: int
    cells: list[str]


def find_layout(
    source: Path,
    given: ParsingSpec,
    known: dict[str, Any] | None = None,
    names: frozenset[str] = frozenset(),
) -> Layout:
    """Return the layout of a CSV in UTF-8; raise InvalidTable if there is no table.

    `known` is the layout that an upload reported (`Layout.parsing`); earlier releases
    reported fewer keys, and read files without the options that these keys stand for.
    A first line with one of `names` is a header.
    """
    sample = _sample(source)
    if not sample.strip():
        raise InvalidTable("The file is empty; expected a CSV with a header line.")
    marks = Marks.of(known) if known else find_marks(sample, given.delimiter)
    layout = Layout(marks.delimiter, marks.quote, marks.escape, marks.skip_blanks)
    records = _below_titles(_records(sample, layout), layout, known)
    header = known["header"] if known else given.header
    if header is None and not names.isdisjoint(map(composed, records[0].cells)):
        header = True
    _find_header(records, layout, header)
    if layout.header and known is None:
        layout.num_units = num_unit_lines([record.cells for record in records])
    elif layout.header and known:
        layout.num_units = known.get("unit_lines", 0)
    _name_columns(records, layout)
    if known and "names" in known:
        layout.names, layout.has_given_names = known["names"], True
    layout.is_valid = _is_valid(sample, layout)
    return layout


def _below_titles(
    records: list[Record], layout: Layout, known: dict[str, Any] | None
) -> list[Record]:
    """Return the records of the table; add a warning for lines above it."""
    if known is None:
        start = _start(records)
    else:
        start = sum(record.line <= known["skipped_lines"] for record in records)
    layout.num_skipped = records[start - 1].line if start else 0
    if start:
        shown = records[0].cells[0].strip()[:60]
        layout.warnings.append(
            f"{layout.num_skipped} line(s) above the table are skipped; "
            f"the first one is {shown!r}"
        )
    return records[start:]


def _find_header(records: list[Record], layout: Layout, given: bool | None) -> None:
    table = [record.cells for record in records]
    layout.header = has_header(table, layout.warnings) if given is None else given


def _name_columns(records: list[Record], layout: Layout) -> None:
    """Set the names of the columns, and the number of lines above the values."""
    above = int(layout.header) + layout.num_units
    layout.num_lines = records[above - 1].line if above else layout.num_skipped
    names, *rows = [record.cells for record in records]
    if layout.num_units:
        names = _named_by_units(names, records[1:above], layout.warnings)
        rows = rows[layout.num_units :]
    layout.names = column_names([names, *rows], layout.warnings, header=layout.header)
    if layout.header:
        layout.made_up = set(layout.names).difference(map(composed, names))


def _named_by_units(
    names: list[str], units: list[Record], warnings: list[str]
) -> list[str]:
    """Return the names, each empty one replaced by the first word below it."""
    for record in units:
        words = [cell.strip() for cell in record.cells if cell.strip()]
        shown = ", ".join(repr(word[:40]) for word in words[:5])
        warnings.append(
            f"line {record.line} ({shown}) is skipped, because it has words above "
            "columns of numbers, like a line of units or a second line of names; correct "
            "its cells if it is a row of values"
        )
        more = [*record.cells, *[""] * len(names)]
        names = [name if name.strip() else more[i] for i, name in enumerate(names)]
    return names


def _is_valid(sample: str, layout: Layout) -> bool:
    """Return whether the values have no escapes, and no blanks before quotes."""
    if layout.escape or not layout.skip_blanks:
        return layout.escape is None
    lines = sample.splitlines(keepends=True)[layout.num_lines :]
    return blanks_before_quote(layout.marks).search("".join(lines)) is None


def _sample(source: Path) -> str:
    """Return the first complete lines of the file."""
    with source.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        text = file.read(_SAMPLE_CHARS)
        rest = file.readline(_SAMPLE_CHARS) if len(text) == _SAMPLE_CHARS else ""
    if len(rest) == _SAMPLE_CHARS:
        raise InvalidTable(
            f"Line {text.count(chr(10)) + 1} is longer than {_SAMPLE_CHARS:,} "
            "characters; expected a CSV with one row per line."
        )
    return text + rest


def _records(sample: str, layout: Layout) -> list[Record]:
    reader = layout.marks.reader(io.StringIO(sample, newline=""))
    try:
        rows = (Record(reader.line_num, cells) for cells in reader if any(cells))
        records = list(itertools.islice(rows, _SAMPLE_ROWS))
    except csv.Error as error:
        raise InvalidTable(
            f"Line {reader.line_num} cannot be read as CSV: {error}."
        ) from error
    if not records:
        raise InvalidTable("The file contains delimiters but no values.")
    return records


def _start(records: list[Record]) -> int:
    """Return the index of the first record after titles and comments."""
    widths = [_width(record.cells) for record in records]
    common, count = Counter(widths[-_SAMPLE_ROWS // 2 :]).most_common(1)[0]
    if common == 1 or count < 3:
        return _past_comments(records)
    wide_enough = (
        i
        for i, width in enumerate(widths)
        if width >= common or (width == common - 1 and _names_rows(records, i, common))
    )
    start = next((i for i in wide_enough if not _is_comment(records, i)), 0)
    start = _below_notes(records, start, common)
    return start if start <= _MOST_PREAMBLE else 0


def _below_notes(records: list[Record], start: int, width: int) -> int:
    """Return the index of the names, if the line at `start` has notes in a few cells."""
    if 2 * _num_filled(records[start].cells) >= width:
        return start
    for least in (width, (width + 1) // 2):
        for i in range(start + 1, min(start + _MOST_NOTES, len(records))):
            cells = records[i].cells
            if _num_filled(cells) >= least:
                return start if any(map(is_number, cells)) else i
    return start


def _num_filled(cells: list[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _names_rows(records: list[Record], i: int, common: int) -> bool:
    """Return whether this line is a header without the first name, as R writes it."""
    following = records[i + 1].cells if i + 1 < len(records) else []
    return len(following) == common and any(map(is_number, following))


def _past_comments(records: list[Record]) -> int:
    return next((i for i in range(len(records)) if not _is_comment(records, i)), 0)


def _is_comment(records: list[Record], i: int) -> bool:
    """Return whether a line begins with # and is not as wide as the next one."""
    cells = records[i].cells
    if not cells[0].lstrip().startswith("#") or i + 1 == len(records):
        return False
    following = next(
        (r.cells for r in records[i + 1 :] if not r.cells[0].lstrip().startswith("#")),
        cells,
    )
    return len(cells) != len(following) or len(following) == 1


def _width(cells: list[str]) -> int:
    """Return the number of cells up to the last one that is not empty."""
    filled = [i for i, cell in enumerate(cells, start=1) if cell.strip()]
    return filled[-1] if filled else 0
