"""Health, metadata and repository of the protocol."""

from anyio import to_thread
from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import Invalid, NotFound
from core.models.repository import ModelRepository
from core.models.signature import Signature
from fitserve import __version__
from service.bodies import parse_json
from service.dependencies import ReadSession, ServicesDep
from service.predictor.directory import Wanted
from service.protocols.open_inference import schemas
from service.protocols.open_inference.columns import datatype_of, output_types
from service.protocols.open_inference.infer import wanted_of
from service.services import Services

router = APIRouter(prefix="/v2", tags=["open-inference"], responses=schemas.FAILURES)

EXTENSIONS = ["binary_tensor_data", "model_repository"]
_MOST = 1000


class NotOffered(NotFound):
    """The protocol has it as an extension, this service has not."""

    slug, title = "not-offered", "Not offered"

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.detail = f"This service has no {what}; its extensions are {EXTENSIONS}."


class CannotLoad(Invalid):
    """The protocol answers a load that fails with 400."""

    slug, title = "cannot-load", "Model cannot be loaded"


@router.get("")
def server() -> schemas.ServerMetadata:
    """Who answers, and which extensions of the protocol it has."""
    return schemas.ServerMetadata(
        name="fitserve", version=__version__, extensions=EXTENSIONS
    )


@router.get("/health/live")
async def live() -> schemas.ServerLive:
    """Whether this process answers."""
    return schemas.ServerLive(live=True)


@router.get("/health/ready")
def ready(session: ReadSession) -> schemas.ServerReady:
    """Whether it can serve: the database answers (503 otherwise)."""
    session.execute(text("SELECT 1"))
    return schemas.ServerReady(ready=True, live=True)


@router.get("/models")
def names(session: ReadSession) -> schemas.ModelNames:
    """Every model, by name; the first thousand."""
    found = ModelRepository(session).page(None, _MOST)
    return schemas.ModelNames(models=[model.name for model in found])


@router.get("/models/stats", include_in_schema=False)
@router.get("/models/{_name}/stats", include_in_schema=False)
@router.get("/models/{_name}/versions/{_version}/stats", include_in_schema=False)
def stats(_name: str = "", _version: str = "") -> None:
    """Answer with what is offered instead."""
    raise NotOffered("statistics")


@router.get("/models/{_name}/config", include_in_schema=False)
@router.get("/models/{_name}/versions/{_version}/config", include_in_schema=False)
def config(_name: str, _version: str = "") -> None:
    """Answer with what is offered instead."""
    raise NotOffered("model configuration")


@router.get("/models/{name}", response_model_exclude_none=True)
def metadata(
    name: str, services: ServicesDep, session: ReadSession
) -> schemas.ModelMetadata:
    """What the newest version takes and gives."""
    return _metadata(Wanted(name), services, session)


@router.get("/models/{name}/versions/{version}", response_model_exclude_none=True)
def version_metadata(
    name: str, version: str, services: ServicesDep, session: ReadSession
) -> schemas.ModelMetadata:
    """What a version takes and gives, or the one that an alias points at."""
    return _metadata(wanted_of(name, version), services, session)


def _metadata(
    wanted: Wanted, services: Services, session: Session
) -> schemas.ModelMetadata:
    signature = services.predictor.find(wanted).signature
    found = ModelRepository(session).versions(wanted.model, limit=_MOST)
    return schemas.ModelMetadata(
        name=wanted.model,
        versions=[str(version.number) for version in reversed(found)],
        platform="keras",
        inputs=_inputs(signature),
        outputs=_outputs(signature),
    )


def _inputs(signature: Signature) -> list[schemas.TensorMetadata]:
    return [
        schemas.TensorMetadata(name=f.name, datatype=datatype_of(f), shape=[-1, 1])
        for f in signature.features
    ]


def _outputs(signature: Signature) -> list[schemas.TensorMetadata]:
    classes = {"classes": signature.classes} if signature.classes else None
    return [
        schemas.TensorMetadata(
            name=name, datatype=datatype, shape=[-1, width], parameters=classes
        )
        for name, datatype, width in output_types(signature)
    ]


@router.get("/models/{name}/ready")
def model_ready(name: str, services: ServicesDep) -> schemas.ModelReady:
    """Whether the newest version can be asked (404 unknown, 503 damaged)."""
    return _ready(Wanted(name), services)


@router.get("/models/{name}/versions/{version}/ready")
def version_ready(name: str, version: str, services: ServicesDep) -> schemas.ModelReady:
    """Whether a version, or the one that an alias points at, can be asked."""
    return _ready(wanted_of(name, version), services)


def _ready(wanted: Wanted, services: Services) -> schemas.ModelReady:
    services.predictor.load(services.predictor.find(wanted))  # which makes it so
    return schemas.ModelReady(name=wanted.model, ready=True)


@router.post("/repository/index")
async def index(request: Request, services: ServicesDep) -> list[schemas.IndexEntry]:
    """Every version; all can be asked, and are loaded when they are."""
    body = await request.body()
    if body.strip() and not isinstance(parse_json(body), dict):
        raise Invalid('Expected nothing, or a JSON object such as {"ready": true}.')
    return await to_thread.run_sync(_index, services)


def _index(services: Services) -> list[schemas.IndexEntry]:
    with services.database.read() as session:
        found = ModelRepository(session).all_numbers(limit=10 * _MOST)
    return [
        schemas.IndexEntry(name=name, version=str(number), state="READY", reason="")
        for name, number in found
    ]


@router.post("/repository/models/{name}/load", response_class=Response)
def load(name: str, services: ServicesDep) -> Response:
    """Load the newest version into this process, ahead of its first request."""
    try:
        services.predictor.load(services.predictor.find(Wanted(name)))
    except NotFound as error:
        raise CannotLoad(error.detail) from error
    return Response()


@router.post("/repository/models/{name}/unload", response_class=Response)
def unload(name: str, services: ServicesDep) -> Response:
    """Drop the newest version from this process's memory; a request loads it again."""
    try:
        services.predictor.unload(services.predictor.find(Wanted(name)))
    except NotFound as error:
        raise CannotLoad(error.detail) from error
    return Response()
