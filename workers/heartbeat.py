"""The heartbeat of a run: a thread that uses the database while the main thread fits.

The thread renews the lease, writes the epochs that have ended, and checks whether a user
has cancelled the run, and whether a small run waits for a long one. The fit itself never
waits for the database.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from core.database.engine import is_away
from core.database.sessions import Database
from core.runs.leases import EpochRow, Lease, LeaseLost, SavedCheckpoint
from core.runs.next_run import Slot
from core.settings import RunTimes
from core.threads import PeriodicThread
from fitserve.enums import StopReason
from fitserve.problem_types import ProblemType
from workers.hang_detector import HangDetector, SilenceAlarm, end_process

log = logging.getLogger(__name__)

_EPOCH_SECONDS = 8.0
"""How long a stopping worker waits for the end of the epoch, to save the fit there."""
_LEAVE_SECONDS = 14.0
"""How long an attempt may take to stop before this thread ends the process."""


HUNG = ProblemType.TIME_LIMIT.problem(
    "Training did not stop at its time limit, because a step hung or took very long, so "
    "the training process was ended. The history is kept. Use fewer units or "
    "a smaller batch.",
)


class RunReleased(Exception):
    """The worker is stopping, or a small run waits; the run returns to the queue."""


class Heartbeat:
    """The state that the fit (main thread) shares with the heartbeat thread.

    Args:
        lease: the lease on the run.
        times: the intervals of the thread's tasks.
        is_stopping: returns whether the worker is stopping.
        keep_alive: called with the longest time until the next call; with 0 at the end.
        slot: what this process may train; None if its runs give way to no other.

    """

    def __init__(
        self,
        lease: Lease,
        times: RunTimes,
        is_stopping: Callable[[], bool],
        keep_alive: SilenceAlarm = lambda _: None,
        slot: Slot | None = None,
    ) -> None:
        self.lease = lease
        self.cancelled = threading.Event()
        self._lost = threading.Event()
        self._gives_way = threading.Event()
        self._slot = slot
        self.is_stopping = is_stopping
        self.hang_detector = HangDetector()
        self._keep_alive = keep_alive
        self._times = times
        self._rows: list[EpochRow] = []
        self._has_weights = lease.checkpoint is not None
        self._saved: SavedCheckpoint | None = None
        self._keys = [lease.checkpoint.key] if lease.checkpoint else []
        self._lock = threading.Lock()
        self._thread = PeriodicThread("heartbeat", times.history_seconds, self._beat)
        self._next_renewal = self._next_cancel_check = 0.0
        self._began = time.monotonic()
        self._leaving_since = math.inf

    @contextmanager
    def running(self) -> Iterator["Heartbeat"]:
        """Run the thread until the block ends, or until the end of the run is written."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stop()

    def raise_if_stopped(self) -> None:
        """Raise LeaseLost or RunReleased if this attempt must stop.

        The fit calls this method after every batch.
        """
        self._has_weights = True
        self.hang_detector.heard()
        if self._lost.is_set():
            raise LeaseLost(self.lease.run_id)
        if time.monotonic() - self._leaving_since > _EPOCH_SECONDS:
            raise RunReleased(self.lease.run_id)

    def gives_way(self) -> bool:
        """Return whether the run returns to the queue because a small one waits."""
        return self._gives_way.is_set() and not self.is_stopping()

    def must_leave(self) -> bool:
        """Return whether the fit must be saved and end after this epoch.

        A cancelled run ends by itself, with the weights that it has.
        """
        gives_way = self._gives_way.is_set() and not self.cancelled.is_set()
        return gives_way or self.is_stopping()

    def start_clock(self, spent_seconds: float = 0.0) -> None:
        """Start to count the seconds of the fit, from `spent_seconds`."""
        self._began = time.monotonic() - spent_seconds

    def fit_seconds(self) -> float:
        """Return the seconds since the fit began, without the time between attempts."""
        return time.monotonic() - self._began

    def epoch_ended(self, epoch: int, logs: dict[str, float], fit: int = 1) -> None:
        """Queue an epoch's logs for the next write; epoch and fit count from 1."""
        row = EpochRow(
            epoch,
            {name: finite(value) for name, value in logs.items()},
            self.fit_seconds(),
            fit,
        )
        with self._lock:
            self._rows.append(row)

    def checkpoint_saved(self, saved: SavedCheckpoint) -> None:
        """Queue a stored checkpoint for the next write."""
        with self._lock:
            self._saved = saved

    def recorded_keys(self) -> list[str]:
        """Return the file keys of the recorded checkpoint and of one being written."""
        with self._lock:
            return list(self._keys)

    @contextmanager
    def final_transaction(self, database: Database) -> Iterator[Session]:
        """Yield the transaction that ends the attempt, with all pending rows written."""
        self._stop()  # otherwise the thread could write epochs after the end
        with database.write() as session:
            self.lease.hold_in(session)  # first: another attempt may write the same rows
            self.lease.record_in(session, *self._take_pending())
            yield session

    def _stop(self) -> None:
        """Stop the thread. Raise LeaseLost if that takes longer than the lease."""
        self._thread.stop(self._times.lease_seconds)
        self._keep_alive(0.0)
        if self._thread.is_alive():
            raise LeaseLost(self.lease.run_id)

    def _take_pending(self) -> tuple[list[EpochRow], SavedCheckpoint | None]:
        """Remove and return the pending epochs and checkpoint, under one lock."""
        with self._lock:
            rows, saved = self._rows, self._saved
            self._rows, self._saved = [], None
            if saved is not None:
                self._keys.append(saved.key)
        return rows, saved

    def _beat(self) -> None:
        now = time.monotonic()
        self._keep_alive(2 * self._times.lease_seconds)
        self._end_if_stuck(now)
        if self._lost.is_set():
            return
        try:
            self._renew_if_due(now)
            self._check_cancel_if_due(now)
            if self._rows or self._saved:  # last: a failure must not prevent a renewal
                self._write_pending(self.lease.record)
        except LeaseLost:
            self._lost.set()

    def _renew_if_due(self, now: float) -> None:
        if now >= self._next_renewal:
            self._next_renewal = now + self._times.heartbeat_seconds
            self.lease.renew()
            self._look_for_small_runs()

    def _look_for_small_runs(self) -> None:
        if self._slot is None:
            return
        if self.lease.must_give_way(self._slot, self._times):
            self._gives_way.set()
        else:  # another worker has started the small run
            self._gives_way.clear()

    def _check_cancel_if_due(self, now: float) -> None:
        """Check whether a user has cancelled the run."""
        if now < self._next_cancel_check:
            return
        self._next_cancel_check = now + self._times.cancel_poll_seconds
        if not self.lease.cancel_requested():
            return
        self.cancelled.set()
        if not self._has_weights:  # no weights to keep; TensorFlow may trace for seconds
            self.lease.cancel()
            self._lost.set()

    def _end_if_stuck(self, now: float) -> None:
        """End the process, after a last write, if the fit hangs or does not stop."""
        is_hung = self.hang_detector.is_hung()
        if self._lost.is_set() or self.is_stopping():
            self._leaving_since = min(now, self._leaving_since)
        if not is_hung and now - self._leaving_since < _LEAVE_SECONDS:
            return
        log.error("run %s: hangs in native code; ending this process", self.lease.run_id)
        try:
            self._write_pending(self._fail if is_hung else self.lease.give_back)
        except LeaseLost:
            log.info("run %s: another worker has claimed it", self.lease.run_id)
        except Exception as error:
            if is_away(error):  # the next beat retries
                raise
            log.exception("run %s: the last write failed", self.lease.run_id)
        end_process()

    def _fail(self, rows: list[EpochRow], saved: SavedCheckpoint | None) -> None:
        self.lease.fail(rows, saved, stop_reason=StopReason.TIME_LIMIT, error=HUNG)

    def _write_pending(
        self, write: Callable[[list[EpochRow], SavedCheckpoint | None], None]
    ) -> None:
        """Write the pending epochs and checkpoint; queue them again if that fails."""
        rows, saved = self._take_pending()
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
    """Return the number, or None for NaN and infinity, which JSON cannot represent."""
    number = float(value)
    return number if math.isfinite(number) else None
