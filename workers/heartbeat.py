"""The heartbeat of a run: one thread beside the fit that talks to the database.

It renews the lease, writes the epochs that have ended in short batches, and hears
whether a user wants an end. The fit itself never waits for the database.
"""

import contextlib
import contextvars
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.database.sessions import Database
from core.runs.leases import EpochRow, Lease, LeaseLost, SavedCheckpoint
from core.settings import RunTimes
from fitserve.enums import StopReason
from fitserve.problem_types import ProblemType
from workers.hang_detector import HangDetector, SilenceAlarm, end_process

log = logging.getLogger(__name__)

_EPOCH_SECONDS = 8.0
"""How long a stopping worker lets an epoch go on: at its end the fit can be saved."""
_LEAVE_SECONDS = 14.0
"""How long an attempt that shall go no further may take to end of itself."""


HUNG = ProblemType.TIME_LIMIT.problem(
    "The time limit passed and training did not stop: a step of it hung, or takes "
    "very long, and its process was ended. Try fewer units or fewer rows a batch; the "
    "history up to there is kept.",
)


class RunReleased(Exception):
    """The worker is stopping: give the run back for another one to train."""


class Heartbeat:
    """Shared between the fit (main thread) and the thread that beats.

    Args:
        lease: the hold on the run.
        times: how often to do what.
        is_stopping: whether the worker was told to stop.
        keep_alive: told at every beat how long silence may last at most; 0 at the end.

    """

    def __init__(
        self,
        lease: Lease,
        times: RunTimes,
        is_stopping: Callable[[], bool],
        keep_alive: SilenceAlarm = lambda _: None,
    ) -> None:
        self.lease = lease
        self.cancelled = threading.Event()
        self._lost = threading.Event()
        self.is_stopping = is_stopping
        self.hang_detector = HangDetector()
        self._keep_alive = keep_alive
        self._times = times
        self._rows: list[EpochRow] = []
        self._has_weights = lease.checkpoint is not None
        self._saved: SavedCheckpoint | None = None
        self._keys = [lease.checkpoint.key] if lease.checkpoint else []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        told = contextvars.copy_context().run  # what the run's lines say, its lines say
        self._thread = threading.Thread(
            target=told, args=[self._beat], name="heartbeat", daemon=True
        )
        self._began = time.monotonic()
        self._leaving_since = math.inf

    @contextmanager
    def running(self) -> Iterator["Heartbeat"]:
        """Beat until the block ends, or until the end of the run is written."""
        self._thread.start()
        try:
            yield self
        finally:
            self._rest()

    def raise_if_stopped(self) -> None:
        """After a batch: LeaseLost or RunReleased if this attempt shall go no further."""
        self._has_weights = True
        self.hang_detector.heard()
        if self._lost.is_set():
            raise LeaseLost(self.lease.run_id)
        if time.monotonic() - self._leaving_since > _EPOCH_SECONDS:
            raise RunReleased(self.lease.run_id)

    def start_clock(self, spent_seconds: float = 0.0) -> None:
        """The fit begins now; epochs tell their seconds from here."""
        self._began = time.monotonic() - spent_seconds

    def fit_seconds(self) -> float:
        """Since the fit began, without the time between its attempts."""
        return time.monotonic() - self._began

    def epoch_ended(self, epoch: int, logs: dict[str, float], fit: int = 1) -> None:
        """Take an epoch and its fit (both 1-based) and Keras's logs; returns at once."""
        row = EpochRow(
            epoch,
            {name: finite(value) for name, value in logs.items()},
            self.fit_seconds(),
            fit,
        )
        with self._lock:
            self._rows.append(row)

    def checkpoint_saved(self, saved: SavedCheckpoint) -> None:
        """Take a published checkpoint of an epoch that has ended; returns at once."""
        with self._lock:
            self._saved = saved

    def recorded_keys(self) -> list[str]:
        """The checkpoint's that counts, and of one that is about to."""
        with self._lock:
            return list(self._keys)

    @contextmanager
    def final_transaction(self, database: Database) -> Iterator[Session]:
        """A unit of work that ends the attempt; it holds all that was not written yet."""
        self._rest()  # else the thread might hold epochs that come too late
        with database.write() as session:
            self.lease.hold_in(session)  # before all that a second version would break
            self.lease.record_in(session, *self._take())
            yield session

    def _rest(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._keep_alive(0.0)

    def _take(self) -> tuple[list[EpochRow], SavedCheckpoint | None]:
        """What is not written yet; a checkpoint comes after its epochs, never before."""
        with self._lock:
            rows, saved = self._rows, self._saved
            self._rows, self._saved = [], None
            if saved is not None:
                self._keys.append(saved.key)
        return rows, saved

    def _beat(self) -> None:
        next_renewal = next_question = 0.0
        while not self._stopped.wait(self._times.history_seconds):
            now = time.monotonic()
            self._keep_alive(2 * self._times.lease_seconds)
            try:
                self._leave_if_stuck(now)
                if self._lost.is_set():
                    continue
                self._write()
                if now >= next_question:
                    next_question = now + self._times.cancel_poll_seconds
                    self._ask()
                if now >= next_renewal:
                    next_renewal = now + self._times.heartbeat_seconds
                    self.lease.renew()
            except LeaseLost:
                self._lost.set()
            except (SQLAlchemyError, MemoryError):
                log.exception("run %s: no heartbeat this time", self.lease.run_id)

    def _leave_if_stuck(self, now: float) -> None:
        """End the process of a fit that does not end, having written what there is."""
        is_hung = self.hang_detector.is_hung()
        if self._lost.is_set() or self.is_stopping():
            self._leaving_since = min(now, self._leaving_since)
        if not is_hung and now - self._leaving_since < _LEAVE_SECONDS:
            return
        log.error("run %s: hangs in native code; this process ends", self.lease.run_id)
        with contextlib.suppress(LeaseLost):
            self._hand_over(self._fail if is_hung else self.lease.give_back)
        end_process()

    def _fail(self, rows: list[EpochRow], saved: SavedCheckpoint | None) -> None:
        self.lease.fail(rows, saved, stop_reason=StopReason.TIME_LIMIT, error=HUNG)

    def _ask(self) -> None:
        if not self.lease.cancel_requested():
            return
        self.cancelled.set()
        if not self._has_weights:  # none to keep; TensorFlow may trace for seconds yet
            self.lease.cancel()
            self._lost.set()

    def _write(self) -> None:
        if self._rows or self._saved:
            self._hand_over(self.lease.record)

    def _hand_over(
        self, write: Callable[[list[EpochRow], SavedCheckpoint | None], None]
    ) -> None:
        """Have written what is not, and keep it if that fails."""
        rows, saved = self._take()
        try:
            write(rows, saved)
        except Exception:
            with self._lock:
                self._rows = rows + self._rows
                self._saved = self._saved or saved
            raise
        if saved is not None:
            with self._lock:
                self._keys = [saved.key]


def finite(value: float) -> float | None:
    """The number for JSON, which knows neither NaN nor infinity."""
    number = float(value)
    return number if math.isfinite(number) else None
