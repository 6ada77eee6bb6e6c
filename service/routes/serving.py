"""/v1/models/{name}: the serving version, the aliases, and their changes."""

from typing import Annotated

from anyio import to_thread
from fastapi import Query, Request

from core.keys.caller import Caller
from core.models.cause import Cause
from core.models.promotion import promote, undo, undoable
from core.models.repository import ModelRepository
from core.models.serialize import change_to_schema
from core.models.version_changes import describe_versions
from fitserve.names import Name
from fitserve.schemas.models import (
    AliasUpdate,
    ChangeRead,
    ServingUpdate,
    UndoRequest,
    VersionRead,
)
from fitserve.schemas.pages import Page
from service.auth.scopes import MODELS
from service.bodies import body_schema, read_json, read_optional_json, validate
from service.dependencies import (
    CallerDep,
    Cursor,
    Limit,
    Models,
    ServicesDep,
    WriteSession,
    number_in,
)
from service.predictor.version_resolver import ModelRef
from service.promotion import Move, check
from service.router import Router
from service.services import Services

router = Router(prefix="/v1/models/{name}", tags=["models"], scope=MODELS)


@router.put("/serving", openapi_extra=body_schema(ServingUpdate))
async def set_serving(
    name: str, request: Request, services: ServicesDep, caller: CallerDep
) -> VersionRead:
    """Set the version for requests that name neither a version nor an alias.

    The version is checked as for an alias. The model stops following its newest version.
    """
    update = validate(ServingUpdate, await read_json(request))
    move = Move(caller, name, None, update)
    return await to_thread.run_sync(_move, services, move)


@router.put("/aliases/{alias}", openapi_extra=body_schema(AliasUpdate))
async def set_alias(
    name: str, alias: Name, request: Request, services: ServicesDep, caller: CallerDep
) -> VersionRead:
    """Point an alias at a version, to promote or roll back.

    The version is loaded first. If that fails, the answer is 503, and the alias is not
    moved. All processes serve the new version within a second.

    If the version breaks callers of the present one (new required inputs, other types,
    another target, other classes), the answer is 409 with each difference, unless the
    body has `"allow_new_contract": true`.

    With `require`, the new and the current version predict rows that neither trained on.
    If a requirement is not met, the answer is 409 with both values.
    """
    update = validate(AliasUpdate, await read_json(request))
    move = Move(caller, name, alias, update)
    return await to_thread.run_sync(_move, services, move)


def _move(services: Services, move: Move) -> VersionRead:
    """Check and load the version, then promote it."""
    present_id = check(services, move)
    services.predictor.load(services.predictor.find(move.wanted))
    with services.database.write() as session:
        models = ModelRepository(session, move.workspace)
        if move.update.require:
            models.refuse_moved(move.name, move.alias, present_id)
        cause = Cause.request(move.caller, move.update.reason)
        found = promote(
            models,
            move.name,
            move.alias,
            move.update.version,
            cause,
            allow_new_contract=move.update.allow_new_contract,
        )
        services.predictor.versions.refresh_after_commit(
            session, move.workspace, move.name
        )
        (read,) = describe_versions(models, move.name, [found])
        return read


@router.delete("/aliases/{alias}", status_code=204)
def delete_alias(
    name: str,
    alias: str,
    session: WriteSession,
    caller: CallerDep,
    services: ServicesDep,
) -> None:
    """Delete an alias, but not its version."""
    cause = Cause.request(caller, None)
    ModelRepository(session, caller.workspace).delete_alias(name, alias, cause)
    services.predictor.versions.refresh_after_commit(session, caller.workspace, name)


@router.get("/changes")
def changes(
    name: str,
    models: Models,
    limit: Limit = 50,
    cursor: Cursor = None,
    alias: Annotated[
        str | None, Query(max_length=100, description="Only changes of this alias.")
    ] = None,
) -> Page[ChangeRead]:
    """List the changes of the aliases and of the serving version, newest first."""
    models.get(name)
    found = models.changes(name, number_in(cursor), limit + 1, alias)
    items = [change_to_schema(change) for change in found[:limit]]
    more = len(found) > limit
    return Page(items=items, next_cursor=str(items[-1].number) if more else None)


@router.post("/changes/undo", openapi_extra=body_schema(UndoRequest))
async def undo_change(
    name: str, request: Request, services: ServicesDep, caller: CallerDep
) -> ChangeRead:
    """Undo the last change of an alias or, without `alias`, of the serving version.

    Each further call undoes the change before. With `change`, only the change of this
    number is undone, so a repeated call undoes no other. The contract is not checked.
    Fails with 409 if there is no change to undo, or if the version before was deleted.
    """
    wanted = validate(UndoRequest, await read_optional_json(request))
    return await to_thread.run_sync(_undo, services, caller, name, wanted)


def _undo(
    services: Services, caller: Caller, name: str, wanted: UndoRequest
) -> ChangeRead:
    with services.database.read() as session:
        models = ModelRepository(session, caller.workspace)
        before = undoable(models, name, wanted.alias, wanted.change).before
    ref = ModelRef(caller.workspace, name, version=before)
    services.predictor.load(services.predictor.find(ref))
    with services.database.write() as session:
        models = ModelRepository(session, caller.workspace)
        cause = Cause.request(caller, wanted.reason)
        change = undo(models, name, wanted.alias, cause, wanted.change)
        services.predictor.versions.refresh_after_commit(session, caller.workspace, name)
        return change_to_schema(change)
