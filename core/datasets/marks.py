"""Find the characters that separate, quote and escape the cells of a CSV.

clevercsv finds delimiter and quote if the lines do not show them, by the method of
van den Burg, Nazábal and Sutton, "Wrangling messy CSV files by detecting row and type
patterns", 2019.
"""

import csv
import io
import itertools
import re
from dataclasses import replace

from clevercsv import Sniffer
from clevercsv.exceptions import Error as SnifferError

from core.datasets.blank_table import is_blank_table, splits_numbers
from fitserve.csv_marks import Marks

_SNIFF_CHARS = 20_000
_CHECKED_ROWS = 1_000
_DELIMITERS = ",;\t|"
ESCAPE = "\\"


def find_marks(sample: str, given: str | None) -> Marks:
    """Return the marks of a CSV that begins with `sample`; `given` is its delimiter."""
    if given is not None:
        marks = Marks("\t" if given == "\\t" else given)
    else:
        marks = _detected(sample)
    marks = replace(marks, skip_blanks=_has_blanks(sample, marks))
    return replace(marks, escape=ESCAPE if _has_escapes(sample, marks) else None)


def _detected(sample: str) -> Marks:
    short = sample[:_SNIFF_CHARS].rpartition("\n")[0] or sample[:_SNIFF_CHARS]
    even = [mark for mark in _DELIMITERS if _is_even(short, Marks(mark))]
    if not even and ESCAPE + '"' in short:
        escaped = (Marks(mark, escape=ESCAPE) for mark in _DELIMITERS)
        even = [marks.delimiter for marks in escaped if _is_even(short, marks)]
    if not even and (' "' in short or '" ' in short):
        spaced = (Marks(mark, skip_blanks=True) for mark in _DELIMITERS)
        even = [marks.delimiter for marks in spaced if _is_even(short, marks)]
    if len(even) == 1:
        return Marks(" " if splits_numbers(short, even[0]) else even[0])
    return _sniffed(short, even)


def _sniffed(short: str, even: list[str]) -> Marks:
    """Return the choice of clevercsv, if it splits the lines into a table."""
    try:
        found = Sniffer().sniff(short, delimiters=even or [*_DELIMITERS, " ", ":"])
    except SnifferError:
        found = None
    usual = Marks(even[0] if even else _by_count(short))
    if found is None or not found.delimiter:
        return usual
    if found.delimiter == " " and not is_blank_table(short):
        return usual
    if found.delimiter == ":" and not _is_even(short, Marks(":")):
        return usual
    return Marks(found.delimiter, "'" if found.quotechar == "'" else '"')


def _is_even(text: str, marks: Marks) -> bool:
    """Return whether the marks split each line into the same number of cells, over 1."""
    reader = marks.reader(io.StringIO(text, newline=""), strict=True)
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


def _has_blanks(sample: str, marks: Marks) -> bool:
    """Return whether blanks stand between a delimiter and a quote."""
    if f" {marks.quote}" not in sample or marks.delimiter == " ":
        return False
    spaced = replace(marks, skip_blanks=True)
    if not blanks_before_quote(marks).search(sample):
        return False
    escaped = replace(spaced, escape=ESCAPE)
    return _is_valid(sample, spaced) or _is_valid(sample, escaped)


def blanks_before_quote(marks: Marks) -> re.Pattern[str]:
    """Return the pattern of blanks between a delimiter and an opening quote."""
    quote, delimiter = re.escape(marks.quote), re.escape(marks.delimiter)
    # within a quoted cell, a quote is doubled, or ends the cell
    look = rf"(?:^|{delimiter}) +{quote}(?![{quote}{delimiter}\s])"
    return re.compile(look, re.MULTILINE)


def _has_escapes(sample: str, marks: Marks) -> bool:
    """Return whether the sample is valid only if backslashes escape quotes."""
    if ESCAPE + marks.quote not in sample or _is_valid(sample, marks):
        return False
    return _is_valid(sample, replace(marks, escape=ESCAPE))


def _is_valid(sample: str, marks: Marks) -> bool:
    """Return whether the first rows have no text after a closing quote."""
    reader = marks.reader(io.StringIO(sample, newline=""), strict=True)
    try:
        for _ in itertools.islice(reader, _CHECKED_ROWS):
            pass
    except csv.Error:
        return False
    return True
