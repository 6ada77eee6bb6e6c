"""Requests that wait at the same moment for one version are one call.

The weights are read from memory once for all of them, which is most of what a single row
costs. Nobody waits for others to come: what is there when the event loop comes round is
taken. ONNX Runtime's products give a row the same bits in any company
(docs/decisions/0014).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from service.predictor.table import Table, joined

Output = NDArray[np.float32]
Run = Callable[[Table], Output]

_MOST_ROWS = 128
_INLINE_WORK = 64 * 1024 * 1024
"""Rows times bytes of weights; above it (some 0.2 ms) a thread does the work."""


class Batcher:
    """Collects tables for one session and runs them together.

    Args:
        run: the session, called with a table; may be called by several threads.
        row_work: what a row costs, in bytes of weights.
        pool: where batches too large for the event loop are run.

    """

    def __init__(self, run: Run, row_work: int, pool: Executor) -> None:
        self._run = run
        self._row_work = max(1, row_work)
        self._pool = pool
        self._waiting: deque[tuple[Table, asyncio.Future[Output]]] = deque()

    def submit(self, table: Table) -> asyncio.Future[Output]:
        """The network's output for the table, in a future of the running loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Output] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush, loop)
        self._waiting.append((table, future))
        return future

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            tables, futures = self._take()
            work = sum(table.num_rows for table in tables) * self._row_work
            if work <= _INLINE_WORK:
                _deliver(self._answers(tables), futures)
            else:
                done = loop.run_in_executor(self._pool, self._answers, tables)
                done.add_done_callback(partial(_deliver_from, futures))

    def _take(self) -> tuple[list[Table], list[asyncio.Future[Output]]]:
        taken = [self._waiting.popleft()]
        rows = taken[0][0].num_rows
        while self._waiting:
            rows += self._waiting[0][0].num_rows
            if rows > _MOST_ROWS:
                break
            taken.append(self._waiting.popleft())
        return [table for table, _ in taken], [future for _, future in taken]

    def _answers(self, tables: Sequence[Table]) -> Sequence[Output | Exception]:
        """An output a table; where one fails, its neighbours are asked alone."""
        try:
            output = self._run(joined(tables))
        except Exception as error:  # noqa: BLE001  told to whoever asked
            if len(tables) == 1:
                return [error]
            return [answer for table in tables for answer in self._answers([table])]
        if len(tables) == 1:
            return [output]
        ends = np.cumsum([table.num_rows for table in tables[:-1]])
        return np.split(output, ends)


def _deliver_from(
    futures: Sequence[asyncio.Future[Output]],
    done: asyncio.Future[Sequence[Output | Exception]],
) -> None:
    """Hand a thread's answers to those who wait; a pool that is closed has none."""
    error = None if done.cancelled() else done.exception()
    if done.cancelled() or error is not None:
        failed = error if isinstance(error, Exception) else RuntimeError("stopping")
        _deliver([failed] * len(futures), futures)
    else:
        _deliver(done.result(), futures)


def _deliver(
    answers: Sequence[Output | Exception], futures: Sequence[asyncio.Future[Output]]
) -> None:
    for answer, future in zip(answers, futures, strict=True):
        if future.done():  # whoever asked went away
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
