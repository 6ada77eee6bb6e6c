"""The table of datasets."""

from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database.base import Base, new_id, utc_now
from core.database.stored import Stored
from fitserve.enums import DatasetStatus
from fitserve.problems import Problem
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.parsing import ParsingSpec


def readable_options(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the options without those that a ParsingSpec no longer accepts.

    Earlier releases accepted any character as the delimiter. Such a table has already
    been read, so its delimiter is no longer needed.
    """
    try:
        ParsingSpec.model_validate(stored)
    except ValidationError as error:
        refused = {line["loc"][0] for line in error.errors(include_url=False)}
        return {key: value for key, value in stored.items() if key not in refused}
    return stored


class Lineage(Base):
    """The uploads of one name whose rows are compared by the same columns.

    A name begins another lineage when an upload lacks most columns of the last one.
    """

    __tablename__ = "lineages"
    __table_args__ = (UniqueConstraint("workspace", "name", "number"),)

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("lineage")
    )
    workspace: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    number: Mapped[int]
    """The place among the lineages of the name, from 1."""
    key: Mapped[int] = mapped_column(BigInteger)
    """The random number that decides which rows are held out."""
    columns: Mapped[list[Any]]
    """The names of the columns that are hashed; they never change."""


class Dataset(Base):
    """An upload; `deleted_at` is set when its files are gone.

    `lease_until` and `sent_at` are milliseconds by the database's clock.
    """

    __tablename__ = "datasets"
    __table_args__ = (
        Index(None, "workspace", "id"),
        Index(None, "workspace", "name", "id"),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("dataset")
    )
    workspace: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(
        String(20), default=DatasetStatus.READY, server_default=DatasetStatus.READY
    )
    progress: Mapped[float] = mapped_column(default=1.0, server_default="1")
    error: Mapped[Problem | None] = mapped_column(Stored(Problem))
    options: Mapped[ParsingSpec] = mapped_column(
        Stored(ParsingSpec, readable_options), default=ParsingSpec, server_default="{}"
    )
    """The options of the upload."""
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(80))
    filename: Mapped[str | None] = mapped_column(String(255))
    num_bytes: Mapped[int] = mapped_column(BigInteger)
    num_rows: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[list[ColumnRead]] = mapped_column(
        Stored(list[ColumnRead]), deferred=True
    )
    """Not loaded by default, because a wide table has thousands of columns."""
    parsing: Mapped[dict[str, Any]]
    warnings: Mapped[list[Any]]
    content_key: Mapped[str] = mapped_column(String(200))
    table_key: Mapped[str] = mapped_column(String(200))
    hash_key: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """The file with the hash of each row; empty for datasets of earlier releases."""
    lineage_id: Mapped[str | None] = mapped_column(ForeignKey("lineages.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]

    lineage: Mapped[Lineage | None] = relationship()

    @property
    def file_keys(self) -> list[str]:
        """Return the keys of the stored files."""
        return [k for k in (self.content_key, self.table_key, self.hash_key) if k]
