"""Every part of the service, looked at together, within a deadline, once a second."""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import wait
from functools import partial

from core.database.sessions import Database
from core.health import checks
from core.health.parts import Part
from core.health.probe import Check, Probe, answer_of
from core.queue import Queue
from core.settings import Settings

DEADLINE = 0.8
"""Under the second that most probes wait."""
MAX_AGE = 1.0

Parts = dict[str, Part]


class Health:
    """The parts by name.

    Args:
        checks: what is asked; each may block.
        deadline: seconds after which a part that is silent has failed.
        max_age: seconds that an answer holds.

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
        """Every part, as it is or was a second ago."""
        if time.monotonic() < self._until:
            return self._parts
        asked = {name: probe.ask() for name, probe in self._probes.items()}
        waited = [asyncio.wrap_future(future) for future in asked.values()]
        await asyncio.wait(waited, timeout=self._deadline)
        self._parts = {n: answer_of(f, self._deadline) for n, f in asked.items()}
        self._until = time.monotonic() + self._max_age
        return self._parts

    def look_now(self, deadline: float) -> Parts:
        """The same for who has no event loop and time to wait."""
        asked = {name: probe.ask() for name, probe in self._probes.items()}
        wait(asked.values(), timeout=deadline)
        return {name: answer_of(future, deadline) for name, future in asked.items()}


def make_health(settings: Settings, database: Database, queue: Queue) -> Health:
    """The parts that every service has."""
    seconds = settings.runs.lease_seconds
    storage = partial(checks.check_storage, settings.files_dir, settings.min_free_bytes)
    return Health(
        {
            "database": partial(checks.check_database, database),
            "migrations": partial(checks.check_migrations, database),
            "broker": partial(checks.check_broker, queue),
            "storage": storage,
            "workers": partial(checks.check_workers, database, seconds),
        }
    )
