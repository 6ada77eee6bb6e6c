"""Open files that may be packed, and recognise what they hold."""

import gzip
import sys
import zlib
from pathlib import Path
from typing import BinaryIO

from fitserve.file_formats import (
    GZIP,
    HEAD_BYTES,
    MEDIA_TYPES,
    ZSTD,
    FileFormat,
    format_of,
)
from fitserve.frames import library

ZSTD_LIBRARY = "backports.zstd"


def open_plain(path: Path) -> BinaryIO:
    """Open a file; unpack a gzip or a zstd.

    Raises ImportError if the file is a zstd, and the library that unpacks it is absent.
    """
    with path.open("rb") as file:
        start = file.read(len(ZSTD))
    if start.startswith(GZIP):
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if start == ZSTD:
        unpacked: BinaryIO = library(ZSTD_LIBRARY).open(path, "rb")
        return unpacked
    return path.open("rb")


def plain_format(path: Path) -> FileFormat | None:
    """Return the format of a file, unpacked; None if it cannot be unpacked here."""
    try:
        with open_plain(path) as file:
            return format_of(file.read(HEAD_BYTES))
    except unpacking_errors():
        return None


def unpacking_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that damaged packed files and a missing library raise."""
    zstd = sys.modules.get(ZSTD_LIBRARY)
    own = (zstd.ZstdError,) if zstd else ()
    return (EOFError, gzip.BadGzipFile, zlib.error, ImportError, *own)


def media_type_of(file: BinaryIO) -> str:
    """Return the media type of an open file, and go back to its start.

    A packed file counts as a CSV: the service recognises what it holds.
    """
    head = file.read(HEAD_BYTES)
    file.seek(0)
    return MEDIA_TYPES.get(format_of(head), MEDIA_TYPES[FileFormat.CSV])
