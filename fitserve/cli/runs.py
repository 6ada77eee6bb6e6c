"""`fitserve runs`."""

import itertools
from collections.abc import Iterator
from typing import Annotated

import typer
from pydantic import BaseModel

from fitserve.cli.completion import models, other_runs, runs
from fitserve.cli.console import (
    FIGURE_COLUMNS,
    AsJson,
    Columns,
    print_json,
    print_list,
    print_or_say,
    print_or_show,
    service,
)
from fitserve.cli.report import report, show_comparison
from fitserve.enums import TERMINAL, RunStatus
from fitserve.schemas.runs import RunRead

app = typer.Typer(no_args_is_help=True, help="List, show, compare, tag and cancel runs.")
RunId = Annotated[str, typer.Argument(help="Id of the run.", autocompletion=runs)]
_RUNS: Columns = {
    "id": lambda r: r.id,
    "status": lambda r: r.status,
    "model": lambda r: r.model_name,
    "version": lambda r: r.model_version,
    **FIGURE_COLUMNS,
    "target": lambda r: r.target,
    "epoch": lambda r: f"{r.epoch}/{r.epochs}",
    "val_loss": lambda r: r.loss,
}


def _tag(given: str | None) -> str | None:
    if given is not None and not given.partition(":")[1]:
        raise typer.BadParameter(f"got {given!r}; expected name:value, such as team:red")
    return given


def _tags(given: list[str] | None) -> list[str]:
    for one in given or ():
        _tag(one)
    return given or []


@app.command("list")
def list_(
    context: typer.Context,
    status: Annotated[RunStatus | None, typer.Option(help="Only this status.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Only this model.", autocompletion=models)
    ] = None,
    target: Annotated[str | None, typer.Option(help="Only this target.")] = None,
    tag: Annotated[
        str | None, typer.Option(help="Only this tag, as name:value.", callback=_tag)
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(help="Only with these words in a name, a tag or the notes."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of runs.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first; `--json` prints them with their specs."""
    with service(context) as client:
        listed = client.runs.list if as_json else client.runs.summaries
        found: Iterator[BaseModel] = listed(status, model, tag, target, text)
        print_list(itertools.islice(found, limit), _RUNS, as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    run_id: RunId,
    as_json: AsJson = False,  # noqa: ARG001  always JSON
) -> None:
    """Print a run as JSON, with its spec and all defaults."""
    with service(context) as client:
        print_json(client.runs.get(run_id))


app.command("report")(report)


@app.command()
def compare(
    context: typer.Context,
    run_ids: Annotated[
        list[str],
        typer.Argument(help="Two or more run ids.", autocompletion=other_runs),
    ],
    as_json: AsJson = False,
) -> None:
    """Compare runs: metrics, metrics on held-out rows, differences between the specs."""
    with service(context) as client:
        found = client.runs.compare(*run_ids)
        print_or_show(found, show_comparison, as_json=as_json)


@app.command()
def cancel(context: typer.Context, run_id: RunId, as_json: AsJson = False) -> None:
    """Cancel a run; the best weights so far are kept."""
    with service(context) as client:
        run = client.runs.cancel(run_id)
        print_or_say(run, f"{run.id}: {_cancelled(run)}", as_json=as_json)


def _cancelled(run: RunRead) -> str:
    """Return the status of a run after its cancellation was requested."""
    if run.status == RunStatus.CANCELLED:
        return run.status
    has_ended = run.status in TERMINAL
    return f"{run.status}{'; it had already ended' if has_ended else ', stopping soon'}"


@app.command()
def tag(
    context: typer.Context,
    run_id: RunId,
    tags: Annotated[
        list[str] | None,
        typer.Argument(help="Tags to set, as name:value.", callback=_tags),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(help="Name of a tag to remove; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set or remove tags of a run; other tags stay. Without tags, print them."""
    pairs = (one.partition(":") for one in tags or ())
    changes = {name: value for name, _, value in pairs} | dict.fromkeys(remove or ())
    with service(context) as client:
        update = client.runs.update(run_id, changes)
        shown = ", ".join(f"{name}:{value}" for name, value in update.tags.items())
        print_or_say(update, f"{run_id}: {shown or 'no tags'}", as_json=as_json)


@app.command()
def note(
    context: typer.Context,
    run_id: RunId,
    text: Annotated[str, typer.Argument(help='The notes; "" removes them.')],
    as_json: AsJson = False,
) -> None:
    """Replace the notes of a run."""
    with service(context) as client:
        run = client.runs.update(run_id, notes=text)
        print_or_say(run, f"{run_id}: {run.notes or 'no notes'}", as_json=as_json)
