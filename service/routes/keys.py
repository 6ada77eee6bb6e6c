"""/v1/keys: the keys of all workspaces, for operators."""

from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import Query, Request

from core.database.sessions import after_commit
from core.keys.repository import ApiKeyRepository
from core.keys.service import create_key
from fitserve.names import NAME_PATTERN
from fitserve.schemas.keys import KeyCreate, KeyCreated, KeyCurrent, KeyRead
from fitserve.schemas.pages import Page
from fitserve.scopes import Scope
from service.auth.scopes import Access
from service.bodies import body_schema, read_json, validate
from service.dependencies import (
    CallerDep,
    Cursor,
    Limit,
    ReadSession,
    ServicesDep,
    WriteSession,
)
from service.router import Router, declare
from service.services import Services

router = Router(prefix="/v1/keys", tags=["keys"], scope=Scope.ADMIN)


@router.post("", status_code=201, openapi_extra=body_schema(KeyCreate))
async def create(request: Request, services: ServicesDep) -> KeyCreated:
    """Create a key.

    Only this answer contains the secret, `key`. The header `Idempotency-Key` is ignored,
    because the service would have to store the answer with the secret.
    """
    spec = validate(KeyCreate, await read_json(request))
    return await to_thread.run_sync(_create, services, spec)


def _create(services: Services, spec: KeyCreate) -> KeyCreated:
    with services.database.write() as session:
        made = create_key(session, services.api_keys.pepper(), spec)
        after_commit(session, services.api_keys.end_keyless)
        return made


@router.get("")
def list_(
    session: ReadSession,
    limit: Limit = 50,
    cursor: Cursor = None,
    workspace: Annotated[str | None, Query(pattern=NAME_PATTERN, max_length=100)] = None,
) -> Page[KeyRead]:
    """List all keys by id, including revoked and expired keys."""
    found = ApiKeyRepository(session).page(cursor, limit + 1, workspace)
    items = [KeyRead.model_validate(key) for key in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get("/current")
@declare(scope=Access.ANY_KEY)
def current(caller: CallerDep, session: ReadSession) -> KeyCurrent:
    """Get the name, workspace and scopes of this request's key."""
    key = ApiKeyRepository(session).find(caller.key_id) if caller.key_id else None
    return KeyCurrent(
        id=caller.key_id,
        name=key.name if key else None,
        workspace=caller.workspace,
        scopes=[scope for scope in Scope if scope in caller.scopes],
        expires_at=key.expires_at if key else None,
    )


@router.delete("/{key_id}", status_code=204)
def revoke(key_id: str, session: WriteSession, services: ServicesDep) -> None:
    """Revoke a key. All processes of the service refuse the key within a second."""
    ApiKeyRepository(session).revoke(key_id)
    after_commit(session, partial(services.api_keys.forget, key_id))
