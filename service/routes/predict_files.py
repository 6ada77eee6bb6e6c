"""A CSV as the body of a predict request."""

from typing import Any

from starlette.datastructures import QueryParams
from starlette.responses import Response

from core.errors import InvalidInstances
from fitserve.specs.parsing import ParsingSpec
from service.bodies import Body, json_response
from service.predictor.answers import Answer
from service.predictor.columns import RawColumns, ReadColumns
from service.predictor.files import read_file
from service.predictor.version_resolver import ModelRef

CSV = "text/csv"
_MOST_DIGITS = 9
_OPTIONS = {
    "delimiter": ("string", "The mark between cells; found in the file if absent."),
    "header": ("boolean", "Whether the first line names the columns."),
    "encoding": ("string", "Such as `windows-1252`."),
    "decimal": ("string", "The decimal mark, if it is not that of the training table."),
    "null_values": (
        "string",
        "A further cell that means missing; repeatable.",
    ),
}


class FileExchange:
    """A native predict request whose body is a CSV, gzipped or not.

    Args:
        body: the file.
        wanted: the version that predicts.
        given: the options in the query.
        is_strict: whether warnings refuse the request.

    """

    def __init__(
        self,
        body: Body,
        wanted: ModelRef,
        given: ParsingSpec,
        *,
        is_strict: bool,
    ) -> None:
        self.is_strict = is_strict
        self._body = body
        self._wanted = wanted
        self._given = given
        self._parsing: dict[str, Any] = {}

    def wanted(self) -> ModelRef:
        return self._wanted

    def read(self, columns: RawColumns) -> ReadColumns:
        found = read_file(self._body, self._given, columns)
        self._parsing = found.parsing
        return found.reading

    def write(self, answer: Answer) -> Response:
        return json_response(native(answer) | {"parsing": self._parsing})


def native(answer: Answer) -> dict[str, Any]:
    """Return the body of an answer on the native routes."""
    content: dict[str, Any] = {
        "model_name": answer.served.model_name,
        "model_version": answer.served.number,
        "predictions": answer.predictions,
    }
    if answer.is_classification:
        content["probabilities"] = answer.probabilities_by_class
    if answer.warnings:
        content["warnings"] = answer.warnings
    return content


def named_in(params: QueryParams, workspace: str, path: ModelRef | None) -> ModelRef:
    """Return the version that the path names, else the query by `model` and the like.

    Raises InvalidInstances where neither does, or both do.
    """
    if path is not None:
        return _named_once(params, path)
    model, version = params.get("model"), params.get("version")
    if not model:
        raise InvalidInstances(
            "A file to predict names its model in the path "
            "(/v1/models/{name}/predict) or by `?model=`."
        )
    number = None if version is None else _number(version)
    return version_or_alias(workspace, model, number, params.get("alias"))


def _named_once(params: QueryParams, path: ModelRef) -> ModelRef:
    named = [key for key in ("model", "version", "alias") if key in params]
    if named:
        raise InvalidInstances(
            f"The path names the model, so `?{named[0]}=` must not; use the path "
            "/v1/models/{name}/versions/{n}/predict, or POST to /v1/predict."
        )
    return path


def _number(version: str) -> int | str:
    """Return a version as a number; a text that is none is returned unchanged."""
    is_number = version.isascii() and version.isdigit() and len(version) <= _MOST_DIGITS
    return int(version) if is_number else version


def version_or_alias(workspace: str, model: str, version: Any, alias: Any) -> ModelRef:
    """Return the version of a model that a request names by number or by alias.

    Raises InvalidInstances if the values are not valid, or if both are given.
    """
    is_number = isinstance(version, int) and not isinstance(version, bool)
    if version is not None and not (is_number and 1 <= version < 2**31):
        raise InvalidInstances("Expected `version` to be a number of 1 or more.")
    if alias is not None and not isinstance(alias, str):
        raise InvalidInstances("Expected `alias` to be the name of an alias.")
    if version is not None and alias is not None:
        raise InvalidInstances("Expected `version` or `alias`, not both.")
    return ModelRef(workspace, model, version, alias)


def _query(name: str, kind: str, said: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": kind}
    if name == "null_values":
        schema = {"type": "array", "items": schema}
    return {"name": name, "in": "query", "description": said, "schema": schema}


MODEL = (
    _query("model", "string", "The model, where the body is a file."),
    _query("version", "integer", "Its version, where the body is a file."),
    _query("alias", "string", "Its alias, where the body is a file."),
)


def with_file(described: dict[str, Any], *more: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI parts of a predict route that takes a CSV as well."""
    body = described["requestBody"]
    content = body["content"] | {"text/csv": {"schema": {"type": "string"}}}
    options = [_query(name, *about) for name, about in _OPTIONS.items()]
    parameters = [*described.get("parameters", []), *more, *options]
    return described | {
        "requestBody": body | {"content": content},
        "parameters": parameters,
    }
