"""Measure how long the histories of ended runs take to compact, and what that saves."""

import time

from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session

from core.database.sessions import Database
from core.runs.histories import compact, epochs_of
from core.runs.tables import Epoch, History

RUNS = 2_000
_BYTES = {
    "epochs": "SELECT pg_total_relation_size('epochs')",
    "histories": "SELECT sum(pg_column_size(histories.*)) FROM histories "
    "WHERE run_id = ANY(:ids)",
}


def compaction(database: Database) -> dict[str, float]:
    """Write the histories of 2,000 ended runs as epoch rows; compact them again.

    Return milliseconds for a run, and on PostgreSQL the bytes of a run before and after.
    """
    with database.write() as session:
        ids = list(session.scalars(select(History.run_id).limit(RUNS)))
        before = _bytes(session, "epochs", ids)
        for run_id in ids:
            _expand(session, run_id)
    with database.read() as session:
        rows = _bytes(session, "epochs", ids) - before
    began = time.perf_counter()
    for run_id in ids:
        with database.write() as session:
            compact(session, run_id)
    taken = 1000 * (time.perf_counter() - began)
    with database.read() as session:
        lists = _bytes(session, "histories", ids)
    figures = {"ms a run": taken, "bytes before": rows, "bytes after": lists}
    return {name: round(value / len(ids), 2) for name, value in figures.items()}


def _expand(session: Session, run_id: str) -> None:
    """Replace the history of a run by a row for each epoch."""
    history = session.get_one(History, run_id)
    names = [column.name for column in Epoch.__table__.columns]
    rows = [{name: getattr(e, name) for name in names} for e in epochs_of(history)]
    session.execute(insert(Epoch), rows)
    session.execute(delete(History).where(History.run_id == run_id))


def _bytes(session: Session, what: str, ids: list[str]) -> float:
    if session.connection().dialect.name != "postgresql":
        return 0
    parameters = {"ids": ids} if ":ids" in _BYTES[what] else {}
    return float(session.scalar(text(_BYTES[what]), parameters) or 0)
