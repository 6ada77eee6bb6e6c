"""INSERT … ON CONFLICT, which both databases have and SQLAlchemy writes for each."""

from typing import Any

from sqlalchemy.orm import Session


def insert_into(session: Session, table: type[Any]) -> Any:
    """An INSERT that knows ON CONFLICT, for the session's database."""
    # one of the two is never needed in a process, and neither is small
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415

        return insert(table)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415

    return sqlite.insert(table)
