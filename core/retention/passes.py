"""Delete expired rows a part at a time, in the janitor."""

import logging
import time

from core.retention.expired import Kind
from core.retention.remove import Retention

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 3_600.0
"""The pause between two passes, because each one looks at all old rows of a kind."""


class Passes:
    """Passes over the expired rows of each kind, in order of their ids.

    A call continues behind the last one, so that rows which are in use by now do not keep
    it from the rows behind them. After a pause, the next pass begins with the first row.
    """

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._last = dict.fromkeys(Kind, "")
        self._next_pass = dict.fromkeys(Kind, 0.0)

    def remove(self, kind: Kind) -> None:
        """Delete the next part of the expired rows of a kind, unless a pause lasts."""
        if time.monotonic() < self._next_pass[kind]:
            return
        removed = self._retention.remove(kind, self._last[kind])
        self._last[kind] = removed.last
        if not removed.last:
            self._next_pass[kind] = time.monotonic() + _PAUSE_SECONDS
        if removed.rows:
            log.info("retention: deleted %d %s", len(removed.rows), kind)
