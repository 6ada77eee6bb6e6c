"""Read parsing options from a query, a form or a Content-Type."""

import inspect
import re
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Query
from starlette.datastructures import FormData, ImmutableMultiDict, QueryParams

from core.errors import InvalidTable
from fitserve.file_formats import MEDIA_TYPES
from fitserve.specs.parsing import MOST_SHEET, ParsingSpec
from service.bodies import Body, parse_spec, validate
from service.problems import BadJson

_CHARSET = re.compile(rb";\s*charset=\"?([^\s\";]+)", re.IGNORECASE)
BOOLEANS = {"true": True, "1": True, "yes": True}
BOOLEANS |= {"false": False, "0": False, "no": False}
"""The words of a boolean in a query or a form, in lower case."""
_TEXTS = {"type": "array", "items": {"type": "string"}}
CSV = "text/csv"
FILE_TYPES = frozenset({*MEDIA_TYPES.values(), "application/gzip", "application/zstd"})
"""Media types of files of rows. The content decides the format of a file."""
FILE_CONTENT: dict[str, Any] = {
    kind: {"schema": {"type": "string", "format": "binary"}}
    for kind in MEDIA_TYPES.values()
}


class QueryOption(NamedTuple):
    """An option in the query of an upload, and its description at a prediction."""

    of_upload: Any
    at_prediction: str


QUERY_OPTIONS = {
    "delimiter": QueryOption(
        Annotated[str | None, Query(max_length=2)],
        "Delimiter of the CSV; detected by default.",
    ),
    "header": QueryOption(bool | None, "Whether the first line has the column names."),
    "encoding": QueryOption(
        Annotated[str | None, Query(max_length=40)],
        "Encoding of the CSV, such as `windows-1252`.",
    ),
    "decimal": QueryOption(
        Annotated[str | None, Query(max_length=1)],
        "Decimal mark; by default that of the training table.",
    ),
    "null_values": QueryOption(
        Annotated[list[str] | None, Query()],
        "An additional text for missing cells; repeatable.",
    ),
    "sheet": QueryOption(
        Annotated[str | None, Query(max_length=MOST_SHEET)],
        "Sheet of a workbook; by default the first one with rows.",
    ),
    "types": QueryOption(
        Annotated[
            str | None,
            Query(
                description="Types by column name, or objects, as JSON.",
                max_length=100_000,
            ),
        ],
        "Columns written otherwise than in training, as in an upload.",
    ),
}
"""The options for reading a file, which FastAPI reads, or the prediction itself."""


def from_query(**given: Any) -> ParsingSpec:
    """Return the options in the query, which replace automatic detection."""
    return _spec({key: value for key, value in given.items() if value is not None})


from_query.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=of_upload
        )
        for name, (of_upload, _) in QUERY_OPTIONS.items()
    ]
)


def of_prediction() -> list[dict[str, Any]]:
    """Return the options in the query of a prediction, as OpenAPI describes them."""
    kinds = {"header": {"type": "boolean"}, "null_values": _TEXTS}
    return [
        {
            "name": name,
            "in": "query",
            "description": option.at_prediction,
            "schema": kinds.get(name, {"type": "string"}),
        }
        for name, option in QUERY_OPTIONS.items()
    ]


def media_type_of(body: Body) -> str:
    """Return the media type of a body, without its parameters."""
    return body.media_type.decode("latin-1").partition(";")[0].strip().lower()


def from_params(params: QueryParams, media_type: bytes = b"") -> ParsingSpec:
    """Return the options in a query that FastAPI has not parsed.

    The charset of a CSV's media type is the encoding, unless the query gives one.
    """
    is_csv = media_type.strip().lower().startswith(CSV.encode())
    charset = _CHARSET.search(media_type) if is_csv else None
    given = {"encoding": charset[1].decode("latin-1")} if charset else {}
    return _spec(given | _fields(params))


def from_form(form: FormData, query: ParsingSpec) -> ParsingSpec:
    """Return the options in a form, and those in the query that the form leaves out."""
    return _spec(query.model_dump(mode="json", exclude_unset=True) | _fields(form))


def _fields(given: ImmutableMultiDict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in ParsingSpec.model_fields:
        values = [value for value in given.getlist(key) if isinstance(value, str)]
        if values:
            found[key] = values if key == "null_values" else values[-1]
    return found


def _spec(given: dict[str, Any]) -> ParsingSpec:
    if isinstance(given.get("header"), str):
        word = given["header"].lower()
        given["header"] = BOOLEANS.get(word, given["header"])
    if isinstance(given.get("types"), str):
        given["types"] = _json(given["types"])
    if given.get("delimiter") == "\\t":
        given["delimiter"] = "\t"
    return validate(ParsingSpec, given)


def _json(text: str) -> Any:
    try:
        return parse_spec(text.encode(errors="replace"))
    except BadJson as error:
        raise InvalidTable(
            f"`types` is not JSON ({error.detail}); expected an object such as "
            '{"zip": "categorical"}.'
        ) from error


ParsingDep = Annotated[ParsingSpec, Depends(from_query)]


def form_schema(*, has_name: bool = True, **more: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of an upload: `file`, other required fields, the options.

    `has_name` says whether the form may name the dataset.
    """
    options = ParsingSpec.model_json_schema()
    name = {"name": {"type": "string"}} if has_name else {}
    return {
        "type": "object",
        "properties": {
            "file": {"type": "string", "format": "binary"},
            **more,
            **name,
            **options["properties"],
        },
        "$defs": options["$defs"],
        "required": ["file", *more],
    }
