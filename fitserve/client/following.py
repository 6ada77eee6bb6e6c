"""Following a run to its end, over connections that may break."""

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from fitserve.client.errors import ConnectionFailed, RunFailed, ServerError
from fitserve.client.events import EpochEvent
from fitserve.schemas.runs import RunRead
from fitserve.statuses import TERMINAL, RunStatus

if TYPE_CHECKING:
    from fitserve.client.runs import Runs

OnEpoch = Callable[[EpochEvent], object]

_POLL_SECONDS = 5.0
_PAUSE = 0.5
_AWAY_SECONDS = 30.0  # enough for the service to be started again
_SILENCE = 60.0  # the service says something every 15 seconds
# under those 15: a deadline must be looked at between two signs of life
_SILENCE_BEFORE_A_DEADLINE = 10.0


class Follower:
    """Streams events; where no stream comes through, asks again and again.

    Every epoch is told once, whichever way it came.
    """

    def __init__(
        self, runs: "Runs", run_id: str, on_epoch: OnEpoch | None, timeout: float | None
    ) -> None:
        self._runs = runs
        self._run_id = run_id
        self._on_epoch = on_epoch
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._last_epoch = 0
        self._heard_at = time.monotonic()

    def to_end(self) -> RunRead:
        """The run when it has ended; RunFailed, TimeoutError, ConnectionFailed."""
        while True:
            for look in (self._stream, self._poll):
                run = look()
                if run is not None:
                    return _ended(run)
                self._raise_if_late()

    def _stream(self) -> RunRead | None:
        """The ended run, or None where the stream broke or never came."""
        silence = self._within(_SILENCE, _SILENCE_BEFORE_A_DEADLINE)
        events = self._runs.events(self._run_id, self._last_epoch, silence)
        with (
            contextlib.suppress(ConnectionFailed, ServerError),
            contextlib.closing(events),
        ):
            for event in events:
                self._heard_at = time.monotonic()
                if isinstance(event, EpochEvent):
                    self._tell(event)
                elif event.status in TERMINAL:
                    return event
                self._raise_if_late()
        return None

    def _poll(self) -> RunRead | None:
        """The run if it ends within a few seconds; what was missed is told."""
        try:
            wait = self._within(_POLL_SECONDS, _POLL_SECONDS)
            run = self._runs.get(self._run_id, wait=wait)
            if self._on_epoch is not None and run.progress.epoch > self._last_epoch:
                self._tell_missed(run)
        except (ConnectionFailed, ServerError):
            if time.monotonic() - self._heard_at > _AWAY_SECONDS:
                raise
            time.sleep(_PAUSE)
            return None
        self._heard_at = time.monotonic()
        return run if run.status in TERMINAL else None

    def _tell_missed(self, run: RunRead) -> None:
        read = self._runs.history(self._run_id)
        for i, epoch in enumerate(read.epoch):
            metrics = {name: values[i] for name, values in read.history.items()}
            progress = run.progress
            self._tell(
                EpochEvent(
                    epoch=epoch,
                    epochs=progress.epochs,
                    metrics=metrics,
                    eta_seconds=progress.eta_seconds,
                )
            )

    def _tell(self, event: EpochEvent) -> None:
        if event.epoch <= self._last_epoch:
            return
        self._last_epoch = event.epoch
        if self._on_epoch is not None:
            self._on_epoch(event)

    def _within(self, free: float, hurried: float) -> float:
        """Seconds to wait: `free` without a deadline, else no longer than is left."""
        if self._deadline is None:
            return free
        return max(0.05, min(hurried, self._deadline - time.monotonic()))

    def _raise_if_late(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise TimeoutError(f"{self._run_id} has not ended in time; it goes on.")


def _ended(run: RunRead) -> RunRead:
    if run.status == RunStatus.FAILED:
        raise RunFailed(run)
    return run
