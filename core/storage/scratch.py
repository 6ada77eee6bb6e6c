"""Scratch folders, for files that this process is writing or reading.

They do not belong to the storage: only the process that made a folder uses it.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from core.database.base import new_id
from core.errors import StorageFull, Unavailable
from core.storage.local import age

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _Scratch:
    """The folder in which this process makes its scratch folders."""

    root: Path | None = None
    held: ClassVar[set[Path]] = set()
    """The folders that contexts of this process hold."""


def use_scratch_in(root: Path) -> None:
    """Create later scratch folders of this process in `root`."""
    root.mkdir(parents=True, exist_ok=True)
    _Scratch.root = root


def scratch_root() -> Path:
    """Return the folder in which this process makes scratch folders."""
    if _Scratch.root is None:
        raise RuntimeError("The scratch folder is not set; call open_storage first.")
    return _Scratch.root


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Provide a new folder, which is removed at the end of the context.

    Raises StorageFull (507) if the disk becomes full in the context, Unavailable (503)
    if the folder cannot be made.
    """
    folder = scratch_root() / new_id("tmp")
    try:
        with disk_full_is_507():
            _make(folder)
            _Scratch.held.add(folder)
            yield folder
    finally:
        _Scratch.held.discard(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _make(folder: Path) -> None:
    try:
        folder.mkdir()
    except (FileNotFoundError, PermissionError) as error:
        raise Unavailable(
            f"The folder of files cannot be written to ({error.strerror}); nothing was "
            "stored. Try again when /health/ready reports that the storage is ok."
        ) from error


def keep_scratch() -> None:
    """Make the folders that this process holds look new, so that no process sweeps them.

    A run may hold its folder for hours without writing to it.
    """
    for folder in list(_Scratch.held):
        with contextlib.suppress(FileNotFoundError):  # its context has just ended
            os.utime(folder)


def sweep_scratch(older_than_seconds: float) -> None:
    """Remove scratch folders of at least this age, which killed processes left."""
    keep_scratch()
    for folder in scratch_root().iterdir():
        if age(folder) >= older_than_seconds:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def disk_full_is_507() -> Iterator[None]:
    """Raise StorageFull in place of an error that reports a full disk."""
    try:
        yield
    except Exception as error:
        if not _reports_full_disk(error):
            raise
        raise StorageFull(
            "The disk of this service is full; nothing was stored. "
            "Delete datasets, or ask the operator for more space."
        ) from error


def _reports_full_disk(error: Exception) -> bool:
    """Return whether an error reports a full disk; polars reports it only as text."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in FULL
    is_polars = type(error).__module__.startswith("polars")
    if not is_polars and not isinstance(error, OSError):
        return False
    return any(os.strerror(number) in str(error) for number in FULL)
