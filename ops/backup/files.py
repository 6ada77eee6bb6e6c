"""Copy stored files from one storage to another one."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

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


def copy_files(source: Storage, target: Storage, scratch: Path) -> FileCounts:
    """Copy each file that the target does not have; a stored file never changes.

    A file that is deleted while the others are copied is left out.

    Args:
        source: the storage to read.
        target: the storage to write.
        scratch: an existing folder, on the disk of the target if that is a folder.

    """
    counts = FileCounts()
    existing = set(_keys(target))
    for key in _keys(source):
        if key in existing:
            counts.existed += 1
            continue
        with suppress(FileNotFoundError):
            counts.num_bytes += _copy(source, target, key, scratch / "file")
            counts.copied += 1
    return counts


def remove_others(source: Storage, target: Storage) -> int:
    """Remove the target's files that the source does not have; return their number."""
    others = set(_keys(target)) - set(_keys(source))
    for key in others:
        target.delete(key)
    return len(others)


def _keys(storage: Storage) -> list[str]:
    return [key for folder in _FOLDERS for key in storage.list(folder)]


def _copy(source: Storage, target: Storage, key: str, path: Path) -> int:
    """Copy one file by way of `path`; return its size in bytes."""
    with source.open(key) as content, path.open("wb") as file:
        shutil.copyfileobj(content, file, 2**20)
        size = file.tell()
    target.put(path, key)
    return size
