"""`client.runs`."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from httpx_sse import EventSource
from pydantic import BaseModel, TypeAdapter

from fitserve.client.errors import ConnectionFailed, RunFailed
from fitserve.client.transport import Transport
from fitserve.schemas.runs import HistoryRead, RunRead, ValidationRead
from fitserve.specs.run import RunCreate
from fitserve.statuses import TERMINAL, RunStatus

Spec = dict[str, Any] | RunCreate | str | Path
"""A RunCreate as a dict or an object, or the path of a JSON file that holds one."""

_PAUSE = 0.5
_SILENCE = 60.0  # the service says something every 15 seconds


class EpochEvent(BaseModel):
    """An epoch that has ended; `eta_seconds` is the time to the last one."""

    epoch: int
    epochs: int
    metrics: dict[str, float | None]
    eta_seconds: float | None


Event = EpochEvent | RunRead
OnEpoch = Callable[[EpochEvent], object]
_RUN = TypeAdapter(RunRead)


class Runs:
    """Training attempts."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, spec: Spec, **overrides: Any) -> RunRead:
        """Queue a run; keyword arguments replace keys of the spec."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        body = _body(spec, overrides)
        return self._transport.read(
            RunRead, "POST", "/v1/runs", json=body, headers=headers
        )

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
            RunRead, "GET", _path(run_id), params=params, **timeout
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
        return self._transport.read(HistoryRead, "GET", _path(run_id, "history"))

    def cancel(self, run_id: str) -> RunRead:
        """Ask for an end; the best weights so far are kept."""
        return self._transport.read(RunRead, "POST", _path(run_id, "cancel"))

    def events(self, run_id: str, last_epoch: int = 0) -> Iterator[Event]:
        """Epochs behind `last_epoch` and changes of status, while they come."""
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(last_epoch)}
        path = _path(run_id, "events")
        with self._transport.stream(
            "GET", path, headers=headers, timeout=_SILENCE
        ) as answer:
            for event in EventSource(answer).iter_sse():
                if event.event == "epoch":
                    yield EpochEvent.model_validate_json(event.data)
                elif event.event == "status":
                    yield _RUN.validate_json(event.data)

    def wait(
        self,
        run_id: str,
        on_epoch: OnEpoch | None = None,
        timeout: float | None = None,
    ) -> RunRead:
        """The run when it has ended; `on_epoch` hears of every epoch on the way, once.

        A dropped connection is taken up where it broke.
        Raises RunFailed, TimeoutError, and ConnectionFailed if the service stays away.
        """
        deadline = time.monotonic() + timeout if timeout is not None else None
        last_epoch, failures = 0, 0
        while True:
            try:
                for event in self.events(run_id, last_epoch):
                    failures = 0
                    if isinstance(event, EpochEvent):
                        last_epoch = event.epoch
                        if on_epoch is not None:
                            on_epoch(event)
                    elif event.status in TERMINAL:
                        return _ended(event)
                    _raise_if_late(run_id, deadline)
            except ConnectionFailed:
                failures += 1
                if failures > 20:
                    raise
            _raise_if_late(run_id, deadline)
            time.sleep(_PAUSE)


def _ended(run: RunRead) -> RunRead:
    if run.status == RunStatus.FAILED:
        raise RunFailed(run)
    return run


def _raise_if_late(run_id: str, deadline: float | None) -> None:
    if deadline is not None and time.monotonic() > deadline:
        raise TimeoutError(f"{run_id} has not ended in time; it goes on.")


def _path(*parts: str) -> str:
    return "/".join(["/v1/runs", *(quote(part, safe="") for part in parts)])


def _body(spec: Spec, overrides: dict[str, Any]) -> dict[str, Any]:
    if isinstance(spec, RunCreate):
        body = spec.model_dump(mode="json", exclude_unset=True)
    elif isinstance(spec, str | Path):
        body = json.loads(Path(spec).read_text())
    else:
        body = spec
    return {**body, **overrides}
