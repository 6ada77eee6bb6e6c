"""Warn of a last row that sums up the rows above it."""

import csv
import os
import re
from pathlib import Path

from core.datasets.dialect import Layout

_TAIL = 64 * 1024
_WORD = re.compile(
    r"(?:grand |sub-?\s?|overall )?(?:total|totals|sum|average|mean)"
    r"|(?:gesamt|zwischen)?summe|gesamt|insgesamt|durchschnitt|mittelwert"
    r"|totale|total général|somme|moyenne|suma|total general|promedio|media|totaal"
    r"|итого|всего|razem|合计|总计|合計|総計",
    re.IGNORECASE,
)
_MARKS = " \t:.*="


def total_row_warnings(path: Path, layout: Layout) -> list[str]:
    """Return a warning if the last row begins with a word such as `Total`.

    A word that occurs in the rows above as well is a category.
    """
    rows = _last_rows(path, layout)
    above, last = rows[:-1], rows[-1] if rows else []
    word = next((cell.strip() for cell in last if cell.strip()), "")
    if not _WORD.fullmatch(word.strip(_MARKS)) or len(last) < len(layout.names):
        return []
    if any(word in map(str.strip, row) for row in above):
        return []
    warning = (
        f"the last row begins with {word!r}, so it may sum up the rows above it, but it "
        "is read as a row like the others; delete it from the file if it is a sum"
    )
    return [warning]


def _last_rows(path: Path, layout: Layout) -> list[list[str]]:
    """Return the last rows of the table, as far as they are one line each."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        text = file.read().decode("utf-8", errors="replace")
    lines = text.splitlines()[1 if size > _TAIL else layout.num_lines :]
    reader = csv.reader(lines, delimiter=layout.delimiter, quotechar=layout.quote)
    try:
        return [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error:
        return []
