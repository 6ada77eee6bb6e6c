"""The bodies that MLflow's clients send, as columns."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from core.errors import FitserveError, InvalidInstances, TooLarge
from core.lazy import pl
from fitserve.problem_types import ProblemType
from service.predictor.columns import RawColumns, ReadColumns

JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
_MOST_TEXT = 256 * 1024 * 1024  # a dictionary of one long text unpacks without bound
FORMATS = ("dataframe_split", "dataframe_records", "inputs", "instances")


class UnsupportedMedia(FitserveError):
    problem_type = ProblemType.UNSUPPORTED_MEDIA


def kind_of(content_type: str) -> str:
    """JSON, CSV or PARQUET; raises UnsupportedMedia. A header left out means JSON."""
    kind, _, more = content_type.lower().partition(";")
    charset = more.strip().removeprefix("charset=").strip('"')
    if kind.strip() == CSV:
        return CSV  # its reader knows many character sets
    if kind.strip() in ("", JSON, PARQUET) and charset in ("", "utf-8"):
        return kind.strip() or JSON
    raise UnsupportedMedia(
        f"This predictor only supports the following content types: {JSON}, {CSV}, "
        f"{PARQUET}, with charset utf-8; got {content_type[:100]!r}."
    )


def read_json(body: Any, columns: RawColumns) -> ReadColumns:
    """The rows of a JSON body in one of MLflow's four forms; InvalidInstances."""
    found = [key for key in FORMATS if isinstance(body, dict) and key in body]
    if len(found) != 1:
        raise InvalidInstances(
            "The input must be a JSON dictionary with exactly one of the input fields "
            f"{{{', '.join(FORMATS)}}}; got {found or 'none of them'}."
        )
    key = found[0]
    given = body[key]
    if key == "dataframe_split":
        return _of_split(given, columns)
    if key == "inputs" and isinstance(given, dict):
        return columns.of_columns(_lists(given))
    if not isinstance(given, list) or not given:
        raise InvalidInstances(f"Expected `{key}` to be a list of at least one row.")
    if len(columns.names) == 1 and not isinstance(given[0], dict | list):
        given = [[cell] for cell in given]
    return columns.of_instances(given)


def _of_split(split: Any, columns: RawColumns) -> ReadColumns:
    names = split.get("columns") if isinstance(split, dict) else None
    data = split.get("data") if isinstance(split, dict) else None
    if not isinstance(names, list) or not isinstance(data, list) or not data:
        raise InvalidInstances(
            "Expected `dataframe_split` to be an object with `columns`, a list of "
            "names, and `data`, a list of at least one row."
        )
    return columns.of_table(names, data)


def _lists(given: Mapping[str, Any]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for name, cells in given.items():
        if not isinstance(cells, list):
            raise InvalidInstances(f"Expected the column {name[:100]!r} as a list.")
        columns[name] = [
            cell[0] if isinstance(cell, list) and len(cell) == 1 else cell
            for cell in cells
        ]
    if len({len(cells) for cells in columns.values()}) > 1:
        raise InvalidInstances("The columns of `inputs` differ in their number of rows.")
    return columns


def read_parquet(content: bytes, columns: RawColumns) -> ReadColumns:
    """The rows of a Parquet file, at most one more than a request may have.

    Columns that the model does not know are named and not read.
    """
    try:
        present = pl.read_parquet_schema(io.BytesIO(content))
        known = frozenset(columns.names)
        wanted = [name for name in present if columns.known(name) in known]
        for name in wanted:
            _refuse_kind(name, present[name])
        rows = columns.most_rows + 1
        frame = pl.read_parquet(io.BytesIO(content), columns=wanted, n_rows=rows)
        _refuse_long_texts(frame)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise InvalidInstances(f"The Parquet file cannot be read: {error}.") from error
    frame = frame.with_columns(
        pl.selectors.temporal().cast(pl.String), pl.selectors.decimal().cast(pl.Float64)
    )
    unread = dict.fromkeys(present, [None] * frame.height)
    return columns.of_columns(unread | {name: frame[name].to_list() for name in wanted})


def _refuse_kind(name: str, kind: Any) -> None:
    """Refuse lists, structs and bytes, which no cell can be."""
    if kind.is_nested() or kind in (pl.Binary, pl.Object):
        raise InvalidInstances(
            f"The column {name[:100]!r} of the Parquet file holds {kind}; expected "
            "numbers, booleans, texts or times."
        )


def _refuse_long_texts(frame: pl.DataFrame) -> None:
    """Refuse what its texts, each made an object of its own, would need of memory."""
    num_bytes = 0
    for column in frame.iter_columns():
        if column.dtype in (pl.Categorical, pl.Enum):
            num_bytes += int(column.cat.len_bytes().cast(pl.Int64).sum())
        elif column.dtype == pl.String:
            num_bytes += int(column.str.len_bytes().cast(pl.Int64).sum())
    if num_bytes > _MOST_TEXT:
        raise TooLarge(f"Its texts add up to more than {_MOST_TEXT:,} bytes.")
