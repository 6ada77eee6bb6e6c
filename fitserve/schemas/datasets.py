"""Schemas of datasets."""

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from fitserve.enums import ColumnType, DatasetStatus, WarningKind
from fitserve.frames import Tabular
from fitserve.names import Name
from fitserve.problems import Problem
from fitserve.schemas.brief import Brief


class TopValue(BaseModel):
    """A value of a column and how often it occurs."""

    value: str
    count: int


class ColumnFormat(BaseModel):
    """The notation of a column's cells; strings in predict requests use it too."""

    decimal: str = "."
    thousands: str = Field(default="", description="Thousands separator; empty if none.")
    groups: Literal["any", "thousands", "indian"] = Field(
        default="any",
        description="How the thousands separator divides digits: `thousands` as in "
        "1,234,567, `indian` as in 12,34,567. In both, a first group of digits does not "
        "begin with 0. `any` allows that too, as earlier releases did.",
    )
    minus: list[str] = Field(
        default=[],
        description="Other signs that mean minus, such as U+2212; `3-` is a minus after "
        "the number.",
    )
    affixes: list[str] = Field(
        default=[], description="Symbols around numbers that are ignored, such as `€`."
    )
    unit: str = Field(
        default="",
        description="The unit after a number, such as `kg`, which is ignored; empty if "
        "none.",
    )
    percent: Literal["number", "fraction"] = Field(
        default="number",
        description="What `12.5%` is: 12.5 (`number`) or 0.125 (`fraction`).",
    )
    datetime: str | None = Field(
        default=None,
        description="Format of datetimes, as in Python's `strptime`. `%q` is the quarter "
        "(1 to 4), which means its first day; an hour `24` means midnight of the next "
        "day. Numbers may count `epoch_seconds`, `epoch_milliseconds`, "
        "`epoch_microseconds`, `epoch_nanoseconds` or `excel_days`.",
    )
    other_datetimes: list[str] = Field(
        default=[],
        description="Formats of the other cells, if the column has several: with and "
        "without seconds, or a time zone.",
    )
    first_year: int | None = Field(
        default=None,
        description="The first of the hundred years that two digits can mean; if null, "
        "1970.",
    )
    timezone: str | None = Field(
        default=None,
        description="Time zone of datetimes without one; if null, UTC.",
    )
    null_values: list[str] | None = Field(
        default=None,
        description="Cells that mean missing besides empty ones, if the column has words "
        "of its own.",
    )
    labels: list[str] = Field(
        default=[],
        description="Words for false and true, such as `no`, `yes`. In a target column "
        "they are the class names. Empty if the words are `false` and `true`.",
    )
    strays: list[str] = Field(
        default=[], description="Cells that do not fit the type and count as missing."
    )
    more_strays: bool = Field(
        default=False,
        description="Whether the column has more strays than the list. If true, any cell "
        "that does not fit the type counts as missing.",
    )


class Histogram(BaseModel):
    """How many values of a column lie in each interval; counted over all rows."""

    low: float = Field(description="Where the first interval begins.")
    high: float = Field(description="Where the last interval ends.")
    counts: list[int] = Field(
        description="Number of values in each of the intervals, which have equal widths. "
        "Missing cells are not counted."
    )


class ColumnRead(BaseModel):
    """A column and its statistics; null if the column's type has no such statistic."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    name: str
    type: ColumnType
    format: ColumnFormat = ColumnFormat()
    missing: int
    unique: int = Field(description="Distinct values; an estimate in large tables.")
    min: float | str | None
    max: float | str | None
    mean: float | None
    histogram: Histogram | None = Field(
        default=None,
        description="Of a column of numbers, the number of values in intervals of equal "
        "width. Null in datasets of earlier releases.",
    )
    top: list[TopValue]
    left_out: str | None = Field(
        default=None,
        description="Why runs do not use the column unless `features.include` names it.",
    )
    warnings: list[str]
    null_words: dict[str, int] | None = Field(
        default=None,
        description="How many cells of a column of words hold each word that means "
        "missing; null if they were not counted.",
    )
    warning_kinds: list[WarningKind] = Field(
        default=[],
        description="What each warning is about, in the order of `warnings`: `reading`, "
        "`null_words` (words that count as missing), `alike` (categories that are "
        "probably the same), `appended` (what differs in the rows of an append), "
        "`spellings` (words that are read as one value) or `left_out`; the last three "
        "are for information. Datasets of earlier releases have none.",
    )


SuggestedTarget: Any = Field(
    default=None,
    description="A column that is probably the one to predict, by names and types; null "
    "if no column can be a target.",
)


class DatasetRead(Brief, BaseModel):
    """A version of a table; immutable. A name alone refers to the newest version."""

    brief: ClassVar = (
        "id",
        "name",
        "version",
        "status",
        "num_rows",
        "num_added",
        "warnings",
        "error",
    )

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    version: int = Field(
        default=1,
        description="Number among the versions of this name, from 1; `<name>@<version>` "
        "refers to it.",
    )
    parent_id: str | None = Field(
        default=None,
        description="Id of the version whose rows come first; null for an upload.",
    )
    num_added: int | None = Field(
        default=None,
        description="Number of rows that an append added at the end; null for an upload.",
    )
    status: DatasetStatus
    progress: float = Field(description="Share of the CSV that has been read, 0 to 1.")
    error: Problem | None
    digest: str = Field(description="`sha256:` and the hash of the uploaded bytes.")
    filename: str | None = Field(
        description="Name of the file of this version; for an append, the added file."
    )
    num_bytes: int = Field(
        description="Size of the unpacked file of this version; for an append, the added "
        "file alone."
    )
    num_rows: int = Field(description="Number of rows of the version.")
    columns: list[ColumnRead]
    suggested_target: str | None = SuggestedTarget
    parsing: dict[str, Any] = Field(description="Options with which the CSV was read.")
    warnings: list[str]
    warning_kinds: list[WarningKind] = Field(
        default=[],
        description="What each warning is about, in the order of `warnings`: `reading`, "
        "`appended` (what differs in the rows of an append; for information) or "
        "`repeated` (most of them are already there). Datasets of earlier releases have "
        "none.",
    )
    created_at: datetime


class DatasetUpdate(BaseModel):
    """The request to rename a dataset."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(description="The new name of all versions.")


class RowsRead(BaseModel, Tabular):
    """Consecutive rows of a dataset: `data` has one list per row, in column order."""

    columns: list[str]
    data: list[list[Any]]
    offset: int
    total: int

    def __repr_args__(self) -> list[tuple[str, Any]]:
        """Show how many rows of the table these are, instead of their cells."""
        shown = {"rows": len(self.data), "offset": self.offset, "total": self.total}
        return [*shown.items(), ("columns", self.columns)]

    def table(self) -> dict[str, list[Any]]:
        return {
            name: [row[place] for row in self.data]
            for place, name in enumerate(self.columns)
        }


class DatasetPreview(BaseModel, Tabular):
    """How an upload would be read, by its first MiB; nothing is stored."""

    columns: list[ColumnRead] = Field(
        description="Types, formats, statistics and warnings of the rows that were read."
    )
    suggested_target: str | None = SuggestedTarget
    parsing: dict[str, Any] = Field(description="Options with which the CSV was read.")
    warnings: list[str]
    rows: RowsRead = Field(description="The first 20 rows; `total` rows were read.")
    is_complete: bool = Field(
        description="Whether all rows were read. If not, later cells may change a type."
    )

    def table(self) -> dict[str, list[Any]]:
        return self.rows.table()
