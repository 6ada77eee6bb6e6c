"""Send messages to workers; messages may be lost, late or duplicated.

A message holds only an id. The worker that receives a message reads from the database
whether there is work to do, and the janitor sends messages again for unclaimed work.
So the broker's data may be deleted at any time.
"""

import logging

from celery import Celery
from kombu import exceptions

from core.brokers import ANSWER_SECONDS, broker_options
from core.queue_names import DATASETS, RUNS, queue_of
from core.settings import Settings

TRAIN = "fitserve.train"
READ = "fitserve.read"
_GRACE_SECONDS = 60
_CHECK_SECONDS = 0.5
_BROKER_ERRORS = (
    OSError,
    exceptions.OperationalError,
    exceptions.ConnectionError,  # RabbitMQ does not know the virtual host
    exceptions.ChannelError,  # RabbitMQ refuses the password, or has a classic queue
)

log = logging.getLogger(__name__)


def make_celery(settings: Settings) -> Celery:
    """Return the Celery application that the API and the workers use."""
    # the child process enforces a time limit on each of reading, fitting and saving
    hard_limit = 3 * settings.limits.max_run_seconds + _GRACE_SECONDS
    app = Celery("fitserve", broker=settings.resolved_broker_url, set_as_current=False)
    app.conf.update(
        task_default_queue=RUNS,
        task_routes={READ: {"queue": DATASETS}},
        task_ignore_result=True,  # results are in the database
        task_serializer="json",
        accept_content=["json"],
        task_time_limit=hard_limit,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        task_publish_retry=False,  # the janitor sends a message again
        **broker_options(settings.resolved_broker_url),
    )
    return app


class Queue:
    """A sender of messages; after a failure, the janitor sends the message again."""

    def __init__(self, celery: Celery) -> None:
        self._celery = celery

    def send(self, task: str, subject_id: str, worker_tags: str = "") -> bool:
        """Send the id of a run or dataset. Return False if the broker is unavailable.

        `worker_tags` of a run choose its queue.
        """
        try:
            self._send(task, subject_id, queue_of(worker_tags) if worker_tags else None)
        except _BROKER_ERRORS as error:
            log.warning(
                "broker unavailable; the janitor will send %s: %s", subject_id, error
            )
            return False
        return True

    def _send(self, task: str, subject_id: str, queue: str | None) -> None:
        with self._celery.producer_or_acquire() as producer:
            try:
                self._celery.send_task(
                    task,
                    args=[subject_id],
                    queue=queue,
                    producer=producer,
                    ignore_result=True,
                    confirm_timeout=ANSWER_SECONDS,
                )
            except Exception:
                # a graceful close would wait for RabbitMQ without a limit
                producer.connection.collect()
                raise

    def check(self) -> None:
        """Connect to the broker; raise the error of its transport if that fails."""
        with self._celery.connection_for_write(
            connect_timeout=_CHECK_SECONDS,
            transport_options={  # for Redis, which ignores `connect_timeout`
                "socket_connect_timeout": _CHECK_SECONDS,
                "socket_timeout": _CHECK_SECONDS,
            },
        ) as broker:
            broker.ensure_connection(max_retries=0, reraise_as_library_errors=False)
