"""Send the messages that are due; any number of senders may run.

Each message is sent at least once, with the same id every time: if a sender stops after
the receiver answered and before the answer is stored, another sender sends it again.
"""

import logging
import ssl
from collections.abc import Callable
from functools import cached_property

from core.database.sessions import Database
from core.runs.maintenance import RunMaintenance
from core.settings import WebhookRules
from core.threads import PeriodicThread
from core.webhooks.addresses import Refused, Resolve, Target, system_resolve
from core.webhooks.message import body_of, headers_of
from core.webhooks.outcome import Outcome, answered, failed
from core.webhooks.repository import WebhookRepository
from core.webhooks.tables import Webhook

log = logging.getLogger(__name__)


def trusted() -> ssl.SSLContext:
    """Return a context that trusts the public certificate authorities."""
    import certifi  # noqa: PLC0415  rarely needed

    return ssl.create_default_context(cafile=certifi.where())


class Sender(PeriodicThread):
    """A thread that sends the due messages every few seconds."""

    def __init__(
        self,
        database: Database,
        rules: WebhookRules,
        resolve: Resolve = system_resolve,
        trust: Callable[[], ssl.SSLContext] = trusted,
    ) -> None:
        super().__init__("webhooks", rules.poll_seconds, self.send_due, jitter=0.2)
        self._database = database
        self._rules = rules
        self._resolve = resolve
        self._trust = trust

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._trust()  # takes milliseconds, and is rarely needed

    def send_due(self) -> int:
        """Send due messages that no other sender has claimed. Return their number."""
        with self._database.read() as session:
            due = WebhookRepository(session).due()
        return sum(self._send(run_id) for run_id in due if not self.is_stopping)

    def _send(self, run_id: str) -> bool:
        # twice the timeout, which does not limit the resolver
        lease = 2 * self._rules.timeout_seconds + 5
        with self._database.write() as session:
            run = RunMaintenance(session).get(run_id)
            if run.ended_at is None:
                return False
            webhook = WebhookRepository(session).claim(run_id, lease)
            if webhook is None:
                return False
            body = body_of(run, run.ended_at)
        outcome = self._attempt(webhook, body)
        log.info("webhook of %s: %s", run_id, outcome.last_error or outcome.status)
        with self._database.write() as session:
            WebhookRepository(session).tell(webhook, **vars(outcome))
        return True

    def _attempt(self, webhook: Webhook, body: bytes) -> Outcome:
        from core.webhooks.connection import UNREACHED, post  # noqa: PLC0415  as above

        rules, attempts = self._rules, webhook.attempts_now
        try:
            target = Target.of(webhook.url, rules)
            address = target.find(rules, self._resolve)
            headers = headers_of(webhook, body)
            seconds = rules.timeout_seconds
            status, received = post(target, address, headers, body, seconds, self._tls)
        except Refused as error:
            return failed(f"refused: {error}", attempts, rules)
        except (*UNREACHED, OSError) as error:
            return failed(f"no answer: {type(error).__name__}", attempts, rules)
        return answered(status, received, attempts, rules)
