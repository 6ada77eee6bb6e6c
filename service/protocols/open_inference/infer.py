"""`…/infer` of the Open Inference Protocol."""

from typing import Any

from fastapi import Request
from starlette.responses import Response

from fitserve.scopes import Scope
from service.bodies import read_body
from service.dependencies import get_services, workspace_of
from service.predictor.version_resolver import ModelRef
from service.protocols.failures import open_inference
from service.protocols.open_inference import schemas
from service.protocols.open_inference.exchange import InferExchange
from service.protocols.open_inference.models import wanted_of
from service.protocols.schemas import FAILURES
from service.router import BodyLimit, Router
from service.strict import PARAMETERS, is_strict

router = Router(
    prefix="/v2/models",
    tags=["open-inference"],
    scope=Scope.MODELS_PREDICT,
    body_limit=BodyLimit.PREDICT,
    errors=open_inference,
    is_fast=True,
)

_ANSWER: dict[str, Any] = {
    "response_model": schemas.InferResponse,
    "responses": FAILURES,
    "openapi_extra": schemas.INFER_BODY | PARAMETERS,
}


@router.post("/{name}/infer", **_ANSWER)
async def infer(name: str, request: Request) -> Response:
    """Predict with the newest version of a model."""
    return await _answer(request, ModelRef(workspace_of(request), name))


@router.post("/{name}/versions/{version}/infer", **_ANSWER)
async def infer_version(name: str, version: str, request: Request) -> Response:
    """Predict with a version, or with the one that an alias points at."""
    return await _answer(request, wanted_of(workspace_of(request), name, version))


async def _answer(request: Request, wanted: ModelRef) -> Response:
    predictor = get_services(request).predictor
    body = await read_body(request, predictor.max_bytes)
    strict = is_strict(request, body)
    exchange = InferExchange(body, request.headers, wanted, is_strict=strict)
    return await predictor.answer(exchange, body.num_bytes)
