"""Show the progress of uploads and runs: a live bar on a terminal, else plain lines."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from fitserve.cli.console import cell, err, say
from fitserve.client import Client
from fitserve.client.datasets import OnProgress, OnReading
from fitserve.client.following import EpochEvent
from fitserve.schemas.datasets import DatasetRead
from fitserve.schemas.runs import RunRead

Show = Callable[[EpochEvent], None]
_LINE_SECONDS = 1.0
_BARS = "▁▂▃▄▅▆▇█"
_WIDE = 120  # columns from which a bar and the elapsed time fit too


def watch(
    client: Client, run_id: str, console: Console, timeout: float | None = None
) -> RunRead:
    """Follow a run to its end; raise RunFailed or TimeoutError."""
    epochs = client.runs.get(run_id).progress.epochs
    draws = console.is_terminal and not console.is_dumb_terminal
    with _bar(console, epochs) if draws else _lines(console) as show:
        return client.runs.wait(run_id, show, timeout)


def upload(
    client: Client, path: Path, name: str | None = None, **parsing: Any
) -> DatasetRead:
    """Upload a file, with a bar on a terminal."""
    with _sending(path) as (sent, reading):
        return client.datasets.upload(path, name, sent, reading, **parsing)


def append(client: Client, name: str, path: Path, **parsing: Any) -> DatasetRead:
    """Append a file to a dataset, with a bar on a terminal."""
    with _sending(path) as (sent, reading):
        return client.datasets.append(name, path, sent, reading, **parsing)


@contextmanager
def _sending(path: Path) -> Iterator[tuple[OnProgress, OnReading]]:
    """Show the bar of a file; yield what shows its progress."""
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=err,
        disable=not err.is_terminal,
        transient=True,
    )
    with progress:
        task = progress.add_task(path.name, total=None)
        size = path.stat().st_size

        def reading(share: float) -> None:
            text = f"{path.name}: the service reads the file"
            progress.update(task, description=text, completed=share * size, total=size)

        def sending(sent: int, total: int) -> None:
            progress.update(task, completed=sent, total=total)

        yield sending, reading


def _losses(event: EpochEvent) -> str:
    fit = [f"fit {event.fit}"] if event.fit else []
    shown = [name for name in ("loss", "val_loss") if name in event.metrics]
    return "  ".join([*fit, *(f"{name} {cell(event.metrics[name])}" for name in shown)])


class RateColumn(ProgressColumn):
    """The column with the recent epochs per second."""

    def render(self, task: Task) -> Text:
        """Return the rate; empty until two epochs have ended."""
        return Text(f"{task.speed:.3g}/s" if task.speed else "")


class CurveColumn(ProgressColumn):
    """The column with the curve of the loss, computed only when the bar is drawn."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    def render(self, task: Task) -> Text:
        """Return the sparkline of the task's `curve`."""
        return Text(sparkline(task.fields["curve"], self._width))


def sparkline(values: Sequence[float], width: int = 12) -> str:
    """Return the curve in at most `width` characters."""
    if not values:
        return ""
    size = max(1, -(-len(values) // width))
    means = [fmean(values[i : i + size]) for i in range(0, len(values), size)]
    low, spread = min(means), (max(means) - min(means)) or 1.0
    return "".join(_BARS[round((m - low) / spread * (len(_BARS) - 1))] for m in means)


def _at_most(event: EpochEvent) -> str:
    """Return the time to the last epoch, which early stopping may not reach."""
    if event.epoch < 2 or event.eta_seconds is None:
        return ""  # the first epoch also builds the network
    minutes, seconds = divmod(round(event.eta_seconds), 60)
    return f"≤ {minutes}:{seconds:02}"


@contextmanager
def _bar(console: Console, epochs: int) -> Iterator[Show]:
    is_wide = console.width >= _WIDE
    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        *((BarColumn(),) if is_wide else ()),
        CurveColumn(12 if is_wide else 8),
        TextColumn("{task.fields[losses]}"),
        RateColumn(),
        *((TimeElapsedColumn(),) if is_wide else ()),
        TextColumn("{task.fields[eta]}"),
    )
    with Progress(*columns, console=console) as progress:
        curve: list[float] = []
        task = progress.add_task(
            "", total=epochs, losses="waiting for a worker", eta="", curve=curve
        )

        def show(event: EpochEvent) -> None:
            loss = event.metrics.get("val_loss", event.metrics.get("loss"))
            if loss is not None:
                curve.append(loss)
            progress.update(
                task,
                completed=event.epoch,
                losses=_losses(event),
                eta=_at_most(event),
            )

        yield show
        progress.update(task, eta="")


@contextmanager
def _lines(console: Console) -> Iterator[Show]:
    """Print at most one line a second."""
    shown_at = -_LINE_SECONDS

    def show(event: EpochEvent) -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at >= _LINE_SECONDS:
            shown_at = time.monotonic()
            say(f"epoch {event.epoch}/{event.epochs}  {_losses(event)}", console)

    yield show
