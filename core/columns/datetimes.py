"""Columns of dates and times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.columns.base import Candidate, Hints, NumberKind, Schema, Seen, without_point
from core.columns.day_order import in_order
from core.columns.time_formats import (
    completed,
    is_ambiguous,
    is_time,
    parse_time,
    parse_times,
    time_formats,
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


class Datetime(NumberKind):
    """Dates and times in the pattern `format.datetime`; UTC unless a cell has a zone."""

    type = ColumnType.DATETIME
    wanted = "a date or time, such as 2026-01-31T12:00:00"
    encoding = "datetime"
    tensor = "BYTES"
    task = None
    is_ordered = True

    def recognise(self, sample: list[str], hints: Hints) -> list[Candidate]:
        patterns = time_formats(sample, day_first=hints.comma_first)
        text = "the order of day and month is ambiguous; read as {}"
        warnings = (text.format(patterns[0]),) if is_ambiguous(patterns) else ()
        return [Candidate(self, ColumnFormat(datetime=p), warnings) for p in patterns]

    def given(self, sample: list[str], hints: Hints) -> list[Candidate]:
        """Return the formats to try, as the user describes them."""
        options = hints.options
        if options is None:
            return self.recognise(sample, hints)
        told = {"timezone": options.timezone}
        if options.format is not None:
            decimal = hints.decimal or "."
            form = ColumnFormat(datetime=options.format, decimal=decimal)
            return [Candidate(self, form.model_copy(update=told))]
        found = self.recognise(sample, hints)
        if options.dayfirst is not None:
            # dates in the other order may be many, so each cell shows a format
            few = list(dict.fromkeys(sample))[:_MOST_SHAPES]
            found += [c for text in few for c in self.recognise([text], hints)]
            found = self._in_order(found, day_first=options.dayfirst)
        return [replace(c, format=c.format.model_copy(update=told)) for c in found]

    def _in_order(self, found: list[Candidate], *, day_first: bool) -> list[Candidate]:
        patterns = [in_order(c.format.datetime or "", day_first=day_first) for c in found]
        forms = [ColumnFormat(datetime=pattern) for pattern in dict.fromkeys(patterns)]
        return [Candidate(self, form) for form in forms]

    def fits(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        return is_time(text, form)

    def parse_column(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        return parse_times(text, form)

    def parse_cell(self, text: str, form: ColumnFormat) -> float | None:
        return parse_time(text, form)

    def converts_numbers(self, form: ColumnFormat) -> bool:
        return counts_time(form) or is_digits(form.datetime or "")

    def from_number(self, number: float, form: ColumnFormat) -> float | None:
        """Return the seconds since 1970 that a JSON number means in this format."""
        if counts_time(form):
            return time_of_number(number, form)
        if is_digits(form.datetime or ""):
            return parse_time(f"{number:.0f}", form) if number % 1 == 0 else None
        return number

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
            return _described_number(form)
        own = "" if pattern is None else f"as `{pattern}` (Python's strptime) or "
        zone = form.timezone or "UTC"
        text = f"A date or time written {own}in ISO 8601, {zone} unless it has a time "
        text += "zone; "
        schema = {"type": "string"}
        if pattern in _JSON_FORMATS:
            schema["format"] = _JSON_FORMATS[pattern]
        return schema, text + "other texts are refused."


def _described_number(form: ColumnFormat) -> tuple[Schema, str]:
    unit = (form.datetime or "").replace("_", " ")
    since = "since 1970 (UTC)" if unit.startswith("epoch") else "as Excel stores them"
    text = f"A number of {unit.removeprefix('epoch ').removeprefix('excel ')} {since}; "
    return {"type": "number"}, text + "a text may also be in ISO 8601."


def _written(seconds: float, form: ColumnFormat) -> Cell:
    """Return a moment in the column's format, or in ISO 8601 if that is not exact."""
    moment = _EPOCH + timedelta(seconds=seconds)
    if counts_time(form):
        return without_point(number_at(moment, form))
    if form.datetime is not None:
        start, whole = completed(form.datetime)
        local = moment if has_zone(form.datetime) else local_time(moment, form)
        text = local.strftime(whole)[len(start) :]
        if parse_time(text, form) == seconds:
            return text
    return moment.isoformat()
