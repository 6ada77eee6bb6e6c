"""`…:predict`, `…:classify` and `…:regress`."""

from functools import partial
from typing import Any, get_args

from fastapi import Request
from pydantic import BaseModel
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
from service.bodies import body_schema
from service.dependencies import workspace_of
from service.http_exchange import answer_predict
from service.paths import VERSION
from service.predictor.version_resolver import ModelRef
from service.protocols.failures import tf_serving
from service.protocols.schemas import FAILURES
from service.protocols.tf_serving import schemas
from service.protocols.tf_serving.exchange import TfServingExchange, Verb
from service.router import BodyLimit, Router
from service.strict import PARAMETERS

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
    """A missing model or version, in the words of TF Serving."""

    problem_type = ProblemType.MODEL_NOT_FOUND

    def __init__(self, ref: ModelRef, detail: str) -> None:
        what = f"Latest({ref.model})"
        if ref.version is not None:
            what = f"Specific({ref.model}, {ref.version})"
        super().__init__(f"Servable not found for request: {what}. {detail}")


async def answer(request: Request, verb: Verb, ref: ModelRef) -> Response:
    """Answer a request; report a missing model in the words of TF Serving."""
    exchange_of = partial(TfServingExchange, verb=verb)
    try:
        return await answer_predict(request, ref, exchange_of)
    except (ModelNotFound, VersionNotFound) as error:
        raise ServableNotFound(ref, error.detail) from error
    except AliasNotFound as error:
        raise unknown_label(ref.alias, error) from error


def unknown_label(label: str | None, error: AliasNotFound) -> Invalid:
    """Return the error for a missing alias; to TF Serving it is a malformed request."""
    reason = f"Unrecognized servable version label: {str(label)[:200]}"
    return Invalid(f"{reason}. {error.detail}")


def _declare(verb: Verb, asked: type[BaseModel], answered: type[BaseModel]) -> None:
    options: dict[str, Any] = {
        "response_model": answered,
        "responses": FAILURES,
        "openapi_extra": body_schema(asked) | PARAMETERS,
    }
    options["description"] = f"{verb.capitalize()} with the serving version of a model."

    @router.post(f"/{{name}}:{verb}", name=verb, **options)
    async def serving(name: str, request: Request) -> Response:
        return await answer(request, verb, ModelRef(workspace_of(request), name))

    path = f"/{{name}}/versions/{{number:{VERSION}}}:{verb}"
    options["description"] = f"{verb.capitalize()} with a version of a model."

    @router.post(path, name=f"{verb}_version", **options)
    async def version(name: str, number: int, request: Request) -> Response:
        ref = ModelRef(workspace_of(request), name, version=number)
        return await answer(request, verb, ref)

    options["description"] = f"{verb.capitalize()} with the version of an alias (label)."

    @router.post(f"/{{name}}/labels/{{label}}:{verb}", name=f"{verb}_label", **options)
    async def labelled(name: str, label: str, request: Request) -> Response:
        ref = ModelRef(workspace_of(request), name, alias=label)
        return await answer(request, verb, ref)


_declare("predict", schemas.PredictBody, schemas.PredictAnswer)
_declare("classify", schemas.ExamplesBody, schemas.ClassifyAnswer)
_declare("regress", schemas.ExamplesBody, schemas.RegressAnswer)
