"""The base class of column types, which recognise, parse, profile and describe cells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from core.lazy import pl
from fitserve.enums import ColumnType, Task
from fitserve.schemas.datasets import ColumnFormat
from fitserve.schemas.predict import Cell
from fitserve.specs.columns import ColumnOptions

Numbers = NDArray[np.float64]
Schema = dict[str, Any]
Encoding = Literal["numeric", "datetime", "categories"]
"""The families of encoders that turn a column into inputs of the network."""

LARGEST_EXACT = 2**53
"""Up to this number, float64 holds every whole number."""

MOST_SAMPLED = 0.9
"""A format is considered if at least this share of the sampled cells fits it."""


@dataclass
class Stats:
    """Statistics of a column over all rows; None if the type has no such statistic."""

    rows: int
    missing: int
    unique: int
    """The number of distinct values; an estimate in a long table."""
    min: Any = None
    max: Any = None
    mean: float | None = None
    whole: bool | None = None
    """Whether every number is whole."""
    length: float | None = None
    """The mean length of a text, in characters."""
    bytes: int | None = None
    """The length of the longest text."""
    nul: bool | None = None
    """Whether a text holds U+0000."""

    @property
    def present(self) -> int:
        """Return how many cells are not missing."""
        return self.rows - self.missing


@dataclass(frozen=True)
class Candidate:
    """A type and a format in which most of a column's sample can be read."""

    kind: ColumnKind
    format: ColumnFormat
    warnings: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()
    """Notes about words that are read as one value."""
    is_first: bool = False
    """Whether it comes before the types that are tried earlier."""
    is_offer: bool = False
    """Whether only the user may choose it: too few cells of the sample fit."""

    def fits(self, text: pl.Expr) -> pl.Expr:
        """Return whether each cell is of this type and format."""
        return self.kind.fits(text, self.format)


@dataclass(frozen=True)
class Hints:
    """Facts about a table that help to read one of its columns.

    Args:
        decimal: the decimal mark that the uploader gave.
        comma_first: whether to read `1,5` as 1.5 rather than 15, and `1/2` as 1 February.
        day_first: by column, whether its dates prove that the day comes first.
        options: what the user says about this column, besides its type.
        is_typed: whether the file has types, so that no text is a number.

    """

    decimal: Literal[".", ","] | None = None
    comma_first: bool = False
    day_first: Mapping[str, bool] = field(default_factory=dict)
    options: ColumnOptions | None = None
    is_typed: bool = False


@dataclass(frozen=True)
class Marked:
    """The cells of a column that share a notation: how many, and the first one."""

    count: int
    find: Callable[[], str]

    @property
    def example(self) -> str:
        """Return the first of the cells."""
        return self.find()


def with_and_without(
    marked: Mapping[str, Marked], mark: str, noun: str, advice: str
) -> list[str]:
    """Return a warning if some cells have a mark and others have none."""
    own, bare = marked.get(mark), marked.get(f"no {mark}")
    if own is None or bare is None:
        return []
    warning = (
        f"{own.count:,} cell(s) have {noun}, such as {own.example!r}, and {bare.count:,} "
        f"are without one, such as {bare.example!r}; {advice}"
    )
    return [warning]


@dataclass(frozen=True)
class Seen:
    """The values of a column in the training rows, for its description.

    Args:
        least: the smallest value; None if it is not known.
        greatest: the largest value.
        categories: the texts that each have a separate input.
        is_shared: whether unknown texts share one input with rare ones.

    """

    least: float | None = None
    greatest: float | None = None
    categories: tuple[str, ...] = ()
    is_shared: bool = False


class ColumnKind(ABC):
    """A type of column; its methods are in the order in which they process a cell.

    The methods that take polars expressions read whole columns (upload, training, files
    to predict); `parse_cell` reads one text (JSON instances). Both use the format of the
    column, and tests/core/columns compares their results.
    """

    type: ClassVar[ColumnType]
    wanted: ClassVar[str]
    """The text after "expected" in the message that refuses a cell."""
    encoding: ClassVar[Encoding]
    tensor: ClassVar[str]
    """The datatype of the column in the Open Inference Protocol."""
    task: ClassVar[Task | None] = Task.MULTICLASS
    """The task of a target with more than two values; None if it cannot be a target."""
    is_ordered: ClassVar[bool] = False
    """Whether the profile shows the smallest and the largest value."""
    stands_for: ClassVar[frozenset[ColumnType]] = frozenset()
    """Other types whose stored values may be used as values of this type."""

    @property
    def is_text(self) -> bool:
        """Return whether the network's raw input is a string, not a float64."""
        return self.encoding == "categories"

    def expected(self, form: ColumnFormat, cell: object) -> str:
        """Return what was expected in place of a cell that does not fit the format."""
        return self.wanted

    @abstractmethod
    def recognise(self, sample: list[str], hints: Hints) -> list[Candidate]:
        """Return the formats of this type that most of a sample fits."""

    def given(self, sample: list[str], hints: Hints) -> list[Candidate]:
        """Return the formats to try if the user gives the column this type."""
        return self.recognise(sample, hints)

    @abstractmethod
    def fits(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        """Return whether trimmed cells are of this type in this format."""

    def differs(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr | None:
        """Return whether a cell that fits has other signs than the format names."""
        return None

    def alert(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr | None:
        """Return whether a cell may have a mark, at less cost; None if no cell has."""
        return None

    def marks(self, text: pl.Expr, form: ColumnFormat) -> dict[str, pl.Expr]:
        """Return flags of cells whose notation may need a warning, by its name."""
        return {}

    def doubt(self, marked: Mapping[str, Marked], present: int) -> str | None:
        """Return the reason why a column that fits is better kept as text, or None."""
        return None

    def remarks(self, marked: Mapping[str, Marked], present: int) -> list[str]:
        """Return the warnings about marked cells; `marked` holds those that occur."""
        return []

    @abstractmethod
    def parse_column(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        """Return trimmed cells as stored values, null where a cell does not fit."""

    def is_plain(self, form: ColumnFormat) -> bool:
        """Return whether polars' CSV reader can parse cells of this format."""
        return False

    def classes(self, values: list[Any], form: ColumnFormat) -> list[Any]:
        """Return the labels of a target with these sorted values."""
        return values

    @abstractmethod
    def raw(self, column: pl.Series) -> Any:
        """Return a stored column as the network's raw input.

        The raw input is float64 `[N]` with NaN for missing, or a series of texts.
        """

    @abstractmethod
    def parse_cell(self, text: str, form: ColumnFormat) -> float | str | None:
        """Return one trimmed text as the network's raw input; None if it is invalid."""

    def converts_numbers(self, form: ColumnFormat) -> bool:
        """Return whether JSON numbers differ from the network's raw input."""
        return False

    def from_number(self, number: float, form: ColumnFormat) -> float | None:
        """Return a JSON number as the network's raw input; None if it is invalid."""
        return number

    def spellings(self, cell: Any) -> tuple[str, ...]:
        """Return how a JSON number or boolean could be written in a column of text."""
        return ()

    @abstractmethod
    def statistics(self, column: pl.Expr) -> dict[str, pl.Expr]:
        """Return the expressions that compute the profile of a stored column."""

    def left_out(self, name: str, stats: Stats, column: pl.LazyFrame) -> str | None:
        """Return the reason why runs leave the column out; None if runs use it."""
        return None

    @abstractmethod
    def num_inputs(
        self, num_values: int, num_missing: int, num_bins: int | None
    ) -> tuple[int, int]:
        """Return how many network inputs a column needs, and how many embedding weights.

        Both are upper bounds: the training rows may have fewer values than the table.
        """

    @abstractmethod
    def example(self, value: float | str | None, form: ColumnFormat) -> Cell:
        """Return a raw input as the JSON cell that a client would send."""

    @abstractmethod
    def describe(self, form: ColumnFormat, seen: Seen) -> tuple[Schema, str]:
        """Return the JSON Schema of a present cell, and a sentence that explains it."""


class NumberKind(ColumnKind):
    """A type whose raw input is a number: numeric, boolean, datetime."""

    def raw(self, column: pl.Series) -> Numbers:
        """Return numbers as float64 `[N]`; a moment becomes seconds since 1970 (UTC)."""
        if column.dtype.is_temporal():
            column = column.dt.epoch("us").cast(pl.Float64) / 1e6
        return column.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()

    @abstractmethod
    def parse_cell(self, text: str, form: ColumnFormat) -> float | None:
        """Return the number in a trimmed text; None if the text is invalid."""


def without_point(value: float) -> float:
    """Return a whole number as an integer, any other number unchanged."""
    is_whole = float(value).is_integer() and abs(value) <= LARGEST_EXACT
    return int(value) if is_whole else value
