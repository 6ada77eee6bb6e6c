"""Query webhooks."""

import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import exists, not_, select, update
from sqlalchemy.orm import Session, contains_eager

from core.database.base import utc_now
from core.database.clock import now_ms
from core.database.lease import Conditions, LeaseTable, time_after
from core.errors import WebhookNotFound
from core.runs.tables import Run
from core.webhooks.tables import Webhook
from fitserve.enums import TERMINAL, RunStatus, WebhookStatus
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

    def add(self, run_id: str, spec: WebhookSpec, first: int = 0) -> None:
        """Store the message that a run will send; attempts are counted from `first`."""
        is_signed = spec.secret is not None
        values = {"url": spec.url, "secret": spec.secret, "is_signed": is_signed}
        counts = {"attempts": first, "attempts_before": first}
        self._session.add(Webhook(run_id=run_id, **values, **counts))

    def put(self, run_id: str, spec: WebhookSpec) -> bool:
        """Store or replace the message of a run. Return False during an attempt."""
        lock = select(Run.id).where(Run.id == run_id).with_for_update()
        self._session.execute(lock)  # two requests may not both add it
        if self._session.get(Webhook, run_id) is None:
            # a sender of a deleted row may still tell its attempt: count from elsewhere
            self.add(run_id, spec, 2**20 + secrets.randbelow(2**29))
            self._session.flush()
            return True
        is_signed = spec.secret is not None
        new = {"url": spec.url, "secret": spec.secret, "is_signed": is_signed}
        cleared = dict.fromkeys(("attempted_at", "last_status", "last_error"))
        return self.restart(run_id, **new, **cleared)

    def restart(self, run_id: str, **values: Any) -> bool:
        """Make a message due now, with all attempts. Return False during an attempt.

        The number of the attempts also rises, so that an attempt that outlived its lease
        no longer stores its result.
        """
        is_held = Webhook.lease_until >= now_ms()
        changed = (
            update(Webhook)
            .where(Webhook.run_id == run_id, not_(is_held))
            .values(
                status=WebhookStatus.WAITING,
                due_at=0,
                lease_until=0,
                attempts=Webhook.attempts + 1,
                attempts_before=Webhook.attempts + 1,
                **values,
            )
        )
        return bool(self._session.execute(changed.returning(Webhook.run_id)).all())

    def can_sign(self, run_id: str) -> bool:
        """Return whether the message was never signed, or still has its secret."""
        webhook = self._session.get_one(Webhook, run_id)
        return webhook.secret is not None or webhook.is_signed is False

    def delete(self, run: Run) -> None:
        """Delete the message of a run, or raise WebhookNotFound."""
        webhook = self._session.get(Webhook, run.id)
        if webhook is None:
            raise WebhookNotFound(run.id)
        self._session.delete(webhook)

    def page(
        self,
        workspace: str,
        after: str | None,
        limit: int,
        status: WebhookStatus | None = None,
    ) -> list[WebhookRead]:
        """Return the webhooks of the newest runs, after the id of a run if given."""
        query = select(Webhook).join(Webhook.run).where(Run.workspace == workspace)
        if after is not None:
            query = query.where(Webhook.run_id < after)
        if status is not None:
            query = query.where(Webhook.status == status)
        query = query.order_by(Webhook.run_id.desc()).limit(limit)
        found = self._session.scalars(query.options(contains_eager(Webhook.run)))
        return [_read(webhook, webhook.run) for webhook in found]

    def read(self, run: Run) -> WebhookRead:
        """Return the state of the delivery, or raise WebhookNotFound."""
        webhook = self._session.get(Webhook, run.id)
        if webhook is None:
            raise WebhookNotFound(run.id)
        self._session.refresh(webhook)
        return _read(webhook, run)

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


def _read(webhook: Webhook, run: Run) -> WebhookRead:
    is_tried = webhook.status == WebhookStatus.WAITING and webhook.attempts_now > 0
    due_at = datetime.fromtimestamp(webhook.due_at / 1000, UTC)
    return WebhookRead(
        run_id=webhook.run_id,
        url=webhook.url,
        status=WebhookStatus(webhook.status),
        signed=webhook.is_signed,
        attempts=webhook.attempts_now,
        attempted_at=webhook.attempted_at,
        next_attempt_at=due_at if is_tried else None,
        last_status=webhook.last_status,
        last_error=webhook.last_error,
        model_name=run.model_name,
        run_status=RunStatus(run.status),
    )
