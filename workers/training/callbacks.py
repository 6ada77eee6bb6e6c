"""Keras callbacks of ours: tell the heartbeat, and stop when told."""

import math
import time
from collections.abc import Callable
from typing import Any

import keras

from fitserve.enums import StopReason
from workers.heartbeat import Heartbeat
from workers.training.multi_seed import SeedSearch

Logs = dict[str, Any] | None


class Recorder(keras.callbacks.Callback):
    """Hand every epoch's logs to the heartbeat, with epochs counted from 1.

    Args:
        heartbeat: whom to tell.
        spent_seconds: of the run, by earlier attempts that it goes on from, and by
            earlier fits.
        fits: which fit it is.

    """

    def __init__(
        self, heartbeat: Heartbeat, spent_seconds: float, fits: SeedSearch
    ) -> None:
        super().__init__()
        self._heartbeat = heartbeat
        self._fits = fits
        self._spent_seconds = spent_seconds

    def on_train_begin(self, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        self._heartbeat.start_clock(self._spent_seconds)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        number = self._fits.epochs_before + epoch + 1
        self._heartbeat.epoch_ended(number, dict(logs or {}), self._fits.place + 1)


class Pace(keras.callbacks.Callback):
    """How long an epoch takes, apart from the first, which traces the network."""

    def on_train_begin(self, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        self._since = self._last = time.monotonic()
        self._epochs = 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        now = time.monotonic()
        if self._epochs == 1:
            self._since = self._last
        self._last = now
        self._epochs += 1

    def seconds_of(self, epochs: int) -> float:
        """What so many more would take."""
        known = max(1, self._epochs - (self._epochs > 1))
        return epochs * (self._last - self._since) / known


class StopWhenTold(keras.callbacks.Callback):
    """Ends the fit between two batches: cancelled, out of time, loss not finite.

    A lost lease or a stopping worker raise out of the fit instead (see Heartbeat.check).

    Args:
        heartbeat: who knows of cancelling, of a lost lease, of a stopping worker.
        seconds: how long the fit may take.

    `reason` tells why it stopped, None if it did not.

    """

    def __init__(self, heartbeat: Heartbeat, seconds: float) -> None:
        super().__init__()
        self.reason: StopReason | None = None
        self._heartbeat = heartbeat
        self._seconds = seconds
        self._deadline = math.inf

    def on_train_begin(self, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        self._deadline = time.monotonic() + self._seconds
        self._heartbeat.hang_detector.begin(self._seconds)

    def on_train_end(self, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        self._heartbeat.hang_detector.begin(math.inf)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        self._look()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        if not math.isfinite(float((logs or {}).get("loss", 0.0))):
            self._stop(StopReason.NAN_LOSS)
        self._look()

    def _look(self) -> None:
        self._heartbeat.raise_if_stopped()
        if self._heartbeat.cancelled.is_set():
            self._stop(StopReason.CANCELLED)
        elif time.monotonic() > self._deadline:
            self._stop(StopReason.TIME_LIMIT)

    def _stop(self, reason: StopReason) -> None:
        self.reason = self.reason or reason
        self.model.stop_training = True


def cosine_decay(
    rate: float, epochs: int, warmup_epochs: int, alpha: float
) -> Callable[[int], float]:
    """The learning rate of each epoch, from 0; it begins at or rises to `rate`."""

    def of_epoch(epoch: int) -> float:
        if epoch < warmup_epochs:
            return rate * (epoch + 1) / (warmup_epochs + 1)
        done = (epoch - warmup_epochs) / max(1, epochs - warmup_epochs)
        share = (1 + math.cos(math.pi * done)) / 2
        return rate * (alpha + (1 - alpha) * share)

    return of_epoch
