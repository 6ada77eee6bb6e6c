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
    damaged: list[str] = field(default_factory=list)
    """The keys of files that have another size than their rows record.

    Also of those whose source is shorter than the copy; the copy is kept.
    """


class FileCopy:
    """A copy of the named files that the target lacks, or has with another size.

    Files never change, so a file of another size is damaged. A file of the target that
    has the size that its row records is kept, whatever the source has. Where rows record
    no size, the longer file is the whole one, because a damaged file was cut.

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
        return bool(self._keys.required) and not self._keys.all & self._available.keys()

    def missing(self) -> list[str]:
        """Return the keys of required files that neither storage has."""
        stored = self._available.keys() | self._existing.keys()
        return sorted(self._keys.required - stored)

    def run(self, scratch: Path) -> FileCounts:
        """Copy the files by way of `scratch`, and count them.

        `scratch` is on the disk of the target if that is a folder. A file that the
        service deletes meanwhile is counted as missing.
        """
        named = self._keys.all & self._available.keys()
        wanted = sorted(key for key in named if not self._has_copy(key))
        kept = (self._keys.all & self._existing.keys()).difference(wanted)
        counts = FileCounts(existed=len(kept), missing=self.missing())
        for key in wanted:
            self._copy(key, scratch / "file", counts)
        counts.missing.sort()
        counts.damaged = sorted(filter(self._is_damaged, self._keys.required))
        return counts

    def _has_copy(self, key: str) -> bool:
        size = self._existing.get(key)
        right = (self._available[key], self._keys.sizes.get(key))
        return size is not None and (size in right or self._is_source_cut(key))

    def _is_source_cut(self, key: str) -> bool:
        """Return whether the source's file is shorter than the target's copy.

        Return False if the row of the file records its size.
        """
        if key in self._keys.sizes:
            return False
        return self._available.get(key, 0) < self._existing.get(key, 0)

    def _is_damaged(self, key: str) -> bool:
        """Return whether the target's file has another size than its row records.

        Without a recorded size, return whether the source's file is shorter than it.
        """
        size, recorded = self._existing.get(key), self._keys.sizes.get(key)
        if recorded is None:
            return key in self._available and self._is_source_cut(key)
        return size is not None and size != recorded

    def _copy(self, key: str, path: Path, counts: FileCounts) -> None:
        try:
            content = self._source.open(key)
        except FileNotFoundError:
            counts.missing += [key] if key in self._keys.required else []
            return
        self._existing[key] = _save(content, path)
        self._target.put(path, key)
        counts.num_bytes += self._existing[key]
        counts.copied += 1

    def extra_keys(self) -> set[str]:
        """Return the keys of the target's files that no row names."""
        return self._existing.keys() - self._keys.all


def remove_extra_files(copy: FileCopy, target: Storage) -> None:
    """Remove the target's files that no row names."""
    for key in copy.extra_keys():
        target.delete(key)


def _stored(storage: Storage) -> dict[str, int]:
    """Return the sizes in bytes of all files by key."""
    found: dict[str, int] = {}
    for folder in _FOLDERS:
        found.update(storage.sizes(folder))
    return found


def _save(content: BinaryIO, path: Path) -> int:
    """Write a stream to a file and close the stream; return the size in bytes."""
    with closing(content), path.open("wb") as file:
        shutil.copyfileobj(content, file, 2**20)
        return file.tell()
