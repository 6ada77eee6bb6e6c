"""The table of datasets."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.database.base import Base, new_id, utc_now
from fitserve.statuses import DatasetStatus


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
    error: Mapped[dict[str, Any] | None]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """The ParsingSpec of its uploader."""
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(80))
    filename: Mapped[str | None] = mapped_column(String(255))
    num_bytes: Mapped[int] = mapped_column(BigInteger)
    num_rows: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[list[Any]]
    parsing: Mapped[dict[str, Any]]
    warnings: Mapped[list[Any]]
    content_key: Mapped[str] = mapped_column(String(200))
    table_key: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]
