"""/v1/predict and /v1/models/{name}/predict."""

from itertools import islice
from typing import Annotated, Any

from fastapi import Path, Request, Response
from starlette.datastructures import QueryParams

from core.errors import InvalidInstances
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.schemas.predict import PredictBody, PredictRequest, PredictResponse
from fitserve.scopes import Scope
from service.bodies import Body, body_schema, json_response, parse_loose_json
from service.dependencies import workspace_of
from service.http_exchange import FileExchange, HttpExchange, answer_predict
from service.parsing_options import (
    FILE_CONTENT,
    FILE_TYPES,
    media_type_of,
    of_prediction,
)
from service.paths import VERSION
from service.predictor.answers import ModelAnswer
from service.predictor.file_rows import ROWS, wants_rows
from service.predictor.instance_reader import InstanceReader, ParsedInstances
from service.predictor.notes import MAX_ERRORS
from service.predictor.version_resolver import ModelRef
from service.problems import BadJson
from service.router import BodyLimit, Router
from service.strict import PARAMETERS

router = Router(
    prefix="/v1",
    tags=["predict"],
    scope=Scope.MODELS_PREDICT,
    body_limit=BodyLimit.PREDICT,
    is_fast=True,
    query=("model", "version", "alias", "types", ROWS),  # refused here, with a reason
)

_MOST_DIGITS = 9


def _query(name: str, kind: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": {"type": kind}}


_MODEL = (
    _query("model", "string", "The model, if the body is a file."),
    _query("version", "integer", "Version of the model, if the body is a file."),
    _query("alias", "string", "Alias of the model, if the body is a file."),
)


_ROWS = _query(
    ROWS, "boolean", "Whether the answer contains the rows of the file, as `rows`."
)


def _with_file(described: dict[str, Any], *more: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI parts of a predict route that also accepts a file."""
    body = described["requestBody"]
    content = body["content"] | FILE_CONTENT
    parameters = [*described.get("parameters", []), *more, *of_prediction(), _ROWS]
    return described | {
        "requestBody": body | {"content": content},
        "parameters": parameters,
    }


_ANSWER: dict[str, Any] = {
    "response_model": PredictResponse,
    "openapi_extra": _with_file(body_schema(PredictBody) | PARAMETERS),
}
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post(
    "/predict",
    response_model=PredictResponse,
    openapi_extra=_with_file(body_schema(PredictRequest) | PARAMETERS, *_MODEL),
)
async def predict(request: Request) -> Response:
    """Predict with the model that the body names (for a file, the query)."""
    return await answer_predict(request, ModelRef(workspace_of(request), ""), _exchange)


@router.post("/models/{name}/predict", **_ANSWER)
async def predict_serving(name: str, request: Request) -> Response:
    """Predict with the serving version of a model."""
    return await answer_predict(request, ModelRef(workspace_of(request), name), _exchange)


@router.post(f"/models/{{name}}/versions/{{number:{VERSION}}}/predict", **_ANSWER)
async def predict_version(name: str, number: Number, request: Request) -> Response:
    """Predict with one version of a model."""
    ref = ModelRef(workspace_of(request), name, version=number)
    return await answer_predict(request, ref, _exchange)


@router.post("/models/{name}/aliases/{alias}/predict", **_ANSWER)
async def predict_alias(name: str, alias: str, request: Request) -> Response:
    """Predict with the version that an alias points at."""
    ref = ModelRef(workspace_of(request), name, alias=alias)
    return await answer_predict(request, ref, _exchange)


def _exchange(request: Request, body: Body, ref: ModelRef) -> HttpExchange:
    if media_type_of(body) not in FILE_TYPES:
        if request.scope["query_string"]:
            _refuse_rows(request.query_params)
            if ref.model:
                _named_in(request.query_params, ref)
        return _JsonExchange(request, body, ref)
    ref = _named_in(request.query_params, ref)
    return _FileExchange(request, body, ref)


class _JsonExchange(HttpExchange):
    """A native predict request; its body may name the model."""

    def model_ref(self) -> ModelRef:
        schema = PredictBody if self._ref.model else PredictRequest
        self._json_body = _object(_json(self._body.content()), schema)
        return self._ref if self._ref.model else self._named()

    def _named(self) -> ModelRef:
        model, version, alias = map(self._json_body.get, ("model", "version", "alias"))
        if not isinstance(model, str):
            raise InvalidInstances("Expected `model` to be the name of a model.")
        return _version_or_alias(self._ref.workspace, model, version, alias)

    def read(self, reader: InstanceReader) -> ParsedInstances:
        body = self._json_body
        tabular = "columns" in body or "data" in body
        if ("instances" in body) == tabular:
            raise InvalidInstances(
                "Expected either `instances` (a list of rows), or `columns` and `data`."
            )
        rows = body.get("data" if tabular else "instances")
        if not isinstance(rows, list) or not rows:
            raise InvalidInstances("Expected a list of at least one row.")
        if not tabular:
            return reader.read_instances(rows)
        return reader.read_table(body.get("columns"), rows)

    def write(self, answer: ModelAnswer) -> Response:
        return json_response(_content(answer))


class _FileExchange(FileExchange):
    """A native predict request whose answer includes how its file was read."""

    def __init__(self, request: Request, body: Body, ref: ModelRef) -> None:
        super().__init__(request, body, ref)
        self.wants_rows = wants_rows(request.query_params)

    def write(self, answer: ModelAnswer) -> Response:
        more = {"parsing": self._parsing}
        if self._rows is not None:
            more[ROWS] = self._rows
        return json_response(_content(answer) | more)


def _content(answer: ModelAnswer) -> dict[str, Any]:
    content: dict[str, Any] = {
        "model_name": answer.served.model_name,
        "model_version": answer.served.number,
        "predictions": answer.predictions,
    }
    if answer.is_classification:
        content["probabilities"] = answer.probabilities_by_class
    return answer.with_warnings(content)


def _json(content: bytes) -> Any:
    """Return a body as JSON; if it may be a CSV, name its Content-Type in the error."""
    try:
        return parse_loose_json(content)
    except BadJson as error:
        if content.lstrip()[:1] not in (b"{", b"[", b""):
            error.detail += " Send a CSV with `Content-Type: text/csv`."
        raise


def _object(body: Any, schema: type[PredictBody]) -> dict[str, Any]:
    """Return the body if it is an object with known keys; `read` checks the rows."""
    if not isinstance(body, dict):
        raise InvalidInstances(
            f"Expected a JSON object with `instances`, got {_kind(body)}."
        )
    if not schema.model_fields.keys() >= body.keys():
        _refuse_unknown(body, schema)
    return {key: value for key, value in body.items() if value is not None}


def _refuse_unknown(body: dict[str, Any], schema: type[PredictBody]) -> None:
    errors = [
        FieldError(
            pointer=pointer(key),
            detail=f"`{key[:100]}` is not a key of this object",
            hint=did_you_mean(key, schema.model_fields),
        )
        for key in islice((k for k in body if k not in schema.model_fields), MAX_ERRORS)
    ]
    raise InvalidInstances(f"{errors[0].detail}; {errors[0].hint}", errors)


def _kind(body: Any) -> str:
    return "a list" if isinstance(body, list) else f"{str(body)[:80]!r}"


def _named_in(params: QueryParams, path: ModelRef) -> ModelRef:
    """Return the model of a CSV, from the path or from the query.

    Raises InvalidInstances if both or neither name a model.
    """
    named = [key for key in ("model", "version", "alias") if key in params]
    if path.model and named:
        raise InvalidInstances(
            f"The path names the model, so `?{named[0]}=` must not; use the path "
            "/v1/models/{name}/versions/{n}/predict, or POST to /v1/predict."
        )
    if path.model:
        return path
    if not params.get("model"):
        raise InvalidInstances(
            "The model of the file is missing; name it in the path "
            "(/v1/models/{name}/predict) or by `?model=`."
        )
    model, version = params["model"], _number(params.get("version"))
    return _version_or_alias(path.workspace, model, version, params.get("alias"))


def _refuse_rows(params: QueryParams) -> None:
    """Raise InvalidInstances if a request without a file asks for its rows."""
    if wants_rows(params):
        raise InvalidInstances(
            "`?rows=true` returns the rows of a file, and the body is not a file. Leave "
            "it out, or send the file with its Content-Type, such as text/csv."
        )


def _number(version: str | None) -> int | str | None:
    """Return a version as a number; any other text is returned unchanged."""
    if version is None or len(version) > _MOST_DIGITS:
        return version
    return int(version) if version.isascii() and version.isdigit() else version


def _version_or_alias(workspace: str, model: str, version: Any, alias: Any) -> ModelRef:
    """Return the model that a request names, with its version or alias if given.

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
