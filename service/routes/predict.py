"""/v1/predict and /v1/models/{name}/predict."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request, Response

from core.errors import InvalidInstances
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.schemas.predict import PredictBody, PredictRequest, PredictResponse
from service.bodies import body_schema, read_json
from service.dependencies import ServicesDep
from service.predictor.directory import Wanted
from service.services import Services

router = APIRouter(prefix="/v1", tags=["predict"])

_ANSWER: dict[str, Any] = {
    "response_model": PredictResponse,
    "openapi_extra": body_schema(PredictBody),
}
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post(
    "/predict",
    response_model=PredictResponse,
    openapi_extra=body_schema(PredictRequest),
)
async def predict(request: Request, services: ServicesDep) -> Response:
    """Predict with the model that the body names."""
    body = _object(await read_json(request), PredictRequest)
    return await _answer(services, _wanted(body), body)


@router.post("/models/{name}/predict", **_ANSWER)
async def predict_newest(name: str, request: Request, services: ServicesDep) -> Response:
    """Predict with the newest version of a model."""
    body = _object(await read_json(request), PredictBody)
    return await _answer(services, Wanted(name), body)


@router.post("/models/{name}/versions/{number}/predict", **_ANSWER)
async def predict_version(
    name: str, number: Number, request: Request, services: ServicesDep
) -> Response:
    """Predict with one version of a model."""
    body = _object(await read_json(request), PredictBody)
    return await _answer(services, Wanted(name, version=number), body)


@router.post("/models/{name}/aliases/{alias}/predict", **_ANSWER)
async def predict_alias(
    name: str, alias: str, request: Request, services: ServicesDep
) -> Response:
    """Predict with the version that an alias points at."""
    body = _object(await read_json(request), PredictBody)
    return await _answer(services, Wanted(name, alias=alias), body)


def _object(body: Any, schema: type[PredictBody]) -> dict[str, Any]:
    """The body if it is an object with known keys; rows are looked at later."""
    if not isinstance(body, dict):
        raise InvalidInstances(
            f"Expected a JSON object with `instances`, got {_kind(body)}."
        )
    errors = [
        FieldError(
            pointer=pointer(key),
            detail=f"`{key[:100]}` is not a key of this object",
            hint=did_you_mean(key, schema.model_fields),
        )
        for key in body
        if key not in schema.model_fields
    ]
    if errors:
        raise InvalidInstances(f"{errors[0].detail}; {errors[0].hint}", errors)
    return {key: value for key, value in body.items() if value is not None}


def _kind(body: Any) -> str:
    return "a list" if isinstance(body, list) else f"{str(body)[:80]!r}"


def _wanted(body: dict[str, Any]) -> Wanted:
    model, version, alias = body.get("model"), body.get("version"), body.get("alias")
    if not isinstance(model, str):
        raise InvalidInstances("Expected `model` to be the name of a model.")
    is_number = isinstance(version, int) and not isinstance(version, bool)
    if version is not None and not (is_number and 1 <= version < 2**31):
        raise InvalidInstances("Expected `version` to be a number of 1 or more.")
    if alias is not None and not isinstance(alias, str):
        raise InvalidInstances("Expected `alias` to be the name of an alias.")
    if version is not None and alias is not None:
        raise InvalidInstances("Expected `version` or `alias`, not both.")
    return Wanted(model, version, alias)


async def _answer(services: Services, wanted: Wanted, body: dict[str, Any]) -> Response:
    answer = await services.predictor.predict(wanted, body)
    content = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, media_type="application/json")
