"""Watching a run: a live bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from fitserve.cli.console import number
from fitserve.client import Client
from fitserve.client.runs import EpochEvent
from fitserve.schemas.runs import RunRead

Show = Callable[[EpochEvent], None]
_LINE_SECONDS = 1.0


def watch(client: Client, run_id: str, console: Console) -> RunRead:
    """Follow a run to its end; RunFailed if it fails."""
    epochs = client.runs.get(run_id).progress.epochs
    with _bar(console, epochs) if console.is_terminal else _lines(console) as show:
        return client.runs.wait(run_id, on_epoch=show)


def losses(event: EpochEvent) -> str:
    """`loss 0.41  val_loss 0.47`."""
    shown = [name for name in ("loss", "val_loss") if name in event.metrics]
    return "  ".join(f"{name} {number(event.metrics[name])}" for name in shown)


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


@contextmanager
def _lines(console: Console) -> Iterator[Show]:
    last = 0.0

    def show(event: EpochEvent) -> None:
        nonlocal last
        if event.epoch == 1 or time.monotonic() - last >= _LINE_SECONDS:
            last = time.monotonic()
            console.print(f"epoch {event.epoch}/{event.epochs}  {losses(event)}")

    yield show
