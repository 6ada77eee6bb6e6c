"""Read the bodies that MLflow's clients send."""

from __future__ import annotations

import io
from typing import Any

from core.errors import FitserveError, InvalidInstances, TooLarge
from core.lazy import pl
from fitserve.problem_types import ProblemType
from service.bodies import Body
from service.parsing_options import CSV, media_type_of
from service.predictor.instance_reader import InstanceReader, ParsedInstances
from service.protocols.cells import plain_columns

JSON, PARQUET = "application/json", "application/vnd.apache.parquet"
_MOST_TEXT = 256 * 1024 * 1024  # dictionary encoding can repeat one long text
_UTF_8 = ("", "utf-8")
FORMATS = ("dataframe_split", "dataframe_records", "inputs", "instances")


class UnsupportedMedia(FitserveError):
    problem_type = ProblemType.UNSUPPORTED_MEDIA


def media_type(body: Body) -> str:
    """Return JSON, CSV or PARQUET; JSON if absent. Raises UnsupportedMedia."""
    kind = media_type_of(body) or JSON
    if kind == CSV:
        return CSV  # its reader supports many character sets
    header = body.media_type.decode("latin-1")
    more = header.partition(";")[2].strip().lower()
    if kind in (JSON, PARQUET) and more.removeprefix("charset=").strip('"') in _UTF_8:
        return kind
    raise UnsupportedMedia(
        f"This predictor only supports the following content types: {JSON}, {CSV}, "
        f"{PARQUET}, with charset utf-8; got {header[:100]!r}."
    )


def read_json(body: Any, reader: InstanceReader) -> ParsedInstances:
    """Return the rows of a JSON body in one of MLflow's four formats."""
    found = [key for key in FORMATS if isinstance(body, dict) and key in body]
    if len(found) != 1:
        raise InvalidInstances(
            "The input must be a JSON dictionary with exactly one of the input fields "
            f"{{{', '.join(FORMATS)}}}; got {found or 'none of them'}."
        )
    key = found[0]
    given = body[key]
    if key == "dataframe_split":
        return _of_split(given, reader)
    if key == "inputs" and isinstance(given, dict):
        return reader.read_columns(plain_columns(given))
    if not isinstance(given, list) or not given:
        raise InvalidInstances(f"Expected `{key}` to be a list of at least one row.")
    if len(reader.names) == 1 and not isinstance(given[0], dict | list):
        given = [[cell] for cell in given]
    return reader.read_instances(given)


def _of_split(given: Any, reader: InstanceReader) -> ParsedInstances:
    split = given if isinstance(given, dict) else {}
    names, data = split.get("columns"), split.get("data")
    if not isinstance(names, list) or not isinstance(data, list) or not data:
        raise InvalidInstances(
            "Expected `dataframe_split` to be an object with `columns`, a list of "
            "names, and `data`, a list of at least one row."
        )
    return reader.read_table(names, data)


def read_parquet(content: bytes, reader: InstanceReader) -> ParsedInstances:
    """Return the rows of a Parquet file, at most one more than a request may have.

    Cells of columns that the model does not have are not read.
    """
    try:
        present = pl.read_parquet_schema(io.BytesIO(content))
        known = frozenset(reader.names)
        wanted = [name for name in present if reader.spelling(name) in known]
        for name in wanted:
            _refuse_kind(name, present[name])
        rows = reader.most_rows + 1
        frame = pl.read_parquet(io.BytesIO(content), columns=wanted, n_rows=rows)
        _refuse_long_texts(frame)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise InvalidInstances(f"The Parquet file cannot be read: {error}.") from error
    frame = frame.with_columns(
        pl.selectors.temporal().cast(pl.String), pl.selectors.decimal().cast(pl.Float64)
    )
    unread = dict.fromkeys(present, [None] * frame.height)
    return reader.read_columns(unread | {name: frame[name].to_list() for name in wanted})


def _refuse_kind(name: str, kind: Any) -> None:
    """Refuse lists, structs and bytes."""
    if kind.is_nested() or kind in (pl.Binary, pl.Object):
        raise InvalidInstances(
            f"The column {name[:100]!r} of the Parquet file holds {kind}; expected "
            "numbers, booleans, texts or times."
        )


def _refuse_long_texts(frame: pl.DataFrame) -> None:
    """Refuse texts that would not fit into memory as separate objects."""
    kinds = {pl.Categorical: "cat", pl.Enum: "cat", pl.String: "str"}
    sizes = [
        getattr(column, kinds[kind]).len_bytes().cast(pl.Int64).sum()
        for column in frame.iter_columns()
        if (kind := column.dtype.base_type()) in kinds
    ]
    if sum(sizes) > _MOST_TEXT:
        raise TooLarge(f"The texts of the file are larger than {_MOST_TEXT:,} bytes.")
