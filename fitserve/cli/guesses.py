"""Guess the layout of a file whose answer does not report it.

That is a refusal, or the stored answer to an earlier request.
"""

import unicodedata
from itertools import islice
from pathlib import Path
from typing import Any

from fitserve.cli.rows import open_text, records
from fitserve.client.parts import open_plain, wide_codec

_DELIMITERS = ",;\t|"
_HEAD = 64 * 1024
_MOST_ABOVE = 40


def guessed(path: Path, given: dict[str, Any], columns: set[str]) -> dict[str, Any]:
    """Return the most likely layout of a file, with the keys of `parsing`.

    The header is the record that holds all of `columns`, which the answer names. If no
    record does, the file has no header.
    """
    encoding = given.get("encoding") or _encoding(path)
    found = {"quote": '"', "header": True, "encoding": encoding, "skipped_lines": 0}
    delimiter = given.get("delimiter", _DELIMITERS).replace("\\t", "\t")
    if given.get("header") is False:
        return {**found, "delimiter": delimiter[0], "header": False}
    for mark in delimiter:
        line = _header_line(path, encoding, mark, columns)
        if line is not None:
            return {**found, "delimiter": mark, "skipped_lines": line - 1}
    return {**found, "delimiter": delimiter[0], "header": bool(given.get("header"))}


def _header_line(
    path: Path, encoding: str, delimiter: str, columns: set[str]
) -> int | None:
    wanted = {unicodedata.normalize("NFC", name) for name in columns}
    with open_text(path, encoding) as text:
        for line, cells in islice(records(text, delimiter), _MOST_ABOVE):
            names = {unicodedata.normalize("NFC", cell.strip()) for cell in cells}
            if wanted <= names:
                return line
    return None


def _encoding(path: Path) -> str:
    if wide := wide_codec(path, None):
        return wide
    with open_plain(path) as file:
        head = file.read(_HEAD)
    try:
        head[: head.rfind(b"\n") + 1].decode()
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"
