"""Datasets on the wire."""

from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from fitserve.enums import ColumnType, DatasetStatus
from fitserve.frames import Tabular
from fitserve.problems import Problem
from fitserve.schemas.brief import Brief


class TopValue(BaseModel):
    """A value of a column and how often it occurs."""

    value: str
    count: int


class ColumnFormat(BaseModel):
    """How the cells of a column are written; the same holds for texts in instances."""

    decimal: str = "."
    thousands: str = Field(default="", description="What stands between thousands.")
    affixes: list[str] = Field(
        default=[], description="Signs around numbers that are dropped, such as `€`."
    )
    datetime: str | None = Field(
        default=None, description="Pattern of datetimes, as in Python's strptime."
    )
    labels: list[str] = Field(
        default=[],
        description="How the column writes false and true (`no`, `yes`), which are the "
        "classes if it is a target; empty for JSON's own words.",
    )
    strays: list[str] = Field(
        default=[], description="Cells that did not fit the type and count as missing."
    )
    more_strays: bool = Field(
        default=False,
        description="Whether there are more strays than are listed; any cell that does "
        "not fit the type counts as missing then.",
    )


class ColumnRead(BaseModel):
    """One column and its profile; numbers are null where they make no sense."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    name: str
    type: ColumnType
    format: ColumnFormat = ColumnFormat()
    missing: int
    unique: int = Field(description="Distinct values; an estimate in large tables.")
    min: float | str | None
    max: float | str | None
    mean: float | None
    top: list[TopValue]
    left_out: str | None = Field(
        default=None,
        description="Why runs leave the column out unless `features.include` names it.",
    )
    warnings: list[str]


class DatasetRead(Brief, BaseModel):
    """An uploaded table; immutable. A name points at its newest upload."""

    brief: ClassVar = ("id", "name", "status", "num_rows", "warnings", "error")

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    status: DatasetStatus
    progress: float = Field(description="How much of the CSV has been read, 0 to 1.")
    error: Problem | None
    digest: str = Field(description="`sha256:` and the hash of the bytes as uploaded.")
    filename: str | None
    num_bytes: int
    num_rows: int
    columns: list[ColumnRead]
    parsing: dict[str, Any] = Field(description="How the CSV was understood.")
    warnings: list[str]
    created_at: datetime


class RowsRead(BaseModel, Tabular):
    """A slice of a dataset: `data` holds one list per row, in column order."""

    columns: list[str]
    data: list[list[Any]]
    offset: int
    total: int

    def table(self) -> dict[str, list[Any]]:
        return {
            name: [row[place] for row in self.data]
            for place, name in enumerate(self.columns)
        }
