"""Pauses between two looks at the database, for requests that wait for a change."""

import asyncio
import time

_SECONDS = 0.2


class Polling:
    """The pauses of all waiting requests; they end when the server stops."""

    def __init__(self) -> None:
        self._is_stopping = False

    def stop(self) -> None:
        """End all pauses, so that no waiting request delays the stop of the server."""
        self._is_stopping = True

    async def pause(self, deadline: float) -> bool:
        """Pause. Return whether to look again: not after `deadline`, or at the stop.

        Args:
            deadline: on the clock of `time.monotonic`.

        """
        if self._is_stopping or time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_SECONDS)
        return not self._is_stopping
