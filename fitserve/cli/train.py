"""`fitserve train` and `fitserve watch`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fitserve.cli.completion import runs
from fitserve.cli.console import (
    AsJson,
    Timeout,
    cell,
    err,
    out,
    print_json,
    say,
    service,
)
from fitserve.cli.progress import upload
from fitserve.cli.progress import watch as follow
from fitserve.cli.refusals import shown_by
from fitserve.cli.report import show_ended
from fitserve.cli.sources import Source
from fitserve.client import Client, RunFailed
from fitserve.schemas.runs import RunRead

_NAME_WIDTH = 24


def train(
    context: typer.Context,
    spec: Annotated[Path, typer.Argument(help="The spec, a JSON file.", dir_okay=False)],
    data: Annotated[
        Path | None, typer.Argument(help="The CSV to upload and use.", dir_okay=False)
    ] = None,
    watch: Annotated[bool, typer.Option(help="Follow the run to its end.")] = True,
    name: Annotated[str | None, typer.Option(help="Name of the model.")] = None,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Train the network that SPEC describes; if DATA is given, upload it first."""
    with service(context) as client:
        source = Source.read(spec)
        if name is not None:
            source.body["model_name"] = name
        if data is not None:
            _put_dataset(client, source.body, data)
        with shown_by(source.refused):
            run = client.runs.create(source.body)
        say(f"queued {run.id}", err)
        if watch:
            _follow(client, run, timeout, as_json=as_json)
        elif as_json:
            print_json(run)
        else:
            say(f"fitserve watch {run.id}")


def watch(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="Id of the run.", autocompletion=runs)],
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Follow a run to its end."""
    with service(context) as client:
        _follow(client, client.runs.get(run_id), timeout, as_json=as_json)


def _put_dataset(client: Client, body: dict[str, Any], data: Path) -> None:
    dataset = upload(client, data)
    say(f"uploaded {dataset.name}: {dataset.num_rows:,} rows", err)
    body["dataset"] = dataset.id
    body.setdefault("model_name", dataset.name)


def _follow(
    client: Client, run: RunRead, timeout: float | None, *, as_json: bool
) -> None:
    try:
        run = follow(client, run.id, err if as_json else out, timeout)
    except RunFailed as error:
        if as_json:
            print_json(error.run)
        else:
            show_ended(client, run.id, waits=False)
        raise
    except KeyboardInterrupt:
        say(
            f"The run {run.id} continues. To follow it: `fitserve watch {run.id}`. "
            f"To cancel it: `fitserve runs cancel {run.id}`.",
            err,
        )
        raise
    if as_json:
        print_json(run)
    else:
        _show_ended(client, run)


def _show_ended(client: Client, run: RunRead) -> None:
    kept = f", kept epoch {run.best_epoch}" if run.best_epoch else ""
    if run.kept_fit is not None:
        kept += f" of fit {run.kept_fit}"
    say(f"{run.status} ({run.stop_reason}) after epoch {run.progress.epoch}{kept}")
    width = max([_NAME_WIDTH, *map(len, run.metrics)])
    for name, value in run.metrics.items():
        say(f"  {name:<{width}} {cell(value)}")
    for warning in run.warnings:
        say(f"warning: {warning}")
    show_ended(client, run.id)
    if run.model_version is not None:
        say(f"model {run.model_name}, version {run.model_version}; now try:")
        say(f"  fitserve predict {run.model_name} ROWS.csv")
