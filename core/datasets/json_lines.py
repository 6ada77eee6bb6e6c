"""Read JSON Lines as Parquet, in blocks of whole lines.

polars drops keys that its sample lacks, and reads a line that is not an object as an
empty row. Each block is therefore read with all its lines as the sample.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from core.datasets.unpacked import most_unpacked
from core.errors import InvalidTable
from core.lazy import pl

_BLOCK = 16 * 1024 * 1024
_PIECE = 1_000
_MOST_CELLS = 4_000_000
_CELL_BYTES = 8
_MOST_LINE = 2 * 1024 * 1024
_MOST_DIGITS = 38
_BOM = b"\xef\xbb\xbf"
_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]"
)
"""Half a pair in an escape: polars reads it as other characters."""
Lines = list[tuple[int, bytes]]
"""Lines that are not blank, with their numbers from 1."""


def scan_json_lines(source: Path, folder: Path, max_columns: int) -> pl.LazyFrame:
    """Return the rows of the file; its keys are the columns, in order of appearance.

    Raises InvalidTable with the line that is not a JSON object.
    """
    parts: list[Path] = []
    kinds: dict[str, pl.DataType] = {}
    left = most_unpacked(source.stat().st_size) // _CELL_BYTES
    for lines in _blocks(source):
        if not parts:
            _refuse_repeated_keys(lines[:_PIECE])
        for frame in _frames(lines, max_columns):
            _join(kinds, frame.schema)
            _refuse_wide(len(kinds), max_columns)
            left -= frame.height * len(kinds)
            if left < 0:
                raise InvalidTable(
                    "The objects have far more keys than values: most cells of the "
                    "table would be empty. Send the same keys on each line."
                )
            parts.append(folder / f"lines-{len(parts)}.parquet")
            _write(frame, kinds, parts[-1])
    tables = [_with_columns(pl.scan_parquet(part), kinds) for part in parts]
    return pl.concat(tables) if tables else pl.LazyFrame()


def _write(frame: pl.DataFrame, kinds: dict[str, pl.DataType], target: Path) -> None:
    # columns are named by position, because polars reads some names as patterns
    places = {name: f"key {i}" for i, name in enumerate(kinds)}
    frame.columns = [places[name] for name in frame.columns]
    frame.write_parquet(target, compression="lz4")


def _refuse_wide(num_columns: int, max_columns: int) -> None:
    if num_columns > max_columns:
        raise InvalidTable(
            f"The objects have {num_columns:,} different keys or more; this service "
            f"accepts at most {max_columns:,} columns."
        )


def _blocks(source: Path) -> Iterator[Lines]:
    """Yield blocks of lines that are not blank."""
    first, rest = 1, b""
    with source.open("rb") as file:
        while read := file.read(_BLOCK):
            read = read if first > 1 or rest else read.removeprefix(_BOM)
            *whole, rest = (rest + read).split(b"\n")
            if len(rest) > _MOST_LINE:
                raise InvalidTable(
                    f"Line {first + len(whole)} is longer than {_MOST_LINE:,} bytes; "
                    "expected one JSON object per line."
                )
            yield _filled(whole, first)
            first += len(whole)
    yield _filled([rest], first)


def _refuse_repeated_keys(lines: Lines) -> None:
    """Raise InvalidTable if an object has a key twice: parsers differ on what counts."""
    for line, text in lines:
        try:
            _KEYS_ONCE.decode(text.decode())
        except _RepeatedKey as error:
            raise InvalidTable(
                f"Line {line} has the key {str(error)[:100]!r} twice; expected each key "
                "once."
            ) from error
        except (ValueError, RecursionError):
            return  # the reader names other faults


class _RepeatedKey(Exception):
    """An object has a key twice; the message is the key."""


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise _RepeatedKey(Counter(key for key, _ in pairs).most_common(1)[0][0])


_KEYS_ONCE = json.JSONDecoder(object_pairs_hook=_once, parse_int=str, parse_float=str)


def _filled(lines: list[bytes], first: int) -> Lines:
    filled = [(i, line) for i, line in enumerate(lines, start=first) if line.strip()]
    for i, line in filled:
        if not line.lstrip().startswith(b"{"):
            raise _not_an_object(line, i)
    return filled


def _frames(lines: Lines, max_columns: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of a block, in frames of a few million cells."""
    try:
        kinds = _inferred(lines, max_columns)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        kinds = None
    step = _MOST_CELLS // max(1, len(kinds or range(max_columns)))
    for start in range(0, len(lines), step):
        some = lines[start : start + step]
        frame = _frame(some, kinds) if kinds else None
        yield _by_lines(some, max_columns) if frame is None else frame


def _frame(lines: Lines, kinds: dict[str, pl.DataType]) -> pl.DataFrame | None:
    """Return lines as a frame; None if polars cannot read them, or leaves some out."""
    try:
        frame = pl.read_ndjson(_file(lines), schema=kinds)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    return frame if frame.height == len(lines) else None


def _file(lines: Lines) -> io.BytesIO:
    return io.BytesIO(b"\n".join(line for _, line in lines))


def _inferred(lines: Lines, max_columns: int) -> dict[str, pl.DataType] | None:
    """Return the columns of a block and their datatypes; None if polars misreads it.

    The lines are sampled in pieces, because polars needs minutes for 100,000 keys.
    """
    if any(b"\\u" in text and _LONE_SURROGATE.search(text) for _, text in lines):
        return None
    kinds: dict[str, pl.DataType] = {}
    for start in range(0, len(lines), _PIECE):
        piece = _file(lines[start : start + _PIECE])
        found = pl.scan_ndjson(piece, infer_schema_length=None).collect_schema()
        _join(kinds, found)
        _refuse_wide(len(kinds), max_columns)
    return kinds


def _by_lines(lines: Lines, max_columns: int) -> pl.DataFrame:
    """Read lines one by one: slowly, but with mixed columns, and with every fault."""
    rows = [_object(text, line) for line, text in lines]
    names = list(dict.fromkeys(name for row in rows for name in row))
    _refuse_wide(len(names), max_columns)
    return pl.DataFrame(
        [_column(name, [row.get(name) for row in rows]) for name in names]
    )


def _object(text: bytes, line: int) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        value = _with_constants(text)
        if isinstance(value, dict):
            return value
        raise InvalidTable(
            f"Line {line} is not JSON: {error.msg}. Expected one object per line, on one "
            "line; a missing value is null."
        ) from error
    if not isinstance(value, dict):
        raise _not_an_object(text, line)
    return value


def _with_constants(text: bytes) -> object:
    """Return JSON with NaN or Infinity, which Python writes; None if it is not JSON."""
    if b"NaN" not in text and b"Infinity" not in text:
        return None
    try:
        value: object = json.loads(text, parse_int=_integer)
        json.dumps(value, ensure_ascii=False).encode()  # fails for half of a surrogate
    except (ValueError, RecursionError):
        return None
    return value


def _integer(digits: str) -> int | str:
    """Return digits as a number; as text if polars has no number of so many."""
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _not_an_object(text: bytes, line: int) -> InvalidTable:
    shown = text[:200].decode(errors="replace").strip()[:60]
    return InvalidTable(
        f"Line {line} is {shown!r}; expected a JSON object, such as "
        '{"size": 3, "town": "Rome"}, on each line.'
    )


def _column(name: str, cells: list[Any]) -> pl.Series:
    """Return cells of one type as this type, and cells of several types as text."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds & {list, dict}:
        return pl.Series(name, [None] * len(cells), dtype=pl.List(pl.String))
    if kinds <= {int, float} or len(kinds) <= 1:
        return pl.Series(name, cells, dtype=_dtype(kinds))
    return pl.Series(name, [_text(cell) for cell in cells], dtype=pl.String)


def _dtype(kinds: set[type]) -> Any:
    if not kinds:
        return pl.Null
    if float in kinds:
        return pl.Float64
    return {int: pl.Int128, str: pl.String, bool: pl.Boolean}[next(iter(kinds))]


def _text(cell: Any) -> str | None:
    return cell if cell is None or isinstance(cell, str) else orjson.dumps(cell).decode()


def _join(kinds: dict[str, pl.DataType], found: Any) -> None:
    """Add the columns of a block; a column of several types becomes text."""
    for name, kind in found.items():
        known = kinds.get(name, pl.Null())
        if kind in (known, pl.Null):
            kinds[name] = known
        elif known == pl.Null or kind.is_nested():
            kinds[name] = kind
        elif not known.is_nested():
            both = known.is_numeric() and kind.is_numeric()
            kinds[name] = _wider(known, kind) if both else pl.String()


def _wider(one: pl.DataType, other: pl.DataType) -> pl.DataType:
    return pl.Float64() if one.is_float() or other.is_float() else pl.Int128()


def _with_columns(part: pl.LazyFrame, kinds: dict[str, pl.DataType]) -> pl.LazyFrame:
    """Return the rows of a part with every column of the file, under its own name."""
    own = part.collect_schema()
    cells = [
        (pl.col(place) if (place := f"key {i}") in own else pl.lit(None))
        .cast(kind)
        .alias(name)
        for i, (name, kind) in enumerate(kinds.items())
    ]
    return part.select(cells)
