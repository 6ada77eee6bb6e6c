"""`/invocations`, `/ping` and `/version`, for the default model or one in the path."""

from typing import Any

from fastapi import Request
from fastapi.responses import PlainTextResponse
from starlette.responses import Response

from core.errors import ModelNotFound
from fitserve import __version__
from fitserve.scopes import Scope
from service.auth.scopes import Access
from service.bodies import Body, json_response, parse_loose_json
from service.dependencies import (
    ServicesDep,
    WorkspaceDep,
    get_services,
    workspace_of,
)
from service.http_exchange import FileExchange, HttpExchange, answer_predict
from service.predictor.answers import ModelAnswer
from service.predictor.instance_reader import InstanceReader, ParsedInstances
from service.predictor.version_resolver import ModelRef
from service.protocols.failures import mlflow
from service.protocols.mlflow import schemas
from service.protocols.mlflow.tables import JSON, media_type, read_json
from service.router import BodyLimit, Router, declare
from service.services import Services
from service.strict import PARAMETERS, strict_parameter

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
_TEXT: dict[str, Any] = {  # PlainTextResponse would declare errors as text too
    "response_class": Response,
    "responses": {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
}


@invocations.post("/invocations", **_ANSWER)
async def invoke(request: Request) -> Response:
    """Predict with the default model, which FITSERVE_DEFAULT_MODEL names."""
    ref = default_model(get_services(request), workspace_of(request))
    return await answer_predict(request, ref, _exchange)


@invocations.post("/mlflow/{model}/invocations", **_ANSWER)
async def invoke_model(model: str, request: Request) -> Response:
    """Predict with a model's serving version, or with an alias (`name@alias`)."""
    ref = model_named(workspace_of(request), model)
    return await answer_predict(request, ref, _exchange)


@router.get("/ping", response_class=Response)
@router.get("/health", response_class=Response, name="health")
@declare(scope=Access.OPEN)
def ping(services: ServicesDep, workspace: WorkspaceDep) -> Response:
    """Check whether the default model can predict. Fails with 404 if it is missing."""
    return _loaded(services, default_model(services, workspace))


@router.get("/mlflow/{model}/ping", response_class=Response)
@router.get("/mlflow/{model}/health", response_class=Response, name="model_health")
def ping_model(model: str, services: ServicesDep, workspace: WorkspaceDep) -> Response:
    """Check whether a model can predict."""
    return _loaded(services, model_named(workspace, model))


@router.get("/version", **_TEXT)
@router.get("/mlflow/{_model}/version", name="model_version", **_TEXT)
@declare(scope=Access.ANY_KEY)
def version(_model: str = "") -> PlainTextResponse:
    """Get the version of this service, as text."""
    return PlainTextResponse(__version__)


def model_named(workspace: str, reference: str) -> ModelRef:
    """Return the model that `name` or `name@alias` names."""
    name, at, alias = reference.partition("@")
    return ModelRef(workspace, name, alias=alias if at else None)


def default_model(services: Services, workspace: str) -> ModelRef:
    """Return the model of FITSERVE_DEFAULT_MODEL; raise ModelNotFound if it is unset."""
    reference = services.settings.default_model
    if reference is None:
        error = ModelNotFound("")
        error.detail = (
            "This path needs a default model. Set FITSERVE_DEFAULT_MODEL, or use "
            "/mlflow/{model}/invocations. The health of the service itself is at "
            "/health/live."
        )
        raise error
    return model_named(workspace, reference)


def _loaded(services: Services, ref: ModelRef) -> Response:
    services.predictor.load(services.predictor.find(ref))
    return Response("\n", media_type="application/json")


def _exchange(request: Request, body: Body, ref: ModelRef) -> HttpExchange:
    is_json = media_type(body) == JSON
    return (_JsonExchange if is_json else _FileExchange)(request, body, ref)


class _JsonExchange(HttpExchange):
    """A scoring request in one of MLflow's four JSON formats."""

    def read(self, reader: InstanceReader) -> ParsedInstances:
        body = parse_loose_json(self._body.content())
        self._json_body = body if isinstance(body, dict) else {}
        self.is_strict |= strict_parameter(self._parameter("strict"))
        return read_json(body, reader)

    def write(self, answer: ModelAnswer) -> Response:
        if answer.is_classification and self._parameter("probabilities") is True:
            rows = zip(answer.predictions, answer.probabilities_by_class, strict=True)
            scores = [{"prediction": label, "probabilities": row} for label, row in rows]
            return json_response(answer.with_warnings({"predictions": scores}))
        return _predictions(answer)

    def _parameter(self, name: str) -> Any:
        params = self._json_body.get("params")
        return params.get(name) if isinstance(params, dict) else None


class _FileExchange(FileExchange):
    """A scoring request whose body is a file of rows."""

    def write(self, answer: ModelAnswer) -> Response:
        return _predictions(answer)


def _predictions(answer: ModelAnswer) -> Response:
    return json_response(answer.with_warnings({"predictions": answer.predictions}))
