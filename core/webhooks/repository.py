"""Every query about webhooks."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.clock import now_ms
from core.errors import WebhookNotFound
from core.runs.tables import Run
from core.webhooks.tables import Webhook
from fitserve.enums import TERMINAL, WebhookStatus
from fitserve.schemas.webhooks import WebhookRead
from fitserve.specs.webhook import WebhookSpec

_A_FEW = 10


class WebhookRepository:
    """Webhooks, one a run; any number of senders share them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, run_id: str, spec: WebhookSpec) -> None:
        """Store the message that a run will send."""
        self._session.add(Webhook(run_id=run_id, url=spec.url, secret=spec.secret))

    def read(self, run: Run) -> WebhookRead:
        """How the delivery stands; WebhookNotFound if the run has none."""
        webhook = self._session.get(Webhook, run.id)
        if webhook is None:
            raise WebhookNotFound(run.id)
        return _read(webhook)

    def due(self) -> list[str]:
        """Runs whose message is to be sent now, the longest due first."""
        query = select(Webhook.run_id).where(*_due()).order_by(Webhook.due_at)
        return list(self._session.scalars(query.limit(_A_FEW)))

    def claim(self, run_id: str, lease_seconds: float) -> Webhook | None:
        """The message, to be sent now by nobody else; None if it is not to be had.

        The attempt counts from here on, and fences what is told of it.
        """
        claimed = self._session.scalar(
            update(Webhook)
            .where(Webhook.run_id == run_id, *_due())
            .values(
                attempts=Webhook.attempts + 1,
                lease_until=_after(lease_seconds),
                attempted_at=utc_now(),
            )
            .returning(Webhook.run_id)
        )
        return self._session.get(Webhook, claimed) if claimed else None

    def tell(self, webhook: Webhook, pause: float | None, **values: Any) -> bool:
        """Note how the attempt went; False if another one is at work by now.

        `pause` is the time to the next one, None if there shall be none.
        """
        if pause is None:
            values["secret"] = None
        changed = self._session.execute(
            update(Webhook)
            .where(
                Webhook.run_id == webhook.run_id,
                Webhook.attempts == webhook.attempts,
                Webhook.status == WebhookStatus.WAITING,
            )
            .values(lease_until=0, due_at=_after(pause or 0), **values)
            .returning(Webhook.run_id)
        )
        return bool(changed.all())


def _due() -> tuple[ColumnElement[bool], ...]:
    ended = exists().where(Run.id == Webhook.run_id, Run.status.in_(TERMINAL))
    return (
        Webhook.status == WebhookStatus.WAITING,
        Webhook.due_at <= now_ms(),
        Webhook.lease_until <= now_ms(),
        ended,
    )


def _after(seconds: float) -> Any:
    return now_ms() + int(seconds * 1000)


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
