"""Runs with a webhook, and their simulated clock."""

from sqlalchemy import update

from core.database.base import utc_now
from core.runs.tables import Run
from core.settings import WebhookRules
from core.webhooks.repository import WebhookRepository
from core.webhooks.sender import Sender
from core.webhooks.tables import Webhook
from fitserve.specs.webhook import WebhookSpec
from tests.core.runs.rows import add_run

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LOCAL = WebhookRules(allow_loopback=True, timeout_seconds=2.0)


def add_hook(database, url, secret=SECRET, **values):
    """Add a run with a webhook to `url`; by default the run has ended."""
    ended = {"status": "succeeded", "stop_reason": "completed", "ended_at": utc_now()}
    run_id = add_run(database, **{**ended, **values})
    with database.write() as session:
        WebhookRepository(session).add(run_id, WebhookSpec(url=url, secret=secret))
    return run_id


def read_hook(database, run_id):
    with database.read() as session:
        return WebhookRepository(session).read(session.get_one(Run, run_id))


def pass_time(database, seconds):
    """Move the times of all webhooks into the past by `seconds`."""
    with database.write() as session:
        session.execute(
            update(Webhook).values(
                due_at=Webhook.due_at - int(seconds * 1000),
                lease_until=Webhook.lease_until - int(seconds * 1000),
            )
        )


def sender(database, rules=LOCAL, **more):
    return Sender(database, rules, **more)
