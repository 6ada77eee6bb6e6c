"""Saves a fit every so many seconds, beside it, and for good when the worker stops."""

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

_MOST_OF_THE_TIME = 0.03
"""Saving takes no larger share than this: where it takes long, it comes seldom."""


class Checkpointer:
    """Asked between two epochs, and between two fits.

    Args:
        storage: where checkpoints go.
        heartbeat: records them, together with the epochs up to there.
        seconds: how often.
        resumed: where an earlier attempt got to.

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
        """Of fitting, by earlier attempts, that are not lost."""
        return self._resumed.seconds if self._resumed is not None else 0.0

    def begin(self, state: FitState) -> None:
        """Put the fit where the earlier attempt got to; CheckpointUseless."""
        if self._resumed is not None:
            restore(state, self._resumed)
            log.info(
                "run %s: on from epoch %d", self._heartbeat.lease.run_id, state.epoch
            )
        self._resumed = None  # its arrays are of no more use
        self._due = self._due or time.monotonic() + self._seconds

    def epoch_ended(self, state: FitState) -> None:
        """Save if it is time; RunReleased, with everything saved, if the worker stops."""
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
        """Wait until what is being written is written."""
        if self._writing is not None:
            self._writing.join()

    def _is_writing(self) -> bool:
        return self._writing is not None and self._writing.is_alive()

    def _save(self, snapshot: Snapshot, began: float) -> None:
        """A run does not fail for want of a checkpoint."""
        lease = self._heartbeat.lease
        key = checkpoint_key(lease.run_id, lease.attempt, snapshot.epoch)
        try:
            saved = save(snapshot, self._storage, key)
            self._heartbeat.checkpoint_saved(saved)
            kept = {key, *self._heartbeat.recorded_keys()}
            remove_older_checkpoints(self._storage, lease.run_id, lease.attempt, kept)
        except (OSError, FitserveError, MemoryError):
            log.exception("run %s: no checkpoint this time", lease.run_id)
        now = time.monotonic()
        self._due = now + max(self._seconds, (now - began) / _MOST_OF_THE_TIME)
