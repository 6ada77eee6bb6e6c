"""Make a backup of a service in a folder, and restore it into an empty service.

The folder has the form of a home: an SQLite database, the files, and the pepper of the
keys. So a backup of PostgreSQL and S3 can be restored into another kind of service.
"""

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, Field

from core.database.base import utc_now
from core.database.migrate import upgrade
from core.database.revisions import current_revision, known_revisions
from core.database.sessions import Database
from core.keys.pepper import pepper_file
from core.settings import Settings
from core.storage import open_storage, scratch
from core.storage.local import LocalStorage
from fitserve import __version__
from ops.backup.files import FileCounts, copy_files, remove_others
from ops.backup.rows import copy_late_references, copy_rows, count_rows, snapshot
from ops.expected_errors import WrongUse
from ops.home_lock import hold_home

_MARK = "backup.json"


class Backup(BaseModel):
    """What a backup holds, as stored in `backup.json` of its folder."""

    fitserve: str = __version__
    revision: str = Field(description="Revision of the database.")
    made_at: datetime = Field(default_factory=utc_now)
    rows: dict[str, int] = Field(description="Number of rows by table.")
    files: FileCounts


def make_backup(settings: Settings, folder: Path) -> Backup:
    """Copy database, files and pepper into the folder; return what was copied.

    The service may run. The database is copied first, so that the folder has every file
    that the copy names. A former backup in the folder stays whole until the end, and its
    files are not copied again.

    Raises WrongUse if the folder is not a backup, or the database needs a migration.
    """
    _refuse_other_folder(folder)
    storage = open_storage(settings)
    with closing(Database(settings.resolved_database_url)) as database:
        revision = _newest_revision(database)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryDirectory(dir=folder, prefix="unfinished-") as name:
            new = Path(name) / "fitserve.db"
            rows = _copy_database(database, new)
            target = LocalStorage(folder / "files")
            files = copy_files(storage, target, Path(name))
            _copy_pepper(settings.home_dir, folder)
            new.replace(folder / "fitserve.db")
    files.removed = remove_others(storage, target)
    backup = Backup(revision=revision, rows=rows, files=files)
    (folder / _MARK).write_text(backup.model_dump_json(indent=2) + "\n")
    return backup


def restore_backup(settings: Settings, folder: Path) -> Backup:
    """Copy a backup, or the home of a stopped service, into an empty service.

    Files are copied first, and all rows in one transaction: after an interruption, the
    command can be repeated.

    Raises WrongUse if the folder has no database that this release can read, or if the
    service has data; CannotStart if the service runs.
    """
    _refuse_unreadable(folder)
    with hold_home(settings):
        storage = open_storage(settings)
        upgrade(settings.resolved_database_url)
        with (
            scratch() as work,
            closing(_upgraded_copy(folder / "fitserve.db", work)) as source,
            closing(Database(settings.resolved_database_url)) as target,
        ):
            _refuse_data(target)
            files = copy_files(LocalStorage(folder / "files"), storage, work)
            _copy_pepper(folder, settings.home_dir)
            rows = _copy_between(source, target)
    return Backup(revision=known_revisions()[0], rows=rows, files=files)


def _refuse_other_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise WrongUse(f"{str(folder)!r} is a file; expected a folder.")
    if (folder / "up.lock").exists():
        raise WrongUse(
            f"{str(folder)!r} is the home of a service, whose files a backup would "
            "replace; expected a new folder, or one of an earlier backup."
        )
    is_new = not folder.exists() or not any(folder.iterdir())
    if not is_new and not (folder / _MARK).exists():
        raise WrongUse(
            f"{str(folder)!r} has other files; expected a new or empty folder, or one of "
            "an earlier backup."
        )


def _refuse_unreadable(folder: Path) -> None:
    if not (folder / "fitserve.db").is_file():
        raise WrongUse(
            f"{str(folder)!r} has no fitserve.db; expected a folder that `fitserve "
            "backup` made, or the home of a stopped service."
        )


def _newest_revision(database: Database) -> str:
    """Return the revision of the database. Raises WrongUse if it is not the newest."""
    with database.engine.connect() as connection:
        revision = current_revision(connection)
    if revision is None:
        raise WrongUse("The database is empty: there is nothing to back up.")
    if revision != known_revisions()[0]:
        raise WrongUse(
            f"The database is at revision {revision}, and this fitserve needs "
            f"{known_revisions()[0]}. Use the fitserve that runs the service."
        )
    return revision


def _upgraded_copy(path: Path, work: Path) -> Database:
    """Return a copy of an SQLite database at the newest revision."""
    copy = work / "source.db"
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(copy)) as new:
        try:
            old.backup(new)
        except sqlite3.DatabaseError as error:
            raise WrongUse(f"{str(path)!r} is no SQLite database: {error}.") from error
    with closing(Database(f"sqlite:///{copy}")) as database:
        with database.engine.connect() as connection:
            revision = current_revision(connection)
        if revision not in known_revisions():
            raise WrongUse(
                f"{str(path)!r} has the revision {revision}; this fitserve knows "
                f"{known_revisions()[-1]} to {known_revisions()[0]}."
            )
    upgrade(f"sqlite:///{copy}")
    return Database(f"sqlite:///{copy}")


def _refuse_data(database: Database) -> None:
    with database.engine.connect() as connection:
        counts = count_rows(connection)
    if counts:
        found = ", ".join(f"{number:,} {name}" for name, number in counts.items())
        raise WrongUse(
            f"The service already has data ({found}), which a restore would mix with "
            "that of the backup. Give an empty home with --home, or an empty database "
            "with FITSERVE_DATABASE_URL."
        )


def _copy_database(database: Database, path: Path) -> dict[str, int]:
    """Copy the database to a new SQLite file; return the number of rows by table."""
    upgrade(f"sqlite:///{path}")
    with closing(Database(f"sqlite:///{path}")) as copy:
        return _copy_between(database, copy)


def _copy_between(source: Database, target: Database) -> dict[str, int]:
    """Copy all rows in one transaction; return their number by table."""
    with snapshot(source) as reading, target.write() as session:
        writing = session.connection()
        rows = copy_rows(reading, writing)
        copy_late_references(reading, writing)
    return rows


def _copy_pepper(home: Path, target: Path) -> None:
    """Copy the pepper, without which no API key of the copy is valid."""
    if pepper_file(home).exists():
        shutil.copy2(pepper_file(home), pepper_file(target))
