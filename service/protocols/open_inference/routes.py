"""Health, metadata and repository of the protocol, over REST."""

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from core.errors import FitserveError, Invalid
from fitserve import __version__
from fitserve.problem_types import ProblemType
from fitserve.scopes import Scope
from service.auth.scopes import MODELS, Access
from service.bodies import parse_json
from service.dependencies import Models, ServicesDep, WorkspaceDep
from service.predictor.version_resolver import ModelRef
from service.protocols.failures import open_inference
from service.protocols.open_inference import models, schemas
from service.protocols.open_inference.models import EXTENSIONS, model_named
from service.protocols.schemas import FAILURES
from service.readiness import readiness
from service.router import Router, declare

router = Router(
    prefix="/v2",
    tags=["open-inference"],
    responses=FAILURES,
    scope=MODELS,
    errors=open_inference,
    error_paths=("/v2/*",),
)
_open = declare(scope=Access.OPEN)
_predicts = declare(scope=Scope.MODELS_PREDICT)

_MOST = 1000


class NotOffered(FitserveError):
    """The service does not support an extension of the protocol."""

    problem_type = ProblemType.NOT_OFFERED

    def __init__(self, what: str) -> None:
        super().__init__(f"This service has no {what}; its extensions are {EXTENSIONS}.")


@router.get("")
@declare(scope=Access.ANY_KEY)
def server() -> schemas.ServerMetadata:
    """Get the name and version of this service, and its extensions of the protocol."""
    return schemas.ServerMetadata(
        name="fitserve", version=__version__, extensions=EXTENSIONS
    )


@router.get("/health/live")
@_open
async def live() -> schemas.ServerLive:
    """Check that this process answers."""
    return schemas.ServerLive(live=True)


@router.get("/health/ready")
@_open
async def ready(services: ServicesDep) -> schemas.ServerReady:
    """Check whether this process can serve. Fails with 503 if the process cannot."""
    await readiness(services.health)
    return schemas.ServerReady(ready=True, live=True)


@router.get("/models")
def names(repository: Models) -> schemas.ModelNames:
    """List the first 1,000 models by name."""
    found = repository.page(None, _MOST)
    return schemas.ModelNames(models=[model.name for model in found])


@router.get("/models/stats", include_in_schema=False)
@router.get("/models/{_name}/stats", include_in_schema=False)
@router.get("/models/{_name}/versions/{_version}/stats", include_in_schema=False)
def stats(_name: str = "", _version: str = "") -> None:
    raise NotOffered("statistics")


@router.get("/models/{_name}/config", include_in_schema=False)
@router.get("/models/{_name}/versions/{_version}/config", include_in_schema=False)
def config(_name: str, _version: str = "") -> None:
    raise NotOffered("model configuration")


@router.get("/models/{name}", response_model_exclude_none=True)
def metadata(
    name: str, services: ServicesDep, workspace: WorkspaceDep
) -> schemas.ModelMetadata:
    """Get the inputs and outputs of the serving version."""
    return models.describe(services, ModelRef(workspace, name))


@router.get("/models/{name}/versions/{version}", response_model_exclude_none=True)
def version_metadata(
    name: str, version: str, services: ServicesDep, workspace: WorkspaceDep
) -> schemas.ModelMetadata:
    """Get the inputs and outputs of a version, or of the version of an alias."""
    return models.describe(services, model_named(workspace, name, version))


@router.get("/models/{name}/ready")
@_predicts
def model_ready(
    name: str, services: ServicesDep, workspace: WorkspaceDep
) -> schemas.ModelReady:
    """Check whether the serving version can predict. Otherwise fails with 404 or 503."""
    models.make_ready(services, ModelRef(workspace, name))
    return schemas.ModelReady(name=name, ready=True)


@router.get("/models/{name}/versions/{version}/ready")
@_predicts
def version_ready(
    name: str, version: str, services: ServicesDep, workspace: WorkspaceDep
) -> schemas.ModelReady:
    """Check whether a version, or the version of an alias, can predict."""
    models.make_ready(services, model_named(workspace, name, version))
    return schemas.ModelReady(name=name, ready=True)


@router.post("/repository/index")
@declare(scope=Scope.MODELS_READ)
async def index(
    request: Request, services: ServicesDep, workspace: WorkspaceDep
) -> list[schemas.IndexEntry]:
    """List all versions. Every version is READY: its first request loads it."""
    body = await request.body()
    if body.strip() and not isinstance(parse_json(body), dict):
        raise Invalid('Expected no body, or a JSON object such as {"ready": true}.')
    return await to_thread.run_sync(models.list_versions, services, workspace)


@router.post("/repository/models/{name}/load", response_class=Response)
def load(name: str, services: ServicesDep, workspace: WorkspaceDep) -> Response:
    """Load the serving version into this process before its first request."""
    models.load(services, workspace, name)
    return Response()


@router.post("/repository/models/{name}/unload", response_class=Response)
def unload(name: str, services: ServicesDep, workspace: WorkspaceDep) -> Response:
    """Unload the serving version from this process. The next request loads it again."""
    models.unload(services, workspace, name)
    return Response()
