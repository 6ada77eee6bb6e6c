"""One at a time, where SQLite's single writer does not see to it already."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def take_turn(session: Session, what: str) -> None:
    """Wait until no other transaction has its turn at `what`; ours ends with this one."""
    if session.get_bind().dialect.name == "postgresql":
        key = func.hashtextextended(what, 0)
        session.execute(select(func.pg_advisory_xact_lock(key)))
