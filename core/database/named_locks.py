"""Take locks by name, which only one transaction holds at a time."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.database.dialects import is_postgres


def take_lock(session: Session, name: str) -> None:
    """Take the lock `name` until the transaction ends; wait while another has the lock.

    SQLite needs no lock, because it has one writer at a time.
    """
    if is_postgres(session):
        key = func.hashtextextended(name, 0)
        session.execute(select(func.pg_advisory_xact_lock(key)))
