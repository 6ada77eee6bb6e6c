"""Find the layout of a CSV: delimiter, quotes, and the line where the table begins.

clevercsv finds delimiter and quote, by the method of van den Burg, Nazábal and Sutton,
"Wrangling messy CSV files by detecting row and type patterns", 2019.
"""

import csv
import io
import itertools
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from clevercsv import Sniffer
from clevercsv.exceptions import Error as SnifferError

from core.columns.base import Hints
from core.columns.cells import composed
from core.datasets.header import column_names, has_header, is_number
from core.errors import InvalidTable
from fitserve.specs.parsing import ParsingSpec

_SAMPLE_CHARS = 1024 * 1024
_SNIFF_CHARS = 20_000
_SAMPLE_ROWS = 1_000
_MOST_PREAMBLE = 30
_DELIMITERS = ",;\t|"


@dataclass
class Layout:
    """The position of the table in the file, and the names of its columns."""

    delimiter: str
    quote: str
    names: list[str] = field(default_factory=list)
    header: bool = True
    num_skipped: int = 0
    """Lines above the header."""
    num_lines: int = 0
    """Lines above the first row of values."""
    made_up: set[str] = field(default_factory=set)
    """Columns whose names are not in the file."""
    warnings: list[str] = field(default_factory=list)

    def hints(self, decimal: Literal[".", ","] | None) -> Hints:
        """Return hints for the columns: the delimiter `;` suggests decimal commas."""
        return Hints(decimal=decimal, comma_first=self.delimiter == ";")


@dataclass(frozen=True)
class Record:
    """The cells of a row, and the number (1-based) of the last line of the row."""

    line: int
    cells: list[str]


def find_layout(source: Path, given: ParsingSpec) -> Layout:
    """Return the layout of a CSV in UTF-8; raise InvalidTable if there is no table."""
    sample = _sample(source)
    if not sample.strip():
        raise InvalidTable("The file is empty; expected a CSV with a header line.")
    layout = Layout(*_delimiter(sample, given.delimiter))
    records = _records(sample, layout)
    start = _start(records)
    layout.num_skipped = records[start - 1].line if start else 0
    if start:
        shown = records[0].cells[0].strip()[:60]
        layout.warnings.append(
            f"{layout.num_skipped} line(s) above the table are skipped; "
            f"the first one is {shown!r}"
        )
    table = [record.cells for record in records[start:]]
    given_header = given.header
    layout.header = has_header(table) if given_header is None else given_header
    layout.num_lines = records[start].line if layout.header else layout.num_skipped
    layout.names = column_names(table, layout.warnings, header=layout.header)
    if layout.header:
        layout.made_up = set(layout.names).difference(map(composed, table[0]))
    return layout


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


def _delimiter(sample: str, given: str | None) -> tuple[str, str]:
    if given is not None:
        return ("\t" if given == "\\t" else given), '"'
    short = sample[:_SNIFF_CHARS].rpartition("\n")[0] or sample[:_SNIFF_CHARS]
    even = [mark for mark in _DELIMITERS if _is_even(short, mark)]
    if len(even) == 1:
        return even[0], '"'
    try:
        found = Sniffer().sniff(short, delimiters=even or [*_DELIMITERS, " ", ":"])
    except SnifferError:
        found = None
    if found is None or not found.delimiter:
        return (even[0] if even else _by_count(short)), '"'
    return found.delimiter, "'" if found.quotechar == "'" else '"'


def _is_even(text: str, mark: str) -> bool:
    """Return whether the mark splits all lines into equally many cells, at least two."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        widths = {len(cells) for cells in reader if cells}
    except csv.Error:
        return False
    return len(widths) == 1 and widths != {1}


def _by_count(text: str) -> str:
    """Return the first delimiter that occurs in every line, else a comma."""
    lines = [line for line in text.splitlines() if line.strip()][:100]
    for mark in _DELIMITERS:
        if lines and min(line.count(mark) for line in lines) > 0:
            return mark
    return ","


def _records(sample: str, layout: Layout) -> list[Record]:
    reader = csv.reader(
        io.StringIO(sample, newline=""),
        delimiter=layout.delimiter,
        quotechar=layout.quote,
    )
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
    return start if start <= _MOST_PREAMBLE else 0


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
