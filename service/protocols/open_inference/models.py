"""Describe, load and unload models, for HTTP and for gRPC."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import FitserveError, NotFound
from core.models.repository import ModelRepository
from core.models.signature import Signature
from fitserve.problem_types import ProblemType
from service.predictor.version_resolver import ModelRef
from service.protocols.open_inference import schemas
from service.protocols.open_inference.columns import output_types
from service.services import Services

EXTENSIONS = ["binary_tensor_data", "model_repository"]
_MOST_VERSIONS = 1_000
_MOST_ENTRIES = 10_000
_NONE = 2**31
"""A number that no version has."""


class CannotLoad(FitserveError):
    problem_type = ProblemType.CANNOT_LOAD


def model_named(workspace: str, name: str, version: str | None) -> ModelRef:
    """Return the model that a path names; its version is a number or an alias."""
    if not version:
        return ModelRef(workspace, name)
    if version.isascii() and version.isdigit():
        number = int(version) if len(version) < 10 else _NONE
        return ModelRef(workspace, name, version=number)
    return ModelRef(workspace, name, alias=version)


def describe(services: Services, ref: ModelRef) -> schemas.ModelMetadata:
    """Return the inputs and outputs of a version."""
    signature = services.predictor.find(ref).signature
    with services.database.read() as session:
        found = ModelRepository(session, ref.workspace).versions(
            ref.model, limit=_MOST_VERSIONS
        )
    return schemas.ModelMetadata(
        name=ref.model,
        versions=[str(version.number) for version in reversed(found)],
        platform="keras",
        inputs=_inputs(signature),
        outputs=_outputs(signature),
    )


def list_versions(services: Services, workspace: str) -> list[schemas.IndexEntry]:
    """Return every version; all are ready, as a request loads them."""
    with services.database.read() as session:
        found = ModelRepository(session, workspace).all_numbers(limit=_MOST_ENTRIES)
    return [
        schemas.IndexEntry(name=name, version=str(number), state="READY", reason="")
        for name, number in found
    ]


def make_ready(services: Services, ref: ModelRef) -> None:
    """Load a version into this process before its first request."""
    services.predictor.load(services.predictor.find(ref))


def load(services: Services, workspace: str, name: str) -> None:
    """Load the serving version of a model; raises CannotLoad."""
    with _cannot_load():
        make_ready(services, ModelRef(workspace, name))


def unload(services: Services, workspace: str, name: str) -> None:
    """Unload the serving version from this process; a request loads it again."""
    with _cannot_load():
        services.predictor.unload(services.predictor.find(ModelRef(workspace, name)))


@contextmanager
def _cannot_load() -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        raise CannotLoad(error.detail) from error


def _inputs(signature: Signature) -> list[schemas.TensorMetadata]:
    return [
        schemas.TensorMetadata(name=f.name, datatype=f.kind.tensor, shape=[-1, 1])
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
