"""Decide the type of each column: guess it from a sample, then count over all rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.columns import KINDS, kind_of
from core.columns.base import Candidate, ColumnKind, Hints
from core.columns.missing import own_words
from core.errors import InvalidTable
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnFormat
from fitserve.specs.columns import ColumnOptions, has_options, type_of
from fitserve.text_columns import type_of_texts

_SAMPLE = 2_000
_MOST_STRAYS = 50
_STRAY_SHARE = 0.05
_LEAST_FOR_STRAYS = 20
EXACT_ROWS = 250_000
"""Up to this many rows, distinct values are counted exactly, not estimated."""


@dataclass
class ColumnFacts:
    """The type of a column, and how its cells are written."""

    name: str
    type: ColumnType
    format: ColumnFormat = field(default_factory=ColumnFormat)
    warnings: list[str] = field(default_factory=list)

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

    """

    type: ColumnType
    format: ColumnFormat | None = None
    options: ColumnOptions | None = None

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


def decide_types(
    cells: Cells, names: list[str], wanted: Mapping[str, Wanted], hints: Hints
) -> list[ColumnFacts]:
    """Return the type of every column of text in `cells`.

    Raises InvalidTable if a wanted type fits no cell of its column.
    """
    if not names:
        return []
    found = [_candidates(cells, name, wanted.get(name), hints) for name in names]
    counts = _count(cells, names, found)
    return [
        _decide(cells, name, counts[i], found[i], wanted.get(name))
        for i, name in enumerate(names)
    ]


def _candidates(
    cells: Cells, name: str, wanted: Wanted | None, hints: Hints
) -> list[Candidate]:
    if wanted is not None and wanted.format is not None:
        return [Candidate(kind_of(wanted.type), wanted.format)]
    sample = cells.sample(name)
    if not sample:
        return []
    if wanted is not None:
        return kind_of(wanted.type).given(sample, _with_options(hints, wanted.options))
    if _are_codes(sample):
        return []
    return [candidate for kind in KINDS for candidate in kind.recognise(sample, hints)]


def _with_options(hints: Hints, options: ColumnOptions | None) -> Hints:
    if options is None:
        return hints
    decimal = options.decimal or hints.decimal
    return replace(hints, decimal=decimal, options=options)


def _are_codes(sample: list[str]) -> bool:
    """Return whether all cells are digits of one length and some begin with 0."""
    lengths = {len(text) for text in sample}
    digits = all(re.fullmatch(r"[0-9]{2,}", text) for text in sample)
    return digits and len(lengths) == 1 and any(text[0] == "0" for text in sample)


def _count(
    cells: Cells, names: list[str], found: list[list[Candidate]]
) -> list[dict[str, Any]]:
    """Return counts, mean length and number of fitting cells per candidate by column."""
    exprs = [pl.len().alias("rows")]
    for i, name in enumerate(names):
        text = pl.col(name)
        exprs += [
            text.count().alias(f"{i}.present"),
            text.str.len_chars().mean().alias(f"{i}.length"),
            # an estimate is enough to distinguish categories from text
            text.drop_nulls().approx_n_unique().alias(f"{i}.rough"),
        ]
        for k, candidate in enumerate(found[i]):
            exprs.append(candidate.fits(text).sum().alias(f"{i}.fits.{k}"))
    counts = cells.select(*exprs).row(0, named=True)
    found_counts = by_number(counts, len(names))
    _count_few(cells, names, found_counts)
    return found_counts


def _count_few(cells: Cells, names: list[str], counts: list[dict[str, Any]]) -> None:
    """Replace the estimates of distinct cells by exact counts where that is cheap."""
    few = [
        (name, own)
        for name, own in zip(names, counts, strict=True)
        if own["present"] <= EXACT_ROWS
    ]
    exact = [pl.col(name).drop_nulls().n_unique() for name, _ in few]
    row = cells.select(*exact).row(0, named=True) if few else {}
    for name, own in zip(names, counts, strict=True):
        own["unique"] = row.get(name, own["rough"])


def by_number(counts: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Return a row of results, named `<i>.<what>`, as a dictionary for each column."""
    found: list[dict[str, Any]] = [{} for _ in range(number)]
    for key, value in counts.items():
        place, dot, what = key.partition(".")
        if dot and place.isdecimal():
            found[int(place)][what] = value
    return found


def _decide(
    cells: Cells,
    name: str,
    counts: dict[str, Any],
    found: list[Candidate],
    wanted: Wanted | None,
) -> ColumnFacts:
    fits = [counts[f"fits.{k}"] or 0 for k in range(len(found))]
    best = max(range(len(found)), key=lambda k: fits[k], default=None)
    if best is not None and fits[best]:
        missed = counts["present"] - fits[best]
        if wanted is not None or _are_few(missed, counts["present"]):
            facts = _with_strays(cells, name, found[best], missed)
            if wanted is not None or not facts.format.more_strays:
                return facts
    if wanted is not None and counts["present"]:
        raise _no_cell_fits(cells, name, wanted)
    own = type_of_texts(counts["present"], counts["unique"], counts["length"])
    return ColumnFacts(name, wanted.type if wanted else own)


def _are_few(missed: int, present: int) -> bool:
    if missed == 0:
        return True
    return present >= _LEAST_FOR_STRAYS and missed <= _STRAY_SHARE * present


def _with_strays(
    cells: Cells, name: str, candidate: Candidate, missed: int
) -> ColumnFacts:
    strays = _strays(cells, name, candidate) if missed else []
    kept = strays[:_MOST_STRAYS]
    noted = {"strays": kept, "more_strays": len(strays) > len(kept)}
    form = candidate.format.model_copy(update=noted)
    warnings = list(candidate.warnings)
    if missed:
        shown = ", ".join(repr(text[:40]) for text in kept[:5])
        warnings.append(
            f"{missed:,} cell(s) are not {candidate.kind.type} and count as missing: "
            f"{shown}"
        )
    return ColumnFacts(name, candidate.kind.type, form, warnings)


def _strays(cells: Cells, name: str, candidate: Candidate) -> list[str]:
    text = pl.col(name)
    # sorted, so that each reading of the column keeps the same strays
    odd = text.filter(~candidate.fits(text)).drop_nulls().unique().sort()
    strays: list[str] = cells.select(odd.head(_MOST_STRAYS + 1)).to_series().to_list()
    return strays


def _no_cell_fits(cells: Cells, name: str, wanted: Wanted) -> InvalidTable:
    first, given = cells.sample(name)[0], wanted.options
    told = {} if given is None else given.model_dump(exclude={"type"}, exclude_none=True)
    notation = "".join(f" ({key}: {value!r})" for key, value in told.items())
    detail = (
        f"`types` gives the column {name!r} the type {wanted.type}{notation}, but its "
        f"cells, such as {first[:60]!r}, are not {wanted.type}"
    )
    hint = "leave the type out, or use categorical"
    if told:
        hint = "correct the options of the column, or leave them out"
    at = pointer("types", name)
    error = FieldError(pointer=at, detail=detail, hint=hint, column=name)
    return InvalidTable(f"{detail}; {hint}.", [error])
