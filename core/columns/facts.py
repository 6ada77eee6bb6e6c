"""Describe the columns of a table of text: their cells, facts and requested types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.columns import kind_of
from core.columns.base import ColumnKind
from core.columns.missing import NullWords, null_words_of, own_words
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnFormat
from fitserve.specs.columns import ColumnOptions, has_options, type_of

_SAMPLE = 2_000
EXACT_ROWS = 250_000
"""Up to this many rows, distinct values are counted exactly, not estimated."""


@dataclass
class ColumnFacts:
    """The type of a column, and how its cells are written."""

    name: str
    type: ColumnType
    format: ColumnFormat = field(default_factory=ColumnFormat)
    warnings: list[str] = field(default_factory=list)
    about_append: list[str] = field(default_factory=list)
    """Warnings about what differs in the rows of appends."""
    spellings: list[str] = field(default_factory=list)
    """Notes about words that are read as one value."""
    is_counted: bool = False
    """Whether the format or the warnings depend on counts over all rows."""
    null_words: dict[str, int] | None = None
    """How many cells hold each word that means "missing"; None: not counted."""

    @property
    def kind(self) -> ColumnKind:
        """Return the class of the column's type."""
        return kind_of(self.type)

    def typed(self) -> pl.Expr:
        """Return the column of text as values of its type."""
        text = pl.col(self.name)
        return self.kind.parse_column(text, self.format).alias(self.name)


@dataclass(frozen=True)
class Wanted:
    """A type that an upload or a spec asks for.

    Args:
        type: the type of the column.
        format: how its cells are written; None: detect it in the column.
        options: what the user says about its cells; None: only the type is given.
        words: cells that are values, although they mean "missing" in other columns.
        is_fixed: whether the column has this type even if none of its cells fits it.
        earlier: how the cells of an append's version are written, if `format` is None;
            its strays are missing again.

    """

    type: ColumnType
    format: ColumnFormat | None = None
    options: ColumnOptions | None = None
    words: tuple[str, ...] = ()
    is_fixed: bool = False
    earlier: ColumnFormat | None = None

    def null_words(self, of_table: list[str] | None) -> list[str] | None:
        """Return the column's own words for "missing"; None: those of the table."""
        if self.format is not None:
            return self.format.null_values
        return own_words(self.options or self.type, of_table)


def given_types(types: Mapping[str, ColumnType | ColumnOptions]) -> dict[str, Wanted]:
    """Return the types that an upload or a spec gives, by column."""
    return {
        name: Wanted(type_of(given), options=given if has_options(given) else None)
        for name, given in types.items()
    }


def null_words_wanted(
    of_table: list[str] | None, wanted: Mapping[str, Wanted]
) -> NullWords:
    """Return the words that mean "missing" in a table, and in the wanted columns."""
    own = {name: want.null_words(of_table) for name, want in wanted.items()}
    return null_words_of(of_table, own)


@dataclass(frozen=True)
class Cells:
    """A table of trimmed text, null where missing; if small, it is computed in memory.

    Streaming costs milliseconds and megabytes for each column. That does not matter for a
    long table, but it takes gigabytes for a table of 2,000 columns and two rows.
    """

    frame: pl.LazyFrame
    is_small: bool

    def select(self, *exprs: pl.Expr) -> pl.DataFrame:
        """Return the results of expressions as a table."""
        results = self.frame.select(*exprs)
        return results.collect(engine="in-memory" if self.is_small else "streaming")

    def sample(self, name: str) -> list[str]:
        """Return the first present cells of a column."""
        return self.select(pl.col(name).drop_nulls().head(_SAMPLE)).to_series().to_list()


def by_number(counts: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Return a row of results, named `<i>.<what>`, as a dictionary for each column."""
    found: list[dict[str, Any]] = [{} for _ in range(number)]
    for key, value in counts.items():
        place, dot, what = key.partition(".")
        if dot and place.isdecimal():
            found[int(place)][what] = value
    return found
