"""Decide whether a file to predict is sent whole or in parts, and split it."""

import sys
from pathlib import Path
from typing import Any, NamedTuple

from fitserve.client.csv_parts import CsvParts
from fitserve.client.errors import TooLarge
from fitserve.client.parts import Part, Parts, PartSize
from fitserve.client.plain_files import open_plain, plain_format, unpacking_errors
from fitserve.client.sheet_parts import SheetParts, read_sheet
from fitserve.client.typed_parts import FrameParts, JsonParts
from fitserve.file_formats import FileFormat
from fitserve.frames import library

_MOST_RATIO = 64
_LINE_FORMATS = (FileFormat.CSV, FileFormat.JSON_LINES)
_FRAME_FORMATS = (FileFormat.PARQUET, FileFormat.ARROW, FileFormat.ARROW_STREAM)


def fits_one_part(path: Path, size: PartSize) -> bool:
    """Return whether the file is sent in one request.

    A file that cannot be unpacked here is sent whole: the service describes the error.
    """
    found = plain_format(path)
    if found not in _LINE_FORMATS:
        return found is None or path.stat().st_size <= size.num_bytes
    try:
        with open_plain(path) as file:
            plain = file.read(size.num_bytes + 1)
    except unpacking_errors():
        return True
    most = max(1024 * 1024, _MOST_RATIO * path.stat().st_size)
    num_lines = max(plain.count(b"\n"), plain.count(b"\r"))
    return len(plain) <= min(size.num_bytes, most) and num_lines <= size.num_lines


class Split(NamedTuple):
    """The parts of a file, and the first of them, which is already read."""

    parts: Parts
    first: Part


def split(path: Path, given: dict[str, Any], size: PartSize) -> Split | None:
    """Return the parts of a file; None if it cannot be read here.

    Damaged files, and those whose library is missing, cannot be read.
    """
    try:
        return _split(path, given, size)
    except (ImportError, StopIteration):
        return None
    except Exception as error:
        if isinstance(error, _reading_errors()):
            return None
        raise


def split_refused(
    path: Path, given: dict[str, Any], size: PartSize, error: TooLarge
) -> Split:
    """Return the parts of a file that the service refused as a whole.

    Raises the refusal if the file cannot be split, and names the library that is missing.
    """
    try:
        import_reader(path)
    except ImportError as missing:
        detail = f"{error.problem.detail} To send the file in parts, {missing}."
        problem = error.problem.model_copy(update={"detail": detail})
        raise TooLarge(problem) from None
    is_text = plain_format(path) in {FileFormat.CSV, None}
    if is_text or (found := split(path, given, size)) is None:
        raise error
    return found


def import_reader(path: Path) -> None:
    """Import the library that reads the file; raise ImportError if it is missing."""
    open_plain(path).close()
    found = plain_format(path)
    if found in _FRAME_FORMATS:
        library("polars")
    elif found == FileFormat.ZIP:
        library("python_calamine")


def _split(path: Path, given: dict[str, Any], size: PartSize) -> Split | None:
    found = plain_format(path)
    if found is None:
        return None
    if found == FileFormat.ZIP:
        return _of_workbook(path, given, size)
    parts: Parts
    if found in _FRAME_FORMATS:
        parts = FrameParts(path, given, size, found)
    elif found == FileFormat.JSON_LINES:
        parts = JsonParts(path, given, size)
    else:
        parts = CsvParts(path, given, size)
    try:
        return Split(parts, parts.first())
    except BaseException:
        parts.close()
        raise


def _of_workbook(path: Path, given: dict[str, Any], size: PartSize) -> Split | None:
    sheet = read_sheet(path, given.get("sheet"))
    if sheet is None:
        return None
    parts = SheetParts(sheet, given, size)
    return Split(parts, parts.first())


def _reading_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of the libraries that are loaded."""
    polars, calamine = map(sys.modules.get, ("polars", "python_calamine"))
    return (
        *unpacking_errors(),
        *((polars.exceptions.PolarsError,) if polars else ()),
        *((calamine.CalamineError,) if calamine else ()),
    )
