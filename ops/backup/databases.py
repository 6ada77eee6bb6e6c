"""Open, check and copy the databases of a backup or a restore."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from core.database.migrate import upgrade
from core.database.revisions import current_revision, known_revisions
from core.database.sessions import Database
from core.recorded_keys import RecordedKeys, recorded_keys
from core.workers.repository import WorkerRepository
from core.workers.tables import Worker
from ops.backup.rows import (
    copy_late_references,
    copy_rows,
    count_rows,
    has_table,
    snapshot,
)
from ops.databases import is_absent, open_database
from ops.expected_errors import CommandRefused, damaged_sentence, is_damaged

_ALIVE_SECONDS = 60.0
_COPY = "source.db"


def refuse_target_in_use(url: str) -> None:
    """Raise CommandRefused if the database has data or a running worker.

    The database does not change: it may be of a service of an older release.
    """
    if is_absent(url):
        return
    with (
        closing(open_database(url)) as database,
        database.engine.connect() as connection,
    ):
        revision = current_revision(connection)
        if revision is None:
            return
        _refuse_unknown(revision, "The database of the service")
        _refuse_data(connection)
        _refuse_running(connection)


def _refuse_unknown(revision: str | None, name: str) -> None:
    known = known_revisions()
    if revision not in known:
        raise CommandRefused(
            f"{name} has the revision {revision}; this fitserve knows {known[-1]} to "
            f"{known[0]}. Use the fitserve that wrote it, or a newer one."
        )


def _refuse_data(connection: Connection) -> None:
    counts = count_rows(connection)
    if counts:
        found = ", ".join(f"{number:,} {name}" for name, number in counts.items())
        raise CommandRefused(
            f"The service already has data ({found}), which a restore would mix with "
            "that of the backup. Give an empty home with --home, or an empty database "
            "with FITSERVE_DATABASE_URL."
        )


def _refuse_running(connection: Connection) -> None:
    if not has_table(connection, Worker.__tablename__):
        return
    alive = WorkerRepository(Session(connection)).count_alive(_ALIVE_SECONDS)
    if any(alive.values()):
        raise CommandRefused(
            "A worker used the database of the service within the last minute. Stop the "
            "service, and repeat the command a minute later."
        )


def copy_to_file(database: Database, path: Path) -> tuple[dict[str, int], RecordedKeys]:
    """Copy the database to a new SQLite file.

    Return the number of rows by table, and the keys of files that the rows name.
    """
    upgrade(f"sqlite:///{path}")
    with closing(Database(f"sqlite:///{path}")) as copy:
        return copy_between(database, copy), keys_of(copy)


def copy_between(source: Database, target: Database) -> dict[str, int]:
    """Copy all rows in one transaction; return their number by table."""
    with snapshot(source) as reading, target.write() as session:
        writing = session.connection()
        rows = copy_rows(reading, writing)
        copy_late_references(reading, writing)
    return rows


def keys_of(database: Database) -> RecordedKeys:
    """Return the keys of files that the rows name."""
    with database.read() as session:
        return recorded_keys(session)


def rows_of(database: Database) -> dict[str, int]:
    """Return the number of rows by table."""
    with database.engine.connect() as connection:
        return count_rows(connection)


def upgraded_copy(path: Path, work: Path) -> Database:
    """Return a copy of an SQLite database at the newest revision."""
    copy = work / _COPY
    copy.touch(mode=0o600)
    _copy_sqlite(path, copy)
    with (
        closing(Database(f"sqlite:///{copy}")) as database,
        database.engine.connect() as connection,
    ):
        _refuse_unknown(current_revision(connection), repr(str(path)))
    upgrade(f"sqlite:///{copy}")
    return Database(f"sqlite:///{copy}")


def remove_copies(scratch: Path) -> None:
    """Remove scratch folders with a copied database, which killed restores left.

    The copy has secrets.
    """
    for copy in scratch.glob(f"tmp_*/{_COPY}"):
        shutil.rmtree(copy.parent)


def _copy_sqlite(path: Path, copy: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(copy)) as new:
            old.backup(new)
    except sqlite3.OperationalError as error:
        raise CommandRefused(
            f"{str(path)!r} cannot be copied to {str(copy.parent)!r} ({error}); check "
            "the permissions of both folders, and the free space of the second one."
        ) from error
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname == "SQLITE_NOTADB":
            raise CommandRefused(
                f"{str(path)!r} is not an SQLite database: {error}."
            ) from error
        if is_damaged(error):
            raise CommandRefused(damaged_sentence(repr(str(path)), error)) from error
        raise
