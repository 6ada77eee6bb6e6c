"""The times at which migrations ran, for changes that must wait after an upgrade."""

from datetime import datetime

from sqlalchemy import ColumnElement, String, exists
from sqlalchemy.orm import Mapped, mapped_column

from core.database.base import Base, utc_now


class MigrationTime(Base):
    """When a migration ran after which processes of the release before may still run.

    A migration inserts its row by itself, so a copy of a database has its own times.
    """

    __tablename__ = "migration_times"

    revision: Mapped[str] = mapped_column(String(40), primary_key=True)
    migrated_at: Mapped[datetime] = mapped_column(default=utc_now)


def was_migrated_after(revision: str, moment: datetime) -> ColumnElement[bool]:
    """Return the condition that the migration to a revision ran after a moment."""
    same = MigrationTime.revision == revision
    return exists().where(same, MigrationTime.migrated_at > moment)
