"""The storage in a folder of this machine, or on a volume that is mounted here."""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from core.storage.port import check_key, is_key, no_such_file


class LocalStorage:
    """A storage whose keys are paths below the folder `root`.

    `put` renames a file, which must therefore be on the same disk.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def put(self, file: Path, key: str) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb+") as content:
            os.fsync(content.fileno())
        file.rename(path)
        fsync_folder(path.parent)

    def open(self, key: str) -> BinaryIO:
        return self._existing(key).open("rb")

    @contextlib.contextmanager
    def local_copy(self, key: str, sha256: str | None = None) -> Iterator[Path]:  # noqa: ARG002  the file itself needs no copy
        yield self._existing(key)

    def delete(self, key: str) -> None:
        path = self._path(key)
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # other files are still in the folder
            path.parent.rmdir()

    def list(self, prefix: str, older_than_seconds: float = 0.0) -> Sequence[str]:
        tree = os.walk(self._root / prefix)  # a folder may be removed meanwhile
        files = (Path(folder, name) for folder, _, names in tree for name in names)
        if older_than_seconds:
            files = (file for file in files if age(file) >= older_than_seconds)
        return sorted(filter(is_key, (str(f.relative_to(self._root)) for f in files)))

    def check(self) -> str:
        return ""

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    def _existing(self, key: str) -> Path:
        path = self._path(key)
        if not path.is_file():
            raise no_such_file(key)
        return path


def age(path: Path) -> float:
    """Return the seconds since a file was written; a negative number if it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return -1.0


def fsync_folder(folder: Path) -> None:
    """Make the names of the files in a folder survive a power failure."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
