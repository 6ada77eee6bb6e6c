"""Create engines for SQLite and PostgreSQL with settings that avoid lock errors.

SQLite runs in WAL mode, and a transaction that will write starts with `BEGIN IMMEDIATE`.
A reading transaction that becomes a writing one fails at once with "database is locked",
even with a busy timeout.
"""

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

WRITES = "fitserve_writes"
"""The execution option of transactions that write."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # an accepted run (202) survives a power failure
    "PRAGMA busy_timeout=10000",
    "PRAGMA foreign_keys=ON",
)

_IDLE = "idle_in_transaction_session_timeout=60s"
"""The longest time for which a frozen process can keep rows locked."""

_CONNECT_SECONDS = 10
_TCP_TIMEOUTS = {
    "tcp_user_timeout": 20_000,  # milliseconds
    "keepalives_idle": 10,
    "keepalives_interval": 5,
}
"""How soon each end gives up the other if that answers nothing, as after a cut cable.

TCP alone waits for a quarter of an hour, or for two hours if nothing was sent. At the
server, a transaction of a host that is cut off may hold rows locked. The URL may name
other numbers, and other `options`, which are added.
"""


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
            connect_args=_postgres_arguments(url),
        )
    raise ValueError(
        f"FITSERVE_DATABASE_URL names the database {backend!r}; "
        "expected sqlite:///… or postgresql+psycopg://…"
    )


def _postgres_arguments(url: str) -> dict[str, Any]:
    """Return libpq's arguments; those of TCP also become settings of the session."""
    given = make_url(url).query
    timeouts = {name: given.get(name, number) for name, number in _TCP_TIMEOUTS.items()}
    at_server = [f"tcp_{name.removeprefix('tcp_')}={timeouts[name]}" for name in timeouts]
    own = [f"-c {setting}" for setting in (_IDLE, *at_server)]
    options = " ".join([*own, str(given.get("options", ""))]).strip()
    seconds = given.get("connect_timeout", _CONNECT_SECONDS)
    return {"options": options, "connect_timeout": seconds, **timeouts}


def is_away(error: Exception) -> bool:
    """Return whether the error means that the database is unavailable."""
    if isinstance(error, OperationalError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _sqlite_engine(url: str) -> Engine:
    # parameters of statements are users' data, which must not be logged
    engine = create_engine(url, pool_size=10, max_overflow=40, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # _begin starts the transactions
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
