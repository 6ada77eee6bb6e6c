"""The folder of a backup: what it holds, its lock, and files that are replaced whole."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from core.database.base import utc_now
from core.storage.local import fsync_folder
from fitserve import __version__
from ops.backup.files import FileCounts
from ops.expected_errors import CommandRefused
from ops.home_lock import hold_lock, lock_file

DATABASE_FILE = "fitserve.db"
UNFINISHED = "unfinished-"
_METADATA_FILE = "backup.json"
_LOCK_FILE = "backup.lock"
_SQLITE_EXTRAS = ("-wal", "-shm", "-journal")


class Backup(BaseModel):
    """The description of a backup, stored in `backup.json` of its folder."""

    fitserve: str = __version__
    complete: bool = Field(
        default=True, description="False until the first backup in the folder is made."
    )
    revision: str = Field(description="Revision of the database.")
    made_at: datetime = Field(default_factory=utc_now)
    rows: dict[str, int] = Field(description="Number of rows by table.")
    files: FileCounts
    warnings: list[str] = Field(default=[], description="What the user must know.")


def read_metadata(folder: Path) -> Backup | None:
    """Return what the folder says of itself; None if it is not a backup."""
    path = folder / _METADATA_FILE
    if not path.exists():
        return None
    try:
        return Backup.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise CommandRefused(
            f"{str(path)!r} is not the description of a backup: it is damaged, or of "
            "another release. Give another folder."
        ) from error


def write_metadata(folder: Path, backup: Backup, work: Path) -> None:
    """Store what the folder holds; `work` is a folder on the same disk."""
    new = work / _METADATA_FILE
    new.write_text(backup.model_dump_json(indent=2) + "\n")
    place(new, folder / _METADATA_FILE)


def refuse_other_folder(folder: Path) -> None:
    """Raise CommandRefused unless the folder is new, empty or a backup."""
    if folder.exists() and not folder.is_dir():
        raise CommandRefused(f"{str(folder)!r} is a file; expected a folder.")
    if lock_file(folder).exists():
        raise CommandRefused(
            f"{str(folder)!r} is the home of a service, whose files a backup would "
            "replace; expected a new folder, or one of an earlier backup."
        )
    if not folder.exists() or (folder / _METADATA_FILE).exists():
        return
    if any(not _is_left_over(path) for path in folder.iterdir()):
        raise CommandRefused(
            f"{str(folder)!r} has other files and no {_METADATA_FILE}, which each backup "
            "has; expected a new or empty folder, or one of an earlier backup."
        )


def _is_left_over(path: Path) -> bool:
    return path.name == _LOCK_FILE or path.name.startswith(UNFINISHED)


@contextmanager
def hold_backup(folder: Path) -> Iterator[None]:
    """Make the folder private and hold its lock; remove what a killed backup left.

    Raises CommandRefused if another command makes or restores this backup.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    with hold_lock(folder / _LOCK_FILE, _in_use(folder)):
        for left in folder.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left)
        yield


@contextmanager
def hold_source(folder: Path, home: Path) -> Iterator[None]:
    """Hold the lock of the backup or home that is restored into another home.

    Raises CommandRefused if a service runs in the folder, or a backup is being made.
    """
    if folder.resolve() == home:  # its lock is held already
        yield
        return
    running = CommandRefused(
        f"A service runs in {str(folder)!r}. Stop it, or make a backup with `fitserve "
        "backup` and restore that."
    )
    with (
        _hold_if_any(lock_file(folder), running),
        _hold_if_any(folder / _LOCK_FILE, _in_use(folder)),
    ):
        yield


@contextmanager
def _hold_if_any(path: Path, refusal: CommandRefused) -> Iterator[None]:
    if not path.exists():
        yield
        return
    is_writable = os.access(path, os.W_OK)  # NFS requires it of a lock
    with hold_lock(path, refusal, "r+" if is_writable else "r"):
        yield


def _in_use(folder: Path) -> CommandRefused:
    return CommandRefused(
        f"Another `fitserve backup` or `fitserve restore` uses {str(folder)!r}. Wait "
        "until it has ended, or give another folder."
    )


def place_database(new: Path, path: Path) -> None:
    """Replace an SQLite database; remove the journals of the replaced one first."""
    for ending in _SQLITE_EXTRAS:
        path.with_name(path.name + ending).unlink(missing_ok=True)
    place(new, path)


def place(new: Path, path: Path) -> None:
    """Move a file to its place on the same disk, durably, readable by its owner only."""
    new.chmod(0o600)
    with new.open("rb+") as file:
        os.fsync(file.fileno())
    new.replace(path)
    fsync_folder(path.parent)
