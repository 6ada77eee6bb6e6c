"""Print the report of a run, and the comparison of runs."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    table_width,
)
from fitserve.client import ApiError, Client
from fitserve.figure_change import common_difference, common_rows_text
from fitserve.metric_names import metric_title
from fitserve.schemas.comparison import CommonFigures, ComparedRun, ComparisonRead
from fitserve.schemas.report import Reading, ReportRead
from fitserve.schemas.runs import RunRead

_MOST_COLUMNS = 20
_WIDTH, _LEAST_WIDTH = 100, 16
"""Characters in a line of a comparison in a pipe, and the least per column."""
_GAP = 2  # characters between two columns
_LOOK_SECONDS = 0.3
_MOST_SECONDS = 30.0


def report(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="Id of the run.", autocompletion=runs)],
    as_json: AsJson = False,
    next_spec: Annotated[
        Path | None,
        typer.Option(
            help="File for the suggested spec, if there is one.", dir_okay=False
        ),
    ] = None,
) -> None:
    """Show the report of a run: how good the network is, and what to try next."""
    with service(context) as client:
        found = _with_baselines(client, run_id)
        if next_spec is not None:
            _save_suggestion(found, next_spec)
        print_or_show(found, _show_whole, as_json=as_json)


def _save_suggestion(found: ReportRead, path: Path) -> None:
    """Save the suggested spec, or print why no spec is suggested."""
    spec = _suggested(found.reading)
    if spec is None:
        reason = found.reading.advice if found.reading else "The run has no epochs."
        say(f"{path} was not written, because no spec is suggested. {reason}", err)
        return
    path.write_text(json.dumps(spec, indent=2) + "\n", encoding="utf-8")
    say(f"saved {path}", err)


def _suggested(reading: Reading | None) -> dict[str, Any] | None:
    """Return the suggested spec. Older services have no titles and always suggest one."""
    if reading is None:
        return None
    if reading.suggestion is not None:
        return reading.suggestion.spec
    return None if reading.title else reading.next_spec


def show_ended(client: Client, run: RunRead, *, waits: bool = True) -> None:
    """Print the report of a run that has ended, or a sentence if it has none."""
    try:
        found = _with_baselines(client, run.id) if waits else client.runs.report(run.id)
        _show(found)
        _show_excluded(found, " ".join(run.warnings))
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
    _show_excluded(found)


def _show_excluded(found: ReportRead, warnings: str = "") -> None:
    """Print the columns that are no features, except those that the warnings name."""
    names = [n for n in found.excluded if n != found.target and repr(n) not in warnings]
    shown = [f"{n} ({found.excluded[n]})" for n in names[:_MOST_COLUMNS]]
    if more := len(names) - len(shown):
        shown.append(f"and {more:,} more")
    if shown:
        say(f"not features: {', '.join(shown)}")


def _show(found: ReportRead) -> None:
    if found.summary:
        say(found.summary)
    gaps = _gaps(found)
    for reason in dict.fromkeys(gaps.values()):
        parts = ", ".join(part for part, why in gaps.items() if why == reason)
        say(f"not measured: {parts} ({reason})")
    for trap in found.traps:
        say(f"{trap.kind.replace('_', ' ')}: {trap.sentence}")
    if found.reading is not None:
        _show_reading(found.reading, found.run_id)


def _show_reading(reading: Reading, run_id: str) -> None:
    """Print the advice, and how to train the suggested spec if there is one."""
    word = reading.word.replace("_", " ")  # services of older releases have no titles
    head = f"{reading.title}." if reading.title else f"{word}:"
    say(f"{head} {reading.sentence} {reading.advice}")
    if reading.suggestion is not None:
        save = f"fitserve runs report {run_id} --next-spec next.json"
        say(f"{reading.suggestion.label}: {save} && fitserve train next.json")


def _gaps(found: ReportRead) -> dict[str, str]:
    """Return the parts and metrics that were not measured, with the reasons."""
    gaps = {part.part: part.reason for part in found.missing}
    baselines = found.baselines
    if found.status == "ready" and baselines.status != "ready" and baselines.reason:
        gaps.setdefault("baselines", baselines.reason)
    return gaps | found.reasons


def show_comparison(found: ComparisonRead) -> None:
    """Print a row for each figure and difference, a column for each run."""
    for sentence in filter(None, [*found.warnings, found.advice]):
        say(sentence, err)
    compared = found.runs
    rows: list[list[Any]] = [
        ["model", *(f"{r.model_name}/{r.model_version or '-'}" for r in compared)],
        *([name, *map(read, compared)] for name, read in FIGURE_COLUMNS.items()),
        *(_common_rows(found.common) if found.common is not None else []),
        *_other_figures(compared),
        *([name, *texts] for name, texts in _unequal(compared)),
        *_differences(found),
    ]
    ids = [run.id for run in compared]
    width = max(_WIDTH, _LEAST_WIDTH * (len(ids) + 1))
    left = table_width(width) - sum(len(one) + _GAP for one in ids)
    print_table(["", *ids], rows, width, max(_LEAST_WIDTH, left))


def _other_figures(runs: Sequence[ComparedRun]) -> Iterator[list[Any]]:
    """Yield the metrics of the reports, without main figures, and the validation loss."""
    main = {run.main_figure.metric for run in runs if run.main_figure}
    reports = [run.headline.metrics if run.headline else {} for run in runs]
    for name in dict.fromkeys(name for metrics in reports for name in metrics):
        if name not in main:
            yield [metric_title(name), *(metrics.get(name) for metrics in reports)]
    if any("val_loss" in run.metrics for run in runs):
        yield ["val_loss", *(run.metrics.get("val_loss") for run in runs)]


def _unequal(runs: Sequence[ComparedRun]) -> Iterator[tuple[str, list[str]]]:
    """Yield the properties of the runs that differ."""
    for name, read in _PROPERTIES.items():
        texts = [read(run) for run in runs]
        if len(set(texts)) > 1:
            yield name, texts


def _differences(found: ComparisonRead) -> list[list[Any]]:
    """Return the parts of the specs that differ; of an older service, all keys."""
    if "different_parts" in found.model_fields_set:
        return [[one.part, *one.texts] for one in found.different_parts]
    return [[one.pointer, *one.values] for one in found.differences]


def _common_rows(common: CommonFigures) -> list[list[Any]]:
    """Return the main figures on common rows, and the second minus the first."""
    found: list[list[Any]] = [[common_rows_text(common), *common.values]]
    difference = common_difference(common)
    if difference is not None:
        found.append(["difference (95 % interval)", None, difference])
    return found


def _kept_epoch(run: ComparedRun) -> str:
    fit = f" of fit {run.kept_fit}" if run.kept_fit is not None else ""
    return f"{run.best_epoch}{fit}" if run.best_epoch is not None else "-"


_PROPERTIES: Mapping[str, Callable[[ComparedRun], str]] = {
    "stopped": lambda run: run.stop_reason or run.status,
    "parameters": lambda run: f"{run.num_params:,}",
    "kept epoch": _kept_epoch,
}
