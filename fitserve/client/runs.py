"""`client.runs`."""

import inspect
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from fitserve.client.arguments import RunRef, run_id_of, run_ids_of
from fitserve.client.blocking import Blocking, iterating, returning
from fitserve.client.errors import RunFailed
from fitserve.client.following import EpochEvent, Event, Follower, events
from fitserve.client.keras_models import KerasLike, with_keras_model
from fitserve.client.transport import Resource, as_mapping, url_path, without_none
from fitserve.enums import TERMINAL, RunStatus, RunView, WebhookStatus
from fitserve.schemas.comparison import ComparisonRead
from fitserve.schemas.report import ReportRead
from fitserve.schemas.runs import HistoryRead, RunRead, RunSummary, ValidationRead
from fitserve.schemas.webhooks import WebhookRead
from fitserve.specs.run import RunCreate

Spec = dict[str, Any] | RunCreate | str | Path
"""A spec as a dict or a RunCreate, or the path of a JSON file with a spec."""

OnEpoch = Callable[[EpochEvent], object]
"""Called with every epoch; AsyncClient awaits an awaitable result."""


class AsyncRuns(Resource):
    """Calls for runs: create, follow, compare and cancel."""

    async def create(
        self,
        /,
        spec: Spec | None = None,
        *,
        model: dict[str, Any] | KerasLike | None = None,
        tags: Mapping[str, str] | None = None,
        **keys: Any,
    ) -> RunRead:
        """Queue a run; keyword arguments add or replace keys of the spec.

        `model` may be a Keras model: the client sends its `to_json()`, and its compile
        arguments unless the spec has `compile`. `tags` are names and values by which runs
        can be listed; `update` sets notes. A retry does not queue a second run.

        Example:
            >>> client.runs.create(dataset="wine", target="quality")  # doctest: +SKIP

        """
        if tags is not None:
            keys["tags"] = as_mapping("tags", tags, '{"team": "red"}')
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
        """Return the network that the spec describes, without queueing a run."""
        body = _body(spec, model, keys)
        return await self._transport.read(
            ValidationRead, "POST", "/v1/runs/validate", json=body, again=True
        )

    async def get(self, run_id: RunRef, wait: float | None = None) -> RunRead:
        """Return one run; with `wait`, at its end or after this number of seconds."""
        waiting = {"params": {"wait": wait}, "timeout": wait + 30} if wait else {}
        return await self._transport.get(RunRead, "runs", run_id_of(run_id), **waiting)

    def list(
        self,
        status: RunStatus | str | None = None,
        model: str | None = None,
        tag: str | None = None,
        target: str | None = None,
        text: str | None = None,
        dataset: str | None = None,
    ) -> AsyncIterator[RunRead]:
        """List runs, newest first; each page is requested when needed.

        `tag` is `name:value`. The words of `text` all occur in the id, the names, the
        tags or the notes of a run. `dataset` is the name of a dataset that a run reads.
        `summaries` is faster.
        """
        chosen = _filters(status, model, tag, target, text, dataset)
        return self._transport.pages(RunRead, "runs", **chosen)

    def summaries(
        self,
        status: RunStatus | str | None = None,
        model: str | None = None,
        tag: str | None = None,
        target: str | None = None,
        text: str | None = None,
        dataset: str | None = None,
    ) -> AsyncIterator[RunSummary]:
        """List runs as `list` does, without their specs, warnings and most metrics."""
        chosen = _filters(status, model, tag, target, text, dataset)
        view = RunView.SUMMARY
        return self._transport.pages(RunSummary, "runs", view=view, **chosen)

    async def history(self, run_id: RunRef) -> HistoryRead:
        """Return every metric of every epoch.

        `.to_pandas()` and `.to_polars()` convert it to a frame.
        """
        return await self._transport.get(
            HistoryRead, "runs", run_id_of(run_id), "history"
        )

    async def report(self, run_id: RunRef) -> ReportRead:
        """Return the report: metrics, comparison with simple models, what to try next."""
        return await self._transport.get(ReportRead, "runs", run_id_of(run_id), "report")

    async def plot(
        self, run_id: RunRef, name: str = "history", to_path: str | Path | None = None
    ) -> Path:
        """Save the loss plot, or a plot that the report lists in `plots`.

        The default path is `<name>.svg`; a path that ends in `.png` gets a PNG. Raises
        PlotNotFound if the report has no plot with this name.
        """
        path = Path(to_path or f"{name}.svg")
        folder = () if name == "history" else ("report",)
        file = f"{name}{path.suffix}"
        return await self._transport.download(
            url_path("runs", run_id_of(run_id), *folder, file), path
        )

    async def compare(self, *run_ids: RunRef) -> ComparisonRead:
        """Compare two or more runs; each is a run or its id."""
        params = {"ids": ",".join(run_ids_of(run_ids))}
        return await self._transport.get(ComparisonRead, "runs", "compare", params=params)

    async def update(
        self,
        run_id: RunRef,
        tags: Mapping[str, str | None] | None = None,
        notes: str | None = None,
    ) -> RunRead:
        """Change tags and notes; a tag with the value None, or notes of "", are removed.

        Tags that `tags` does not name stay.

        Example:
            >>> client.runs.update(run.id, {"team": "red"}, "wider")  # doctest: +SKIP

        """
        named = None if tags is None else as_mapping("tags", tags, '{"team": "red"}')
        body = without_none({"tags": named, "notes": notes})
        return await self._transport.read(
            RunRead, "PATCH", url_path("runs", run_id_of(run_id)), json=body, again=True
        )

    async def webhook(self, run_id: RunRef) -> WebhookRead:
        """Return the delivery state of the run's webhook, or raise WebhookNotFound."""
        return await self._transport.get(
            WebhookRead, "runs", run_id_of(run_id), "webhook"
        )

    def webhooks(
        self, status: WebhookStatus | str | None = None
    ) -> AsyncIterator[WebhookRead]:
        """List the webhooks of runs and their last deliveries, newest run first."""
        return self._transport.pages(WebhookRead, "webhooks", status=status)

    async def set_webhook(
        self, run_id: RunRef, url: str, secret: str | None = None
    ) -> WebhookRead:
        """Create or replace the run's webhook; an ended run sends its message at once."""
        body = {"url": url, "secret": secret}
        path = url_path("runs", run_id_of(run_id), "webhook")
        return await self._transport.read(WebhookRead, "PUT", path, json=body, again=True)

    async def retry_webhook(
        self, run_id: RunRef, secret: str | None = None, *, unsigned: bool = False
    ) -> WebhookRead:
        """Send the message of an ended run again; raise WebhookBusy during an attempt.

        After the last attempt, a message that was signed needs `secret` again, or
        `unsigned`.
        """
        body = {"secret": secret} if secret is not None or unsigned else {}
        path = url_path("runs", run_id_of(run_id), "webhook", "retry")
        return await self._transport.read(WebhookRead, "POST", path, json=body)

    async def delete_webhook(self, run_id: RunRef) -> None:
        """Delete the run's webhook."""
        path = url_path("runs", run_id_of(run_id), "webhook")
        await self._transport.request("DELETE", path)

    async def cancel(self, run_id: RunRef) -> RunRead:
        """Cancel a run; the best weights so far are kept."""
        path = url_path("runs", run_id_of(run_id), "cancel")
        return await self._transport.read(RunRead, "POST", path, again=True)

    def events(
        self,
        run_id: RunRef,
        last_event_id: int | str | None = None,
        silence: float = 60.0,
    ) -> AsyncGenerator[Event]:
        """Yield changes of status, and the epochs after `last_event_id`.

        The id of an epoch's event is the epoch. Raises ConnectionFailed if the connection
        breaks or sends nothing for `silence` seconds; `stream` reconnects instead.
        """
        return events(self._transport, run_id_of(run_id), last_event_id, silence)

    def stream(
        self, run_id: RunRef, timeout: float | None = None
    ) -> AsyncGenerator[Event]:
        """Yield every EpochEvent, and a RunRead at every change of status, each once.

        The ended run comes last, also if it failed. A broken stream is continued; if a
        proxy blocks the stream, the client polls the run until it has ended. Raises
        TimeoutError, and ConnectionFailed if the service stays unreachable.
        """
        return self._follow(run_id, timeout, with_epochs=True)

    async def wait(
        self,
        run_id: RunRef,
        on_epoch: OnEpoch | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  both clients have it
    ) -> RunRead:
        """Wait for the end of a run and return the run; call `on_epoch` for every epoch.

        A broken connection is handled as in `stream`. A cancelled run is returned, a
        failed run raises RunFailed. Raises TimeoutError, and ConnectionFailed if the
        service stays unreachable.

        Example:
            >>> client.runs.wait(run.id, on_epoch=print, timeout=600)  # doctest: +SKIP

        """
        found = self._follow(run_id, timeout, with_epochs=on_epoch is not None)
        async with aclosing(found):
            async for event in found:
                if isinstance(event, RunRead):
                    if event.status in TERMINAL:
                        return _unless_failed(event)
                elif on_epoch is not None:
                    called = on_epoch(event)
                    if inspect.isawaitable(called):
                        await called
        return _unless_failed(await self.get(run_id))

    def _follow(
        self, run_id: RunRef, timeout: float | None, *, with_epochs: bool
    ) -> AsyncGenerator[Event]:
        return Follower(
            self._transport, run_id_of(run_id), with_epochs=with_epochs, timeout=timeout
        ).events()


class Runs(Blocking):
    """Calls for runs: create, follow, compare and cancel."""

    create = returning(AsyncRuns.create)
    validate = returning(AsyncRuns.validate)
    get = returning(AsyncRuns.get)
    list = iterating(AsyncRuns.list)
    summaries = iterating(AsyncRuns.summaries)
    history = returning(AsyncRuns.history)
    report = returning(AsyncRuns.report)
    plot = returning(AsyncRuns.plot)
    compare = returning(AsyncRuns.compare)
    update = returning(AsyncRuns.update)
    webhook = returning(AsyncRuns.webhook)
    webhooks = iterating(AsyncRuns.webhooks)
    set_webhook = returning(AsyncRuns.set_webhook)
    retry_webhook = returning(AsyncRuns.retry_webhook)
    delete_webhook = returning(AsyncRuns.delete_webhook)
    cancel = returning(AsyncRuns.cancel)
    events = iterating(AsyncRuns.events)
    stream = iterating(AsyncRuns.stream)
    wait = returning(AsyncRuns.wait)


def _unless_failed(run: RunRead) -> RunRead:
    if run.status == RunStatus.FAILED:
        raise RunFailed(run)
    return run


def _filters(
    status: RunStatus | str | None,
    model: str | None,
    tag: str | None,
    target: str | None,
    text: str | None,
    dataset: str | None,
) -> dict[str, str | None]:
    """Return the parameters of a list of runs."""
    chosen = {"status": status, "model": model, "tag": tag, "target": target}
    return chosen | {"text": text, "dataset": dataset}


def _body(spec: Spec | None, model: Any, keys: dict[str, Any]) -> dict[str, Any]:
    if isinstance(spec, RunCreate):
        body = spec.model_dump(mode="json", exclude_unset=True)
    elif isinstance(spec, str | Path):
        body = json.loads(Path(spec).read_text(encoding="utf-8"))
    else:
        body = spec or {}
    given = {} if model is None else {"model": model}
    return with_keras_model({**body, **given, **keys})
