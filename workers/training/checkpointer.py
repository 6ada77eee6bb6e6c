"""Save a fit at regular intervals in a thread, and once more when the worker stops."""

import logging
import threading
import time

from core.errors import FitserveError
from core.runs.checkpoint_files import checkpoint_key, remove_older_checkpoints
from core.storage import Storage
from workers.heartbeat import Heartbeat, RunReleased
from workers.training.checkpoints import Snapshot, save
from workers.training.snapshots import FitState, restore, take

log = logging.getLogger(__name__)

_MAX_SHARE = 0.03
"""The largest share of the time that saving may take."""


class Checkpointer:
    """Save and restore a fit, between two epochs or two fits.

    Args:
        storage: the storage of the checkpoints.
        heartbeat: records each checkpoint together with the epochs before it.
        seconds: the interval between two checkpoints.
        resumed: the last checkpoint of an earlier attempt.

    """

    def __init__(
        self,
        storage: Storage,
        heartbeat: Heartbeat,
        seconds: float,
        resumed: Snapshot | None,
    ) -> None:
        self._storage = storage
        self._heartbeat = heartbeat
        self._seconds = seconds
        self._resumed = resumed
        self._due = 0.0
        self._writing: threading.Thread | None = None

    @property
    def spent_seconds(self) -> float:
        """Return the time that earlier attempts spent on the restored epochs."""
        return self._resumed.seconds if self._resumed is not None else 0.0

    def begin(self, state: FitState) -> None:
        """Restore an earlier attempt. Raise CheckpointUseless if its state differs."""
        if self._resumed is not None:
            restore(state, self._resumed)
            log.info(
                "run %s: resumed at epoch %d", self._heartbeat.lease.run_id, state.epoch
            )
        self._resumed = None  # free its arrays
        self._due = self._due or time.monotonic() + self._seconds

    def epoch_ended(self, state: FitState) -> None:
        """Save if the interval has passed.

        Save and raise RunReleased if the run must return to the queue.
        """
        if self._heartbeat.must_leave():
            self.close()
            self._save(take(state, self._heartbeat.fit_seconds()), time.monotonic())
            raise RunReleased(self._heartbeat.lease.run_id)
        if time.monotonic() < self._due or self._is_writing():
            return
        began = time.monotonic()
        snapshot = take(state, self._heartbeat.fit_seconds())
        self._writing = threading.Thread(
            target=self._save, args=(snapshot, began), name="checkpoint", daemon=True
        )
        self._writing.start()

    def close(self) -> None:
        """Wait until the checkpoint in progress is stored."""
        if self._writing is not None:
            self._writing.join()

    def _is_writing(self) -> bool:
        return self._writing is not None and self._writing.is_alive()

    def _save(self, snapshot: Snapshot, began: float) -> None:
        """Store and record a snapshot. Log a failure, which must not end the run."""
        lease = self._heartbeat.lease
        key = checkpoint_key(lease.run_id, lease.attempt, snapshot.epoch)
        try:
            saved = save(snapshot, self._storage, key)
            self._heartbeat.checkpoint_saved(saved)
            kept = {key, *self._heartbeat.recorded_keys()}
            remove_older_checkpoints(self._storage, lease.run_id, lease.attempt, kept)
        except (OSError, FitserveError, MemoryError):
            log.exception("run %s: the checkpoint was not saved", lease.run_id)
        now = time.monotonic()
        self._due = now + max(self._seconds, (now - began) / _MAX_SHARE)
