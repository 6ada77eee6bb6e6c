"""Where uploads and artifacts lie: a port of seven methods, and the local folder.

Keys are made by this service (`datasets/<id>/content`), never from user strings.
"""

import contextlib
import errno
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from core.database.base import new_id
from core.errors import StorageFull

_KEY = re.compile(r"[a-z]+(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Storage(Protocol):
    """A store of immutable files."""

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """A folder on the same disk for files in the making, removed afterwards."""

    def publish(self, source: Path, key: str) -> None:
        """Make `source` durable and visible under `key`, in one step."""

    def local_path(self, key: str) -> Path:
        """A path under which the file can be read here; FileNotFoundError if absent."""

    def open(self, key: str) -> BinaryIO:
        """The file, for streaming; FileNotFoundError if absent."""

    def delete(self, key: str) -> None:
        """Remove the file if it is there."""

    def keys(self, prefix: str, older_than_seconds: float = 0.0) -> list[str]:
        """Return the keys below `prefix`, a folder, of files written so long ago.

        A file whose name is not a key, such as `.DS_Store`, is not this service's: it
        is left out.
        """

    def sweep(self, older_than_seconds: float) -> None:
        """Remove what a killed process left in the making so long ago."""


class LocalStorage:
    """Files in a folder; visible only when whole (fsync, then rename)."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._scratch = root / "scratch"
        self._scratch.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        folder = self._scratch / new_id("tmp")
        try:
            with disk_full_is_507():
                folder.mkdir()
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, source: Path, key: str) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb+") as file:
            os.fsync(file.fileno())
        source.rename(path)
        _fsync_folder(path.parent)

    def local_path(self, key: str) -> Path:
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(key)
        return path

    def open(self, key: str) -> BinaryIO:
        return self._path(key).open("rb")

    def delete(self, key: str) -> None:
        path = self._path(key)
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others' files are still in there
            path.parent.rmdir()

    def keys(self, prefix: str, older_than_seconds: float = 0.0) -> list[str]:
        tree = os.walk(self._root / prefix)  # a folder may go while it is read
        files = (Path(folder, name) for folder, _, names in tree for name in names)
        if older_than_seconds:
            files = (f for f in files if _age(f) >= older_than_seconds)
        names = (str(f.relative_to(self._root)) for f in files)
        return sorted(name for name in names if _KEY.fullmatch(name))

    def sweep(self, older_than_seconds: float) -> None:
        for folder in self._scratch.iterdir():
            if _age(folder) >= older_than_seconds:
                shutil.rmtree(folder, ignore_errors=True)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is not a storage key")
        return self._root / key


@contextlib.contextmanager
def disk_full_is_507() -> Iterator[None]:
    """Turn "no space left" into the problem that says so."""
    try:
        yield
    except Exception as error:
        if not _says_full(error):
            raise
        raise StorageFull(
            "The disk of this service is full; nothing was stored. "
            "Delete datasets, or ask the operator for room."
        ) from error


def _says_full(error: Exception) -> bool:
    """Whether it tells of a full disk; polars tells so in words alone."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL
    is_polars = type(error).__module__.startswith("polars")
    if not is_polars and not isinstance(error, OSError):
        return False
    return any(os.strerror(number) in str(error) for number in _FULL)


def _age(path: Path) -> float:
    """Seconds since it was written; less than none if it went meanwhile."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return -1.0


def _fsync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
