"""Print the report of a run, and the comparison of runs."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from fitserve.cli.completion import runs
from fitserve.cli.console import (
    FIGURE_COLUMNS,
    AsJson,
    err,
    print_or_show,
    print_table,
    say,
    service,
)
from fitserve.client import ApiError, Client
from fitserve.schemas.comparison import ComparedRun, ComparisonRead
from fitserve.schemas.report import ReportRead

_LOOK_SECONDS = 0.3
_MOST_SECONDS = 30.0


def report(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="Id of the run.", autocompletion=runs)],
    as_json: AsJson = False,
    next_spec: Annotated[
        Path | None, typer.Option(help="File for the spec to try next.", dir_okay=False)
    ] = None,
) -> None:
    """Show the report of a run: how good the network is, and what to try next."""
    with service(context) as client:
        found = _with_baselines(client, run_id)
        if next_spec is not None and found.reading is not None:
            text = json.dumps(found.reading.next_spec, indent=2)
            next_spec.write_text(text + "\n", encoding="utf-8")
            say(f"saved {next_spec}", err)
        print_or_show(found, _show_whole, as_json=as_json)


def show_ended(client: Client, run_id: str, *, waits: bool = True) -> None:
    """Print the report of a run that has ended, or a sentence if it has none."""
    try:
        _show(_with_baselines(client, run_id) if waits else client.runs.report(run_id))
    except ApiError as error:
        say(f"no report: {error}", err)


def _with_baselines(client: Client, run_id: str) -> ReportRead:
    """Return the report of an ended run; wait some seconds for its baselines."""
    until = time.monotonic() + _MOST_SECONDS
    while True:
        found = client.runs.report(run_id)
        is_late = time.monotonic() > until
        if found.status == "pending" or found.baselines.status != "pending" or is_late:
            return found
        time.sleep(_LOOK_SECONDS)


def _show_whole(found: ReportRead) -> None:
    _show(found)
    excluded = {n: why for n, why in found.excluded.items() if n != found.target}
    if excluded:
        say("not features: " + ", ".join(f"{n} ({why})" for n, why in excluded.items()))


def _show(found: ReportRead) -> None:
    if found.summary:
        say(found.summary)
    for reason in dict.fromkeys(part.reason for part in found.missing):
        parts = ", ".join(m.part for m in found.missing if m.reason == reason)
        say(f"not measured: {parts} ({reason})")
    if found.reading is not None:
        word = found.reading.word.replace("_", " ")
        say(f"{word}: {found.reading.sentence} {found.reading.advice}")
    for trap in found.traps:
        say(f"{trap.kind.replace('_', ' ')}: {trap.sentence}")


def show_comparison(found: ComparisonRead) -> None:
    """Print a row for each metric and difference, a column for each run."""
    for warning in found.warnings:
        say(warning, err)
    compared = found.runs
    rows: list[list[Any]] = [
        ["model", *(f"{r.model_name}/{r.model_version or '-'}" for r in compared)],
        ["stopped", *(r.stop_reason or r.status for r in compared)],
        ["parameters", *(r.num_params for r in compared)],
        ["kept epoch", *(_kept_epoch(r) for r in compared)],
        *([name, *map(read, compared)] for name, read in FIGURE_COLUMNS.items()),
    ]
    headlines = [r.headline.metrics if r.headline else {} for r in compared]
    for figures, where in (([r.metrics for r in compared], ""), (headlines, " (report)")):
        names = dict.fromkeys(name for metrics in figures for name in metrics)
        rows += [[f"{name}{where}", *(m.get(name) for m in figures)] for name in names]
    rows += [[d.pointer, *d.values] for d in found.differences]
    print_table(["", *(run.id for run in compared)], rows)


def _kept_epoch(run: ComparedRun) -> str:
    fit = f" of fit {run.kept_fit}" if run.kept_fit is not None else ""
    return f"{run.best_epoch}{fit}" if run.best_epoch is not None else "-"
