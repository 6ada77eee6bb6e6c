"""Describe a version that an append made: its columns, and what differs in its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.columns.facts import ColumnFacts
from core.columns.near_duplicates import is_about_near_duplicates
from core.datasets import statistics
from core.datasets.blocks import scan_files
from core.datasets.differences import differences, misspelt
from core.datasets.expected import Expected
from core.datasets.null_words import sum_counts
from core.datasets.profile import profile_rows
from core.datasets.reading import CsvReading
from core.datasets.table_file import options_of
from core.datasets.table_warnings import of_kind, warnings_of
from core.datasets.tables import Dataset
from fitserve.enums import WarningKind
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.parsing import ParsingSpec

_MOST_KEPT = 20
"""So many warnings about earlier rows stay with a column."""


@dataclass(frozen=True)
class Append:
    """A file of rows, read as an append to a version.

    Args:
        parent: the version that it extends.
        given: the options of the file.
        reading: how the file was read.
        table: the Parquet file of its rows.
        earlier: the Parquet files of the earlier rows.

    """

    parent: Dataset
    given: ParsingSpec
    reading: CsvReading
    table: Path
    earlier: Sequence[Path]

    def values(self) -> dict[str, Any]:
        """Return the values for the row of the new version."""
        added, before = self.reading.stats[0].rows, self.parent.num_rows
        facts = self._facts()
        found = differences(
            self.parent.columns, self.reading.columns, self.table, self.earlier, before
        )
        for fact in facts:
            fact.about_append += found.get(fact.name, [])
        return {
            "num_rows": before + added,
            "num_added": added,
            "columns": self._profiled(facts),
            "warnings": [
                *of_kind(WarningKind.READING, self._about_file()),
                *of_kind(WarningKind.APPENDED, _sentences(found)),
            ],
            "options": self._options(),
            "file_options": options_of(self.reading, self.given),
        }

    def _about_file(self) -> list[str]:
        """Return the warnings about names of columns, and about reading the file."""
        names = misspelt(self.parent.columns, self.reading.columns)
        return [*names, *self.reading.warnings]

    def _profiled(self, facts: list[ColumnFacts]) -> list[ColumnRead]:
        rows = scan_files([*self.earlier, self.table])
        return profile_rows(rows, facts, statistics.of_table(rows, facts))

    def _facts(self) -> list[ColumnFacts]:
        """Return the facts about all columns; the new ones come last."""
        own = {fact.name: fact for fact in self.reading.columns}
        known = [self._known(c, own.pop(c.name, None)) for c in self.parent.columns]
        return [*known, *own.values()]

    def _known(self, column: ColumnRead, own: ColumnFacts | None) -> ColumnFacts:
        """Return the facts about a column of the version, with those of the file."""
        if own is not None and not Expected.of(self.parent).is_decided(column):
            return own
        kept = _kept_warnings(column, WarningKind.READING)
        warnings = [*kept, *(own.warnings if own else [])]
        facts = ColumnFacts(column.name, column.type, column.format, warnings)
        facts.about_append = _kept_warnings(column, WarningKind.APPENDED)
        facts.spellings = _kept_warnings(column, WarningKind.SPELLINGS)
        facts.null_words = self._null_words(column, own)
        return facts

    def _null_words(
        self, column: ColumnRead, own: ColumnFacts | None
    ) -> dict[str, int] | None:
        """Return the counts of words that mean "missing"; None if some are unknown."""
        missing = {
            fact.name: stats.missing
            for fact, stats in zip(self.reading.columns, self.reading.stats, strict=True)
        }
        before, added = column.null_words, None if own is None else own.null_words
        are_known = before is not None or not column.missing
        are_known &= added is not None or own is None or not missing[own.name]
        return sum_counts(before, added) if are_known else None

    def _options(self) -> ParsingSpec:
        """Return the options of the version, with the types given for new columns."""
        options = self.parent.options
        known = {
            c.name for c in self.parent.columns if Expected.of(self.parent).is_decided(c)
        }
        new = {n: kind for n, kind in self.given.types.items() if n not in known}
        if not new:
            return options
        return options.model_copy(update={"types": {**options.types, **new}})


def _kept_warnings(column: ColumnRead, kind: WarningKind) -> list[str]:
    """Return the last warnings of one kind about earlier rows."""
    kept = [
        warning.text
        for warning in warnings_of(column)
        if warning.kind == kind
        and not is_about_near_duplicates(warning.text)  # of an earlier release
    ]
    return kept[-_MOST_KEPT:]


def _sentences(found: dict[str, list[str]]) -> Iterator[str]:
    for name, texts in found.items():
        for text in texts:
            yield f"the column {name!r}: {text}"
