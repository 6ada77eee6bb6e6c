"""Read a file of rows to predict, in the same way as an upload."""

from __future__ import annotations

from typing import Any, NamedTuple

from core.columns.cells import trimmed
from core.datasets.cells_of_file import read_cells
from core.lazy import pl
from core.storage import scratch
from fitserve.file_formats import GZIP, HEAD_BYTES, ZSTD, FileFormat, format_of
from fitserve.specs.parsing import ParsingSpec
from service.bodies import Body
from service.predictor.file_notation import notations, own_words
from service.predictor.instance_reader import InstanceReader, ParsedInstances

_PACKED = {GZIP: b"gzip", ZSTD: b"zstd"}
_MOST_COLUMNS = 2_500
"""More than an upload may have, because a file to predict may have extra columns."""


class FileReading(NamedTuple):
    """The rows of a file, and the parsing options with which it was read."""

    reading: ParsedInstances
    parsing: dict[str, Any]
    cells: pl.DataFrame
    """The cells by column: numbers, booleans, moments, and trimmed texts."""


def read_file(
    body: Body, given: ParsingSpec, reader: InstanceReader, *, is_whole: bool = False
) -> FileReading:
    """Read a file of any format, packed or not, with the formats of the model's columns.

    With `is_whole`, the cells of other columns are read too.
    Raises InvalidTable if the file is not a table, InvalidInstances with the row and the
    column of cells that do not fit, and TooLarge.
    """
    with scratch() as folder:
        source, content = folder / "rows", _plain(body)
        source.write_bytes(content)
        if format_of(content[:HEAD_BYTES]) == FileFormat.CSV:
            given = _as_one_column(content, given, reader)
        written, parsing = read_cells(
            source, folder, given, _MOST_COLUMNS, reader, is_whole=is_whole
        )
    cells = written.with_columns(_without(written, given))
    forms = notations(cells, given, reader)
    reading = reader.read_cells(cells, given.decimal, forms)
    return FileReading(reading, parsing, written)


def _plain(body: Body) -> bytes:
    """Return the bytes of the file, unpacked if the file is a gzip or a zstd.

    A packed file may come with or without the header Content-Encoding.
    """
    content = body.content()
    packing = next(
        (name for start, name in _PACKED.items() if content.startswith(start)), b""
    )
    if not packing:
        return content
    return body._replace(raw=content, encoding=packing).content()


def _as_one_column(
    content: bytes, given: ParsingSpec, reader: InstanceReader
) -> ParsingSpec:
    """Return options that do not split the cells of a file with one column.

    Otherwise, the space in `1000 CC` might be detected as the delimiter.
    """
    first = content.split(b"\n", 1)[0].decode("utf-8-sig", errors="replace")
    name = reader.spelling(trimmed(first).strip('"'))
    if given.delimiter or [name] != reader.names:
        return given
    unused = (mark for mark in "\t|;," if mark.encode() not in content)
    return given.model_copy(update={"delimiter": next(unused, None)})


def _without(cells: pl.DataFrame, given: ParsingSpec) -> list[pl.Expr]:
    """Return the columns of text that have words of the file, without the words."""
    texts = [name for name, kind in cells.schema.items() if kind == pl.String]
    words = {name: own_words(given, name) for name in texts}
    return [
        pl.when(~pl.col(name).is_in(own)).then(pl.col(name))
        for name, own in words.items()
        if own
    ]
