"""Take locks by name, which only one transaction holds at a time."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def take_lock(session: Session, name: str) -> None:
    """Take the lock `name` until the transaction ends; wait while another has the lock.

    SQLite needs no lock, because it has one writer at a time.
    """
    if session.get_bind().dialect.name == "postgresql":
        key = func.hashtextextended(name, 0)
        session.execute(select(func.pg_advisory_xact_lock(key)))
