"""Send a run's epochs and statuses as server-sent events.

Events are read from the database only, so that any API process can serve any run, and a
client that reconnects misses no event.
"""

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
from service.services import Services

_MAX_SECONDS = 900  # the client then reconnects, so no connection is endless


async def run_events(
    services: Services, workspace: str, run_id: str, after: int
) -> AsyncIterator[ServerSentEvent]:
    """Yield the events after epoch `after` until the run has ended.

    The id of an `epoch` event is the epoch. A `status` event follows every change of the
    status, and is the last event. Raises RunNotFound.
    """
    deadline = time.monotonic() + _MAX_SECONDS
    status = None
    while True:
        found = await run_limited(_read, services.database, workspace, run_id, after)
        run, several, epochs = found
        for epoch in epochs:
            after = epoch.epoch
            yield _epoch_event(epoch, run, several=several)
        if run.status != status:
            status = run.status
            yield ServerSentEvent(event="status", data=run)
        if run.status in TERMINAL:
            return
        if not await services.polling.pause(deadline):
            return


def _read(
    database: Database, workspace: str, run_id: str, after: int
) -> tuple[RunRead, bool, Sequence[Epoch]]:
    with database.read() as session:
        runs = RunRepository(session, workspace)
        # the run first: if it has ended, the epochs that are read next are complete
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
