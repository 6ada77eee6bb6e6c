"""Save a fit every so many seconds in a thread, and when the worker stops."""

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
"""Saving takes at most this share of the time: slow saving happens less often."""


class Checkpointer:
    """Save the state of a fit between two epochs or between two fits.

    Args:
        storage: stores the checkpoint files.
        heartbeat: records the checkpoint, after the epochs that it contains.
        seconds: the shortest time between two checkpoints.
        resumed: the snapshot to resume from, or None.

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
        """Return the seconds of fitting that the resumed snapshot contains."""
        return self._resumed.seconds if self._resumed is not None else 0.0

    def begin(self, state: FitState) -> None:
        """Restore the resumed snapshot, if any. May raise CheckpointUseless."""
        if self._resumed is not None:
            restore(state, self._resumed)
            log.info(
                "run %s: resumes after epoch %d",
                self._heartbeat.lease.run_id,
                state.epoch,
            )
        self._resumed = None  # frees its arrays
        self._due = self._due or time.monotonic() + self._seconds

    def epoch_ended(self, state: FitState) -> None:
        """Save if it is time. If the worker stops, save and raise RunReleased."""
        if self._heartbeat.is_stopping():
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
        """Wait for the thread that writes a checkpoint."""
        if self._writing is not None:
            self._writing.join()

    def _is_writing(self) -> bool:
        return self._writing is not None and self._writing.is_alive()

    def _save(self, snapshot: Snapshot, began: float) -> None:
        """Save and record a snapshot. A failure is logged and does not end the run."""
        lease = self._heartbeat.lease
        key = checkpoint_key(lease.run_id, lease.attempt, snapshot.epoch)
        try:
            saved = save(snapshot, self._storage, key)
            self._heartbeat.checkpoint_saved(saved)
            kept = {key, *self._heartbeat.recorded_keys()}
            remove_older_checkpoints(self._storage, lease.run_id, lease.attempt, kept)
        except (OSError, FitserveError, MemoryError):
            log.exception("run %s: the checkpoint could not be saved", lease.run_id)
        now = time.monotonic()
        self._due = now + max(self._seconds, (now - began) / _MAX_SHARE)
