"""Choose the type of a column among candidates, by counts over all rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from core.columns.base import Candidate, Marked
from core.columns.date_order import agreeing, common_order, order_warnings
from core.columns.facts import Cells, ColumnFacts, Wanted
from core.columns.time_cells import parse_times, patterns_of
from core.columns.two_digit_years import hundred_years
from core.errors import InvalidTable
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.problems import FieldError, pointer
from fitserve.text_columns import type_of_texts

MOST_STRAYS = 50
_STRAY_SHARE = 0.05
_LEAST_FOR_STRAYS = 20
_LEAST_FOR_AN_OFFER = 0.5
_SHOWN = 5


@dataclass(frozen=True)
class Tried:
    """A column of text, the candidates for its type, and how many cells fit each."""

    cells: Cells
    name: str
    counts: Mapping[str, Any]
    candidates: list[Candidate]
    wanted: Wanted | None

    @property
    def present(self) -> int:
        """Return how many cells are not missing."""
        return int(self.counts["present"])

    @property
    def num_fits(self) -> list[tuple[Candidate, int]]:
        """Return the candidates with the number of cells that fit each."""
        fits = [self.counts[f"fits.{k}"] or 0 for k in range(len(self.candidates))]
        return list(zip(self.candidates, fits, strict=True))

    def best(self, order: bool | None, *, offers: bool) -> tuple[Candidate, int] | None:
        """Return the first candidate that fits most cells, and their number.

        `order` decides between orders of day and month that fit equally many.
        """
        agree = agreeing(self.candidates, order)
        ranked = [
            (count, agree[k], -k)
            for k, (candidate, count) in enumerate(self.num_fits)
            if count and (offers or not candidate.is_offer)
        ]
        if not ranked:
            return None
        count, _, place = max(ranked)
        return self.candidates[-place], count

    def marked(self, candidate: Candidate) -> dict[str, Marked]:
        """Return the cells of a candidate that may need a warning."""
        if not self.counts.get(f"alert.{self.candidates.index(candidate)}"):
            return {}
        text = pl.col(self.name)
        fits = candidate.fits(text)
        flags = candidate.kind.marks(text, candidate.format)
        sums = [(flag & fits).sum().alias(what) for what, flag in flags.items()]
        counts = self.cells.select(*sums).row(0, named=True)
        return {
            what: Marked(count, partial(self._first, flags[what] & fits))
            for what, count in counts.items()
            if count
        }

    def _first(self, flag: pl.Expr) -> str:
        found = self.cells.select(pl.col(self.name).filter(flag).first())
        return str(found.item())[:60]

    def odd(self, candidate: Candidate) -> list[str]:
        """Return different cells that do not fit, sorted: each reading is equal."""
        text = pl.col(self.name)
        odd = text.filter(~candidate.fits(text)).drop_nulls().unique().sort()
        found: list[str] = (
            self.cells.select(odd.head(MOST_STRAYS + 1)).to_series().to_list()
        )
        return found


def choose(column: Tried, day_first: Mapping[str, bool]) -> ColumnFacts:
    """Return the type of a column; `day_first` is what dates of the table prove.

    Raises InvalidTable if the wanted type fits no cell.
    """
    wanted = column.wanted
    best = column.best(common_order(day_first), offers=wanted is not None)
    if best is None and wanted is not None and wanted.is_fixed and column.candidates:
        best = column.candidates[0], 0
    facts = _of_candidate(column, *best, day_first) if best else None
    if facts is not None:
        return facts
    if wanted is not None and column.present:
        raise _no_cell_fits(column, wanted)
    return _of_text(column, _offer(column) if wanted is None else [])


def _of_candidate(
    column: Tried, chosen: Candidate, count: int, day_first: Mapping[str, bool]
) -> ColumnFacts | None:
    """Return the facts of a candidate; None if too many cells do not fit."""
    is_free, missed = column.wanted is None, column.present - count
    if is_free and not _are_few(missed, column.present):
        return None
    marked = column.marked(chosen)
    doubt = chosen.kind.doubt(marked, column.present) if is_free else None
    if doubt is not None:
        return _of_text(column, [doubt])
    strays = column.odd(chosen) if missed else []
    if is_free and len(strays) > MOST_STRAYS:
        return None
    facts = _with_strays(column, chosen, strays, missed)
    remarks = chosen.kind.remarks(marked, column.present)
    facts.warnings += [*order_warnings(chosen, column.num_fits, day_first), *remarks]
    facts.is_counted = bool(missed or remarks)
    return _with_years(column, facts)


def _are_few(missed: int, present: int) -> bool:
    if missed == 0:
        return True
    return present >= _LEAST_FOR_STRAYS and missed <= _STRAY_SHARE * present


def _with_strays(
    column: Tried, chosen: Candidate, strays: list[str], missed: int
) -> ColumnFacts:
    kept = strays[:MOST_STRAYS]
    noted = {"strays": kept, "more_strays": len(strays) > len(kept)}
    form = chosen.format.model_copy(update=noted)
    warnings = list(chosen.warnings)
    if missed:
        warnings.append(
            f"{missed:,} cell(s) are not {chosen.kind.type} and count as missing: "
            f"{_list(kept)}"
        )
    spellings = list(chosen.spellings)
    return ColumnFacts(column.name, chosen.kind.type, form, warnings, spellings=spellings)


def _list(cells: list[str]) -> str:
    return ", ".join(repr(text[:40]) for text in cells[:_SHOWN])


def _with_years(column: Tried, facts: ColumnFacts) -> ColumnFacts:
    """Add the hundred years that two digits of a year mean, by all cells."""
    patterns = patterns_of(facts.format)
    is_given = column.wanted is not None and column.wanted.format is not None
    if is_given or not any("%y" in pattern for pattern in patterns):
        return facts
    facts.is_counted = True
    year = parse_times(pl.col(column.name), facts.format).dt.year()
    counted = column.cells.select(year.drop_nulls().value_counts().alias("years"))
    counts = dict(counted.unnest("years").iter_rows())
    latest = column.cells.select(pl.col(column.name).filter(year == max(counts)).first())
    years = hundred_years(column.name, counts, str(latest.item()))
    facts.format = facts.format.model_copy(update={"first_year": years.first})
    facts.warnings += [years.warning] if years.warning else []
    return facts


def _of_text(column: Tried, warnings: list[str]) -> ColumnFacts:
    counts, wanted = column.counts, column.wanted
    own = type_of_texts(column.present, counts["unique"], counts["length"])
    return ColumnFacts(
        column.name,
        wanted.type if wanted else own,
        warnings=warnings,
        is_counted=bool(warnings),
    )


def _offer(column: Tried) -> list[str]:
    """Return a warning if most cells of a column of text are of another type."""
    best = column.best(None, offers=True)
    if best is None or best[1] < _LEAST_FOR_AN_OFFER * column.present:
        return []
    (candidate, count), name = best, best[0].kind.type
    unit = f" with the unit {candidate.format.unit!r}" if candidate.format.unit else ""
    text = f"{count:,} of {column.present:,} cells are {name}{unit}"
    if missed := column.present - count:
        text += (
            f"; {missed:,} are not, such as {_list(column.odd(candidate))}, and would "
        )
        text += "count as missing"
    is_time = candidate.kind.type == ColumnType.DATETIME
    remarks = "".join(f"; {warning}" for warning in candidate.warnings if is_time)
    return [f"{text}: give the column the type {name} to read it so{remarks}"]


def _no_cell_fits(column: Tried, wanted: Wanted) -> InvalidTable:
    first, given = column.cells.sample(column.name)[0], wanted.options
    options = (
        {} if given is None else given.model_dump(exclude={"type"}, exclude_none=True)
    )
    notation = "".join(f" ({key}: {value!r})" for key, value in options.items())
    detail = (
        f"`types` gives the column {column.name!r} the type {wanted.type}{notation}, but "
        f"its cells, such as {first[:60]!r}, are not {wanted.type}"
    )
    hint = "leave the type out, or use categorical"
    if options:
        hint = "correct the options of the column, or leave them out"
    at = pointer("types", column.name)
    error = FieldError(pointer=at, detail=detail, hint=hint, column=column.name)
    return InvalidTable(f"{detail}; {hint}.", [error])
