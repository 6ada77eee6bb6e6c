"""Columns of dates and times."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.columns.base import (
    Candidate,
    Hints,
    Marked,
    NumberKind,
    Schema,
    Seen,
    with_and_without,
    without_point,
)
from core.columns.day_order import in_order
from core.columns.time_cells import (
    is_time,
    parse_time,
    parse_times,
    patterns_of,
    write_time,
)
from core.columns.time_formats import (
    compact_formats,
    is_compact,
    time_formats,
    two_digit_formats,
)
from core.columns.time_numbers import (
    counts_time,
    is_digits,
    number_at,
    time_of_number,
)
from core.columns.time_zones import local_time
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnFormat
from fitserve.schemas.predict import Cell
from fitserve.specs.time_pattern import has_zone

_NUM_PARTS = 8
"""Elapsed days and year, one input each; month, weekday and hour, two inputs each."""
_MOST_SHAPES = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JSON_FORMATS = {
    None: "date-time",
    "%Y-%m-%d": "date",
    "%Y-%m-%dT%H:%M:%SZ": "date-time",
    "%Y-%m-%dT%H:%M:%S.%fZ": "date-time",
}
"""JSON Schema's `format` for a pattern; other patterns have no `format`."""


_ANY_ORDER = (
    "day, month and year have two digits each, and may stand in any order: give a "
    "`format`, such as '%d-%m-%y'"
)


class Datetime(NumberKind):
    """Dates and times in the pattern `format.datetime`; UTC unless a cell has a zone."""

    type = ColumnType.DATETIME
    wanted = "a date or time, such as 2026-01-31T12:00:00"
    encoding = "datetime"
    tensor = "BYTES"
    task = None
    is_ordered = True

    def recognise(self, sample: list[str], hints: Hints) -> list[Candidate]:
        forms = compact_formats(sample)
        found = [Candidate(self, f, _warnings(f, sample), is_first=True) for f in forms]
        forms = time_formats(sample, day_first=hints.comma_first)
        found += [Candidate(self, f, _warnings(f, sample)) for f in forms]
        if found:
            return found
        forms = two_digit_formats(sample, day_first=hints.comma_first)
        return [Candidate(self, form, (_ANY_ORDER,), is_offer=True) for form in forms]

    def given(self, sample: list[str], hints: Hints) -> list[Candidate]:
        """Return the formats to try, as the user describes them."""
        options = hints.options
        if options is None:
            return self._given(sample, hints)
        zone = {"timezone": options.timezone}
        if options.format is not None:
            decimal = hints.decimal or "."
            form = ColumnFormat(datetime=options.format, decimal=decimal)
            return [Candidate(self, form.model_copy(update=zone))]
        found = self._given(sample, hints)
        if options.dayfirst is not None:
            # dates in the other order may be many, so each cell shows a format
            few = list(dict.fromkeys(sample))[:_MOST_SHAPES]
            found += [c for text in few for c in self.recognise([text], hints)]
            found = self._in_order(found, day_first=options.dayfirst)
        return [replace(c, format=c.format.model_copy(update=zone)) for c in found]

    def _in_order(self, found: list[Candidate], *, day_first: bool) -> list[Candidate]:
        """Return the candidates with day and month in one order, each once."""
        ordered: dict[tuple[str, ...], Candidate] = {}
        for candidate in found:
            patterns = patterns_of(candidate.format)
            key = tuple(in_order(p, day_first=day_first) for p in patterns)
            form = candidate.format.model_copy(update=_only(list(key)))
            ordered.setdefault(key, replace(candidate, format=form))
        return list(ordered.values())

    def _given(self, sample: list[str], hints: Hints) -> list[Candidate]:
        """Return the formats to try; whole numbers may be dates such as 20240131."""
        if found := self.recognise(sample, hints):
            return found
        forms = compact_formats(sample, share=1 / len(sample))
        return [Candidate(self, form, _warnings(form, sample)) for form in forms]

    def fits(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        return is_time(text, form)

    def alert(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr | None:
        return text.is_not_null() if self.marks(text, form) else None

    def marks(self, text: pl.Expr, form: ColumnFormat) -> dict[str, pl.Expr]:
        """Return the cells with and without a time zone, if the column has both."""
        zoned = [p for p in patterns_of(form) if has_zone(p)]
        if form.timezone or not zoned or len(zoned) == len(patterns_of(form)):
            return {}
        with_zone = is_time(text, form.model_copy(update=_only(zoned)))
        return {"zone": with_zone, "no zone": is_time(text, form) & ~with_zone}

    def remarks(self, marked: Mapping[str, Marked], present: int) -> list[str]:
        return with_and_without(
            marked,
            "zone",
            "a time zone",
            "those without one are read as UTC: write all cells with a zone if UTC is "
            "wrong",
        )

    def parse_column(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        return parse_times(text, form)

    def converts_numbers(self, form: ColumnFormat) -> bool:
        return counts_time(form) or is_digits(form.datetime or "")

    def expected(self, form: ColumnFormat, cell: object) -> str:
        pattern = form.datetime or ""
        if "%" not in pattern:
            return self.wanted
        hour = 12 if "%H" in pattern or "%I" in pattern else 0
        moment = _EPOCH.replace(year=2026, day=31, hour=hour)
        return f"a date or time, such as {_written(moment.timestamp(), form)}"

    def from_number(self, number: float, form: ColumnFormat) -> float | None:
        """Return the seconds since 1970 that a JSON number means in this format."""
        if not self.converts_numbers(form):
            return number
        if not math.isfinite(number):
            return None
        if counts_time(form):
            return time_of_number(number, form)
        return parse_time(f"{number:.0f}", form) if number % 1 == 0 else None

    def parse_cell(self, text: str, form: ColumnFormat) -> float | None:
        return parse_time(text, form)

    def statistics(self, column: pl.Expr) -> dict[str, pl.Expr]:
        return {"min": column.min(), "max": column.max()}

    def num_inputs(
        self, num_values: int, num_missing: int, num_bins: int | None
    ) -> tuple[int, int]:
        return _NUM_PARTS, 0

    def example(self, value: float | str | None, form: ColumnFormat) -> Cell:
        return _written(value, form) if isinstance(value, int | float) else value

    def describe(self, form: ColumnFormat, seen: Seen) -> tuple[Schema, str]:
        pattern = form.datetime
        if counts_time(form):
            return _described_number(form, seen)
        patterns = " or ".join(f"`{pattern}`" for pattern in patterns_of(form))
        quarter = "; `%q` is the quarter" if "%q" in patterns else ""
        own = f"as {patterns} (Python's strptime{quarter}) or " if patterns else ""
        zone = form.timezone or "UTC"
        text = f"A date or time written {own}in ISO 8601, {zone} unless it has a time "
        text += "zone; "
        span = _span(form, seen)
        schema: Schema = {"type": "string"}
        if patterns:
            schema["x-formats"] = patterns_of(form)
        if span:
            text += f"{span[0]} to {span[1]} in the training rows; others cause a "
            text += "warning; "
            schema |= {"x-minimum": span[0], "x-maximum": span[1]}
        if pattern in _JSON_FORMATS and not form.other_datetimes:
            schema["format"] = _JSON_FORMATS[pattern]
        return schema, text + "other texts are refused."


def _span(form: ColumnFormat, seen: Seen) -> list[Cell]:
    """Return the earliest and the latest moment in the column's format, if known."""
    known = (seen.least, seen.greatest)
    return [_written(moment, form) for moment in known if moment is not None]


def _described_number(form: ColumnFormat, seen: Seen) -> tuple[Schema, str]:
    unit = (form.datetime or "").replace("_", " ")
    since = "since 1970 (UTC)" if unit.startswith("epoch") else "as Excel stores them"
    text = f"A number of {unit.removeprefix('epoch ').removeprefix('excel ')} {since}; "
    names = ("minimum", "maximum")
    span = dict(zip(names, _span(form, seen), strict=False))
    return {"type": "number", **span}, text + "a text may also be in ISO 8601."


def _written(seconds: float, form: ColumnFormat) -> Cell:
    """Return a moment in the column's format, or in ISO 8601 if that is not exact."""
    moment = _EPOCH + timedelta(seconds=seconds)
    if counts_time(form):
        return without_point(number_at(moment, form))
    if form.datetime is not None:
        local = moment if has_zone(form.datetime) else local_time(moment, form)
        text = write_time(local, form.datetime)
        if parse_time(text, form) == seconds:
            return text
    return moment.isoformat()


def _only(patterns: list[str]) -> dict[str, object]:
    return {"datetime": patterns[0], "other_datetimes": patterns[1:]}


def _warnings(form: ColumnFormat, sample: list[str]) -> tuple[str, ...]:
    """Return warnings about dates that could be something else."""
    pattern = form.datetime or ""
    fits = (text for text in sample if parse_time(text, form) is not None)
    if "%q" in pattern:
        first = next(fits)
        day = _day(first, form)
        return (f"quarters are read as their first day: {first!r} is {day}",)
    if is_compact(form):
        first = next(fits)
        warning = (
            f"whole numbers are read as dates: {first!r} is {_day(first, form)}; give "
            "the column the type numeric or categorical if they are not"
        )
        return (warning,)
    return ()


def _day(text: str, form: ColumnFormat) -> str:
    moment = _EPOCH + timedelta(seconds=parse_time(text, form) or 0)
    return moment.date().isoformat()
