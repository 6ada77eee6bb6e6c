"""Count words that mean "missing", and warn of those that may be values of a column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from core.columns import kind_of
from core.columns.facts import ColumnFacts
from core.datasets.raw_table import clean_text, scan, scan_held
from core.datasets.text_file import TextFile
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.parsing import ParsingSpec

_AMBIGUOUS = ("None", "none", "NA", "N/A", "n/a", "N.A.", "n.a.", "-", "--", ".", "?")
"""Words that mean "missing" in most files, and are values in others."""
Counts = dict[str, dict[str, int]]
"""How many cells hold each word, by column."""


def count_null_words(
    text: TextFile,
    given: ParsingSpec,
    nulls: list[str],
    columns: Sequence[ColumnFacts],
    missing: Sequence[int],
    num_rows: int,
) -> None:
    """Count the words of `nulls` in each column of words; add the counts to the facts.

    `missing` has the number of missing cells of each column. Nothing is counted if the
    upload gave its words, or if the file had to be repaired.
    """
    pairs = zip(columns, missing, strict=True)
    counted = [fact for fact, own in pairs if _is_counted(fact, own, num_rows)]
    if given.null_values is not None or not counted:
        return
    try:
        found = _count_in_file(text, nulls, counted, num_rows)
    except pl.exceptions.PolarsError:
        return
    add_counts(counted, found)


def add_counts(facts: Iterable[ColumnFacts], counts: Counts) -> None:
    """Add to each fact the counts of its words, or an empty dictionary without words."""
    for fact in facts:
        fact.null_words = counts.get(fact.name, {})


def sum_counts(
    one: Mapping[str, int] | None, other: Mapping[str, int] | None
) -> dict[str, int] | None:
    """Return the sums of two counts of words, the most frequent word first.

    None stands for unknown counts; the sum of two unknown counts is None.
    """
    if one is None and other is None:
        return None
    return dict((Counter(one or {}) + Counter(other or {})).most_common())


def words_in(cells: pl.LazyFrame, nulls: list[str]) -> Counts:
    """Return how many cells of each column hold each word, the most frequent first."""
    words = [word for word in nulls if word]
    held = cells.unpivot().filter(pl.col("value").is_in(words))
    rows = held.group_by("variable", "value").len("count")
    ordered = rows.sort("count", "value", descending=[True, False])
    found: Counts = {}
    for name, word, count in ordered.collect(engine="streaming").rows():
        found.setdefault(name, {})[word] = count
    return found


def may_have_words(column: ColumnFacts | ColumnRead) -> bool:
    """Return whether cells may be words that mean "missing" in the whole table.

    The column holds words, and the user gave it no `null_values` of its own.
    """
    is_of_words = kind_of(column.type).is_text or column.type == ColumnType.BOOLEAN
    return is_of_words and column.format.null_values is None


def null_word_warnings(counts: Mapping[str, int]) -> list[str]:
    """Return a warning about words that may be values of a column."""
    odd = {word: count for word, count in counts.items() if word in _AMBIGUOUS}
    if not odd:
        return []
    shown = ", ".join(f"{word!r} ({count:,})" for word, count in odd.items())
    warning = (
        f"{sum(odd.values()):,} cell(s) are words that count as missing: {shown}; "
        "if they are values, upload the file with `null_values`, which lists all words "
        "that do"
    )
    return [warning]


def _is_counted(fact: ColumnFacts, missing: int, num_rows: int) -> bool:
    return bool(missing) and (may_have_words(fact) or missing == num_rows)


def _count_in_file(
    text: TextFile, nulls: list[str], facts: list[ColumnFacts], num_rows: int
) -> Counts:
    """Return the counts in the rows of the table.

    Rows in which every cell is missing are no rows of the table. To leave them out, all
    columns must be read, so that is done only if the file has such rows.
    """
    path, layout = text.path, text.layout
    rows = scan_held(path, layout, [], set())
    if rows.select(pl.len()).collect(engine="streaming").item() != num_rows:
        rows = scan(path, layout, [], set(), blank=nulls)
    return words_in(rows.select(clean_text(fact.name, []) for fact in facts), nulls)
