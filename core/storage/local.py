"""The storage in a folder of this machine, or on a volume that is mounted here."""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from core.storage.port import check_key, is_key, no_such_file


class LocalStorage:
    """A storage whose keys are paths below the folder `root`.

    `put` renames a file, which must therefore be on the same disk.

    Args:
        root: the folder, which is created.
        follows_links: whether a symbolic link below `root` is the file that it names.
            Otherwise it is no file: links of a foreign folder may name any file.

    """

    def __init__(self, root: Path, *, follows_links: bool = True) -> None:
        self._root = root
        self._follows_links = follows_links
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
        files = self._walk(self._root / prefix)
        if older_than_seconds:
            files = (file for file in files if age(file) >= older_than_seconds)
        return sorted(filter(is_key, (str(f.relative_to(self._root)) for f in files)))

    def sizes(self, prefix: str) -> Mapping[str, int]:
        found = {}
        for key in self.list(prefix):
            with contextlib.suppress(FileNotFoundError):  # it was deleted meanwhile
                found[key] = self._path(key).stat().st_size
        return found

    def check(self) -> str:
        return ""

    def _walk(self, top: Path) -> Iterator[Path]:
        """Yield the files below a folder, from which they may be removed meanwhile."""
        if top.is_symlink() and not self._follows_links:
            return
        for folder, _, names in os.walk(top):
            for name in names:
                path = Path(folder, name)
                if self._follows_links or not path.is_symlink():
                    yield path

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    def _existing(self, key: str) -> Path:
        path = self._path(key)
        if not path.is_file() or not (self._follows_links or self._is_plain(path)):
            raise no_such_file(key)
        return path

    def _is_plain(self, path: Path) -> bool:
        """Return whether no part of the path below the root is a symbolic link."""
        return path.resolve() == self._root.resolve() / path.relative_to(self._root)


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
