"""Query webhooks."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.clock import now_ms
from core.database.lease import Conditions, LeaseTable, time_after
from core.errors import WebhookNotFound
from core.runs.tables import Run
from core.webhooks.tables import Webhook
from fitserve.enums import TERMINAL, WebhookStatus
from fitserve.schemas.webhooks import WebhookRead
from fitserve.specs.webhook import WebhookSpec

_A_FEW = 10
_LEASES = LeaseTable(
    Webhook, Webhook.attempts, (Webhook.status == WebhookStatus.WAITING,)
)


class WebhookRepository:
    """The webhooks, at most one for each run; any number of senders may use them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, run_id: str, spec: WebhookSpec) -> None:
        """Store the message that a run will send."""
        self._session.add(Webhook(run_id=run_id, url=spec.url, secret=spec.secret))

    def read(self, run: Run) -> WebhookRead:
        """Return the state of the delivery, or raise WebhookNotFound."""
        webhook = self._session.get(Webhook, run.id)
        if webhook is None:
            raise WebhookNotFound(run.id)
        return _read(webhook)

    def due(self) -> list[str]:
        """Return the ids of runs whose message is due, the oldest first."""
        query = select(Webhook.run_id).where(*_due()).order_by(Webhook.due_at)
        return list(self._session.scalars(query.limit(_A_FEW)))

    def claim(self, run_id: str, lease_seconds: float) -> Webhook | None:
        """Claim a due message, and count the attempt. Return None if it is not due."""
        attempt = _LEASES.claim(
            self._session, run_id, lease_seconds, _due(), attempted_at=utc_now()
        )
        return self._session.get(Webhook, run_id) if attempt is not None else None

    def tell(self, webhook: Webhook, pause: float | None, **values: Any) -> bool:
        """Store the result of an attempt. Return False if another attempt has begun.

        `pause` is the time to the next attempt; None means that no attempt follows.
        """
        if pause is None:
            values["secret"] = None
        values.update(lease_until=0, due_at=time_after(pause or 0))
        return _LEASES.update(self._session, webhook.run_id, webhook.attempts, **values)


def _due() -> Conditions:
    ended = exists().where(Run.id == Webhook.run_id, Run.status.in_(TERMINAL))
    return (*_LEASES.unheld(), Webhook.due_at <= now_ms(), ended)


def _read(webhook: Webhook) -> WebhookRead:
    is_tried = webhook.status == WebhookStatus.WAITING and webhook.attempts > 0
    due_at = datetime.fromtimestamp(webhook.due_at / 1000, UTC)
    return WebhookRead(
        run_id=webhook.run_id,
        url=webhook.url,
        status=WebhookStatus(webhook.status),
        attempts=webhook.attempts,
        attempted_at=webhook.attempted_at,
        next_attempt_at=due_at if is_tried else None,
        last_status=webhook.last_status,
        last_error=webhook.last_error,
    )
