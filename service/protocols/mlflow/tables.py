"""Read the bodies that MLflow's clients send."""

from typing import Any

from core.errors import FitserveError, InvalidInstances
from fitserve.file_formats import MEDIA_TYPES, FileFormat
from fitserve.problem_types import ProblemType
from service.bodies import Body
from service.parsing_options import CSV, FILE_TYPES, media_type_of
from service.predictor.instance_reader import InstanceReader, ParsedInstances
from service.protocols.cells import plain_columns

JSON, PARQUET = "application/json", MEDIA_TYPES[FileFormat.PARQUET]
_UTF_8 = ("", "utf-8")
FORMATS = ("dataframe_split", "dataframe_records", "inputs", "instances")


class UnsupportedMedia(FitserveError):
    problem_type = ProblemType.UNSUPPORTED_MEDIA


def media_type(body: Body) -> str:
    """Return the type of a file or JSON; JSON if absent. Raises UnsupportedMedia."""
    kind = media_type_of(body) or JSON
    if kind == CSV:
        return CSV  # its reader supports many character sets
    header = body.media_type.decode("latin-1")
    more = header.partition(";")[2].strip().lower()
    if kind in (JSON, *FILE_TYPES) and more.removeprefix("charset=").strip('"') in _UTF_8:
        return kind
    raise UnsupportedMedia(
        f"This predictor only supports the following content types: {JSON}, {CSV}, "
        f"{PARQUET} and those of JSON Lines, Arrow and workbooks, with charset "
        f"utf-8; got {header[:100]!r}."
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
