"""Warn of words that count as missing, although they may be values of a column."""

from __future__ import annotations

from collections.abc import Iterable

from core.columns.facts import ColumnFacts
from core.datasets.raw_table import SAMPLE_ROWS, clean_text, scan
from core.datasets.text_file import TextFile
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.specs.parsing import ParsingSpec

_AMBIGUOUS = (*("None", "none", "NA", "N/A", "n/a", "N.A.", "n.a.", "-", "--", ".", "?"),)
"""Words that mean "missing" in most files, and are names of something in others."""
_COUNT_AS_MISSING = "are words that count as missing"


def warn_of_null_words(
    text: TextFile, given: ParsingSpec, columns: Iterable[ColumnFacts]
) -> None:
    """Add a warning to each column of words in which such words count as missing.

    The first rows of the file are counted. Nothing is added if the upload gave its words.
    """
    facts = [fact for fact in columns if _is_of_words(fact)]
    if given.null_values is not None or not facts:
        return
    try:
        table = scan(text.path, text.layout, [], set()).head(SAMPLE_ROWS)
        cells = table.select([clean_text(fact.name, []) for fact in facts]).collect()
    except pl.exceptions.PolarsError:  # a file that had to be repaired
        return
    for fact in facts:
        fact.warnings += _warnings(cells[fact.name])


def is_about_null_words(warning: str) -> bool:
    """Return whether a warning of a column comes from `warn_of_null_words`."""
    return _COUNT_AS_MISSING in warning


def _is_of_words(fact: ColumnFacts) -> bool:
    is_of_words = fact.kind.is_text or fact.type == ColumnType.BOOLEAN
    return is_of_words and fact.format.null_values is None


def _warnings(cells: pl.Series) -> list[str]:
    odd = cells.filter(cells.is_in(_AMBIGUOUS))
    if not len(odd):
        return []
    counts = odd.value_counts(sort=True).rows()
    shown = ", ".join(f"{word!r} ({count:,})" for word, count in counts)
    where = "" if len(cells) < SAMPLE_ROWS else f" of the first {len(cells):,}"
    warning = (
        f"{len(odd):,} cell(s){where} {_COUNT_AS_MISSING}: {shown}; if they are values, "
        "upload the file with `null_values`, which lists all words that do"
    )
    return [warning]
