"""Recognise the format of a file of rows by its first bytes, never by its name."""

import re
from enum import StrEnum
from pathlib import PurePath

HEAD_BYTES = 64 * 1024
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_ARROW = (b"ARROW1\0\0", b"\xff\xff\xff\xff")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_BOM = b"\xef\xbb\xbf"
_JSON_OBJECT = re.compile(rb'\s*\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\}\s*(?:\{|$))')
_JSON_ARRAY = re.compile(rb"\s*\[\s*\{")


class FileFormat(StrEnum):
    """The formats of files of rows, as `parsing.format` of a dataset names them."""

    CSV = "csv"
    JSON_LINES = "json_lines"
    JSON = "json"
    PARQUET = "parquet"
    ARROW = "arrow"
    ARROW_STREAM = "arrow_stream"
    ZIP = "zip"
    XLSX = "xlsx"
    ODS = "ods"


def format_of(head: bytes) -> FileFormat:
    """Return the format of an unpacked file with these first bytes; CSV by default.

    A workbook is a ZIP, whose entries decide between XLSX and ODS.
    """
    if head.startswith(b"PAR1") and 0 in head:  # a CSV may begin with `PAR1` too
        return FileFormat.PARQUET
    if head.startswith(_ARROW[0]):
        return FileFormat.ARROW
    if head.startswith(_ARROW[1]):
        return FileFormat.ARROW_STREAM
    if head.startswith(_ZIP):
        return FileFormat.ZIP
    text = head.removeprefix(_BOM)
    if _JSON_OBJECT.match(text):
        return FileFormat.JSON_LINES
    return FileFormat.JSON if _JSON_ARRAY.match(text) else FileFormat.CSV


MEDIA_TYPES = {
    FileFormat.CSV: "text/csv",
    FileFormat.JSON_LINES: "application/x-ndjson",
    FileFormat.PARQUET: "application/vnd.apache.parquet",
    FileFormat.ARROW: "application/vnd.apache.arrow.file",
    FileFormat.ARROW_STREAM: "application/vnd.apache.arrow.stream",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.ODS: "application/vnd.oasis.opendocument.spreadsheet",
}
"""The media type of each format; a service recognises the format by the content."""
EXTENSIONS = {
    FileFormat.CSV: ".csv",
    FileFormat.JSON_LINES: ".jsonl",
    FileFormat.PARQUET: ".parquet",
    FileFormat.ARROW: ".arrow",
    FileFormat.ARROW_STREAM: ".arrows",
    FileFormat.XLSX: ".xlsx",
    FileFormat.ODS: ".ods",
}
"""The extension of a file that has no name of its own."""

_PACKED = (".gz", ".zst")
_OF_NAMES = (*EXTENSIONS.values(), ".ndjson", ".feather")


def stem_of(name: str) -> str:
    """Return the name of a file without its extensions, for the name of a dataset."""
    for endings in (_PACKED, _OF_NAMES):
        ending = next((end for end in endings if name.lower().endswith(end)), "")
        name = name[: len(name) - len(ending)]
    return name


def other_ending(name: str) -> str | None:
    """Return the extension of a file name if it is of another format than plain CSV."""
    ending = PurePath(name).suffix.lower()
    others = {*_PACKED, *_OF_NAMES, ".json", ".tsv", ".xls"} - {
        EXTENSIONS[FileFormat.CSV]
    }
    return ending if ending in others else None
