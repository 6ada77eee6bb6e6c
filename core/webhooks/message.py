"""Build the message of a run, signed as in Standard Webhooks 1.0.0."""

import time
from datetime import UTC, datetime

from core.runs.tables import Run
from core.webhooks.tables import Webhook
from fitserve.enums import RunStatus, StopReason
from fitserve.schemas.webhooks import RunEnded, WebhookMessage


def body_of(run: Run, ended_at: datetime) -> bytes:
    """Return the message of an ended run; it is the same in every attempt."""
    message = WebhookMessage(
        type=f"run.{run.status}",
        timestamp=ended_at,
        data=RunEnded(
            run_id=run.id,
            status=RunStatus(run.status),
            stop_reason=StopReason(run.stop_reason) if run.stop_reason else None,
            model_name=run.model_name,
            model_version=run.model_version,
            created_at=run.created_at,
            started_at=run.started_at,
            ended_at=ended_at,
        ),
    )
    return message.model_dump_json().encode()


def headers_of(webhook: Webhook, body: bytes) -> dict[str, str]:
    """Return the headers; receivers can drop duplicates by the id of the run."""
    message_id = f"{webhook.run_id}_ended"
    now = int(time.time())
    headers = {
        "content-type": "application/json",
        "user-agent": "fitserve",
        "webhook-id": message_id,
        "webhook-timestamp": str(now),
    }
    if webhook.secret is not None:
        when = datetime.fromtimestamp(now, UTC)
        from standardwebhooks import Webhook as Signer  # noqa: PLC0415  rarely needed

        signature = Signer(webhook.secret).sign(message_id, when, body.decode())
        headers["webhook-signature"] = signature
    return headers
