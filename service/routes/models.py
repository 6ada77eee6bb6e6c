"""/v1/models: registry, versions, weights, artifacts."""

from typing import Annotated

from anyio import to_thread
from fastapi import Path, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from core.errors import ArtifactNotFound, ModelNotFound
from core.models.contract import Contract
from core.models.deletion import delete_model, delete_version
from core.models.listing import ModelReads
from core.models.repository import ModelRepository
from core.models.version_changes import describe_versions
from core.models.weights import read_weights
from fitserve.schemas.models import (
    ModelRead,
    ModelUpdate,
    VersionRead,
    WeightsRead,
)
from fitserve.schemas.pages import Page
from service.auth.scopes import MODELS
from service.bodies import body_schema, read_json, validate
from service.dependencies import (
    Cursor,
    Limit,
    Models,
    ReadSession,
    ServicesDep,
    WorkspaceDep,
    WriteSession,
    number_in,
)
from service.downloads import file_response, open_whole
from service.protocols.failures import native_with_error
from service.protocols.shared import SharedModelPage, SharedModelRead, SharedVersionRead
from service.router import Router, declare

router = Router(prefix="/v1/models", tags=["models"], scope=MODELS)

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
_read_by_tf_serving = declare(errors=native_with_error)
"""For paths that TF Serving's clients also request."""


@router.get("")
@_read_by_tf_serving
def list_(
    models: Models,
    session: ReadSession,
    workspace: WorkspaceDep,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SharedModelPage:
    """List models by name."""
    found = models.page(cursor, limit + 1)
    items = ModelReads(session, workspace).read(found[:limit])
    more = len(found) > limit
    return SharedModelPage.of(items, found[limit - 1].name if more else None)


@router.get("/{name}")
@_read_by_tf_serving
def get(
    name: str, models: Models, session: ReadSession, workspace: WorkspaceDep
) -> SharedModelRead:
    """Get a model with its versions, its aliases, its serving version and contract."""
    return SharedModelRead.of(_with_contract(models, session, workspace, name))


def _with_contract(
    models: ModelRepository, session: Session, workspace: str, name: str
) -> ModelRead:
    found = ModelReads(session, workspace).read([models.get(name)])
    if not found:  # it was deleted between the queries
        raise ModelNotFound(name)
    serving = models.serving(name)
    contract = Contract.of(serving.signature).to_schema(serving.number)
    return found[0].model_copy(update={"contract": contract})


@router.get("/{name}/versions")
def versions(
    name: str, models: Models, limit: Limit = 50, cursor: Cursor = None
) -> Page[VersionRead]:
    """List the versions of a model, newest first."""
    models.get(name)
    found = models.versions(name, number_in(cursor), limit + 1)
    items = describe_versions(models, name, found[:limit])
    more = len(found) > limit
    return Page(items=items, next_cursor=str(items[-1].version) if more else None)


@router.get("/{name}/versions/{number}")
@_read_by_tf_serving
def version(name: str, number: Number, models: Models) -> SharedVersionRead:
    """Get a version: its signature, metrics, layers and artifacts."""
    (read,) = describe_versions(models, name, [models.version(name, number)])
    return SharedVersionRead.of(read)


@router.patch("/{name}", openapi_extra=body_schema(ModelUpdate))
async def update(
    name: str, request: Request, services: ServicesDep, workspace: WorkspaceDep
) -> ModelRead:
    """Set whether a finished run may change the serving version of a model.

    The model no longer follows its newest version.
    """
    wanted = validate(ModelUpdate, await read_json(request))

    def store() -> ModelRead:
        with services.database.write() as session:
            models = ModelRepository(session, workspace)
            models.lock(name)
            model = models.get(name)
            model.promotion, model.follows_newest = wanted.promotion, False
            session.flush()
            return _with_contract(models, session, workspace, name)

    return await to_thread.run_sync(store)


@router.delete("/{name}/versions/{number}", status_code=204)
@_read_by_tf_serving
def delete_version_(
    name: str,
    number: Number,
    session: WriteSession,
    workspace: WorkspaceDep,
    services: ServicesDep,
) -> None:
    """Delete a version and its files.

    The last version deletes its model too. All processes stop serving the version within
    a second. Its number is not used again. Fails with 409 if the version has an alias, or
    if it serves, other versions exist, and the model does not follow its newest version.
    """
    delete_version(session, services.storage, workspace, name, number)
    services.predictor.versions.refresh_after_commit(session, workspace, name)


@router.delete("/{name}", status_code=204)
@_read_by_tf_serving
def delete(
    name: str, session: WriteSession, workspace: WorkspaceDep, services: ServicesDep
) -> None:
    """Delete a model with all its versions. Fails with 409 if the model has an alias."""
    delete_model(session, services.storage, workspace, name)
    services.predictor.versions.refresh_after_commit(session, workspace, name)


@router.get("/{name}/versions/{number}/weights")
def weights(
    name: str, number: Number, models: Models, services: ServicesDep
) -> WeightsRead:
    """Get weights and biases by layer. Fails with 422 for too many weights."""
    found = models.version(name, number)
    return read_weights(found, services.storage)


@router.get(
    "/{name}/versions/{number}/artifacts/{artifact}", response_class=StreamingResponse
)
def artifact(
    name: str,
    number: Number,
    artifact: str,
    models: Models,
    services: ServicesDep,
) -> StreamingResponse:
    """Download `model.keras`, `model.onnx`, `weights.npz` or `signature.json`."""
    found = models.version(name, number)
    wanted = found.artifact(artifact)
    if wanted is None:
        raise ArtifactNotFound(artifact, [a.name for a in found.artifacts])
    return file_response(
        open_whole(services.storage, wanted.key, wanted.num_bytes),
        f"{name}-{number}-{wanted.name}",
        wanted.num_bytes,
        "application/json"
        if wanted.name.endswith(".json")
        else "application/octet-stream",
    )
