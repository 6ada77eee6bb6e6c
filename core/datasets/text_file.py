"""An uploaded CSV, converted to UTF-8, and the layout of its table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.datasets.charset import Charset, find_charset, to_utf8
from core.datasets.check_types import check_types
from core.datasets.dialect import Layout, find_layout
from core.datasets.repair import without_runs
from core.errors import InvalidTable
from fitserve.file_formats import FileFormat
from fitserve.specs.parsing import ParsingSpec


@dataclass(frozen=True)
class TextFile:
    """A CSV in UTF-8, its layout, and the encoding that it had."""

    path: Path
    layout: Layout
    encoding: Charset

    def parsing(self) -> dict[str, Any]:
        """Return how the file was parsed, for the user."""
        return {
            "format": FileFormat.CSV.value,
            "delimiter": self.layout.delimiter,
            "quote": self.layout.quote,
            "header": self.layout.header,
            "encoding": self.encoding.name,
            "skipped_lines": self.layout.num_skipped,
        }


def text_file(
    source: Path, folder: Path, given: ParsingSpec, max_columns: int, *, whole: bool
) -> TextFile:
    """Return a CSV as UTF-8 with its layout; temporary files go to `folder`.

    The encoding is detected at the beginning; with `whole`, in every byte.
    Raises InvalidTable.
    """
    encoding = find_charset(source, given.encoding, whole=whole)
    plain = _in_utf8(source, folder, encoding)
    layout = find_layout(plain, given)
    if layout.delimiter == " " and given.delimiter is None:
        even = folder / "blanks.csv"
        without_runs(plain, even)
        plain, layout = even, find_layout(even, given)
    _check_names(layout, given, max_columns)
    return TextFile(plain, layout, encoding)


def _in_utf8(source: Path, folder: Path, encoding: Charset) -> Path:
    if encoding.is_plain:
        return source
    plain = folder / "utf8.csv"
    to_utf8(source, plain, encoding)
    return plain


def _check_names(layout: Layout, given: ParsingSpec, max_columns: int) -> None:
    if len(layout.names) > max_columns:
        raise InvalidTable(
            f"The table has {len(layout.names):,} columns; this service accepts at most "
            f"{max_columns:,}."
        )
    check_types(layout.names, given.types)
