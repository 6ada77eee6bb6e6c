"""Convert the columns of a typed file to the values and the texts of a table.

The methods of CSV columns read text. A typed file says itself what its cells are, so
only its text columns need a reading.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.columns.base import LARGEST_EXACT
from core.columns.facts import ColumnFacts
from core.columns.numeric import Numeric
from core.datasets.sheet_cells import number_texts
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnFormat

_DIGITS = 38
_DAY, _MOMENT, _FRACTION = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"
_NUMERIC = Numeric()


@dataclass(frozen=True)
class TypedColumn:
    """A column of a typed file.

    Args:
        name: the name of the column in the table.
        kind: the datatype in the file.
        is_wide: whether it holds whole numbers that a float64 cannot represent.
        has_fractions: whether its moments have fractions of a second.
        is_mixed: whether its cells had several types, and are read like those of a CSV.
        in_sheet: whether it is a column of a workbook, whose numbers are all floats.

    """

    name: str
    kind: pl.DataType
    is_wide: bool = False
    has_fractions: bool = False
    is_mixed: bool = False
    in_sheet: bool = False

    @property
    def is_readable(self) -> bool:
        """Return whether the datatype can become a column of a table."""
        kind = self.kind.base_type()
        if kind == pl.Decimal and (getattr(self.kind, "precision", 0) or 0) > _DIGITS:
            return False  # polars reads the schema of such a column, but not its cells
        return kind in _TEXTS or kind in _OTHERS or self.kind.is_numeric()

    @property
    def type(self) -> ColumnType | None:
        """Return the type of the column; None if its texts decide."""
        kind = self.kind.base_type()
        if self.is_wide or kind in (pl.String, pl.Time):
            return None
        if kind in (pl.Categorical, pl.Enum):
            return ColumnType.CATEGORICAL
        if self.is_moment:
            return ColumnType.DATETIME
        return ColumnType.BOOLEAN if kind == pl.Boolean else ColumnType.NUMERIC

    def facts(self) -> ColumnFacts:
        """Return the facts about a column whose type is known."""
        form, warnings = ColumnFormat(), []
        if self.is_moment:
            form = ColumnFormat(datetime=self._pattern())
        if self.kind.base_type() == pl.Duration:
            warnings = ["durations are read as numbers of seconds"]
        return ColumnFacts(self.name, self.type or ColumnType.TEXT, form, warnings)

    def value(self, nulls: list[str]) -> pl.Expr:
        """Return the cells as stored values; null where one is missing or not finite."""
        if self.type in (None, ColumnType.CATEGORICAL):
            return self.text(nulls)
        cells = pl.col(self.name)
        if self.type == ColumnType.DATETIME:
            return self.moments()
        if self.type == ColumnType.BOOLEAN:
            return cells
        if self.kind == pl.Duration:
            cells = cells.dt.total_microseconds() / 1e6
        numbers = cells.cast(pl.Float64)
        missing = [_NUMERIC.parse_cell(word, ColumnFormat()) for word in nulls]
        holds = numbers.is_finite() if _may_be_infinite(self.kind) else pl.lit(True)
        if words := [number for number in missing if number is not None]:
            holds = holds & ~numbers.is_in(words)
        return pl.when(holds).then(numbers).alias(self.name)

    def cell(self, nulls: list[str]) -> pl.Expr:
        """Return the cells of a file to predict: numbers and booleans, else texts."""
        if self.kind.base_type() in (pl.Boolean, pl.Null):
            return pl.col(self.name)
        if self.kind.is_integer() and nulls == [""]:
            return pl.col(self.name)  # a category may have been written without a point
        return self.value(nulls) if self.is_number else self.text(nulls)

    @property
    def is_moment(self) -> bool:
        """Return whether the cells are dates, or dates with times."""
        return self.kind.base_type() in (pl.Date, pl.Datetime)

    @property
    def is_number(self) -> bool:
        """Return whether the cells are numbers or durations."""
        return self.kind.is_numeric() or self.kind.base_type() == pl.Duration

    def text(self, nulls: list[str]) -> pl.Expr:
        """Return the cells as trimmed texts; null where one means "missing"."""
        text = self._written().str.strip_chars()
        # a comparison with one word is much faster than a set of one word
        holds = text != nulls[0] if len(nulls) == 1 else ~text.is_in(nulls)
        return pl.when(holds).then(text).alias(self.name)

    def _written(self) -> pl.Expr:
        cells = pl.col(self.name)
        kind = self.kind.base_type()
        if kind == pl.Time:
            return cells.dt.to_string("%H:%M:%S%.f")
        if self.is_moment:
            pattern = self._pattern().replace(".%f", "%.f")
            has_zone = getattr(self.kind, "time_zone", None) is not None
            return self.moments().dt.to_string(pattern + "Z" * has_zone)
        if kind == pl.Duration:
            return (cells.dt.total_microseconds() / 1e6).cast(pl.String)
        if self.in_sheet and self.kind.is_float():
            return number_texts(cells)
        if _may_be_infinite(self.kind):
            cells = cells.fill_nan(None)
        return cells.cast(pl.String)

    def moments(self) -> pl.Expr:
        """Return moments in UTC without a zone, as from a CSV."""
        cells = pl.col(self.name)
        if getattr(self.kind, "time_zone", None):
            cells = cells.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        moment = cells.cast(pl.Datetime("us"))
        # Python has no years before 1 or after 9999
        fits = moment.dt.year().is_between(1, 9999)
        return pl.when(fits).then(moment).alias(self.name)

    def _pattern(self) -> str:
        if self.kind.base_type() == pl.Date:
            return _DAY
        return _FRACTION if self.has_fractions else _MOMENT

    def measures(self) -> dict[str, pl.Expr]:
        """Return the expressions whose results `measured` and the limits need."""
        cells = pl.col(self.name)
        kind = self.kind.base_type()
        if kind in _TEXTS:
            size = cells.cast(pl.String).str.len_bytes().cast(pl.Int64)
            return {"bytes": size.sum(), "longest": size.max()}
        if kind in _WIDE or (kind == pl.Decimal and getattr(self.kind, "scale", 0) == 0):
            return {"wide": ((cells >= LARGEST_EXACT) | (cells <= -LARGEST_EXACT)).any()}
        if kind == pl.Datetime:
            return {"fractions": (self.moments().dt.nanosecond() != 0).any()}
        return {}


def _may_be_infinite(kind: pl.DataType) -> bool:
    return kind.is_float()


class _Kinds:
    """A set of polars' datatypes that is made when it is first used."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def __contains__(self, kind: object) -> bool:
        return any(kind == getattr(pl, name, None) for name in self._names)


_TEXTS = _Kinds("String", "Categorical", "Enum")
_WIDE = _Kinds("Int64", "UInt64", "Int128", "UInt128")
_OTHERS = _Kinds("Boolean", "Date", "Datetime", "Time", "Duration", "Null")
