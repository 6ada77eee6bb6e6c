"""Check the health of every part of the service at the same time, within a deadline."""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Future, wait
from functools import partial

from core.database.sessions import Database
from core.health import checks
from core.health.parts import Part
from core.health.probe import Check, Probe, part_of
from core.queue import Queue
from core.settings import Settings
from core.storage import Storage

DEADLINE = 0.8
"""Shorter than the second for which most health probes wait."""
MAX_AGE = 1.0

Parts = dict[str, Part]


class Health:
    """The state of the parts of the service by name.

    Args:
        checks: the functions that check the parts; each may block.
        deadline: seconds after which a part without a result has failed.
        max_age: seconds for which a result is valid.

    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        deadline: float = DEADLINE,
        max_age: float = MAX_AGE,
    ) -> None:
        self._probes = {name: Probe(check, max_age) for name, check in checks.items()}
        self._deadline = deadline
        self._max_age = max_age
        self._parts: Parts = {}
        self._until = 0.0

    async def look(self) -> Parts:
        """Return the state of every part, which is at most `max_age` old."""
        if time.monotonic() < self._until:
            return self._parts
        results = self._ask()
        waited = [asyncio.wrap_future(future) for future in results.values()]
        await asyncio.wait(waited, timeout=self._deadline)
        self._parts = {name: part_of(f, self._deadline) for name, f in results.items()}
        self._until = time.monotonic() + self._max_age
        return self._parts

    def look_now(self, deadline: float) -> Parts:
        """Return the state of every part, for a caller without an event loop."""
        results = self._ask()
        wait(results.values(), timeout=deadline)
        return {name: part_of(future, deadline) for name, future in results.items()}

    def _ask(self) -> dict[str, Future[Part]]:
        return {name: probe.ask() for name, probe in self._probes.items()}


def make_health(
    settings: Settings, database: Database, queue: Queue, storage: Storage
) -> Health:
    """Return the health of the parts that every service has."""
    seconds = settings.runs.lease_seconds
    place = settings.files_dir, settings.min_free_bytes, storage
    return Health(
        {
            "database": partial(checks.check_database, database),
            "migrations": partial(checks.check_migrations, database),
            "broker": partial(checks.check_broker, queue),
            "storage": partial(checks.check_storage, *place),
            "workers": partial(checks.check_workers, database, seconds),
        }
    )
