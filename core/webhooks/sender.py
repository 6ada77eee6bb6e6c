"""Sends what is due, beside the requests; any number of senders may run.

Each message is sent at least once, with the same id every time: a sender that dies
between the receiver's answer and the note about it leaves it to the next one.
"""

import logging
import random
import ssl
import threading
from collections.abc import Callable
from functools import cached_property

from sqlalchemy.exc import SQLAlchemyError

from core.database.sessions import Database
from core.runs.maintenance import RunMaintenance
from core.settings import WebhookRules
from core.threads import let_end
from core.webhooks.addresses import Refused, Resolve, Target, system_resolve
from core.webhooks.message import body_of, headers_of
from core.webhooks.outcome import Outcome, answered, failed
from core.webhooks.repository import WebhookRepository
from core.webhooks.tables import Webhook

log = logging.getLogger(__name__)


def trusted() -> ssl.SSLContext:
    """The public certificate authorities."""
    import certifi  # noqa: PLC0415  most services send nothing

    return ssl.create_default_context(cafile=certifi.where())


class Sender(threading.Thread):
    """A daemon thread that sends until it is stopped."""

    def __init__(
        self,
        database: Database,
        rules: WebhookRules,
        resolve: Resolve = system_resolve,
        trust: Callable[[], ssl.SSLContext] = trusted,
    ) -> None:
        super().__init__(name="webhooks", daemon=True)
        self._database = database
        self._rules = rules
        self._resolve = resolve
        self._trust = trust
        self._stopped = threading.Event()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._trust()  # takes milliseconds, and most services send nothing

    def run(self) -> None:
        pause = self._rules.poll_seconds * random.uniform(0.8, 1.2)  # noqa: S311  no secret
        while not self._stopped.wait(pause):
            try:
                self.send_due()
            except SQLAlchemyError:
                log.exception("webhooks wait; the next look will try again")

    def stop(self) -> None:
        """Send no more; a look at work may end first, but no slow receiver is awaited."""
        self._stopped.set()
        let_end(self)

    def send_due(self) -> int:
        """Send what is due and nobody else has taken; returns how many that were."""
        with self._database.read() as session:
            due = WebhookRepository(session).due()
        return sum(self._send(run_id) for run_id in due if not self._stopped.is_set())

    def _send(self, run_id: str) -> bool:
        # two terms: one for the resolver, which knows no deadline
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

        rules, attempts = self._rules, webhook.attempts
        try:
            target = Target.of(webhook.url, rules)
            address = target.find(rules, self._resolve)
            headers = headers_of(webhook, body)
            seconds = rules.timeout_seconds
            status, told = post(target, address, headers, body, seconds, self._tls)
        except Refused as error:
            return failed(f"refused, {error}", attempts, rules)
        except (*UNREACHED, OSError) as error:
            return failed(f"no answer: {type(error).__name__}", attempts, rules)
        return answered(status, told, attempts, rules)
