"""Create INSERT … ON CONFLICT statements, which SQLAlchemy has for each database."""

from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from core.database.dialects import is_postgres
from core.lazy import LazyModule

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite
else:  # a process needs only one of these two large modules
    postgresql = LazyModule("sqlalchemy.dialects.postgresql")
    sqlite = LazyModule("sqlalchemy.dialects.sqlite")


def insert_into(session: Session, table: type[Any]) -> Any:
    """Return an INSERT with support for ON CONFLICT, for the session's database."""
    if is_postgres(session):
        return postgresql.insert(table)
    return sqlite.insert(table)
