"""An uploaded CSV, converted to UTF-8, and the layout of its table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.datasets.charset import Charset, find_charset, to_utf8
from core.datasets.check_types import check_types
from core.datasets.dialect import Layout, find_layout
from core.datasets.expected import Expected
from core.datasets.repair import without_runs, write_valid
from core.errors import InvalidTable
from fitserve.file_formats import HEAD_BYTES, FileFormat, format_of
from fitserve.specs.parsing import ParsingSpec

_SHOWN_CHARS = 80
_CHUNK = 1024 * 1024


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
            **self.layout.parsing(),
            "encoding": self.encoding.name,
        }


def text_file(
    source: Path,
    folder: Path,
    given: ParsingSpec,
    max_columns: int,
    *,
    whole: bool,
    known: dict[str, Any] | None = None,
    expected: Expected | None = None,
) -> TextFile:
    """Return a CSV as UTF-8 with its layout; temporary files go to `folder`.

    The encoding is detected at the beginning; with `whole`, in every byte. `known` is the
    parsing that an upload of the file reported: nothing is detected again. `expected`
    holds the columns of the version to which the file is appended. Raises InvalidTable.
    """
    known = known if known and "delimiter" in known else None
    encoding = find_charset(source, _encoding(given, known), whole=whole)
    plain, warnings = _in_utf8(source, folder, encoding)
    names = frozenset(expected.columns) if expected else frozenset()
    layout = find_layout(plain, given, known, names)
    if layout.delimiter == " " and given.delimiter is None:
        even = folder / "blanks.csv"
        without_runs(plain, even)
        by_blanks = given.model_copy(update={"delimiter": " "})
        plain, layout = even, find_layout(even, by_blanks, known, names)
    if not layout.is_valid:
        valid = folder / "valid.csv"
        write_valid(plain, layout, valid)
        plain = valid
    if expected is not None:
        layout.names = expected.spelled(layout.names)
        _name_by_place(layout, given, expected)
        expected.check(layout.names, given, max_columns)
    _check_names(layout, given, max_columns)
    layout.warnings[:0] = warnings
    return TextFile(plain, layout, encoding)


USE_DATA_BINARY = (
    "If curl sends the file, use --data-binary, because -d removes line ends."
)


def no_values(path: Path) -> InvalidTable:
    """Return the refusal of a CSV in UTF-8 that has nothing below its header."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        lines = (line.strip() for line in file)
        first = next((line for line in lines if line), "")
    return InvalidTable(
        "The CSV has a header but no values: its first line is "
        f"{first[:_SHOWN_CHARS]!r}. Expected the names of columns in one line, such as "
        "`size,town`, and below it rows; add at least one row of values."
    )


def refuse_one_line(source: Path) -> None:
    """Raise InvalidTable if a file is a CSV without line ends, as `curl -d` sends it."""
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if not head or format_of(head) != FileFormat.CSV or _has_line_end(head):
            return
        if any(map(_has_line_end, iter(lambda: file.read(_CHUNK), b""))):
            return
    shown = head[:_SHOWN_CHARS].decode(errors="replace")
    raise InvalidTable(
        f"The CSV has no line end, so it has no rows; it begins with {shown!r}. "
        f"{USE_DATA_BINARY}"
    )


def _has_line_end(content: bytes) -> bool:
    return b"\n" in content or b"\r" in content


def _encoding(given: ParsingSpec, known: dict[str, Any] | None) -> str | None:
    """Return the encoding that need not be detected; UTF-8 may have odd bytes."""
    if given.encoding is not None or known is None:
        return given.encoding
    name: str = known["encoding"]
    return None if name == "utf-8" else name


def _in_utf8(source: Path, folder: Path, encoding: Charset) -> tuple[Path, list[str]]:
    """Return the file in UTF-8, and warnings about its bytes."""
    if encoding.is_plain:
        return source, []
    plain = folder / "utf8.csv"
    return plain, to_utf8(source, plain, encoding)


def _name_by_place(layout: Layout, given: ParsingSpec, expected: Expected) -> None:
    """Name the columns of a file without names like those of the version, in order."""
    has_names = layout.header or expected.has_any(layout.names)
    if has_names or given.header is None or len(layout.names) != len(expected.columns):
        return
    layout.names = list(expected.columns)
    layout.has_given_names = True
    warning = (
        f"the file has no line of names: its columns are those of {expected.ref!r}, in "
        "their order"
    )
    layout.warnings[:] = [warning]


def _check_names(layout: Layout, given: ParsingSpec, max_columns: int) -> None:
    if len(layout.names) > max_columns:
        raise InvalidTable(
            f"The table has {len(layout.names):,} columns; this service accepts at most "
            f"{max_columns:,}."
        )
    check_types(layout.names, given.types)
