"""Provide the Celery consumer of the worker.

It drops messages that Celery cannot handle, which otherwise end the worker and return to
the queue. Dropping a message is safe: the database lists the waiting work, and the
janitor sends a new message for it.
"""

import logging
from collections.abc import Callable
from typing import Any

from celery.worker.consumer import consumer

log = logging.getLogger(__name__)

_DELAYED_DELIVERY = "celery.worker.consumer.delayed_delivery:DelayedDelivery"


class Consumer(consumer.Consumer):
    """A consumer that drops messages that it cannot handle."""

    class Blueprint(consumer.Consumer.Blueprint):
        """The startup steps of Celery without one that declares 28 queues for delays."""

        default_steps = [  # noqa: RUF012  Celery's name
            step
            for step in consumer.Consumer.Blueprint.default_steps
            if step != _DELAYED_DELIVERY
        ]

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Return a function that starts the task of a message, or drops the message."""
        handle = super().create_task_handler(*args, **kwargs)

        def handle_or_drop(message: Any) -> None:
            try:
                handle(message)
            except self.connection_errors + self.channel_errors:
                raise
            except Exception:
                log.exception("dropped a message that cannot be handled")
                if not message.acknowledged:
                    message.reject_log_error(log, self.connection_errors)

        return handle_or_drop
