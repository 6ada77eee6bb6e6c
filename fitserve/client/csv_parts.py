"""Split a large CSV into parts; each part is a table with the header of the file."""

import codecs
import re
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from fitserve.client.parts import Part, PartSize
from fitserve.client.plain_files import open_plain
from fitserve.csv_marks import Marks
from fitserve.file_formats import HEAD_BYTES

_DELIMITERS = ",;\t|:"
_MOST_OPEN = 3
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def wide_codec(path: Path, given: str | None) -> str | None:
    """Return the codec of a file whose characters are wider than a byte, as in UTF-16.

    Return None if line ends, quotes and delimiters are the same bytes as in ASCII.
    """
    if given is not None:
        return None if _is_like_ascii(given) else given
    with open_plain(path) as file:
        head = file.read(HEAD_BYTES)
    if found := next((codec for bom, codec in _BOMS if head.startswith(bom)), None):
        return found
    half = 0.2 * len(head)
    if head[1::2].count(0) > half and 0 not in head[::2]:
        return "utf-16-le"
    return "utf-16-be" if head[::2].count(0) > half and 0 not in head[1::2] else None


def _is_like_ascii(codec: str) -> bool:
    marks = "\r\n\t\"',;|"
    try:
        return marks.encode(codec).removeprefix(codecs.BOM_UTF8) == marks.encode()
    except (LookupError, UnicodeError):
        return True  # the service reports the error


class CsvParts:
    """The parts of a CSV; later parts are read as the service read the first part.

    A part ends at the end of a record; its last record may exceed the size. Parts have
    the bytes of the file, except that text in UTF-16 and UTF-32 is sent as UTF-8.
    `parsing` is the layout of the whole file.
    """

    def __init__(self, path: Path, given: dict[str, Any], size: PartSize) -> None:
        self.parsing: dict[str, Any] = {}
        self._given = given
        self._size = size
        self._wide = wide_codec(path, given.get("encoding"))
        self._encoding = "utf-8" if self._wide else given.get("encoding")
        codec = self._wide or "latin-1"  # keeps every byte unchanged
        self._text = TextIOWrapper(open_plain(path), encoding=codec, newline="")
        delimiters = (given.get("delimiter") or _DELIMITERS).replace("\\t", "\t")
        self._quotes = _Quotes(Marks(delimiters))
        self._groups = self._cut()
        self._head: list[str] = []
        self._lines: list[str] = []
        self._num_lines = 0

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def first(self) -> Part:
        """Return the first part of the file."""
        self._lines = next(self._groups, [])
        return self._part([], dict(self._given))

    def next(self, parsing: dict[str, Any]) -> Part | None:
        """Return the next part that has a row, or None at the end of the file.

        `parsing` is the layout that the answer to the last part reports.
        """
        self._follow(parsing)
        blank = "\r\n" + self.parsing["delimiter"]
        for lines in self._groups:
            self._lines = lines
            if any(line.strip(blank) for line in lines):
                return self._part(self._head, self._options())
            self._num_lines += len(lines)
        return None

    def _follow(self, parsing: dict[str, Any]) -> None:
        if not self.parsing:
            self.parsing = parsing
            self._head = _head(self._lines, parsing)
            self._quotes = _Quotes(Marks.of(parsing))
        if self._encoding is None and not all(line.isascii() for line in self._lines):
            self._encoding = parsing["encoding"]
        encoding = self._wide or self._encoding or self.parsing["encoding"]
        self.parsing = {**self.parsing, "encoding": encoding}

    def _part(self, head: list[str], options: dict[str, Any]) -> Part:
        if self._encoding is not None:
            options["encoding"] = self._encoding
        text = "".join([*head, *self._lines])
        content = text.encode("utf-8" if self._wide else "latin-1")
        moved = self._num_lines - len(head)
        self._num_lines += len(self._lines)
        return Part(content, options, moved)

    def _options(self) -> dict[str, Any]:
        options = {**self._given, "header": True}
        delimiter, quote = self.parsing["delimiter"], self.parsing["quote"]
        if delimiter != " " and quote == '"':  # else the service must detect both again
            options["delimiter"] = delimiter
        return options

    def _cut(self) -> Iterator[list[str]]:
        """Yield the lines of one part after another, in whole records."""
        group: list[str] = []
        num_chars = 0
        for line in self._text:
            group.append(line)
            num_chars += len(line)
            self._quotes.read(line)
            if self._quotes.is_open and num_chars < _MOST_OPEN * self._size.num_bytes:
                continue
            if num_chars >= self._size.num_bytes or len(group) >= self._size.num_lines:
                yield group
                group, num_chars, self._quotes.is_open = [], 0, False
        if group:
            yield group


class _Quotes:
    """Track whether the text so far ends within quotes, by the rules of Python's csv.

    The delimiter of `marks` may be several characters: one of them separates cells.
    """

    def __init__(self, marks: Marks) -> None:
        self._quote = marks.quote
        self._escape = marks.escape
        blanks = " *" if marks.skip_blanks else ""
        delimiters, quote = re.escape(marks.delimiter), re.escape(marks.quote)
        self._opens = re.compile(f"(?:^|[{delimiters}]){blanks}{quote}")
        self.is_open = False

    def read(self, line: str) -> None:
        """Read the next line."""
        at = 0
        while self._quote in line[at:]:
            if not self.is_open:
                found = self._opens.search(line, at)
                if found is None:
                    return
                self.is_open, at = True, found.end()
            at = self._past_quoted(line, at)

    def _past_quoted(self, line: str, at: int) -> int:
        """Return the index after the closing quote, or the end of the line."""
        while (end := line.find(self._quote, at)) >= 0:
            if self._escape and line[end - 1 : end] == self._escape:
                at = end + 1
                continue
            if line[end + 1 : end + 2] != self._quote:
                self.is_open = False
                return end + 1
            at = end + 2
        return len(line)


def _head(lines: list[str], parsing: dict[str, Any]) -> list[str]:
    """Return the lines of the header; generate a header if the file has none."""
    rest = lines[parsing["skipped_lines"] :]
    quotes = _Quotes(Marks.of(parsing))
    head: list[str] = []
    for line in rest:
        if not head and not line.strip("\r\n"):
            continue
        head.append(line)
        quotes.read(line)
        if not quotes.is_open:
            break
    if parsing["header"]:
        return head
    delimiter: str = parsing["delimiter"]
    cells: list[str] = next(Marks.of(parsing).reader(head), [])
    if delimiter == " ":
        cells = "".join(head).split()
    return [delimiter.join(f"column_{i + 1}" for i in range(len(cells))) + "\n"]
