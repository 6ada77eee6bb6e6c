"""The tables of datasets, and of the blocks of rows that they share."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column, relationship

from core.database.base import Base, new_id, utc_now
from core.database.stored import Stored
from core.datasets.target_guess import suggested_target
from fitserve.enums import DatasetStatus
from fitserve.problems import Problem
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.parsing import ParsingSpec

if TYPE_CHECKING:
    from sqlalchemy.engine.default import DefaultExecutionContext


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


def _next_version(context: DefaultExecutionContext) -> int:
    """Return the number of a new version; those of deleted versions are not reused."""
    row: dict[str, Any] = context.get_current_parameters()  # type: ignore[no-untyped-call]
    same = Dataset.workspace == row["workspace"], Dataset.name == row["name"]
    newest = context.connection.scalar(select(func.max(Dataset.version)).where(*same))
    return int(newest or 0) + 1


class Lineage(Base):
    """The versions of one name whose rows are compared by the same columns.

    A name gets another lineage when an upload lacks most of these columns.
    """

    __tablename__ = "lineages"
    __table_args__ = (UniqueConstraint("workspace", "name", "number"),)

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("lineage")
    )
    workspace: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    number: Mapped[int]
    """The number among the lineages of the name, from 1."""
    key: Mapped[int] = mapped_column(BigInteger)
    """The random number that decides which rows are held out."""
    columns: Mapped[list[Any]]
    """The names of the columns that are hashed; they never change."""


class DatasetBlock(Base):
    """An earlier block of rows of a version that an append made.

    A block is the file of one upload or append, and is stored with the dataset that it
    made (`block_id`). The last block of a version is its own, and has no row here.
    """

    __tablename__ = "dataset_blocks"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    block_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)


class Dataset(Base):
    """A version of a dataset, and the file of rows that it added.

    `num_rows`, `columns` and `options` describe all rows of the version; `digest`,
    `filename`, `num_bytes`, `num_added`, `parsing`, `file_options` and the keys describe
    the file of this version. `deleted_at` is set when the version is deleted; its files
    stay while a later version has their rows. `lease_until` and `sent_at` are
    milliseconds by the database's clock.
    """

    __tablename__ = "datasets"
    __table_args__ = (
        Index(None, "workspace", "id"),
        Index(None, "workspace", "name", "id"),
        Index(None, "workspace", "name", "version", unique=True),
        Index(None, "status", "id"),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("dataset")
    )
    workspace: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(default=_next_version)
    """The number among the versions of this name, from 1."""
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("datasets.id"))
    """The version to which this one appends; None for an upload."""
    status: Mapped[str] = mapped_column(
        String(20), default=DatasetStatus.READY, server_default=DatasetStatus.READY
    )
    progress: Mapped[float] = mapped_column(default=1.0, server_default="1")
    error: Mapped[Problem | None] = mapped_column(Stored(Problem))
    options: Mapped[ParsingSpec] = mapped_column(
        Stored(ParsingSpec, readable_options), default=ParsingSpec, server_default="{}"
    )
    """The options of the upload; of an append, those of the version that it extends."""
    file_options: Mapped[ParsingSpec | None] = mapped_column(
        Stored(ParsingSpec, readable_options)
    )
    """The options of the file of an append; None for an upload."""
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(80))
    filename: Mapped[str | None] = mapped_column(String(255))
    num_bytes: Mapped[int] = mapped_column(BigInteger)
    num_rows: Mapped[int] = mapped_column(BigInteger)
    num_added: Mapped[int | None] = mapped_column(BigInteger)
    """The rows of an append; None for an upload, which adds all its rows."""
    columns: Mapped[list[ColumnRead]] = mapped_column(
        Stored(list[ColumnRead]), deferred=True
    )
    """Not loaded by default, because a wide table has thousands of columns."""
    parsing: Mapped[dict[str, Any]]
    warnings: Mapped[list[Any]]
    warning_kinds: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """The kind of each warning; empty for datasets of earlier releases."""
    content_key: Mapped[str] = mapped_column(String(200))
    table_key: Mapped[str] = mapped_column(String(200))
    hash_key: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """The file with the hash of each row; empty for datasets of earlier releases."""
    lineage_id: Mapped[str | None] = mapped_column(ForeignKey("lineages.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]

    lineage: Mapped[Lineage | None] = relationship()
    earlier: Mapped[list[Dataset]] = relationship(
        secondary=DatasetBlock.__table__,
        primaryjoin=lambda: Dataset.id == DatasetBlock.dataset_id,
        secondaryjoin=lambda: Dataset.id == DatasetBlock.block_id,
        order_by=DatasetBlock.number,
        viewonly=True,
    )
    """The datasets whose files are the earlier blocks of rows, in their order."""

    @property
    def blocks(self) -> list[Dataset]:
        """Return the datasets whose files hold the rows of this version, in order."""
        return [self] if self.parent_id is None else [*self.earlier, self]

    @property
    def block_rows(self) -> int:
        """Return the number of rows in the file of this version."""
        return self.num_rows if self.num_added is None else self.num_added

    @property
    def block_options(self) -> ParsingSpec:
        """Return the options with which the file of this version is read."""
        return self.options if self.file_options is None else self.file_options

    @property
    def file_keys(self) -> list[str]:
        """Return the keys of the stored files."""
        return [k for k in (self.content_key, self.table_key, self.hash_key) if k]

    @property
    def suggested_target(self) -> str | None:
        """Return the column that is probably the target."""
        return suggested_target(self.columns)


def with_blocks(dataset: Dataset) -> Dataset:
    """Load the blocks of a dataset that is in a session; return the dataset."""
    dataset.blocks  # noqa: B018  the attribute is loaded when it is read
    return dataset


def has_files() -> ColumnElement[bool]:
    """Return the condition that a dataset, or a version with its rows, is not deleted."""
    user = aliased(Dataset)
    is_used = exists().where(
        DatasetBlock.block_id == Dataset.id,
        DatasetBlock.dataset_id == user.id,
        user.deleted_at.is_(None),
    )
    return or_(Dataset.deleted_at.is_(None), is_used)
