"""A run's report in a few lines."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from fitserve.cli.completion import runs
from fitserve.cli.console import AsJson, err, print_json, say, service
from fitserve.client import ApiError, Client
from fitserve.schemas.comparison import ComparedRun, ComparisonRead
from fitserve.schemas.report import ReportRead

_LOOK_SECONDS = 0.3
_MOST_SECONDS = 30.0


def report(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(autocompletion=runs)],
    as_json: AsJson = False,
    next_spec: Annotated[
        Path | None, typer.Option(help="Save the spec to try next.", dir_okay=False)
    ] = None,
) -> None:
    """Show how good a run's network is, and what to try next."""
    with service(context) as client:
        found = with_baselines(client, run_id)
        if next_spec is not None and found.reading is not None:
            text = json.dumps(found.reading.next_spec, indent=2)
            next_spec.write_text(text + "\n", encoding="utf-8")
            say(f"saved {next_spec}", err)
        if as_json:
            print_json(found)
        else:
            show(found)


def with_baselines(client: Client, run_id: str) -> ReportRead:
    """The report of an ended run, when the baselines have come or were waited for."""
    until = time.monotonic() + _MOST_SECONDS
    while True:
        found = client.runs.report(run_id)
        is_late = time.monotonic() > until
        if found.status == "pending" or found.baselines.status != "pending" or is_late:
            return found
        time.sleep(_LOOK_SECONDS)


def show_ended(client: Client, run_id: str, *, waits: bool = True) -> None:
    """The report of a run that has ended; without one the run is no worse."""
    try:
        show(with_baselines(client, run_id) if waits else client.runs.report(run_id))
    except ApiError as error:
        say(f"no report: {error}", err)


def comparison_rows(found: ComparisonRead) -> list[list[Any]]:
    """A row a figure or difference, a column a run."""
    compared = found.runs
    rows: list[list[Any]] = [
        ["model", *(f"{r.model_name}/{r.model_version or '-'}" for r in compared)],
        ["stopped", *(r.stop_reason or r.status for r in compared)],
        ["parameters", *(r.num_params for r in compared)],
        ["kept epoch", *(_kept(r) for r in compared)],
    ]
    headlines = [r.headline.metrics if r.headline else {} for r in compared]
    for column, where in (([r.metrics for r in compared], ""), (headlines, " (report)")):
        names = dict.fromkeys(name for metrics in column for name in metrics)
        rows += [[f"{name}{where}", *(m.get(name) for m in column)] for name in names]
    return rows + [[d.pointer, *d.values] for d in found.differences]


def _kept(run: ComparedRun) -> str:
    """Of several fits the epochs of the one that was kept are counted."""
    fit = f" of fit {run.kept_fit}" if run.kept_fit is not None else ""
    return f"{run.best_epoch}{fit}" if run.best_epoch is not None else "-"


def show(found: ReportRead) -> None:
    """The figures, the curve's word, the traps."""
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
