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
"""For paths that TF Serving's clients ask too."""


@router.get("")
@_read_by_tf_serving
def list_(models: Models, limit: Limit = 50, cursor: Cursor = None) -> SharedModelPage:
    """Models by name."""
    found = models.page(cursor, limit + 1)
    names = [model.name for model in found[:limit]]
    items = [read for name in names if (read := _if_there(models, name)) is not None]
    return SharedModelPage.of(items, names[-1] if len(found) > limit else None)


def _if_there(models: ModelRepository, name: str) -> ModelRead | None:
    """None for a model that was deleted since the page was looked up."""
    try:
        return _model(models, name)
    except ModelNotFound:
        return None


@router.get("/{name}")
@_read_by_tf_serving
def get(name: str, models: Models) -> SharedModelRead:
    """One model: its versions and aliases."""
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
    """One version: signature, metrics, layers, artifacts."""
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
    """Delete a version and its files; 409 while an alias points at it.

    The model goes with its last version. Out of service here at once, in other processes
    within a second; the number is not used again.
    """
    delete_version(session, services.storage, workspace, name, number)
    versions = services.predictor.versions
    after_commit(session, partial(versions.refresh, (workspace, name)))


@router.delete("/{name}", status_code=204)
@_read_by_tf_serving
def delete(
    name: str, session: WriteSession, workspace: WorkspaceDep, services: ServicesDep
) -> None:
    """Delete a model, all its versions and their files; 409 while it has an alias."""
    delete_model(session, services.storage, workspace, name)
    versions = services.predictor.versions
    after_commit(session, partial(versions.refresh, (workspace, name)))


@router.get("/{name}/versions/{number}/weights")
def weights(
    name: str, number: Number, models: Models, services: ServicesDep
) -> WeightsRead:
    """Weights and biases by layer, as lists; large networks are for the download."""
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
    """Point an alias at a version: promote, or roll back.

    The version is loaded first: one that cannot be served is refused with 503, and the
    alias stays where it is. In force here at once, in other processes within a second.

    With `require`, both this version and the one that the alias points at predict the
    held-out rows of this version's run; where the figures are not as required, the answer
    is 409 and tells them.
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
    """Remove an alias; the version stays."""
    ModelRepository(session, workspace).delete_alias(name, alias)
    versions = services.predictor.versions
    after_commit(session, partial(versions.refresh, (workspace, name)))
