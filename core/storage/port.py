"""The storage port: files by key, with methods that an object store can offer too.

Keys are made by this service (`datasets/<id>/content.csv`), never from user strings.
"""

import errno
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

_KEY = re.compile(r"[a-z]+(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")


class Storage(Protocol):
    """A store of files that never change.

    `open` and `local_copy` raise FileNotFoundError if no file has the key. Every method
    raises StorageUnavailable if a store on another machine does not answer, and OSError
    if a disk of this machine fails.
    """

    def put(self, file: Path, key: str) -> None:
        """Store a local file under `key`, durably; it becomes visible only when complete.

        The file may be moved away, so the caller must not use it afterwards.
        """

    def open(self, key: str) -> BinaryIO:
        """Return a seekable binary stream of the file, which the caller closes."""

    def local_copy(
        self, key: str, sha256: str | None = None
    ) -> AbstractContextManager[Path]:
        """Provide a path at which the file can be read until the context ends.

        The caller must not change the file at this path. With `sha256`, the recorded hash
        of the file, a copy with this hash may be provided without asking the store. The
        caller must check the hash nevertheless.
        """

    def delete(self, key: str) -> None:
        """Remove the file. Do nothing if the file does not exist."""

    def list(self, prefix: str, older_than_seconds: float = 0.0) -> Sequence[str]:
        """Return the sorted keys of files below the folder `prefix` of at least this age.

        Files whose names are not keys are skipped: another program made them.
        """

    def sizes(self, prefix: str) -> Mapping[str, int]:
        """Return the size in bytes of each file that `list` returns, by key."""

    def check(self) -> str:
        """Ask a store on another machine, and return a sentence that says it answers.

        For a folder of this machine, return "".

        Raises StorageUnavailable if the store does not answer within a second.
        """


def is_key(name: str) -> bool:
    """Return whether a name has the form of a storage key."""
    return _KEY.fullmatch(name) is not None


def check_key(key: str) -> str:
    """Return the key; raise ValueError if it does not have the form of one."""
    if not is_key(key):
        raise ValueError(
            f"{key!r} is not a storage key; expected one such as runs/id/model.onnx"
        )
    return key


def no_such_file(key: str) -> FileNotFoundError:
    """Return the error for a key without a file."""
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), key)
