"""Redis as a broker in which anybody may have left junk.

Celery ends the whole worker over a message that it cannot read. A message is only a
doorbell here: such a one is dropped, and the janitor sends again what it may have meant.
"""

import logging
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

log = logging.getLogger(__name__)


class Channel(redis.Channel):
    """Drops what is no message."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            log.exception("a message that cannot be read was dropped")
            return True


class Transport(redis.Transport):
    """A Redis transport that uses our channels."""

    Channel = Channel


def bear_junk() -> None:
    """From now on, `redis://` and `redis+socket://` mean this transport."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
