"""Columns of numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.columns.base import (
    Candidate,
    Hints,
    Marked,
    NumberKind,
    Schema,
    Seen,
    Stats,
    without_point,
)
from core.columns.boolean import Boolean
from core.columns.number_formats import (
    TRAILING_MINUS,
    is_number,
    number_formats,
    parse_number,
    parse_numbers,
    unit_of,
    with_decimal,
    without_unit,
)
from core.columns.number_notes import (
    is_mixed,
    number_alert,
    number_doubt,
    number_marks,
    number_remarks,
)
from core.columns.percent import column_of_fractions, fraction
from core.lazy import pl
from fitserve.enums import ColumnType, Task
from fitserve.schemas.datasets import ColumnFormat
from fitserve.schemas.predict import Cell
from fitserve.specs.columns import ColumnOptions

_WORDS = Boolean()
"""Reads words such as yes and no in a column to which the user gives the type numeric."""

ROW_NUMBER = "a row number"
ID = "an id: every row has a different value"
_ID_NAME = re.compile(
    r"(^|[^a-z])(id|uuid|guid|key|rownames?|row|index|idx|nr|no|obs|serial|#)\W*$"
    r"|^column_1$|^unnamed|^__index_level_[0-9]+__$|^$",
    re.IGNORECASE,
)
_LEAST_FOR_IDS = 20
_BEGINS_WITH_DIGITS = re.compile(r"\W{0,4}[0-9]|[A-Z]{2,3}\W{0,3}[0-9]")
_HALF = 0.5
"""From this share of numbers, the user is offered the type."""


class Numeric(NumberKind):
    """Numbers, written with the marks and signs in the column's format."""

    type = ColumnType.NUMERIC
    wanted = "a number"
    encoding = "numeric"
    tensor = "FP64"
    task = Task.REGRESSION
    is_ordered = True
    stands_for = frozenset({ColumnType.BOOLEAN})

    def expected(self, form: ColumnFormat, cell: object) -> str:
        """Return "a number", with the decimal mark if it or the cell has a comma."""
        mark = f" with {form.decimal!r} as decimal mark"
        return self.wanted + mark * (form.decimal != "." or _has_comma(cell, form))

    def recognise(self, sample: list[str], hints: Hints) -> list[Candidate]:
        """Return the formats of most cells; else those of half, as an offer."""
        forms = number_formats(sample, hints.decimal, comma_first=hints.comma_first)
        found = [Candidate(self, form, _warnings(form)) for form in forms]
        return found or self._offers(sample, hints)

    def _offers(self, sample: list[str], hints: Hints) -> list[Candidate]:
        with_digits = sum(_BEGINS_WITH_DIGITS.match(text) is not None for text in sample)
        if with_digits < _HALF * len(sample):
            return []
        for unit in dict.fromkeys(("", unit_of(sample))):
            forms = number_formats(
                sample,
                hints.decimal,
                comma_first=hints.comma_first,
                share=_HALF,
                unit=unit,
            )
            if forms:
                return [Candidate(self, f, _warnings(f), is_offer=True) for f in forms]
        return []

    def given(self, sample: list[str], hints: Hints) -> list[Candidate]:
        """Return the formats to try, with the unit and the percentages of the user."""
        if hints.options is None:
            return self._given(sample, hints)
        unit = hints.options.unit or ""
        found = self._given(without_unit(sample, unit), hints)
        return [self._as_given(candidate.format, hints.options) for candidate in found]

    def _as_given(self, form: ColumnFormat, options: ColumnOptions) -> Candidate:
        given: dict[str, Any] = {"unit": options.unit or form.unit}
        if options.percent is not None:
            affixes = sorted({*form.affixes, "%"})
            given |= {"percent": options.percent, "affixes": affixes}
        form = form.model_copy(update=given)
        return Candidate(self, form, _warnings(form))

    def _given(self, sample: list[str], hints: Hints) -> list[Candidate]:
        """Return the formats to try; words such as yes and no count as 1 and 0."""
        found = self.recognise(sample, hints)
        if found and not found[0].is_offer:
            return found
        if words := _WORDS.recognise(sample, hints):
            labels = words[0].format.labels or ["false", "true"]
            return [Candidate(self, ColumnFormat(labels=labels))]
        # the user gave the type, so even a few numbers are enough
        return found or [Candidate(self, ColumnFormat(decimal=hints.decimal or "."))]

    def fits(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        numbers = is_number(text, form)
        return numbers | _WORDS.fits(text, form) if form.labels else numbers

    def differs(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr | None:
        return is_mixed(text, form)

    def alert(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr | None:
        return number_alert(text, form)

    def marks(self, text: pl.Expr, form: ColumnFormat) -> dict[str, pl.Expr]:
        return number_marks(text, form)

    def doubt(self, marked: Mapping[str, Marked], present: int) -> str | None:
        return number_doubt(marked, present)

    def remarks(self, marked: Mapping[str, Marked], present: int) -> list[str]:
        return number_remarks(marked, present)

    def parse_column(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        numbers = column_of_fractions(parse_numbers(text, form), text, form)
        if not form.labels:
            return numbers
        return pl.coalesce(_WORDS.parse_column(text, form).cast(pl.Float64), numbers)

    def is_plain(self, form: ColumnFormat) -> bool:
        has_signs = form.affixes or form.minus or form.unit
        return form.decimal == "." and not (form.thousands or has_signs or form.labels)

    def parse_cell(self, text: str, form: ColumnFormat) -> float | None:
        word = _WORDS.parse_cell(text, form) if form.labels else None
        if word is not None:
            return word
        number = parse_number(text, form)
        return None if number is None else fraction(number, text, form)

    def statistics(self, column: pl.Expr) -> dict[str, pl.Expr]:
        return {
            "min": column.min(),
            "max": column.max(),
            "mean": column.mean(),
            "whole": (column == column.floor()).all(),
        }

    def left_out(self, name: str, stats: Stats, column: pl.LazyFrame) -> str | None:
        """Return a reason if the column is an id or a row number; None otherwise.

        Distinct whole numbers are not enough, because they may be years. The column must
        also have the name of an id.
        """
        if not stats.whole or stats.missing or not _may_be_id(name, stats):
            return None
        if stats.min in (0, 1) and stats.max - stats.min + 1 == stats.rows:
            steps = column.select((pl.col(name).diff().drop_nulls() == 1).all())
            if steps.collect(engine="streaming").item():
                return ROW_NUMBER
        return ID

    def num_inputs(
        self, num_values: int, num_missing: int, num_bins: int | None
    ) -> tuple[int, int]:
        return 1 + num_pieces(num_values, num_bins), 0

    def example(self, value: float | str | None, form: ColumnFormat) -> Cell:
        return without_point(value) if isinstance(value, int | float) else value

    def describe(self, form: ColumnFormat, seen: Seen) -> tuple[Schema, str]:
        if seen.least is None or seen.greatest is None:
            return {"type": "number"}, "A number."
        least, greatest = without_point(seen.least), without_point(seen.greatest)
        text = f"A number, {least} to {greatest} in the training rows; other numbers "
        schema = {"type": "number", "minimum": least, "maximum": greatest}
        return schema, text + "cause a warning."


def num_pieces(num_values: int, num_bins: int | None) -> int:
    """Return the largest number of pieces for a column with `num_values` values."""
    return min(num_bins or 0, num_values - 1) if num_values > 2 else 0


def _may_be_id(name: str, stats: Stats) -> bool:
    has_id_name = _ID_NAME.search(name) or name.endswith(("Id", "ID"))
    enough = stats.rows >= _LEAST_FOR_IDS and stats.unique >= stats.rows
    return bool(has_id_name) and enough


def _dropped(form: ColumnFormat) -> list[str]:
    """Return the signs that are ignored in a column of numbers."""
    used = ("()", "%", "‰") if form.percent == "fraction" else ("()",)
    return [sign for sign in form.affixes if sign not in used]


def _warnings(form: ColumnFormat) -> tuple[str, ...]:
    warnings = []
    if form.percent == "fraction":
        warnings.append("percentages are read as fractions: 45% is 0.45")
    if signs := _dropped(form):
        dropped = "sign {} is" if len(signs) == 1 else "signs {} are"
        percent = ": 45% is 45" if "%" in signs else ""
        warnings.append(f"the {dropped.format(' '.join(signs))} dropped{percent}")
    if "()" in form.affixes:
        warnings.append("brackets mean minus: (3) is -3")
    if form.unit:
        warnings.append(f"the unit {form.unit} is dropped")
    if signs := [sign for sign in form.minus if sign != TRAILING_MINUS]:
        warnings.append(f"the sign {' '.join(signs)} is read as minus")
    if TRAILING_MINUS in form.minus:
        warnings.append("a minus after a number is one before it: 3- is -3")
    return (*warnings, *_mark_warnings(form))


def _mark_warnings(form: ColumnFormat) -> list[str]:
    if form.decimal == "." and not form.thousands:
        return []
    indian = " in the Indian way" if form.groups == "indian" else ""
    thousands = f", {form.thousands!r} between thousands" if form.thousands else ""
    return [f"read with {form.decimal!r} as decimal mark{thousands}{indian}"]


def _has_comma(cell: object, form: ColumnFormat) -> bool:
    """Return whether a cell is a number in this format with a decimal comma."""
    comma = with_decimal(form, ",")
    return isinstance(cell, str) and parse_number(cell.strip(), comma) is not None
