"""/v1/webhooks, and the webhook of a run."""

from collections.abc import Callable
from functools import partial

from anyio import to_thread
from fastapi import Request
from sqlalchemy.orm import Session

from core.runs.repository import RunRepository
from core.runs.tables import Run
from core.webhooks.repository import WebhookRepository
from core.webhooks.service import put_webhook, retry_webhook
from fitserve.enums import WebhookStatus
from fitserve.schemas.pages import Page
from fitserve.schemas.webhooks import WebhookRead
from fitserve.specs.webhook import WebhookRetry, WebhookSpec
from service.auth.scopes import RUNS
from service.bodies import body_schema, read_json, read_optional_json, validate
from service.dependencies import (
    Cursor,
    Limit,
    ReadSession,
    Runs,
    ServicesDep,
    WorkspaceDep,
    WriteSession,
)
from service.router import Router
from service.services import Services

router = Router(prefix="/v1", tags=["runs"], scope=RUNS)


@router.get("/webhooks")
def webhooks(
    session: ReadSession,
    workspace: WorkspaceDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: WebhookStatus | None = None,
) -> Page[WebhookRead]:
    """List the webhooks of runs and their last deliveries, newest run first."""
    repository = WebhookRepository(session)
    found = repository.page(workspace, cursor, limit + 1, status)
    items = found[:limit]
    return Page(items=items, next_cursor=items[-1].run_id if len(found) > limit else None)


@router.get("/runs/{run_id}/webhook")
def webhook(run_id: str, runs: Runs, session: ReadSession) -> WebhookRead:
    """Get the delivery status of a run's webhook."""
    return WebhookRepository(session).read(runs.get(run_id))


@router.put("/runs/{run_id}/webhook", openapi_extra=body_schema(WebhookSpec))
async def set_webhook(
    run_id: str, request: Request, services: ServicesDep, workspace: WorkspaceDep
) -> WebhookRead:
    """Create or replace the webhook of a run.

    The message is sent when the run ends; the message of a run that has ended is sent at
    once. Fails with 409 during an attempt.
    """
    spec = validate(WebhookSpec, await read_json(request))
    change = partial(put_webhook, spec=spec, rules=services.settings.webhooks)
    return await to_thread.run_sync(_changed, services, workspace, run_id, change)


@router.post("/runs/{run_id}/webhook/retry", openapi_extra=body_schema(WebhookRetry))
async def send_webhook(
    run_id: str, request: Request, services: ServicesDep, workspace: WorkspaceDep
) -> WebhookRead:
    """Send the message of an ended run again, at once and with all its attempts.

    The secret is deleted after the last attempt, so the body must then contain it again.
    Fails with 409 before the end of the run and during an attempt.
    """
    wanted = validate(WebhookRetry, await read_optional_json(request))
    change = partial(retry_webhook, wanted=wanted)
    return await to_thread.run_sync(_changed, services, workspace, run_id, change)


def _changed(
    services: Services,
    workspace: str,
    run_id: str,
    change: Callable[[Session, Run], WebhookRead],
) -> WebhookRead:
    """Change the webhook of a run in a transaction."""
    with services.database.write() as session:
        return change(session, RunRepository(session, workspace).get(run_id))


@router.delete("/runs/{run_id}/webhook", status_code=204)
def delete_webhook(run_id: str, session: WriteSession, workspace: WorkspaceDep) -> None:
    """Delete the webhook of a run. A message that is being sent may still arrive."""
    WebhookRepository(session).delete(RunRepository(session, workspace).get(run_id))
