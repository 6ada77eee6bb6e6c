"""`…:predict`, `:classify` and `:regress` of TensorFlow Serving's REST API."""

from typing import Any, get_args

from fastapi import Request
from starlette.responses import Response

from core.errors import (
    AliasNotFound,
    FitserveError,
    Invalid,
    ModelNotFound,
    VersionNotFound,
)
from fitserve.problem_types import ProblemType
from fitserve.scopes import Scope
from service.bodies import read_body
from service.dependencies import get_services, workspace_of
from service.paths import VERSION
from service.predictor.version_resolver import ModelRef
from service.protocols.failures import tf_serving
from service.protocols.schemas import FAILURES
from service.protocols.tf_serving import schemas
from service.protocols.tf_serving.exchange import TfServingExchange, Verb
from service.router import BodyLimit, Router
from service.strict import PARAMETERS, is_strict

router = Router(
    prefix="/v1/models",
    tags=["tf-serving"],
    scope=Scope.MODELS_PREDICT,
    body_limit=BodyLimit.PREDICT,
    errors=tf_serving,
    error_paths=tuple(f"/v1/models/*:{verb}" for verb in get_args(Verb)),
    is_fast=True,
)


class ServableNotFound(FitserveError):
    """A missing model or version, reported in TF Serving's words."""

    problem_type = ProblemType.MODEL_NOT_FOUND

    def __init__(self, wanted: ModelRef, detail: str) -> None:
        what = f"Latest({wanted.model})"
        if wanted.version is not None:
            what = f"Specific({wanted.model}, {wanted.version})"
        super().__init__(f"Servable not found for request: {what}. {detail}")


async def answer(request: Request, verb: Verb, wanted: ModelRef) -> Response:
    """Answer a request; what is missing is named as TF Serving names it."""
    predictor = get_services(request).predictor
    body = await read_body(request, predictor.max_bytes)
    strict = is_strict(request, body)
    exchange = TfServingExchange(body, verb, wanted, is_strict=strict)
    try:
        return await predictor.answer(exchange, body.num_bytes)
    except (ModelNotFound, VersionNotFound) as error:
        raise ServableNotFound(wanted, error.detail) from error
    except AliasNotFound as error:
        raise unknown_label(wanted.alias, error) from error


def unknown_label(label: str | None, error: AliasNotFound) -> Invalid:
    """Return the error for a missing alias: a malformed request to TF Serving."""
    said = f"Unrecognized servable version label: {str(label)[:200]}"
    return Invalid(f"{said}. {error.detail}")


def _declare(verb: Verb, answered: type) -> None:
    options: dict[str, Any] = {
        "response_model": answered,
        "responses": FAILURES,
        "openapi_extra": schemas.body_of(verb) | PARAMETERS,
    }

    @router.post(f"/{{name}}:{verb}", name=verb, **options)
    async def newest(name: str, request: Request) -> Response:
        """Ask the newest version of a model."""
        return await answer(request, verb, ModelRef(workspace_of(request), name))

    path = f"/{{name}}/versions/{{number:{VERSION}}}:{verb}"

    @router.post(path, name=f"{verb}_version", **options)
    async def version(name: str, number: int, request: Request) -> Response:
        """Ask one version of a model."""
        return await answer(
            request, verb, ModelRef(workspace_of(request), name, version=number)
        )

    @router.post(f"/{{name}}/labels/{{label}}:{verb}", name=f"{verb}_label", **options)
    async def labelled(name: str, label: str, request: Request) -> Response:
        """Ask the version that an alias, a label there, points at."""
        return await answer(
            request, verb, ModelRef(workspace_of(request), name, alias=label)
        )


_declare("predict", schemas.PredictAnswer)
_declare("classify", schemas.ClassifyAnswer)
_declare("regress", schemas.RegressAnswer)
