"""Create, replace, send again and delete the webhooks of runs."""

from sqlalchemy.orm import Session

from core.errors import InvalidSpec, WebhookBusy, raise_any
from core.runs.tables import Run
from core.settings import WebhookRules
from core.webhooks.addresses import Refused, check_url
from core.webhooks.repository import WebhookRepository
from fitserve.enums import TERMINAL
from fitserve.problems import FieldError, pointer
from fitserve.schemas.webhooks import WebhookRead
from fitserve.specs.webhook import WebhookRetry, WebhookSpec

_BUSY = (
    "An attempt to deliver the message is in progress. Send the request again after it."
)


def refuse_bad_url(url: str, rules: WebhookRules, at: str) -> None:
    """Raise InvalidSpec with the pointer `at` if the rules forbid the URL."""
    try:
        check_url(url, rules)
    except Refused as error:
        line = FieldError(pointer=at, detail=str(error), hint=error.hint)
        raise_any(InvalidSpec, [line])


def put_webhook(
    session: Session, run: Run, spec: WebhookSpec, rules: WebhookRules
) -> WebhookRead:
    """Store the webhook of a run, in place of the one that it has.

    The message of an ended run is due at once. Raise InvalidSpec if the URL is forbidden,
    and WebhookBusy during an attempt.
    """
    refuse_bad_url(spec.url, rules, pointer("url"))
    webhooks = WebhookRepository(session)
    if not webhooks.put(run.id, spec):
        raise WebhookBusy(_BUSY)
    return webhooks.read(run)


def retry_webhook(session: Session, run: Run, wanted: WebhookRetry) -> WebhookRead:
    """Make the message of an ended run due now, whether or not it was delivered.

    Raise WebhookNotFound; WebhookBusy before the end of the run and during an attempt;
    InvalidSpec if the message was signed, its secret is deleted and none is given.
    """
    webhooks = WebhookRepository(session)
    webhook = webhooks.read(run)
    if run.status not in TERMINAL:
        raise WebhookBusy(
            f"The run is {run.status}; its message is sent when the run has ended."
        )
    has_new = "secret" in wanted.model_fields_set
    if not has_new and not webhooks.can_sign(run.id):
        error = FieldError(
            pointer=pointer("secret"),
            detail=f"the message to {webhook.url[:200]} was signed, and its secret was "
            "deleted after the last attempt",
            hint="send `secret` again, or null to send the message without a signature",
        )
        raise_any(InvalidSpec, [error])
    new = {"secret": wanted.secret, "is_signed": wanted.secret is not None}
    if not webhooks.restart(run.id, **(new if has_new else {})):
        raise WebhookBusy(_BUSY)
    return webhooks.read(run)
