"""What takes time: a live bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from fitserve.cli.console import cell, err, say
from fitserve.client import Client
from fitserve.client.events import EpochEvent
from fitserve.schemas.datasets import DatasetRead
from fitserve.schemas.runs import RunRead

Show = Callable[[EpochEvent], None]
_LINE_SECONDS = 1.0


def watch(client: Client, run_id: str, console: Console) -> RunRead:
    """Follow a run to its end; RunFailed if it fails."""
    epochs = client.runs.get(run_id).progress.epochs
    draws = console.is_terminal and not console.is_dumb_terminal
    with _bar(console, epochs) if draws else _lines(console) as show:
        return client.runs.wait(run_id, on_epoch=show)


def upload(
    client: Client, path: Path, name: str | None = None, **parsing: Any
) -> DatasetRead:
    """Upload a CSV, with a bar if somebody looks."""
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        *columns,
        TimeRemainingColumn(),
        console=err,
        disable=not err.is_terminal,
        transient=True,
    )
    with progress:
        task = progress.add_task(path.name, total=None)
        size = path.stat().st_size

        def reading(share: float) -> None:
            told = f"{path.name}: the service reads it"
            progress.update(task, description=told, completed=share * size, total=size)

        return client.datasets.upload(
            path,
            name,
            lambda sent, total: progress.update(task, completed=sent, total=total),
            reading,
            **parsing,
        )


def losses(event: EpochEvent) -> str:
    """`loss 0.41  val_loss 0.47`."""
    shown = [name for name in ("loss", "val_loss") if name in event.metrics]
    return "  ".join(f"{name} {cell(event.metrics[name])}" for name in shown)


@contextmanager
def _bar(console: Console, epochs: int) -> Iterator[Show]:
    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.fields[losses]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[eta]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=epochs, losses="waiting for a worker", eta="")

        def show(event: EpochEvent) -> None:
            eta = f"at most {event.eta_seconds or 0:.0f} s left"
            progress.update(task, completed=event.epoch, losses=losses(event), eta=eta)

        yield show
        progress.update(task, eta="")


@contextmanager
def _lines(console: Console) -> Iterator[Show]:
    """At most a line a second: what is not a terminal is kept."""
    shown_at = -_LINE_SECONDS

    def show(event: EpochEvent) -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at >= _LINE_SECONDS:
            shown_at = time.monotonic()
            say(f"epoch {event.epoch}/{event.epochs}  {losses(event)}", console)

    yield show
