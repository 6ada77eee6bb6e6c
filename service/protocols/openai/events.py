"""List a run's epochs, warnings and statuses as the events of a job."""

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
EventNumber = float | int | None


class EventRead(Identified):
    """An event of a run; `data` contains the metrics of an epoch."""

    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    created_at: int
    level: Level
    message: str
    type: Literal["message", "metrics"]
    data: dict[str, EventNumber] | None


def events(
    runs: RunRepository, run: RunRead, after: str | None, limit: int
) -> list[EventRead]:
    """Return at most `limit` events, the latest first, from before the event `after`.

    An event's id ends with its place in the order queued, warnings, begun, epochs, ended.
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
    """Yield all events except epochs, each with its place."""
    queued = seconds(run.created_at)
    name = f"{run.model_name!r} on the dataset {run.dataset.name!r}"
    yield 0, _event(run, 0, queued, "info", f"Queued: {name}.")
    for i, warning in enumerate(run.warnings, 1):
        yield i, _event(run, i, queued, "warn", warning)
    if run.started_at is not None:
        at = seconds(run.started_at)
        yield begun, _event(run, begun, at, "info", "The training began.")
    if run.status in TERMINAL and run.ended_at is not None:
        last = begun + run.progress.epoch + 1
        level: Level = "error" if run.status == RunStatus.FAILED else "info"
        yield last, _event(run, last, seconds(run.ended_at), level, _end(run))


def _end(run: RunRead) -> str:
    if run.error is not None:
        return run.error.detail
    left = f" and created version {run.model_version}" if run.model_version else ""
    return f"The run {run.status}{left} ({run.stop_reason})."


def _epoch_event(run: RunRead, epoch: Epoch, place: int) -> EventRead:
    loss, val_loss = epoch.metrics.get("loss"), epoch.metrics.get("val_loss")
    begun, total = run.started_at or run.created_at, run.progress.epochs
    at = int(begun.timestamp() + epoch.seconds)
    losses = f"training loss={_shown(loss)}, validation loss={_shown(val_loss)}"
    event = _event(run, place, at, "info", f"Step {epoch.epoch}/{total}: {losses}")
    event.type = "metrics"
    event.data = {
        **epoch.metrics,
        "step": epoch.epoch,
        "total_steps": total,
        "train_loss": loss,
        "valid_loss": val_loss,
    }
    return event


def _event(run: RunRead, place: int, at: int, level: Level, text: str) -> EventRead:
    return EventRead(
        id=f"{run.id}-{place}",
        created_at=at,
        level=level,
        message=text,
        type="message",
        data=None,
    )


def _shown(loss: float | None) -> str:
    return "none" if loss is None else f"{loss:.4g}"
