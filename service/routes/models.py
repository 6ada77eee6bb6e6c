"""/v1/models: registry, versions, weights, artifacts, aliases."""

from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import Path, Request
from fastapi.responses import StreamingResponse

from core.database.sessions import after_commit
from core.errors import ArtifactNotFound, ModelNotFound
from core.models.repository import ModelRepository
from core.models.serialize import model_to_schema, version_to_schema
from core.models.service import delete_model, delete_version
from core.models.weights import read_weights
from fitserve.names import Name
from fitserve.schemas.models import (
    AliasUpdate,
    ModelRead,
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
    ServicesDep,
    WorkspaceDep,
    WriteSession,
)
from service.downloads import file_response, open_whole
from service.predictor.version_resolver import ModelRef
from service.promotion import check
from service.protocols.failures import native_with_error
from service.protocols.shared import SharedModelPage, SharedModelRead, SharedVersionRead
from service.router import Router, declare
from service.services import Services

router = Router(prefix="/v1/models", tags=["models"], scope=MODELS)

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
_read_by_tf_serving = declare(errors=native_with_error)
"""For paths that TF Serving's clients also request."""


@router.get("")
@_read_by_tf_serving
def list_(models: Models, limit: Limit = 50, cursor: Cursor = None) -> SharedModelPage:
    """List models by name."""
    found = models.page(cursor, limit + 1)
    names = [model.name for model in found[:limit]]
    items = [read for name in names if (read := _if_there(models, name)) is not None]
    return SharedModelPage.of(items, names[-1] if len(found) > limit else None)


def _if_there(models: ModelRepository, name: str) -> ModelRead | None:
    """Return a model, or None if it was deleted after its name was read."""
    try:
        return _model(models, name)
    except ModelNotFound:
        return None


@router.get("/{name}")
@_read_by_tf_serving
def get(name: str, models: Models) -> SharedModelRead:
    """Get a model with its versions and aliases."""
    return SharedModelRead.of(_model(models, name))


def _model(models: ModelRepository, name: str) -> ModelRead:
    newest = models.newest(name)
    versions = models.versions(name, limit=1000)
    return model_to_schema(models.get(name), versions, models.aliases(name), newest)


@router.get("/{name}/versions")
def versions(
    name: str, models: Models, limit: Limit = 50, cursor: Cursor = None
) -> Page[VersionRead]:
    """List the versions of a model, newest first."""
    models.get(name)
    below = _number(cursor)
    found = models.versions(name, below, limit + 1)
    aliases = models.aliases(name)
    items = [version_to_schema(version, aliases) for version in found[:limit]]
    more = len(found) > limit
    return Page(items=items, next_cursor=str(items[-1].version) if more else None)


def _number(cursor: str | None) -> int | None:
    is_number = cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 10
    return int(cursor) if cursor and is_number else None


@router.get("/{name}/versions/{number}")
@_read_by_tf_serving
def version(name: str, number: Number, models: Models) -> SharedVersionRead:
    """Get a version: its signature, metrics, layers and artifacts."""
    found = version_to_schema(models.version(name, number), models.aliases(name))
    return SharedVersionRead.of(found)


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
    a second. Its number is not used again. Fails with 409 if the version has an alias.
    """
    delete_version(session, services.storage, workspace, name, number)
    versions = services.predictor.versions
    after_commit(session, partial(versions.refresh, (workspace, name)))


@router.delete("/{name}", status_code=204)
@_read_by_tf_serving
def delete(
    name: str, session: WriteSession, workspace: WorkspaceDep, services: ServicesDep
) -> None:
    """Delete a model with all its versions. Fails with 409 if the model has an alias."""
    delete_model(session, services.storage, workspace, name)
    versions = services.predictor.versions
    after_commit(session, partial(versions.refresh, (workspace, name)))


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


@router.put("/{name}/aliases/{alias}", openapi_extra=body_schema(AliasUpdate))
async def set_alias(
    name: str,
    alias: Name,
    request: Request,
    services: ServicesDep,
    workspace: WorkspaceDep,
) -> VersionRead:
    """Point an alias at a version, to promote or roll back.

    The version is loaded first. If that fails, the answer is 503, and the alias is not
    moved. All processes serve the new version within a second.

    With `require`, the new and the current version predict the held-out rows of the new
    version's run. If a requirement is not met, the answer is 409 with both values.
    """
    update = validate(AliasUpdate, await read_json(request))
    wanted = ModelRef(workspace, name, version=update.version)
    return await to_thread.run_sync(_set_alias, services, wanted, alias, update)


def _set_alias(
    services: Services, wanted: ModelRef, alias: str, update: AliasUpdate
) -> VersionRead:
    predictor, name, number = services.predictor, wanted.model, update.version
    scored = None
    if update.require:
        scored = check(services, wanted, alias, update)
    predictor.load(predictor.find(wanted))
    with services.database.write() as session:
        models = ModelRepository(session, wanted.workspace)
        if update.require:
            models.refuse_moved(name, alias, scored)
        found = models.set_alias(name, alias, number)
        after_commit(
            session, partial(predictor.versions.refresh, (wanted.workspace, name))
        )
        session.flush()
        return version_to_schema(found, models.aliases(name))


@router.delete("/{name}/aliases/{alias}", status_code=204)
def delete_alias(
    name: str,
    alias: str,
    session: WriteSession,
    workspace: WorkspaceDep,
    services: ServicesDep,
) -> None:
    """Delete an alias, but not its version."""
    ModelRepository(session, workspace).delete_alias(name, alias)
    versions = services.predictor.versions
    after_commit(session, partial(versions.refresh, (workspace, name)))
