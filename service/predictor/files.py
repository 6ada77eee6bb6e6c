"""Read a file of rows to predict, in the same way as an upload."""

from __future__ import annotations

from typing import Any, NamedTuple

from core.columns.cells import trimmed
from core.datasets.cells_of_file import read_cells
from core.lazy import pl
from core.storage import scratch
from fitserve.specs.parsing import ParsingSpec
from service.bodies import Body
from service.predictor.file_notation import notations, own_words
from service.predictor.instance_reader import InstanceReader, ParsedInstances

_GZIP = b"\x1f\x8b"
_MOST_COLUMNS = 2_500
"""More than an upload may have, because a file to predict may have extra columns."""


class FileReading(NamedTuple):
    """The rows of a file, and the parsing options with which it was read."""

    reading: ParsedInstances
    parsing: dict[str, Any]


def read_file(body: Body, given: ParsingSpec, reader: InstanceReader) -> FileReading:
    """Read a CSV, gzipped or not, with the formats of the model's columns.

    Raises InvalidTable if the file is not a table, InvalidInstances with the row and the
    column of cells that do not fit, and TooLarge.
    """
    with scratch() as folder:
        source, content = folder / "rows.csv", _plain(body)
        source.write_bytes(content)
        given = _as_one_column(content, given, reader)
        texts, file = read_cells(source, folder, given, _MOST_COLUMNS)
    texts = texts.with_columns(_without(texts, given))
    forms = notations(texts, given, reader)
    reading = reader.read_texts(texts, given.decimal, forms)
    return FileReading(reading, file.parsing())


def _plain(body: Body) -> bytes:
    """Return the bytes of the file, unpacked if the file is a gzip.

    A gzip may come with or without the header Content-Encoding.
    """
    content = body.content()
    if not content.startswith(_GZIP):
        return content
    return body._replace(raw=content, encoding=b"gzip").content()


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


def _without(texts: pl.DataFrame, given: ParsingSpec) -> list[pl.Expr]:
    """Return the columns that have words for "missing" of the file, without them."""
    words = {name: own_words(given, name) for name in texts.columns}
    return [
        pl.when(~pl.col(name).is_in(own)).then(pl.col(name))
        for name, own in words.items()
        if own
    ]
