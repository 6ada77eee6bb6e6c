"""`client.runs`."""

import inspect
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx

from fitserve.client.blocking import Blocking, iterating, returning
from fitserve.client.errors import RunFailed
from fitserve.client.events import EpochEvent, Event
from fitserve.client.following import Follower
from fitserve.client.keras_models import KerasLike, with_keras_model
from fitserve.client.transport import Transport, url_path
from fitserve.enums import TERMINAL, RunStatus
from fitserve.schemas.comparison import ComparisonRead
from fitserve.schemas.report import ReportRead
from fitserve.schemas.runs import HistoryRead, RunRead, ValidationRead
from fitserve.schemas.webhooks import WebhookRead
from fitserve.specs.run import RunCreate

Spec = dict[str, Any] | RunCreate | str | Path
"""A RunCreate as a dict or an object, or the path of a JSON file that holds one."""

OnEpoch = Callable[[EpochEvent], object]
"""Called with every epoch; AsyncClient awaits what it returns, if that can be awaited."""

_CONNECT_SECONDS = 10.0


class AsyncRuns:
    """Training attempts."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self,
        /,
        spec: Spec | None = None,
        *,
        model: dict[str, Any] | KerasLike | None = None,
        **keys: Any,
    ) -> RunRead:
        """Queue a run; keyword arguments stand for keys of the spec, or replace them.

        `model` may be a Keras model: its `to_json()` is sent, and what it was compiled
        with unless the spec has a `compile`. A broken line makes no second run of it.

        Example:
            >>> client.runs.create(dataset="wine", target="quality")  # doctest: +SKIP

        """
        body = _body(spec, model, keys)
        return await self._transport.create(RunRead, "/v1/runs", json=body)

    async def validate(
        self,
        /,
        spec: Spec | None = None,
        *,
        model: dict[str, Any] | KerasLike | None = None,
        **keys: Any,
    ) -> ValidationRead:
        """What would be trained; nothing is queued."""
        body = _body(spec, model, keys)
        return await self._transport.read(
            ValidationRead, "POST", "/v1/runs/validate", json=body, again=True
        )

    async def get(self, run_id: str, wait: float | None = None) -> RunRead:
        """One run; with `wait` the answer comes at its end, or after so many seconds."""
        params = {"wait": wait} if wait else {}
        timeout = {"timeout": wait + 30} if wait else {}
        return await self._transport.read(
            RunRead, "GET", url_path("runs", run_id), params=params, **timeout
        )

    def list(
        self,
        status: RunStatus | str | None = None,
        model: str | None = None,
        tag: str | None = None,
    ) -> AsyncIterator[RunRead]:
        """Runs, newest first, page by page as they are wanted; `tag` is `name:value`."""
        given = {"status": status, "model": model, "tag": tag}
        params = {name: value for name, value in given.items() if value}
        return self._transport.pages(RunRead, "/v1/runs", params)

    async def history(self, run_id: str) -> HistoryRead:
        """Every metric of every epoch; `.to_pandas()` and `.to_polars()` make a frame."""
        return await self._transport.read(
            HistoryRead, "GET", url_path("runs", run_id, "history")
        )

    async def report(self, run_id: str) -> ReportRead:
        """How good the network is, against what, and what to try next."""
        path = url_path("runs", run_id, "report")
        return await self._transport.read(ReportRead, "GET", path)

    async def plot(
        self, run_id: str, name: str = "history", to_path: str | Path | None = None
    ) -> Path:
        """Save the loss plot, or a picture that the report names in `plots`.

        SVG, or PNG if `to_path` ends so; `<name>.svg` unless told. PlotNotFound where the
        report has none of that name.
        """
        path = Path(to_path or f"{name}.svg")
        folder = () if name == "history" else ("report",)
        file = f"{name}{path.suffix}"
        return await self._transport.download(
            url_path("runs", run_id, *folder, file), path
        )

    async def compare(self, *run_ids: str) -> ComparisonRead:
        """Two runs or more side by side."""
        params = {"ids": ",".join(run_ids)}
        return await self._transport.read(
            ComparisonRead, "GET", url_path("runs", "compare"), params=params
        )

    async def webhook(self, run_id: str) -> WebhookRead:
        """How the delivery of the run's message stands; WebhookNotFound without one."""
        path = url_path("runs", run_id, "webhook")
        return await self._transport.read(WebhookRead, "GET", path)

    async def cancel(self, run_id: str) -> RunRead:
        """Ask for an end; the best weights so far are kept."""
        path = url_path("runs", run_id, "cancel")
        return await self._transport.read(RunRead, "POST", path, again=True)

    async def events(
        self,
        run_id: str,
        last_event_id: int | str | None = None,
        silence: float = 60.0,
    ) -> AsyncGenerator[Event]:
        """Epochs behind `last_event_id` and changes of status, over one connection.

        The id of an epoch's event is its number. ConnectionFailed where the stream
        breaks, or says nothing for `silence` seconds; `stream` goes on then.
        """
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        timeout = httpx.Timeout(_CONNECT_SECONDS, read=silence)
        path = url_path("runs", run_id, "events")
        transport = self._transport
        async with transport.stream(
            "GET", path, headers=headers, timeout=timeout
        ) as answer:
            async for event in transport.connection.events(answer):
                if event.event == "epoch":
                    yield transport.parsed(EpochEvent, event.data)
                elif event.event == "status":
                    yield transport.parsed(RunRead, event.data)

    def stream(self, run_id: str, timeout: float | None = None) -> AsyncGenerator[Event]:
        """Every EpochEvent, and a RunRead at every new status, to the end, each once.

        The ended run comes last, also where it failed. A
        stream that breaks is taken up where it broke; where none comes through (a proxy
        that holds it back), the run is asked for until it has ended. Raises TimeoutError,
        and ConnectionFailed if the service stays away.
        """
        return self._follow(run_id, timeout, with_epochs=True)

    async def wait(
        self,
        run_id: str,
        on_epoch: OnEpoch | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  of both clients
    ) -> RunRead:
        """The run when it has ended; `on_epoch` hears of every epoch on the way, once.

        Connections may break as for `stream`. A cancelled run is returned like any
        other. Raises RunFailed, TimeoutError, and ConnectionFailed if the service stays
        away.

        Example:
            >>> client.runs.wait(run.id, on_epoch=print, timeout=600)  # doctest: +SKIP

        """
        events = self._follow(run_id, timeout, with_epochs=on_epoch is not None)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, RunRead):
                    if event.status in TERMINAL:
                        return _unless_failed(event)
                elif on_epoch is not None:
                    await _told(on_epoch, event)
        return _unless_failed(await self.get(run_id))

    def _follow(
        self, run_id: str, timeout: float | None, *, with_epochs: bool
    ) -> AsyncGenerator[Event]:
        return Follower(
            self, self._transport, run_id, with_epochs=with_epochs, timeout=timeout
        ).events()


class Runs(Blocking):
    """Training attempts."""

    create = returning(AsyncRuns.create)
    validate = returning(AsyncRuns.validate)
    get = returning(AsyncRuns.get)
    list = iterating(AsyncRuns.list)
    history = returning(AsyncRuns.history)
    report = returning(AsyncRuns.report)
    plot = returning(AsyncRuns.plot)
    compare = returning(AsyncRuns.compare)
    webhook = returning(AsyncRuns.webhook)
    cancel = returning(AsyncRuns.cancel)
    events = iterating(AsyncRuns.events)
    stream = iterating(AsyncRuns.stream)
    wait = returning(AsyncRuns.wait)


def _unless_failed(run: RunRead) -> RunRead:
    if run.status == RunStatus.FAILED:
        raise RunFailed(run)
    return run


async def _told(on_epoch: OnEpoch, event: EpochEvent) -> None:
    told = on_epoch(event)
    if inspect.isawaitable(told):
        await told


def _body(spec: Spec | None, model: Any, keys: dict[str, Any]) -> dict[str, Any]:
    if spec is None:
        body: dict[str, Any] = {}
    elif isinstance(spec, RunCreate):
        body = spec.model_dump(mode="json", exclude_unset=True)
    elif isinstance(spec, str | Path):
        body = json.loads(Path(spec).read_text(encoding="utf-8"))
    else:
        body = spec
    given = {} if model is None else {"model": model}
    return with_keras_model({**body, **given, **keys})
