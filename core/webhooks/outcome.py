"""Compute the outcome of an attempt, and the time of the next attempt."""

import random
from dataclasses import dataclass

from core.settings import WebhookRules
from fitserve.enums import WebhookStatus
from fitserve.retry_after import retry_after

_LONGEST_WAIT = 86_400.0


@dataclass(frozen=True)
class Outcome:
    """The result of one attempt; `pause` is None if no attempt follows."""

    status: WebhookStatus
    pause: float | None
    last_status: int | None
    last_error: str | None


def answered(
    status: int, headers: dict[str, str], attempts: int, rules: WebhookRules
) -> Outcome:
    """Return the outcome of an answer: only 2xx succeeds, and 410 ends the attempts."""
    if 200 <= status < 300:
        return Outcome(WebhookStatus.DELIVERED, None, status, None)
    error = f"the receiver answered {status}"
    if status == 410:
        return Outcome(WebhookStatus.FAILED, None, status, f"{error}: no more attempts")
    return failed(
        error, attempts, rules, status, retry_after(headers.get("retry-after", ""))
    )


def failed(
    why: str,
    attempts: int,
    rules: WebhookRules,
    status: int | None = None,
    at_least: float = 0.0,
) -> Outcome:
    """Return a failure with the scheduled pause, if attempts are left."""
    if attempts >= len(rules.schedule):
        return Outcome(WebhookStatus.FAILED, None, status, why)
    jitter = random.uniform(0.9, 1.1)  # noqa: S311  no secret
    pause = max(rules.schedule[attempts] * jitter, min(at_least, _LONGEST_WAIT))
    return Outcome(WebhookStatus.WAITING, pause, status, why)
