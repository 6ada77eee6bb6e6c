"""/v1/predict and /v1/models/{name}/predict."""

from itertools import islice
from typing import Annotated, Any

from fastapi import Path, Request, Response

from core.errors import InvalidInstances
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.schemas.predict import PredictBody, PredictRequest, PredictResponse
from fitserve.scopes import Scope
from service.bodies import Body, body_schema, json_response, parse_json, read_body
from service.dependencies import get_services, workspace_of
from service.parsing_options import from_params, media_type_of
from service.paths import VERSION
from service.predictor.answers import Answer
from service.predictor.columns import RawColumns, ReadColumns
from service.predictor.notes import MOST_TOLD
from service.predictor.version_resolver import ModelRef
from service.problems import BadJson
from service.router import BodyLimit, Router
from service.routes.predict_files import (
    CSV,
    MODEL,
    FileExchange,
    named_in,
    native,
    version_or_alias,
    with_file,
)
from service.strict import PARAMETERS, is_strict

router = Router(
    prefix="/v1",
    tags=["predict"],
    scope=Scope.MODELS_PREDICT,
    body_limit=BodyLimit.PREDICT,
    is_fast=True,
)

_ANSWER: dict[str, Any] = {
    "response_model": PredictResponse,
    "openapi_extra": with_file(body_schema(PredictBody) | PARAMETERS),
}
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post(
    "/predict",
    response_model=PredictResponse,
    openapi_extra=with_file(body_schema(PredictRequest) | PARAMETERS, *MODEL),
)
async def predict(request: Request) -> Response:
    """Predict with the model that the body names."""
    return await _answer(request, None)


@router.post("/models/{name}/predict", **_ANSWER)
async def predict_newest(name: str, request: Request) -> Response:
    """Predict with the newest version of a model."""
    return await _answer(request, ModelRef(workspace_of(request), name))


@router.post(f"/models/{{name}}/versions/{{number:{VERSION}}}/predict", **_ANSWER)
async def predict_version(name: str, number: Number, request: Request) -> Response:
    """Predict with one version of a model."""
    return await _answer(request, ModelRef(workspace_of(request), name, version=number))


@router.post("/models/{name}/aliases/{alias}/predict", **_ANSWER)
async def predict_alias(name: str, alias: str, request: Request) -> Response:
    """Predict with the version that an alias points at."""
    return await _answer(request, ModelRef(workspace_of(request), name, alias=alias))


async def _answer(request: Request, wanted: ModelRef | None) -> Response:
    predictor = get_services(request).predictor
    body = await read_body(request, predictor.max_bytes)
    strict = is_strict(request, body)
    if media_type_of(body) == CSV:
        file = FileExchange(
            body,
            named_in(request.query_params, workspace_of(request), wanted),
            from_params(request.query_params, body.media_type),
            is_strict=strict,
        )
        return await predictor.answer(file, body.num_bytes, is_slow=True)
    exchange = _Exchange(body, workspace_of(request), wanted, is_strict=strict)
    return await predictor.answer(exchange, body.num_bytes)


class _Exchange:
    """A native predict request.

    Args:
        body: a JSON body.
        workspace: the workspace of the models.
        wanted: the version that the path names; None if the body names it.
        is_strict: whether warnings refuse the request.

    """

    def __init__(
        self, body: Body, workspace: str, wanted: ModelRef | None, *, is_strict: bool
    ) -> None:
        self.is_strict = is_strict
        self._workspace = workspace
        self._packed = body
        self._wanted = wanted
        self._body: dict[str, Any] = {}

    def wanted(self) -> ModelRef:
        schema = PredictRequest if self._wanted is None else PredictBody
        self._body = _object(_json(self._packed.content()), schema)
        return self._wanted or _wanted(self._workspace, self._body)

    def read(self, columns: RawColumns) -> ReadColumns:
        body = self._body
        tabular = "columns" in body or "data" in body
        if ("instances" in body) == tabular:
            raise InvalidInstances(
                "Expected either `instances` (a list of rows), or `columns` and `data`."
            )
        rows = body.get("data" if tabular else "instances")
        if not isinstance(rows, list) or not rows:
            raise InvalidInstances("Expected a list of at least one row.")
        if not tabular:
            return columns.of_instances(rows)
        return columns.of_table(body.get("columns"), rows)

    def write(self, answer: Answer) -> Response:
        return json_response(native(answer))


def _json(content: bytes) -> Any:
    """Return a body as JSON; the refusal of another one names the way for a CSV."""
    try:
        return parse_json(content)
    except BadJson as error:
        if content.lstrip()[:1] not in (b"{", b"[", b""):
            error.detail += " A CSV is sent with `Content-Type: text/csv`."
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
        for key in islice((k for k in body if k not in schema.model_fields), MOST_TOLD)
    ]
    raise InvalidInstances(f"{errors[0].detail}; {errors[0].hint}", errors)


def _kind(body: Any) -> str:
    return "a list" if isinstance(body, list) else f"{str(body)[:80]!r}"


def _wanted(workspace: str, body: dict[str, Any]) -> ModelRef:
    model, version, alias = body.get("model"), body.get("version"), body.get("alias")
    if not isinstance(model, str):
        raise InvalidInstances("Expected `model` to be the name of a model.")
    return version_or_alias(workspace, model, version, alias)
