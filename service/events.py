"""A run's epochs and statuses as server-sent events, read from the database alone.

So any API process can serve any run, and a client that comes back misses nothing.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from fastapi.sse import ServerSentEvent

from core.database.sessions import Database
from core.runs.repository import RunRepository
from core.runs.serialize import run_to_schema
from core.runs.tables import Epoch
from fitserve.enums import TERMINAL
from fitserve.schemas.runs import RunRead
from service.run_limited import run_limited

_POLL_SECONDS = 0.25
_MAX_SECONDS = 900  # then the client comes back; no connection lives for ever


async def run_events(
    database: Database, workspace: str, run_id: str, after: int
) -> AsyncIterator[ServerSentEvent]:
    """Events from behind epoch `after` until the run has ended.

    `epoch` events carry the epoch as their id; a `status` event comes at every change of
    status and last of all. Raises RunNotFound.
    """
    deadline = time.monotonic() + _MAX_SECONDS
    told = None
    while time.monotonic() < deadline:
        run, several, epochs = await run_limited(
            _read, database, workspace, run_id, after
        )
        for epoch in epochs:
            after = epoch.epoch
            yield _epoch_event(epoch, run, several=several)
        if run.status != told:
            told = run.status
            yield ServerSentEvent(event="status", data=run)
        if run.status in TERMINAL:
            return
        await asyncio.sleep(_POLL_SECONDS)


def _read(
    database: Database, workspace: str, run_id: str, after: int
) -> tuple[RunRead, bool, Sequence[Epoch]]:
    with database.read() as session:
        runs = RunRepository(session, workspace)
        # the run first: epochs written between the two reads are told next time,
        # and those of an ended run are all there
        run = runs.get(run_id)
        return run_to_schema(run), run.num_seeds > 1, runs.epochs(run_id, after)


def _epoch_event(epoch: Epoch, run: RunRead, *, several: bool) -> ServerSentEvent:
    total = run.progress.epochs
    data = {
        "epoch": epoch.epoch,
        "epochs": total,
        **({"fit": epoch.fit} if several else {}),
        "metrics": epoch.metrics,
        "eta_seconds": epoch.seconds / epoch.epoch * (total - epoch.epoch),
    }
    return ServerSentEvent(event="epoch", id=str(epoch.epoch), data=data)
