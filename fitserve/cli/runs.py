"""`fitserve runs`."""

import itertools
from typing import Annotated

import typer

from fitserve.cli.completion import models, other_runs, runs
from fitserve.cli.console import AsJson, err, print_json, print_table, say, service
from fitserve.cli.report import comparison_rows, report
from fitserve.enums import RunStatus

app = typer.Typer(no_args_is_help=True, help="Training attempts.")
RunId = Annotated[str, typer.Argument(autocompletion=runs)]


@app.command("list")
def list_(
    context: typer.Context,
    status: Annotated[RunStatus | None, typer.Option()] = None,
    model: Annotated[str | None, typer.Option(autocompletion=models)] = None,
    tag: Annotated[str | None, typer.Option(help="name:value")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    with service(context) as client:
        found = list(itertools.islice(client.runs.list(status, model, tag), limit))
        if as_json:
            print_json(found)
            return
        rows = [
            [
                r.id,
                r.status,
                r.model_name,
                r.model_version,
                f"{r.progress.epoch}/{r.progress.epochs}",
                r.metrics.get("val_loss", r.metrics.get("loss")),
            ]
            for r in found
        ]
        print_table(["id", "status", "model", "version", "epoch", "val_loss"], rows)


@app.command()
def show(
    context: typer.Context,
    run_id: RunId,
    as_json: AsJson = False,  # noqa: ARG001  it is nothing else
) -> None:
    """Print a run with its resolved spec, as JSON."""
    with service(context) as client:
        print_json(client.runs.get(run_id))


app.command("report")(report)


@app.command()
def compare(
    context: typer.Context,
    run_ids: Annotated[
        list[str],
        typer.Argument(help="Two ids or more.", autocompletion=other_runs),
    ],
    as_json: AsJson = False,
) -> None:
    """Compare runs: metrics, figures on held-out rows, what differs in the specs."""
    with service(context) as client:
        found = client.runs.compare(*run_ids)
        if as_json:
            print_json(found)
            return
        for warning in found.warnings:
            say(warning, err)
        print_table(["", *(run.id for run in found.runs)], comparison_rows(found))


@app.command()
def cancel(context: typer.Context, run_id: RunId, as_json: AsJson = False) -> None:
    """Cancel a run; the best weights so far are kept."""
    with service(context) as client:
        run = client.runs.cancel(run_id)
        if as_json:
            print_json(run)
            return
        stopping = "" if run.status == RunStatus.CANCELLED else ", stopping soon"
        say(f"{run.id}: {run.status}{stopping}")
