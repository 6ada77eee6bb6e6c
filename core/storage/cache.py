"""Copies of stored files in a folder of this machine, limited in bytes.

All processes of a home share the folder. The name of a copy determines its content.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from core.storage.local import age
from core.storage.scratch import FULL, scratch

Fetch = Callable[[Path], None]
"""A function that writes the content of a file to a path."""
IsWhole = Callable[[Path], bool]
_PART = ".part"
_STALE_SECONDS = 3_600.0


class FileCache:
    """The copies; the one that was used least recently is removed first."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes

    @contextlib.contextmanager
    def copy(self, name: str, fetch: Fetch, is_whole: IsWhole) -> Iterator[Path]:
        """Provide a path of the copy `name` until the context ends.

        The path is a hard link, so that the file stays when its copy is removed. If
        several threads or processes need a copy that is missing, one of them calls
        `fetch`. A file that is not whole is provided, but not kept.
        """
        with scratch() as folder:
            path = folder / "copy"
            if not self._link(name, path, is_whole):
                self._fetch(name, path, fetch, is_whole)
            yield path

    def adopt(self, name: str, file: Path) -> None:
        """Keep a file of a scratch folder as the copy `name`; the file is moved."""
        self._root.mkdir(exist_ok=True)
        _sync(file)
        file.rename(self._root / name)
        self._evict(self._max_bytes)

    def _link(self, name: str, path: Path, is_whole: IsWhole) -> bool:
        """Link the copy to the path. Return False if there is no whole copy."""
        copy = self._root / name
        try:
            path.hardlink_to(copy)
        except FileNotFoundError:
            return False
        if is_whole(path):
            os.utime(path)  # the copy was used now
            return True
        path.unlink()
        copy.unlink(missing_ok=True)
        return False

    def _fetch(self, name: str, path: Path, fetch: Fetch, is_whole: IsWhole) -> None:
        self._root.mkdir(exist_ok=True)
        with _locked(self._root / f"{name}{_PART}") as part:
            if self._link(name, path, is_whole):  # another thread has fetched it
                return
            self._fetch_with_room(part, fetch)
            path.hardlink_to(part)
            if is_whole(part):
                _sync(part)
                part.rename(self._root / name)
        self._evict(self._max_bytes)

    def _fetch_with_room(self, part: Path, fetch: Fetch) -> None:
        """Fetch the file; remove all other copies if the disk is full."""
        try:
            fetch(part)
        except OSError as error:
            if error.errno not in FULL:
                raise
            self._evict(0)
            fetch(part)

    def _evict(self, max_bytes: int) -> None:
        """Remove copies until the rest fits, and parts that killed processes left."""
        found = []
        for path in self._root.iterdir():
            if path.name.endswith(_PART):
                _remove_stale(path)
                continue
            with contextlib.suppress(FileNotFoundError):  # another process evicts too
                facts = path.stat()
                found.append((facts.st_mtime, facts.st_size, path))
        excess = sum(size for _, size, _ in found) - max_bytes
        for _, size, path in sorted(found):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size


@contextlib.contextmanager
def _locked(part: Path) -> Iterator[Path]:
    """Hold the lock of a file that is being fetched; wait for another holder.

    The file is removed at the end, unless it was renamed.
    """
    while True:
        with part.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(part, file.fileno()):  # it was renamed or removed
                continue
            try:
                yield part
            finally:
                part.unlink(missing_ok=True)
            return


def _is_at(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except FileNotFoundError:
        return False


def _remove_stale(part: Path) -> None:
    """Remove an old part that no process is fetching."""
    if age(part) < _STALE_SECONDS:
        return
    with contextlib.suppress(OSError), part.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        part.unlink()


def _sync(path: Path) -> None:
    """Write the file to the disk, so that no partial copy remains after a power cut."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
