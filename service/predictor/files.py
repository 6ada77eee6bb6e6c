"""Read a file of rows to predict, in the same way as an upload."""

from __future__ import annotations

from typing import Any, NamedTuple

from core.columns.cells import trimmed
from core.datasets.cells_of_file import read_cells
from core.errors import InvalidInstances
from core.lazy import pl
from core.storage import scratch
from fitserve.problems import FieldError, pointer
from fitserve.specs.parsing import ParsingSpec
from service.bodies import Body
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
    _refuse_types(given)
    with scratch() as folder:
        source, content = folder / "rows.csv", _plain(body)
        source.write_bytes(content)
        given = _as_one_column(content, given, reader)
        texts, file = read_cells(source, folder, given, _MOST_COLUMNS)
    if given.null_values:
        texts = texts.with_columns(_without(texts, given.null_values))
    reading = reader.read_texts(texts, given.decimal)
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


def _without(texts: pl.DataFrame, words: list[str]) -> list[pl.Expr]:
    cells = [pl.col(name) for name in texts.columns]
    return [pl.when(~cell.is_in(words)).then(cell) for cell in cells]


def _refuse_types(given: ParsingSpec) -> None:
    if not given.types:
        return
    detail = "a file to predict is read with the types of the model's columns"
    hint = "leave `types` out, or train a run with `features.types`"
    error = FieldError(pointer=pointer("types"), detail=detail, hint=hint)
    raise InvalidInstances(f"{detail}; {hint}.", [error])
