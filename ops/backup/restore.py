"""Restore a backup, or move the home of a stopped service, into an empty service."""

from contextlib import closing
from pathlib import Path

from core.database.migrate import upgrade
from core.database.revisions import known_revisions
from core.database.sessions import Database
from core.settings import Settings
from core.storage import Storage, scratch
from core.storage.local import LocalStorage
from core.storage.scratch import scratch_root
from ops.backup.databases import (
    copy_between,
    keys_of,
    refuse_target_in_use,
    remove_copies,
    rows_of,
    upgraded_copy,
)
from ops.backup.files import FileCopy
from ops.backup.folder import DATABASE_FILE, Backup, hold_source, read_metadata
from ops.backup.peppers import pepper_warnings, refuse_other_pepper, restore_pepper
from ops.databases import open_files
from ops.expected_errors import CommandRefused
from ops.home_lock import hold_home


def restore_backup(settings: Settings, folder: Path) -> Backup:
    """Copy a backup, or the home of a stopped service, into an empty service.

    Files and pepper are copied first, and then all rows in one transaction: after an
    interruption, the command can be repeated.

    Raises CommandRefused if the folder has no complete database that this release can
    read, if it lacks files, or if the service has data; CannotStart if the service runs.
    """
    _refuse_unreadable(folder)
    with hold_home(settings), hold_source(folder, settings.home_dir):
        refuse_target_in_use(settings.resolved_database_url)
        storage = open_files(settings)
        remove_copies(scratch_root())
        with (
            scratch() as work,
            closing(upgraded_copy(folder / DATABASE_FILE, work)) as source,
        ):
            refuse_other_pepper(folder, settings, rows_of(source))
            return _restore(settings, folder, source, storage, work)


def _restore(
    settings: Settings, folder: Path, source: Database, storage: Storage, work: Path
) -> Backup:
    copy = FileCopy(keys_of(source), _files_of(folder, work), storage)
    _refuse_missing(copy, folder)
    files = copy.run(work)
    restore_pepper(folder, settings)
    upgrade(settings.resolved_database_url)
    with closing(Database(settings.resolved_database_url)) as target:
        rows = copy_between(source, target)
    warnings = pepper_warnings(folder, settings, rows)
    revision = known_revisions()[0]
    return Backup(revision=revision, rows=rows, files=files, warnings=warnings)


def _files_of(folder: Path, work: Path) -> LocalStorage:
    """Return the files of a folder, in which nothing is created."""
    files = folder / "files"
    chosen = files if files.is_dir() else work / "files"
    return LocalStorage(chosen, follows_links=False)


def _refuse_unreadable(folder: Path) -> None:
    described = read_metadata(folder)
    if described is not None and not described.complete:
        raise CommandRefused(
            f"The backup in {str(folder)!r} is incomplete: `fitserve backup` was "
            "interrupted. Repeat that command, or give another backup."
        )
    if not (folder / DATABASE_FILE).is_file():
        raise CommandRefused(
            f"{str(folder)!r} has no {DATABASE_FILE}; expected a folder that `fitserve "
            "backup` made, or the home of a stopped service."
        )


def _refuse_missing(copy: FileCopy, folder: Path) -> None:
    """Refuse missing files, except those that the backup reported as missing."""
    described = read_metadata(folder)
    reported = set() if described is None else set(described.files.missing)
    missing = [key for key in copy.missing() if key not in reported]
    if missing:
        raise CommandRefused(
            f"{len(missing):,} files that the database names are not in "
            f"{str(folder / 'files')!r}, such as {missing[0]}. If the service had them "
            "elsewhere, make a backup with its FITSERVE_STORAGE_URL, "
            f"`fitserve backup BACKUP --home {folder}`, and restore BACKUP."
        )
