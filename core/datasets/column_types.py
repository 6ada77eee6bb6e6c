"""What type a column of text is: decided over all rows, never by a sample."""

from dataclasses import dataclass

import polars as pl

from core.datasets.cells import FALSE, NULLS, TRUE
from fitserve.statuses import ColumnType

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_ISO_TIME = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"
_MOST_CATEGORIES = 1000


@dataclass(frozen=True)
class ColumnFacts:
    """Counts over all rows of a column of text; missing cells left out."""

    name: str
    present: int
    missing: int
    unique: int
    numbers: int
    booleans: int
    times: int

    @property
    def type(self) -> ColumnType:
        """The narrowest type that holds every present cell."""
        if self.numbers == self.present:  # or nothing at all
            return ColumnType.NUMERIC
        if self.booleans == self.present:
            return ColumnType.BOOLEAN
        if self.times == self.present:
            return ColumnType.DATETIME
        few = self.unique <= min(_MOST_CATEGORIES, max(20, self.present // 2))
        return ColumnType.CATEGORICAL if few else ColumnType.TEXT


def cell(name: str) -> pl.Expr:
    """The trimmed text of a column's cells, null where it means "missing"."""
    text = pl.col(name).str.strip_chars()
    return pl.when(text.is_in(NULLS)).then(None).otherwise(text)


def gather_facts(table: pl.LazyFrame, names: list[str]) -> list[ColumnFacts]:
    """The facts of every column of text, in one streaming pass."""
    exprs = []
    for i, name in enumerate(names):
        text = cell(name)
        exprs += [
            text.count().alias(f"{i}.present"),
            text.null_count().alias(f"{i}.missing"),
            text.n_unique().alias(f"{i}.unique"),
            text.str.contains(_NUMBER).sum().alias(f"{i}.numbers"),
            text.str.to_lowercase().is_in(TRUE + FALSE).sum().alias(f"{i}.booleans"),
            text.str.contains(_ISO_TIME).sum().alias(f"{i}.times"),
        ]
    counts = table.select(exprs).collect(engine="streaming").row(0, named=True)
    kinds = ("present", "missing", "unique", "numbers", "booleans", "times")
    return [
        ColumnFacts(name, **{kind: counts[f"{i}.{kind}"] or 0 for kind in kinds})
        for i, name in enumerate(names)
    ]


def typed(name: str, kind: ColumnType) -> pl.Expr:
    """The column as values of its type."""
    text = cell(name)
    match kind:
        case ColumnType.NUMERIC:
            number = text.cast(pl.Float64, strict=False)
            return pl.when(number.is_finite()).then(number).otherwise(None).alias(name)
        case ColumnType.BOOLEAN:
            return text.str.to_lowercase().is_in(TRUE).alias(name)
        case ColumnType.DATETIME:
            return text.str.to_datetime(strict=False, time_unit="us").alias(name)
    return text.alias(name)
