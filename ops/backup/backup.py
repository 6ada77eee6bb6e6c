"""Make a backup of a service in a folder.

The folder has the form of a home: an SQLite database, the files, and the pepper of the
keys. So a backup of PostgreSQL and S3 can be restored into another kind of service.
"""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from core.database.sessions import Database
from core.settings import Settings
from core.storage import Storage
from core.storage.local import LocalStorage
from ops.backup.databases import copy_to_file
from ops.backup.files import FileCopy, FileCounts, remove_extra_files
from ops.backup.folder import (
    DATABASE_FILE,
    UNFINISHED,
    Backup,
    hold_backup,
    place_database,
    read_metadata,
    refuse_other_folder,
    write_metadata,
)
from ops.backup.peppers import backup_warnings, copy_pepper, refuse_to_replace_pepper
from ops.databases import newest_revision, open_existing, open_files
from ops.expected_errors import CommandRefused

_DATA = ("datasets", "runs", "models")


def make_backup(settings: Settings, folder: Path) -> Backup:
    """Copy database, files and pepper into the folder; return what was copied.

    The service may run. The database is copied first, and then the files that the copy
    names. A previous backup in the folder stays usable until the new one is complete, and
    its files are not copied again.

    Raises CommandRefused if the folder is not a backup, if the database does not exist or
    needs a migration, or if database, storage or pepper are not those of the previous
    backup.
    """
    refuse_other_folder(folder)
    with closing(open_existing(settings)) as database:
        revision = newest_revision(database)
        storage = open_files(settings)
        with (
            hold_backup(folder),
            TemporaryDirectory(dir=folder, prefix=UNFINISHED) as work,
        ):
            _begin(folder, revision, Path(work))
            backup = Backup(revision=revision, rows={}, files=FileCounts())
            _fill(backup, database, storage, (settings, folder, Path(work)))
            return backup


def _begin(folder: Path, revision: str, work: Path) -> None:
    """Mark a new folder as an incomplete backup, so that the command can be repeated."""
    if read_metadata(folder) is None:
        counts = FileCounts()
        begun = Backup(complete=False, revision=revision, rows={}, files=counts)
        write_metadata(folder, begun, work)


def _fill(
    backup: Backup,
    database: Database,
    storage: Storage,
    places: tuple[Settings, Path, Path],
) -> None:
    """Copy everything and describe it in `backup`.

    `places` are the settings of the service, the folder, and a folder for work.
    """
    settings, folder, work = places
    home = settings.home_dir
    new = work / DATABASE_FILE
    target = LocalStorage(folder / "files", follows_links=False)
    backup.rows, keys = copy_to_file(database, new)
    _refuse_empty(backup.rows, read_metadata(folder))
    refuse_to_replace_pepper(home, folder, backup.rows)
    copy = FileCopy(keys, storage, target)
    _refuse_other_storage(copy)
    backup.files = copy.run(work)
    backup.files.removed = len(copy.extra_keys())
    copy_pepper(home, folder)
    backup.warnings = backup_warnings(settings, folder, backup.rows)
    place_database(new, folder / DATABASE_FILE)
    write_metadata(folder, backup, work)
    remove_extra_files(copy, target)


def _refuse_empty(rows: dict[str, int], previous: Backup | None) -> None:
    """Refuse to replace a backup of a service by one of an empty database."""
    had_data = previous is not None and any(map(previous.rows.get, _DATA))
    if had_data and not any(map(rows.get, _DATA)):
        raise CommandRefused(
            "The database has no dataset, run or model, and the previous backup in this "
            "folder has some; it was kept. Check FITSERVE_DATABASE_URL and --home, or "
            "give a new folder."
        )


def _refuse_other_storage(copy: FileCopy) -> None:
    if copy.is_source_unrelated:
        raise CommandRefused(
            "The storage has none of the files that the database names. Set "
            "FITSERVE_STORAGE_URL and --home as for the service."
        )
