"""Run all requests that are waiting for one version in one call of its network.

The weights are then read from memory once for all requests, which is most of the cost of
a single row. A request never waits for others to arrive: each pass of the event loop
takes those that are waiting, and a request that is alone runs at once. ONNX Runtime gives
a row the same bits in any batch (docs/decisions/0014).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial

import numpy as np

from core.models.input_table import Table, concatenate
from core.models.network import NetworkOutput

Outcome = NetworkOutput | Exception

_MAX_ROWS = 128
_INLINE_WORK = 64 * 1024 * 1024
"""Rows times bytes of weights; larger batches (more than 0.2 ms) run in a thread."""


class Batcher:
    """Collect tables for one session and run them together.

    `row_work` is the cost of a row in bytes of weights. Batches too large for the event
    loop run in the pool.
    """

    def __init__(
        self, run: Callable[[Table], NetworkOutput], row_work: int, pool: Executor
    ) -> None:
        self._run = run
        self._row_work = max(1, row_work)
        self._pool = pool
        self._waiting: deque[tuple[Table, asyncio.Future[NetworkOutput]]] = deque()

    def run_alone(self, table: Table) -> NetworkOutput | None:
        """Run the table now; return None if it is too large to run on the event loop."""
        if table.num_rows * self._row_work > _INLINE_WORK:
            return None
        return self._run(table)

    def submit(self, table: Table) -> asyncio.Future[NetworkOutput]:
        """Return a future of the network's output for the table."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[NetworkOutput] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush, loop)
        self._waiting.append((table, future))
        return future

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            tables, futures = self._take()
            work = sum(table.num_rows for table in tables) * self._row_work
            if work <= _INLINE_WORK:
                _deliver(self._run_batch(tables), futures)
            else:
                done = loop.run_in_executor(self._pool, self._run_batch, tables)
                done.add_done_callback(partial(_deliver_from, futures))

    def _take(self) -> tuple[list[Table], list[asyncio.Future[NetworkOutput]]]:
        taken = [self._waiting.popleft()]
        rows = taken[0][0].num_rows
        while self._waiting:
            rows += self._waiting[0][0].num_rows
            if rows > _MAX_ROWS:
                break
            taken.append(self._waiting.popleft())
        return [table for table, _ in taken], [future for _, future in taken]

    def _run_batch(self, tables: Sequence[Table]) -> Sequence[Outcome]:
        """Return the outcome of each table; run each one alone if the batch fails."""
        try:
            output = self._run(concatenate(tables))
        except Exception as error:  # noqa: BLE001  raised in the request
            if len(tables) == 1:
                return [error]
            return [outcome for table in tables for outcome in self._run_batch([table])]
        if len(tables) == 1:
            return [output]
        ends = np.cumsum([table.num_rows for table in tables[:-1]])
        return np.split(output, ends)


def _deliver_from(
    futures: Sequence[asyncio.Future[NetworkOutput]],
    done: asyncio.Future[Sequence[Outcome]],
) -> None:
    """Give the requests the outcomes of a thread, or an error if the pool was closed."""
    try:
        outcomes = done.result()
    except asyncio.CancelledError:
        outcomes = [RuntimeError("stopping")] * len(futures)
    except Exception as error:  # noqa: BLE001  raised in every request
        outcomes = [error] * len(futures)
    _deliver(outcomes, futures)


def _deliver(
    outcomes: Sequence[Outcome], futures: Sequence[asyncio.Future[NetworkOutput]]
) -> None:
    """Give each request its outcome, unless the request was cancelled."""
    for outcome, future in zip(outcomes, futures, strict=True):
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
