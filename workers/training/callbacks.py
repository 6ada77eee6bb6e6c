"""Keras callbacks that report epochs to the heartbeat and stop a fit on request."""

import math
import time
from collections.abc import Callable
from typing import Any

import keras

from fitserve.enums import StopReason
from workers.heartbeat import Heartbeat
from workers.training.multi_seed import SeedSearch

Logs = dict[str, Any] | None


class EpochRecorder(keras.callbacks.Callback):
    """Report the logs of every epoch to the heartbeat, with epochs counted from 1.

    Args:
        heartbeat: receives the logs.
        spent_seconds: seconds that earlier attempts and earlier fits took.
        search: gives the index of the current fit.

    """

    def __init__(
        self, heartbeat: Heartbeat, spent_seconds: float, search: SeedSearch
    ) -> None:
        super().__init__()
        self._heartbeat = heartbeat
        self._search = search
        self._spent_seconds = spent_seconds

    def on_train_begin(self, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        self._heartbeat.start_clock(self._spent_seconds)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        number = self._search.epochs_before + epoch + 1
        self._heartbeat.epoch_ended(number, dict(logs or {}), self._search.index + 1)


class EpochTimer(keras.callbacks.Callback):
    """Measure the mean time of an epoch, except the first, which includes tracing."""

    def on_train_begin(self, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        self._since = self._last = time.monotonic()
        self._epochs = 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        now = time.monotonic()
        if self._epochs == 1:
            self._since = self._last
        self._last = now
        self._epochs += 1

    def estimate(self, epochs: int) -> float:
        """Return the seconds that this number of epochs would take."""
        timed = max(1, self._epochs - (self._epochs > 1))
        return epochs * (self._last - self._since) / timed


class StopOnRequest(keras.callbacks.Callback):
    """Stop a fit that is cancelled, out of time, or has a NaN loss, between two batches.

    `reason` is None unless this callback stopped the fit. If the lease is lost or the
    worker is stopping, `Heartbeat.raise_if_stopped` raises out of the fit instead.

    Args:
        heartbeat: reports whether the run was cancelled and whether the worker stops.
        seconds: how long the fit may take.

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
        self._check()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        if not math.isfinite(float((logs or {}).get("loss", 0.0))):
            self._stop(StopReason.NAN_LOSS)
        self._check()

    def _check(self) -> None:
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
    """Return a function that maps an epoch, counted from 0, to its learning rate.

    The rate rises to `rate` during the warm-up and then falls to `alpha` times `rate`.
    """

    def of_epoch(epoch: int) -> float:
        if epoch < warmup_epochs:
            return rate * (epoch + 1) / (warmup_epochs + 1)
        done = (epoch - warmup_epochs) / max(1, epochs - warmup_epochs)
        share = (1 + math.cos(math.pi * done)) / 2
        return rate * (alpha + (1 - alpha) * share)

    return of_epoch
