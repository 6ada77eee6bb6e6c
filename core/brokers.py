"""The brokers that fitserve works with, and the Celery options of each.

A message may be lost or delivered twice (`core/queue.py`). The options keep waiting
short: a busy worker holds no message that an idle worker could take, and a request waits
some seconds at most for a broker that does not answer (docs/decisions/0056).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

ANSWER_SECONDS = 5.0
"""Timeout for an answer of the broker, such as the confirmation of a message."""
_CONNECT_SECONDS = 2.0
"""Timeout for a connection. So sending takes at most seven seconds."""

Options = Mapping[str, Any]

_NO_RETRIES: Options = {"max_retries": 0}
"""Connect once for a message; Kombu would try again until the broker is back."""
_ALL: Options = {
    "broker_connection_timeout": _CONNECT_SECONDS,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
}
_REDIS: Options = {
    **_ALL,
    "task_acks_late": False,
    "worker_disable_prefetch": True,
    "broker_transport_options": {
        **_NO_RETRIES,
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": _CONNECT_SECONDS,
    },
}
_RABBITMQ: Options = {
    **_ALL,
    "task_default_queue_type": "quorum",
    "task_create_missing_queue_type": "quorum",
    # RabbitMQ sends further messages to a worker as soon as it acknowledges one
    "task_acks_late": True,
    # RabbitMQ closes the channel of a run that is longer than its `consumer_timeout`
    "broker_channel_error_retry": True,
    "broker_transport_options": {**_NO_RETRIES, "confirm_publish": True},
}
# without the key `server_hostname`, the host's name is not compared to its certificate
_RABBITMQ_TLS: Options = {**_RABBITMQ, "broker_use_ssl": {"server_hostname": None}}

BROKERS: Mapping[str, Options] = {
    "redis": _REDIS,
    "rediss": _REDIS,
    "redis+socket": _REDIS,
    "amqp": _RABBITMQ,
    "amqps": _RABBITMQ_TLS,
}
"""The Celery options by the scheme of a broker's URL."""


def broker_options(url: str) -> Options:
    """Return the Celery options for a broker. Raises ValueError for another scheme."""
    scheme = urlsplit(url).scheme
    if scheme not in BROKERS:
        raise ValueError(
            f"FITSERVE_BROKER_URL has the scheme {scheme!r}; expected one of "
            f"{', '.join(BROKERS)}, as in redis://:password@host:6379/0 or "
            "amqp://user:password@host:5672/vhost."
        )
    return BROKERS[scheme]
