"""Say whether datasets wait in the queue of the embedded broker."""

from pathlib import Path
from typing import TYPE_CHECKING

from core.lazy import LazyModule
from core.queue_names import DATASETS
from ops.supervisor.broker import connect

if TYPE_CHECKING:
    import redis
else:
    redis = LazyModule("redis")


class HasWaitingDatasets:
    """A function that asks the broker; it connects at the first call."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._broker: redis.Redis | None = None

    def __call__(self) -> bool:
        """Return whether a message waits; False while the broker starts again.

        After a restart of the broker, the janitor sends the messages again.
        """
        self._broker = self._broker or connect(self._socket)
        try:
            return bool(self._broker.llen(DATASETS))
        except redis.RedisError:
            return False
