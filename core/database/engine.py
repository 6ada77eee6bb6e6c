"""Engines for SQLite and PostgreSQL, each with the settings that keep it calm.

SQLite runs in WAL mode, and a transaction that will write says so at its start
(`BEGIN IMMEDIATE`): a reader that upgrades to a writer fails at once with "database is
locked", busy timeout or not.
"""

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

WRITES = "fitserve_writes"
"""Execution option that makes a transaction a writing one."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # a 202 survives a power cut
    "PRAGMA busy_timeout=10000",
    "PRAGMA foreign_keys=ON",
)

_IDLE = "idle_in_transaction_session_timeout=60s"
"""A process that froze in a transaction keeps its rows locked no longer than this."""


def make_engine(url: str) -> Engine:
    """Return an engine for `url` (SQLite or PostgreSQL)."""
    backend = make_url(url).get_backend_name()
    if backend == "sqlite":
        return _sqlite_engine(url)
    if backend == "postgresql":
        return create_engine(
            url,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=40,
            hide_parameters=True,
            connect_args={"options": f"-c {_IDLE}"},
        )
    raise ValueError(
        f"FITSERVE_DATABASE_URL names the database {backend!r}; "
        "expected sqlite:///… or postgresql+psycopg://…"
    )


def is_away(error: Exception) -> bool:
    """Return whether the error means that the database is unavailable."""
    if isinstance(error, OperationalError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _sqlite_engine(url: str) -> Engine:
    # what was sent is users' data, and no line of a log
    engine = create_engine(url, pool_size=10, max_overflow=40, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not here
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
