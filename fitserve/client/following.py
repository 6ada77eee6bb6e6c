"""Follow the events of a run to its end, even if connections break."""

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import httpx
from httpx_sse import EventSource
from pydantic import BaseModel

from fitserve.client.errors import ConnectionFailed, ServerError, TooManyRequests
from fitserve.client.transport import Transport, url_path
from fitserve.enums import TERMINAL, RunStatus
from fitserve.schemas.runs import HistoryRead, RunRead

_CONNECT_SECONDS = 10.0
_POLL_SECONDS = 5.0
_PAUSE = 0.5
_AWAY_SECONDS = 30.0  # enough for a restart of the service
_SILENCE = 60.0  # the service sends something every 15 seconds
# below 15 seconds, so that the deadline is checked between two messages
_SILENCE_BEFORE_A_DEADLINE = 10.0
_PASSING = (ConnectionFailed, ServerError, TooManyRequests)


class EpochEvent(BaseModel):
    """An epoch that has ended; `eta_seconds` is the time to the last epoch.

    `fit` is the number of the fit, from 1, in a run with several fits.
    """

    epoch: int
    epochs: int
    fit: int | None = None
    metrics: dict[str, float | None]
    eta_seconds: float | None


Event = EpochEvent | RunRead
"""An epoch that has ended, or the run after a change of its status."""


async def events(
    transport: Transport, run_id: str, last_event_id: int | str | None, silence: float
) -> AsyncGenerator[Event]:
    """Yield the events of one connection; raise ConnectionFailed if it breaks.

    A connection over which nothing arrives for `silence` seconds counts as broken.
    """
    headers = {"Accept": "text/event-stream"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = str(last_event_id)
    timeout = httpx.Timeout(_CONNECT_SECONDS, read=silence)
    path = url_path("runs", run_id, "events")
    async with transport.stream(path, headers=headers, timeout=timeout) as answer:
        async for event in EventSource(answer).aiter_sse():
            if event.event == "epoch":
                yield transport.parsed(EpochEvent, event.data)
            elif event.event == "status":
                yield transport.parsed(RunRead, event.data)


class Follower:
    """The events of a run, from its stream, or by polling if the stream fails.

    Polling yields the epochs that a broken stream missed only if `with_epochs` is true.
    """

    def __init__(
        self,
        transport: Transport,
        run_id: str,
        *,
        with_epochs: bool,
        timeout: float | None,
    ) -> None:
        self._transport = transport
        self._run_id = run_id
        self._with_epochs = with_epochs
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._last_epoch = 0
        self._last_status: RunStatus | None = None
        self._heard_at = time.monotonic()

    async def events(self) -> AsyncGenerator[Event]:
        """Yield every epoch and every change of status once, and the ended run last.

        Raises TimeoutError and ConnectionFailed.
        """
        while True:
            for source in (self._stream, self._poll):
                async with aclosing(source()) as found:
                    async for event in found:
                        if self._is_news(event):
                            yield event
                        if isinstance(event, RunRead) and event.status in TERMINAL:
                            return
                        self._raise_if_late()
                self._raise_if_late()

    async def _stream(self) -> AsyncGenerator[Event]:
        """Yield events until the stream breaks."""
        silence = self._within(_SILENCE, _SILENCE_BEFORE_A_DEADLINE)
        streamed = events(self._transport, self._run_id, self._last_epoch, silence)
        try:
            async with aclosing(streamed):
                async for event in streamed:
                    self._heard_at = time.monotonic()
                    yield event
        except _PASSING:
            return

    async def _poll(self) -> AsyncGenerator[Event]:
        """Yield the missed epochs, then the run at its end or after a few seconds."""
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
        return await self._transport.get(
            RunRead,
            "runs",
            self._run_id,
            params={"wait": wait},
            timeout=wait + _SILENCE,
            retry_seconds=self._within(_AWAY_SECONDS, _AWAY_SECONDS),
        )

    async def _missed(self, run: RunRead) -> AsyncIterator[EpochEvent]:
        read = await self._transport.get(HistoryRead, "runs", self._run_id, "history")
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
        """Return `free` without a deadline, else `hurried` or the remaining time."""
        if self._deadline is None:
            return free
        return max(0.05, min(hurried, self._deadline - time.monotonic()))

    def _raise_if_late(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise TimeoutError(f"{self._run_id} has not ended in time; it continues.")
