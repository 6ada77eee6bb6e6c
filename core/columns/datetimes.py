"""Columns of dates and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.columns.base import Candidate, Hints, NumberKind, Schema, Seen
from core.columns.time_formats import (
    completed,
    is_ambiguous,
    is_time,
    parse_time,
    parse_times,
    time_formats,
)
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnFormat
from fitserve.schemas.predict import Cell

_NUM_PARTS = 8
"""Elapsed days and year, one input each; month, weekday and hour, two inputs each."""
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

    def fits(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        return is_time(text, form.datetime or "")

    def parse_column(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        return parse_times(text, form.datetime or "")

    def parse_cell(self, text: str, form: ColumnFormat) -> float | None:
        return parse_time(text, form.datetime)

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
        own = "" if pattern is None else f"as `{pattern}` (Python's strptime) or "
        text = f"A date or time written {own}in ISO 8601, UTC unless it has a time zone; "
        schema = {"type": "string"}
        if pattern in _JSON_FORMATS:
            schema["format"] = _JSON_FORMATS[pattern]
        return schema, text + "other texts are refused."


def _written(seconds: float, form: ColumnFormat) -> str:
    """Return a moment in the column's format, or in ISO 8601 if that is not exact."""
    moment = _EPOCH + timedelta(seconds=seconds)
    if form.datetime is not None:
        start, whole = completed(form.datetime)
        text = moment.strftime(whole)[len(start) :]
        if parse_time(text, form.datetime) == seconds:
            return text
    return moment.isoformat()
