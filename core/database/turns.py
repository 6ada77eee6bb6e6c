"""Locks with a name, which transactions take one after the other."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def take_turn(session: Session, name: str) -> None:
    """Take the lock `name` until the transaction ends; wait while another has it.

    SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        key = func.hashtextextended(name, 0)
        session.execute(select(func.pg_advisory_xact_lock(key)))
