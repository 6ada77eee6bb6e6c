"""Recognise the format of an uploaded file, and refuse options that it does not have."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from core.errors import InvalidTable
from fitserve.file_formats import HEAD_BYTES, MEDIA_TYPES, FileFormat, format_of
from fitserve.problems import FieldError, pointer
from fitserve.specs.parsing import ParsingSpec

NAMES = {
    FileFormat.CSV: "CSV",
    FileFormat.JSON_LINES: "JSON Lines",
    FileFormat.PARQUET: "Parquet",
    FileFormat.ARROW: "Arrow IPC (Feather)",
    FileFormat.ARROW_STREAM: "Arrow IPC stream",
    FileFormat.XLSX: "Excel (xlsx)",
    FileFormat.ODS: "OpenDocument (ods)",
}
WORKBOOKS = (FileFormat.XLSX, FileFormat.ODS)
_EXPECTED = "CSV, JSON Lines, Parquet, Arrow IPC (Feather), xlsx or ods"
_ODS = MEDIA_TYPES[FileFormat.ODS].encode()
_OTHERS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Excel 97-2003 file, or an encrypted one",
    b"FEA1": "a file of Feather version 1",
    b"PARE": "an encrypted Parquet file",
    b"%PDF-": "a PDF",
    b"SQLite format 3\0": "an SQLite database",
    b"\x89HDF\r\n": "an HDF5 file",
    b"Obj\x01": "an Avro file",
    b"\xfd7zXZ\0": "an xz file",
    b"BZh91AY&SY": "a bzip2 file",
    b"\x80\x04\x95": "a Python pickle",
    b"\x93NUMPY": "a NumPy array",
}
_LOCKED = 1
_ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
"""The errors of a damaged archive."""
_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_OPTIONS = {
    FileFormat.CSV: {"delimiter", "header", "encoding", "decimal"},
    FileFormat.XLSX: {"sheet", "header", "decimal"},
    FileFormat.ODS: {"sheet", "header", "decimal"},
}
"""Options of each format, besides `null_values` and `types`; other formats have none."""


def recognise(source: Path) -> FileFormat:
    """Return the format of an unpacked file. Raise InvalidTable if it is not a table."""
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for start, kind in _OTHERS.items():
        if head.startswith(start):
            raise InvalidTable(f"The file is {kind}; expected {_EXPECTED}.")
    found = format_of(head)
    _refuse_wide_json(head)
    if _HTML.match(head):
        line = " ".join(head[:1_000].decode("utf-8-sig", "replace").split())[:80]
        raise InvalidTable(
            f"The file is an HTML page that begins with {line!r}; expected {_EXPECTED}. "
            "Download the file itself."
        )
    if found == FileFormat.JSON:
        raise InvalidTable(
            "The file is a JSON array; expected JSON Lines, which has one object per "
            "line. Convert it, for example with `jq -c '.[]' file.json`."
        )
    return _in_zip(source) if found == FileFormat.ZIP else found


def _refuse_wide_json(head: bytes) -> None:
    """Raise InvalidTable for JSON in UTF-16 or UTF-32, which would be read as a CSV."""
    if b"\0" not in head[:8]:
        return
    for codec in ("utf-32", "utf-16", "utf-16-le", "utf-16-be"):
        text = head.decode(codec, errors="replace").removeprefix("\ufeff")
        if format_of(text.encode()) in (FileFormat.JSON_LINES, FileFormat.JSON):
            raise InvalidTable(
                f"The file is JSON in {codec[:6].upper()}; expected JSON Lines in UTF-8. "
                "Save it as UTF-8, for example with `iconv -f UTF-16 -t UTF-8`."
            )


def _in_zip(source: Path) -> FileFormat:
    try:
        with zipfile.ZipFile(source) as archive:
            _refuse_locked(archive)
            names = archive.namelist()
            is_ods = _ODS in archive.read("mimetype") if "mimetype" in names else False
    except _ZIP_FAULTS as error:
        raise InvalidTable(f"The ZIP archive cannot be read: {error}.") from error
    if is_ods:
        return FileFormat.ODS
    if "xl/workbook.xml" in names:
        return FileFormat.XLSX
    inside = ", ".join(repr(name[:60]) for name in names[:3]) or "nothing"
    raise InvalidTable(
        f"The file is a ZIP archive with {inside}; unpack it, and send the table inside. "
        f"Expected {_EXPECTED}."
    )


def _refuse_locked(archive: zipfile.ZipFile) -> None:
    """Raise InvalidTable if a part of the archive needs a password."""
    if any(part.flag_bits & _LOCKED for part in archive.infolist()):
        raise InvalidTable(
            "The file is protected by a password; save it without one, and send it again."
        )


def refuse_options(found: FileFormat, given: ParsingSpec) -> None:
    """Raise InvalidTable if an option is given that files of this format do not have."""
    known = _OPTIONS.get(found, set()) | {"null_values", "types"}
    for key in ParsingSpec.model_fields:
        if key in known or getattr(given, key) is None:
            continue
        detail = f"the file is {NAMES[found]}, which has no option `{key}`"
        hint = f"leave `{key}` out"
        raise InvalidTable(
            f"{detail}; {hint}.",
            [FieldError(pointer=pointer(key), detail=detail, hint=hint)],
        )
