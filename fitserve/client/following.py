"""Following a run to its end, over connections that may break."""

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING

from fitserve.client.errors import ConnectionFailed, ServerError, TooManyRequests
from fitserve.client.events import EpochEvent, Event
from fitserve.client.transport import Transport, url_path
from fitserve.enums import TERMINAL, RunStatus
from fitserve.schemas.runs import RunRead

if TYPE_CHECKING:
    from fitserve.client.runs import AsyncRuns

_POLL_SECONDS = 5.0
_PAUSE = 0.5
_AWAY_SECONDS = 30.0  # enough for the service to be started again
_SILENCE = 60.0  # the service says something every 15 seconds
# under those 15: a deadline must be looked at between two signs of life
_SILENCE_BEFORE_A_DEADLINE = 10.0
_PASSING = (ConnectionFailed, ServerError, TooManyRequests)


class Follower:
    """Streams events; where no stream comes through, asks again and again.

    Args:
        runs: where to ask.
        transport: how to ask for the run alone, and what lets time pass.
        run_id: the run.
        with_epochs: whether epochs that a broken stream kept back are fetched.
        timeout: seconds until TimeoutError, or None.

    """

    def __init__(
        self,
        runs: "AsyncRuns",
        transport: Transport,
        run_id: str,
        *,
        with_epochs: bool,
        timeout: float | None,
    ) -> None:
        self._runs = runs
        self._transport = transport
        self._run_id = run_id
        self._with_epochs = with_epochs
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._last_epoch = 0
        self._last_status: RunStatus | None = None
        self._heard_at = time.monotonic()

    async def events(self) -> AsyncGenerator[Event]:
        """Every epoch and every change of status, each once, the ended run last.

        Raises TimeoutError and ConnectionFailed.
        """
        while True:
            for look in (self._stream, self._poll):
                async with aclosing(look()) as found:
                    async for event in found:
                        if self._is_news(event):
                            yield event
                        if isinstance(event, RunRead) and event.status in TERMINAL:
                            return
                        self._raise_if_late()
                self._raise_if_late()

    async def _stream(self) -> AsyncGenerator[Event]:
        """What is streamed, until the stream breaks; nothing where none comes."""
        silence = self._within(_SILENCE, _SILENCE_BEFORE_A_DEADLINE)
        events = self._runs.events(self._run_id, self._last_epoch, silence)
        try:
            async with aclosing(events):
                async for event in events:
                    self._heard_at = time.monotonic()
                    yield event
        except _PASSING:
            return

    async def _poll(self) -> AsyncGenerator[Event]:
        """What was missed, and the run as it is within a few seconds."""
        try:
            run = await self._run()
            if self._with_epochs and run.progress.epoch > self._last_epoch:
                async for event in self._missed(run):
                    yield event
        except _PASSING:
            if time.monotonic() - self._heard_at > _AWAY_SECONDS:
                raise
            await self._transport.connection.sleep(_PAUSE)
            return
        self._heard_at = time.monotonic()
        yield run

    async def _run(self) -> RunRead:
        wait = self._within(_POLL_SECONDS, _POLL_SECONDS)
        return await self._transport.read(
            RunRead,
            "GET",
            url_path("runs", self._run_id),
            params={"wait": wait},
            timeout=wait + _SILENCE,
            retry_seconds=self._within(_AWAY_SECONDS, _AWAY_SECONDS),
        )

    async def _missed(self, run: RunRead) -> AsyncIterator[EpochEvent]:
        read = await self._runs.history(self._run_id)
        for i, epoch in enumerate(read.epoch):
            yield EpochEvent(
                epoch=epoch,
                epochs=run.progress.epochs,
                fit=read.fit[i] if read.fit else None,
                metrics={name: values[i] for name, values in read.history.items()},
                eta_seconds=run.progress.eta_seconds,
            )

    def _is_news(self, event: Event) -> bool:
        if isinstance(event, EpochEvent):
            is_new = event.epoch > self._last_epoch
            self._last_epoch = max(event.epoch, self._last_epoch)
            return is_new
        is_new = event.status != self._last_status
        self._last_status = event.status
        return is_new

    def _within(self, free: float, hurried: float) -> float:
        """Seconds to wait: `free` without a deadline, else no longer than is left."""
        if self._deadline is None:
            return free
        return max(0.05, min(hurried, self._deadline - time.monotonic()))

    def _raise_if_late(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise TimeoutError(f"{self._run_id} has not ended in time; it goes on.")
