"""The words that mean "missing", for the whole table and for single columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.columns.cells import null_words
from fitserve.enums import ColumnType
from fitserve.specs.columns import ColumnOptions, type_of

if TYPE_CHECKING:
    from core.columns.facts import ColumnFacts


@dataclass(frozen=True)
class NullWords:
    """The words that mean "missing" in each column.

    Args:
        common: the words of the table, the empty text among them.
        own: the words of the columns that have their own, by column.

    """

    common: list[str]
    own: Mapping[str, list[str]] = field(default_factory=dict)

    def of(self, name: str) -> list[str]:
        """Return the words of a column."""
        return self.own.get(name, self.common)

    @property
    def shared(self) -> list[str]:
        """Return the words that mean "missing" in every column."""
        return [word for word in self.common if all(word in o for o in self.own.values())]

    def noted(self, columns: list[ColumnFacts]) -> list[ColumnFacts]:
        """Add their words to the formats of the columns that have their own."""
        for fact in columns:
            if fact.name in self.own:
                words = [word for word in self.own[fact.name] if word]
                fact.format = fact.format.model_copy(update={"null_values": words})
        return columns


def null_words_of(
    of_table: list[str] | None, own: Mapping[str, list[str] | None]
) -> NullWords:
    """Return the words of a table, and of the columns that have their own."""
    present = {
        name: null_words(words) for name, words in own.items() if words is not None
    }
    return NullWords(null_words(of_table), present)


def own_words(
    given: ColumnType | ColumnOptions, of_table: list[str] | None
) -> list[str] | None:
    """Return the words of a column to which a type is given; None: those of the table.

    A column that is given as text has no words, unless the upload names some.
    """
    if isinstance(given, ColumnOptions) and given.null_values is not None:
        return given.null_values
    if type_of(given) == ColumnType.TEXT and of_table is None:
        return []
    return None
