"""Decide the type of each column: guess it from a sample, then count over all rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.columns import KINDS, kind_of
from core.columns.base import Candidate, Hints
from core.columns.choice import Tried, choose
from core.columns.date_order import orders
from core.columns.facts import EXACT_ROWS, Cells, ColumnFacts, Wanted, by_number
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.specs.columns import ColumnOptions

_NOT_TEXT = (ColumnType.NUMERIC,)
"""Types that no text has if the file itself says that a column holds text."""


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
    tried = [
        Tried(cells, name, counts[i], found[i], wanted.get(name))
        for i, name in enumerate(names)
    ]
    day_first = dict(hints.day_first) | orders({t.name: t.num_fits for t in tried})
    return [choose(column, day_first) for column in tried]


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
    kinds = [kind for kind in KINDS if not (hints.is_typed and kind.type in _NOT_TEXT)]
    found = [candidate for kind in kinds for candidate in kind.recognise(sample, hints)]
    return sorted(found, key=lambda candidate: not candidate.is_first)


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
    """Return counts, mean length and numbers of cells per candidate by column."""
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
            alert = candidate.kind.alert(text, candidate.format)
            if alert is not None and not candidate.is_offer:
                exprs.append(alert.sum().alias(f"{i}.alert.{k}"))
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
