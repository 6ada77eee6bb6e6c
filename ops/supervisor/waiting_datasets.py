"""Ask the embedded broker whether datasets wait to be read."""

from pathlib import Path
from typing import TYPE_CHECKING

from core.lazy import LazyModule
from core.queue_names import DATASETS

if TYPE_CHECKING:
    import redis
else:  # loaded after the broker has started, so that nothing waits for it
    redis = LazyModule("redis")

_TIMEOUT_SECONDS = 1.0


class WaitingDatasets:
    """A connection to the embedded broker; it is opened at the first call."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._broker: redis.Redis | None = None

    def __call__(self) -> bool:
        """Return whether a message waits; False while the broker starts again."""
        if self._broker is None:
            self._broker = redis.Redis(
                unix_socket_path=str(self._socket), socket_timeout=_TIMEOUT_SECONDS
            )
        try:
            return bool(self._broker.llen(DATASETS))
        except redis.RedisError:  # the janitor sends lost messages to the next broker
            return False
