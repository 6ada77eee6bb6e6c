"""Copy the files that the rows of a database name from one storage to another one."""

import shutil
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from core.recorded_keys import RecordedKeys
from core.storage import Storage

_FOLDERS = ("datasets", "runs", "checkpoints")
"""The folders of keys; each file of the service is in one of them."""


@dataclass
class FileCounts:
    """The numbers of files that were copied, existed already, and were removed."""

    copied: int = 0
    existed: int = 0
    removed: int = 0
    num_bytes: int = 0
    """The size of the copied files."""
    missing: list[str] = field(default_factory=list)
    """The keys of required files that neither storage has."""


class FileCopy:
    """A copy of the named files that the target does not have; files never change.

    Args:
        keys: the keys that the rows of the database name.
        source: the storage to read.
        target: the storage to write.

    """

    def __init__(self, keys: RecordedKeys, source: Storage, target: Storage) -> None:
        self._keys = keys
        self._source = source
        self._target = target
        self._available = _stored(source)
        self._existing = _stored(target)

    @property
    def is_source_unrelated(self) -> bool:
        """Return whether rows name files, of which the source has none."""
        return bool(self._keys.required) and not self._keys.all & self._available

    def missing(self) -> list[str]:
        """Return the keys of required files that neither storage has."""
        return sorted(self._keys.required - self._available - self._existing)

    def run(self, scratch: Path) -> FileCounts:
        """Copy the files by way of `scratch`, and count them.

        `scratch` is on the disk of the target if that is a folder. A file that the
        service deletes meanwhile is counted as missing.
        """
        counts = FileCounts(existed=len(self._keys.all & self._existing))
        counts.missing = self.missing()
        for key in sorted((self._keys.all & self._available) - self._existing):
            self._copy(key, scratch / "file", counts)
        counts.missing.sort()
        return counts

    def _copy(self, key: str, path: Path, counts: FileCounts) -> None:
        try:
            content = self._source.open(key)
        except FileNotFoundError:
            counts.missing += [key] if key in self._keys.required else []
            return
        counts.num_bytes += _save(content, path)
        self._target.put(path, key)
        counts.copied += 1

    def extra_keys(self) -> set[str]:
        """Return the keys of the target's files that no row names."""
        return self._existing - self._keys.all


def remove_extra_files(copy: FileCopy, target: Storage) -> None:
    """Remove the target's files that no row names."""
    for key in copy.extra_keys():
        target.delete(key)


def _stored(storage: Storage) -> set[str]:
    return {key for folder in _FOLDERS for key in storage.list(folder)}


def _save(content: BinaryIO, path: Path) -> int:
    """Write a stream to a file and close the stream; return the size in bytes."""
    with closing(content), path.open("wb") as file:
        shutil.copyfileobj(content, file, 2**20)
        return file.tell()
