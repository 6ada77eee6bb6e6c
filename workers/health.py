"""Check that a worker of this host is alive: `python -m workers.health [runs|datasets]`.

A worker does not answer a ping while it trains. Instead, every worker writes the time to
the database every few seconds, and this command reads it, without importing Keras.
"""

import socket
import sys
from contextlib import closing

from sqlalchemy.exc import SQLAlchemyError

from core.database.sessions import Database
from core.settings import Settings
from core.workers.repository import BOTH, DATASETS, RUNS, WorkerRepository

_KINDS = (RUNS, DATASETS)


def fault(settings: Settings, host: str, kind: str | None) -> str | None:
    """Return a sentence about the fault, or None if a worker reported recently."""
    seconds = settings.runs.lease_seconds
    kinds = (*_KINDS, BOTH) if kind is None else (kind, BOTH)
    try:
        with (
            closing(Database(settings.resolved_database_url)) as database,
            database.read() as session,
        ):
            is_alive = WorkerRepository(session).is_alive_on(host, kinds, seconds)
    except SQLAlchemyError as error:
        return f"The database does not answer ({type(error).__name__})."
    if is_alive:
        return None
    what = "No worker" if kind is None else f"No worker for {kind}"
    return f"{what} on the host {host!r} has reported within the last {seconds:g} s."


def main() -> None:
    """Exit with 0 if a worker is alive, 1 if no worker is, 2 for an invalid argument."""
    kind = sys.argv[1] if len(sys.argv) > 1 else None
    if kind is not None and kind not in _KINDS:
        sys.stderr.write(f"got {kind!r}; expected `runs`, `datasets` or no argument\n")
        sys.exit(2)
    sys.exit(fault(Settings(), socket.gethostname(), kind))


if __name__ == "__main__":
    main()
