"""What both doors of the protocol tell of models, and do with them."""

from core.errors import FitserveError, NotFound
from core.models.repository import ModelRepository
from core.models.signature import Signature
from fitserve.problem_types import ProblemType
from service.predictor.version_resolver import ModelRef
from service.protocols.open_inference import schemas
from service.protocols.open_inference.columns import datatype_of, output_types
from service.services import Services

EXTENSIONS = ["binary_tensor_data", "model_repository"]
_MOST_VERSIONS = 1_000
_MOST_ENTRIES = 10_000
_NONE = 2**31
"""A number that no version has."""


class CannotLoad(FitserveError):
    problem_type = ProblemType.CANNOT_LOAD


def wanted_of(workspace: str, name: str, version: str | None) -> ModelRef:
    """What a path names; the protocol's version is a number or an alias."""
    if not version:
        return ModelRef(workspace, name)
    if version.isascii() and version.isdigit():
        return ModelRef(
            workspace, name, version=int(version) if len(version) < 10 else _NONE
        )
    return ModelRef(workspace, name, alias=version)


def describe(services: Services, wanted: ModelRef) -> schemas.ModelMetadata:
    """What a version takes and gives."""
    signature = services.predictor.find(wanted).signature
    with services.database.read() as session:
        found = ModelRepository(session, wanted.workspace).versions(
            wanted.model, limit=_MOST_VERSIONS
        )
    return schemas.ModelMetadata(
        name=wanted.model,
        versions=[str(version.number) for version in reversed(found)],
        platform="keras",
        inputs=_inputs(signature),
        outputs=_outputs(signature),
    )


def list_versions(services: Services, workspace: str) -> list[schemas.IndexEntry]:
    """Every version; all can be asked, and are loaded when they are."""
    with services.database.read() as session:
        found = ModelRepository(session, workspace).all_numbers(limit=_MOST_ENTRIES)
    return [
        schemas.IndexEntry(name=name, version=str(number), state="READY", reason="")
        for name, number in found
    ]


def make_ready(services: Services, wanted: ModelRef) -> None:
    """Load a version into this process, ahead of its first request."""
    services.predictor.load(services.predictor.find(wanted))


def load(services: Services, workspace: str, name: str) -> None:
    """The same for the newest version; CannotLoad where there is none."""
    try:
        make_ready(services, ModelRef(workspace, name))
    except NotFound as error:
        raise CannotLoad(error.detail) from error


def unload(services: Services, workspace: str, name: str) -> None:
    """Drop the newest version from this process's memory; a request loads it again."""
    try:
        services.predictor.unload(services.predictor.find(ModelRef(workspace, name)))
    except NotFound as error:
        raise CannotLoad(error.detail) from error


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
