"""`/invocations` and what stands beside it, for a model in the path or in a setting."""

from typing import Any

from fastapi import Request
from fastapi.responses import PlainTextResponse
from starlette.responses import Response

from core.errors import ModelNotFound
from fitserve import __version__
from fitserve.scopes import Scope
from service.auth.scopes import Access
from service.bodies import Body, json_response, parse_loose_json, read_body
from service.dependencies import (
    ServicesDep,
    WorkspaceDep,
    get_services,
    workspace_of,
)
from service.parsing_options import from_params
from service.predictor.answers import Answer
from service.predictor.columns import RawColumns, ReadColumns
from service.predictor.files import read_file
from service.predictor.version_resolver import ModelRef
from service.protocols.failures import mlflow
from service.protocols.mlflow import schemas
from service.protocols.mlflow.tables import (
    CSV,
    JSON,
    PARQUET,
    kind_of,
    read_json,
    read_parquet,
)
from service.router import BodyLimit, Router, declare
from service.services import Services
from service.strict import PARAMETERS, is_strict, strict_parameter

invocations = Router(
    tags=["mlflow"],
    scope=Scope.MODELS_PREDICT,
    body_limit=BodyLimit.PREDICT,
    errors=mlflow,
    is_fast=True,
)
router = Router(
    tags=["mlflow"],
    responses=schemas.FAILURES,
    scope=Scope.MODELS_PREDICT,
    errors=mlflow,
    error_paths=("/mlflow/*",),
)

_ANSWER: dict[str, Any] = {
    "response_model": schemas.Scores,
    "responses": schemas.FAILURES,
    "openapi_extra": schemas.BODY | PARAMETERS,
}
_TEXT: dict[str, Any] = {  # a text class would call the failures text too
    "response_class": Response,
    "responses": {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
}


@invocations.post("/invocations", **_ANSWER)
async def invoke(request: Request) -> Response:
    """Predict with the model that FITSERVE_DEFAULT_MODEL names."""
    return await _answer(
        request, default_model(get_services(request), workspace_of(request))
    )


@invocations.post("/mlflow/{model}/invocations", **_ANSWER)
async def invoke_model(model: str, request: Request) -> Response:
    """Predict with a model's newest version, or with an alias (`name@alias`)."""
    return await _answer(request, wanted_of(workspace_of(request), model))


@router.get("/ping", response_class=Response)
@router.get("/health", response_class=Response, name="health")
@declare(scope=Access.OPEN)
def ping(services: ServicesDep, workspace: WorkspaceDep) -> Response:
    """Whether the model of the setting can be asked (404 where none is named)."""
    return _loaded(services, default_model(services, workspace))


@router.get("/mlflow/{model}/ping", response_class=Response)
@router.get("/mlflow/{model}/health", response_class=Response, name="model_health")
def ping_model(model: str, services: ServicesDep, workspace: WorkspaceDep) -> Response:
    """Whether a model can be asked."""
    return _loaded(services, wanted_of(workspace, model))


@router.get("/version", **_TEXT)
@router.get("/mlflow/{_model}/version", name="model_version", **_TEXT)
@declare(scope=Access.ANY_KEY)
def version(_model: str = "") -> PlainTextResponse:
    """The version of this service, as text."""
    return PlainTextResponse(__version__)


def wanted_of(workspace: str, reference: str) -> ModelRef:
    """What `name` or `name@alias` names."""
    name, at, alias = reference.partition("@")
    return ModelRef(workspace, name, alias=alias if at else None)


def default_model(services: Services, workspace: str) -> ModelRef:
    """What the setting names, in that workspace; ModelNotFound says how to set it."""
    reference = services.settings.default_model
    if reference is None:
        error = ModelNotFound("")
        error.detail = (
            "No model is set for this path; set FITSERVE_DEFAULT_MODEL, or ask "
            "/mlflow/{model}/invocations, which names one. The service's own health is "
            "at /health/live."
        )
        raise error
    return wanted_of(workspace, reference)


def _loaded(services: Services, wanted: ModelRef) -> Response:
    services.predictor.load(services.predictor.find(wanted))
    return Response("\n", media_type="application/json")


async def _answer(request: Request, wanted: ModelRef) -> Response:
    predictor = get_services(request).predictor
    kind = kind_of(request.headers.get("content-type", ""))
    body = await read_body(request, predictor.max_bytes)
    exchange = _Exchange(request, body, kind, wanted)
    return await predictor.answer(exchange, body.num_bytes, is_slow=kind != JSON)


class _Exchange:
    """A scoring request: JSON in four forms, CSV, or Parquet."""

    def __init__(self, request: Request, body: Body, kind: str, wanted: ModelRef) -> None:
        self.is_strict = is_strict(request, body)
        self._given = from_params(request.query_params, body.media_type)
        self._packed = body
        self._kind = kind
        self._wanted = wanted
        self._params: dict[str, Any] = {}

    def wanted(self) -> ModelRef:
        return self._wanted

    def read(self, columns: RawColumns) -> ReadColumns:
        if self._kind == CSV:
            return read_file(self._packed, self._given, columns).reading
        content = self._packed.content()
        if self._kind == PARQUET:
            return read_parquet(content, columns)
        body = parse_loose_json(content)
        params = body.get("params") if isinstance(body, dict) else None
        self._params = params if isinstance(params, dict) else {}
        self.is_strict |= strict_parameter(self._params.get("strict"))
        return read_json(body, columns)

    def write(self, answer: Answer) -> Response:
        if not (answer.is_classification and self._params.get("probabilities") is True):
            return _told(answer.predictions, answer)
        rows = zip(answer.predictions, answer.probabilities_by_class, strict=True)
        told = [{"prediction": label, "probabilities": row} for label, row in rows]
        return _told(told, answer)


def _told(predictions: Any, answer: Answer) -> Response:
    """Return the predictions, with `warnings` beside them if there are any."""
    content = {"predictions": predictions}
    if answer.warnings:
        content["warnings"] = answer.warnings
    return json_response(content)
