"""`client.runs`."""

import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import EventSource

from fitserve.client.events import EpochEvent, Event
from fitserve.client.following import Follower, OnEpoch
from fitserve.client.transport import Transport, url_path
from fitserve.schemas.comparison import ComparisonRead
from fitserve.schemas.report import ReportRead
from fitserve.schemas.runs import HistoryRead, RunRead, ValidationRead
from fitserve.specs.run import RunCreate
from fitserve.statuses import RunStatus

Spec = dict[str, Any] | RunCreate | str | Path
"""A RunCreate as a dict or an object, or the path of a JSON file that holds one."""

_CONNECT_SECONDS = 10.0


class Runs:
    """Training attempts."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, spec: Spec, **overrides: Any) -> RunRead:
        """Queue a run; keyword arguments replace keys of the spec.

        A broken line makes no second run of it.
        """
        body = _body(spec, overrides)
        return self._transport.create(RunRead, "/v1/runs", json=body)

    def validate(self, spec: Spec, **overrides: Any) -> ValidationRead:
        """What would be trained; nothing is queued."""
        body = _body(spec, overrides)
        return self._transport.read(
            ValidationRead, "POST", "/v1/runs/validate", json=body
        )

    def get(self, run_id: str, wait: float | None = None) -> RunRead:
        """One run; with `wait` the answer comes at its end, or after so many seconds."""
        params = {"wait": wait} if wait else {}
        timeout = {"timeout": wait + 30} if wait else {}
        return self._transport.read(
            RunRead, "GET", url_path("runs", run_id), params=params, **timeout
        )

    def list(
        self,
        status: RunStatus | str | None = None,
        model: str | None = None,
        tag: str | None = None,
    ) -> Iterator[RunRead]:
        """Runs, newest first; `tag` is `name:value`."""
        given = {"status": status, "model": model, "tag": tag}
        params = {name: value for name, value in given.items() if value}
        return self._transport.pages(RunRead, "/v1/runs", params)

    def history(self, run_id: str) -> HistoryRead:
        """Every metric of every epoch."""
        return self._transport.read(
            HistoryRead, "GET", url_path("runs", run_id, "history")
        )

    def report(self, run_id: str) -> ReportRead:
        """How good the network is, against what, and what to try next."""
        return self._transport.read(ReportRead, "GET", url_path("runs", run_id, "report"))

    def compare(self, *run_ids: str) -> ComparisonRead:
        """Two runs or more side by side."""
        params = {"ids": ",".join(run_ids)}
        return self._transport.read(
            ComparisonRead, "GET", url_path("runs", "compare"), params=params
        )

    def cancel(self, run_id: str) -> RunRead:
        """Ask for an end; the best weights so far are kept."""
        return self._transport.read(RunRead, "POST", url_path("runs", run_id, "cancel"))

    def events(
        self,
        run_id: str,
        last_event_id: int | str | None = None,
        silence: float = 60.0,
    ) -> Generator[Event]:
        """Epochs behind `last_event_id` and changes of status, while they come.

        The id of an epoch's event is its number. ConnectionFailed where the stream
        breaks, or says nothing for `silence` seconds.
        """
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        timeout = httpx.Timeout(_CONNECT_SECONDS, read=silence)
        path = url_path("runs", run_id, "events")
        with self._transport.stream(
            "GET", path, headers=headers, timeout=timeout
        ) as answer:
            for event in EventSource(answer).iter_sse():
                if event.event == "epoch":
                    yield self._transport.parsed(EpochEvent, event.data)
                elif event.event == "status":
                    yield self._transport.parsed(RunRead, event.data)

    def wait(
        self,
        run_id: str,
        on_epoch: OnEpoch | None = None,
        timeout: float | None = None,
    ) -> RunRead:
        """The run when it has ended; `on_epoch` hears of every epoch on the way, once.

        A stream that breaks is taken up where it broke; where none comes through (a
        proxy that holds it back), the run is asked for until it has ended. A cancelled
        run is returned like any other. Raises RunFailed, TimeoutError, and
        ConnectionFailed if the service stays away.

        Example:
            >>> client.runs.wait(run.id, on_epoch=print, timeout=600)  # doctest: +SKIP

        """
        return Follower(self, run_id, on_epoch, timeout).to_end()


def _body(spec: Spec, overrides: dict[str, Any]) -> dict[str, Any]:
    if isinstance(spec, RunCreate):
        body = spec.model_dump(mode="json", exclude_unset=True)
    elif isinstance(spec, str | Path):
        body = json.loads(Path(spec).read_text(encoding="utf-8"))
    else:
        body = spec
    return {**body, **overrides}
