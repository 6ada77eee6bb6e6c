"""The heartbeat of a run: one thread beside the fit that talks to the database.

It renews the lease, writes the epochs that have ended in short batches, and hears
whether a user wants an end. The fit itself never waits for the database.
"""

import contextvars
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from core.runs.leases import EpochRow, Lease, LeaseLost
from core.settings import RunTimes

log = logging.getLogger(__name__)


class HandBack(Exception):
    """The worker is stopping: give the run back for another one to train."""


class Pulse:
    """Shared between the fit (main thread) and the thread that beats.

    Args:
        lease: the hold on the run.
        times: how often to do what.
        is_stopping: whether the worker was told to stop.

    """

    def __init__(
        self, lease: Lease, times: RunTimes, is_stopping: Callable[[], bool]
    ) -> None:
        self.lease = lease
        self.cancelled = threading.Event()
        self._lost = threading.Event()
        self._times = times
        self._is_stopping = is_stopping
        self._rows: list[EpochRow] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._began = time.monotonic()

    @contextmanager
    def beating(self) -> Iterator["Pulse"]:
        """Beat until the block ends."""
        told = contextvars.copy_context().run  # what the run's lines say, its lines say
        thread = threading.Thread(
            target=told, args=[self._beat], name="pulse", daemon=True
        )
        thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            thread.join()

    def check(self) -> None:
        """Raise LeaseLost or HandBack if this attempt shall go no further."""
        if self._lost.is_set():
            raise LeaseLost(self.lease.run_id)
        if self._is_stopping():
            raise HandBack(self.lease.run_id)

    def start_clock(self) -> None:
        """The fit begins now; epochs tell their seconds from here."""
        self._began = time.monotonic()

    def epoch_ended(self, epoch: int, logs: dict[str, float]) -> None:
        """Take an epoch (1-based) and Keras's logs; returns at once."""
        row = EpochRow(
            epoch,
            {name: _finite(value) for name, value in logs.items()},
            time.monotonic() - self._began,
        )
        with self._lock:
            self._rows.append(row)

    def take_rows(self) -> list[EpochRow]:
        """The epochs not written yet; they are the caller's now."""
        with self._lock:
            rows, self._rows = self._rows, []
        return rows

    def _beat(self) -> None:
        next_renewal = next_question = 0.0
        while not self._stopped.wait(self._times.history_seconds):
            now = time.monotonic()
            try:
                self._write_rows()
                if now >= next_question:
                    next_question = now + self._times.cancel_poll_seconds
                    self._ask()
                if now >= next_renewal:
                    next_renewal = now + self._times.heartbeat_seconds
                    self.lease.renew()
            except LeaseLost:
                self._lost.set()
                return
            except SQLAlchemyError:
                log.exception("run %s: no heartbeat this time", self.lease.run_id)

    def _ask(self) -> None:
        if self.lease.cancel_requested():
            self.cancelled.set()

    def _write_rows(self) -> None:
        rows = self.take_rows()
        try:
            if rows:
                self.lease.record(rows)
        except SQLAlchemyError:
            with self._lock:
                self._rows = rows + self._rows
            raise


def _finite(value: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
