"""What an attempt came to, and when the next one is."""

import random
from dataclasses import dataclass

from core.settings import WebhookRules
from fitserve.enums import WebhookStatus
from fitserve.retry_after import retry_after

_LONGEST_WAIT = 86_400.0


@dataclass(frozen=True)
class Outcome:
    """`pause` is None if there shall be no other attempt."""

    status: WebhookStatus
    pause: float | None
    last_status: int | None
    last_error: str | None


def answered(
    status: int, headers: dict[str, str], attempts: int, rules: WebhookRules
) -> Outcome:
    """2xx alone is success, a redirect is none; 410 wants no more."""
    if 200 <= status < 300:
        return Outcome(WebhookStatus.DELIVERED, None, status, None)
    told = f"the receiver answered {status}"
    if status == 410:
        return Outcome(WebhookStatus.FAILED, None, status, f"{told}: it wants no more")
    return failed(
        told, attempts, rules, status, retry_after(headers.get("retry-after", ""))
    )


def failed(
    why: str,
    attempts: int,
    rules: WebhookRules,
    status: int | None = None,
    at_least: float = 0.0,
) -> Outcome:
    """The next one by schedule, a little earlier or later; none after the last."""
    if attempts >= len(rules.schedule):
        return Outcome(WebhookStatus.FAILED, None, status, why)
    jitter = random.uniform(0.9, 1.1)  # noqa: S311  no secret
    pause = max(rules.schedule[attempts] * jitter, min(at_least, _LONGEST_WAIT))
    return Outcome(WebhookStatus.WAITING, pause, status, why)
