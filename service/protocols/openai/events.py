"""A run's life as a job's events: its epochs, and what was said around them."""

from collections.abc import Iterator
from typing import Literal

from core.errors import InvalidSpec
from core.runs.repository import RunRepository
from core.runs.tables import Epoch
from fitserve.enums import TERMINAL, RunStatus
from fitserve.schemas.runs import RunRead
from service.protocols.openai.schemas import Identified, seconds

_NO_END = 2**31 - 1
_MOST_DIGITS = 9

Level = Literal["info", "warn", "error"]
Number = float | int | None


class EventRead(Identified):
    """Something that happened; `data` are the metrics of an epoch, the step here."""

    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    created_at: int
    level: Level
    message: str
    type: Literal["message", "metrics"]
    data: dict[str, Number] | None


def events(
    runs: RunRepository, run: RunRead, after: str | None, limit: int
) -> list[EventRead]:
    """At most `limit` events, the latest first, from before the event `after`.

    An event's id ends in its place in the order: queued, warnings, begun, epochs, ended.
    """
    below = _NO_END if after is None else _place(after)
    begun = len(run.warnings) + 1
    found = {i: event for i, event in _messages(run, begun) if i < below}
    for epoch in runs.epochs_below(run.id, below - begun, limit):
        place = begun + epoch.epoch
        found[place] = _epoch_event(run, epoch, place)
    return [found[place] for place in sorted(found, reverse=True)[:limit]]


def _place(event_id: str) -> int:
    number = event_id.rpartition("-")[2]
    if number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS:
        return int(number)
    raise InvalidSpec(f"`after` is {event_id!r}; expected the id of an event.")


def _messages(run: RunRead, begun: int) -> Iterator[tuple[int, EventRead]]:
    """All but the epochs, each with its place."""
    queued = seconds(run.created_at)
    name = f"{run.model_name!r} on the dataset {run.dataset.name!r}"
    yield 0, _message(run, 0, queued, "info", f"Queued: {name}.")
    for i, warning in enumerate(run.warnings, 1):
        yield i, _message(run, i, queued, "warn", warning)
    if run.started_at is not None:
        at = seconds(run.started_at)
        yield begun, _message(run, begun, at, "info", "The training began.")
    if run.status in TERMINAL and run.ended_at is not None:
        last = begun + run.progress.epoch + 1
        level: Level = "error" if run.status == RunStatus.FAILED else "info"
        yield last, _message(run, last, seconds(run.ended_at), level, _end(run))


def _end(run: RunRead) -> str:
    if run.error is not None:
        return run.error.detail
    left = f", leaving version {run.model_version}" if run.model_version else ""
    return f"The run {run.status}{left} ({run.stop_reason})."


def _message(run: RunRead, place: int, at: int, level: Level, text: str) -> EventRead:
    return EventRead(
        id=f"{run.id}-{place}",
        created_at=at,
        level=level,
        message=text,
        type="message",
        data=None,
    )


def _epoch_event(run: RunRead, epoch: Epoch, place: int) -> EventRead:
    losses = [epoch.metrics.get(name) for name in ("loss", "val_loss")]
    begun = run.started_at or run.created_at
    return EventRead(
        id=f"{run.id}-{place}",
        created_at=int(begun.timestamp() + epoch.seconds),
        level="info",
        message=f"Step {epoch.epoch}/{run.progress.epochs}: training loss="
        f"{_shown(losses[0])}, validation loss={_shown(losses[1])}",
        type="metrics",
        data={
            **epoch.metrics,
            "step": epoch.epoch,
            "total_steps": run.progress.epochs,
            "train_loss": losses[0],
            "valid_loss": losses[1],
        },
    )


def _shown(loss: float | None) -> str:
    return "none" if loss is None else f"{loss:.4g}"
