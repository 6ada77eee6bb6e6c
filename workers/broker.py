"""Provide a Celery Redis transport that drops unreadable messages.

Celery ends the whole worker if it cannot read a message. Dropping a message is safe: the
database lists the waiting work, and the janitor sends a new message for it.
"""

import logging
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

log = logging.getLogger(__name__)


class Channel(redis.Channel):
    """A Redis channel that drops unreadable messages."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            log.exception("dropped an unreadable message")
            return True


class Transport(redis.Transport):
    """A Redis transport that uses these channels."""

    Channel = Channel


def drop_unreadable_messages() -> None:
    """Use this transport for every Redis broker URL of this process."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
