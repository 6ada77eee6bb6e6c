"""Datasets on the wire."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fitserve.statuses import ColumnType


class TopValue(BaseModel):
    """A value of a column and how often it occurs."""

    value: str
    count: int


class ColumnRead(BaseModel):
    """One column and its profile; numbers are null where they make no sense."""

    name: str
    type: ColumnType
    missing: int
    unique: int
    min: float | str | None
    max: float | str | None
    mean: float | None
    top: list[TopValue]
    warnings: list[str]


class DatasetRead(BaseModel):
    """An uploaded table; immutable. A name points at its newest upload."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    digest: str = Field(description="`sha256:` and the hash of the bytes as uploaded.")
    filename: str | None
    num_bytes: int
    num_rows: int
    columns: list[ColumnRead]
    parsing: dict[str, Any]
    warnings: list[str]
    created_at: datetime


class RowsRead(BaseModel):
    """A slice of a dataset: `data` holds one list per row, in column order."""

    columns: list[str]
    data: list[list[Any]]
    offset: int
    total: int
