"""Keras callbacks of ours: tell the pulse, and stop when told."""

import math
import time
from collections.abc import Callable
from typing import Any

import keras

from fitserve.enums import StopReason
from workers.heartbeat import Pulse
from workers.training.multi_seed import Fits

Logs = dict[str, Any] | None


class Recorder(keras.callbacks.Callback):
    """Hands every epoch's logs to the pulse; the one place where epochs become 1-based.

    Args:
        pulse: whom to tell.
        spent_seconds: of the run, by earlier attempts that it goes on from, and by
            earlier fits.
        fits: which fit it is.

    """

    def __init__(self, pulse: Pulse, spent_seconds: float, fits: Fits) -> None:
        super().__init__()
        self._pulse = pulse
        self._fits = fits
        self._spent_seconds = spent_seconds

    def on_train_begin(self, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        self._pulse.start_clock(self._spent_seconds)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        number = self._fits.epochs_before + epoch + 1
        self._pulse.epoch_ended(number, dict(logs or {}), self._fits.place + 1)


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

    A lost lease or a stopping worker raise out of the fit instead (see Pulse.check).

    Args:
        pulse: who knows of cancelling, of a lost lease, of a stopping worker.
        seconds: how long the fit may take.

    `reason` tells why it stopped, None if it did not.

    """

    def __init__(self, pulse: Pulse, seconds: float) -> None:
        super().__init__()
        self.reason: StopReason | None = None
        self._pulse = pulse
        self._seconds = seconds
        self._deadline = math.inf

    def on_train_begin(self, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        self._deadline = time.monotonic() + self._seconds
        self._pulse.guard.begin(self._seconds)

    def on_train_end(self, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        self._pulse.guard.begin(math.inf)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        self._look()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        if not math.isfinite(float((logs or {}).get("loss", 0.0))):
            self._stop(StopReason.NAN_LOSS)
        self._look()

    def _look(self) -> None:
        self._pulse.check()
        if self._pulse.cancelled.is_set():
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
