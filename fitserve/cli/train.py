"""`fitserve train` and `fitserve watch`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
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
from fitserve.cli.new_version import show_new_version
from fitserve.cli.parsing import reads_file
from fitserve.cli.progress import upload
from fitserve.cli.progress import watch as follow
from fitserve.cli.refusals import shown_by
from fitserve.cli.report import show_ended
from fitserve.cli.sources import Source
from fitserve.cli.table_to_train import (
    column_names,
    is_table,
    refused_options,
    stored_table,
    without_target,
)
from fitserve.cli.uploads import deleted_if_refused, say_replaced
from fitserve.client import Client, RunFailed
from fitserve.names import NAME_PATTERN, to_name, version_ref
from fitserve.number_text import rows_text
from fitserve.problems import Problem
from fitserve.schemas.datasets import DatasetRead
from fitserve.schemas.runs import RunRead
from fitserve.specs.run import PresetName

_NAME_WIDTH = 24
_EPOCHS = (
    "Number of epochs. It turns off the early stopping of a preset, so the weights of "
    "the last epoch are kept, not those of the best one."
)
_INPUTS = (
    "Version of the model whose inputs the run uses: 'version 3', serving or an alias; "
    "'table' chooses the inputs from the table."
)
_CHOOSES_INPUTS = '`"features": {"as": "table"}`'
"""The part of a spec that a warning of the service suggests."""


@dataclass(frozen=True)
class Chosen:
    """The options of `train` that are keys of a spec."""

    target: str | None
    preset: PresetName | None
    model: str | None
    exclude: list[str]
    features_as: str | None
    epochs: int | None

    def put_into(self, body: dict[str, Any], columns: list[str]) -> None:
        """Replace the keys of a spec for which an option was given."""
        named = {"target": self.target, "preset": self.preset, "model_name": self.model}
        body.update({key: value for key, value in named.items() if value is not None})
        if self.exclude:
            names = column_names(self.exclude, columns)
            body["features"] = {**_object(body, "features"), "exclude": names}
        if self.features_as is not None:
            body["features"] = {**_object(body, "features"), "as": self.features_as}
        if self.epochs is not None:
            body["fit"] = {**_object(body, "fit"), "epochs": self.epochs}


def _object(body: dict[str, Any], key: str) -> dict[str, Any]:
    found = body.get(key)
    return found if isinstance(found, dict) else {}


def _name(given: str | None) -> str | None:
    """Refuse a name that the service would refuse after the upload."""
    if given is not None and not re.fullmatch(NAME_PATTERN, given):
        example = to_name(given, "model")
        raise typer.BadParameter(
            f"got {given!r}; expected letters, digits, dot, dash and underscore, such as "
            f"{example!r}"
        )
    return given


@reads_file
def train(  # noqa: PLR0913, PLR0917  one argument per option
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE|SPEC",
            help="A table to upload and train on, or the name of an uploaded dataset, "
            "with --target; or a spec, a JSON file.",
            dir_okay=False,
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="TABLE",
            help="After a spec: the table or dataset to use.",
            dir_okay=False,
        ),
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    preset: Annotated[
        PresetName | None, typer.Option(help="Size of the network and of its training.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "--name",
            help="Name of the model. Default: the table's name.",
            callback=_name,
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN,…", help="Columns that are not to be used; repeatable."
        ),
    ] = None,
    features_as: Annotated[
        str | None, typer.Option("--features-as", help=_INPUTS)
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help=_EPOCHS)] = None,
    watch: Annotated[bool, typer.Option(help="Follow the run to its end.")] = True,
    timeout: Timeout = None,
    as_json: AsJson = False,
    *,
    parsing: dict[str, Any],
) -> None:
    """Train on TABLE to predict --target, or train what SPEC describes.

    Without a spec, fitserve chooses the network. Options replace keys of a spec, and what
    is detected in a table.
    """
    chosen = Chosen(target, preset, model, exclude or [], features_as, epochs)
    with service(context) as client:
        run = _queued(client, (file, data), chosen, parsing)
        say(f"queued {run.id}", err)
        if watch:
            _follow(client, run, timeout, as_json=as_json)
        elif as_json:
            print_json(run)
        else:
            say(f"fitserve watch {run.id}")


def _queued(
    client: Client,
    files: tuple[Path, Path | None],
    chosen: Chosen,
    parsing: dict[str, Any],
) -> RunRead:
    body, refused, table = _read(client, *files)
    if not isinstance(table, Path) and parsing:
        raise ValueError(
            "got options for reading a file, but no file of a table; add the file, or "
            "leave the options out"
        )
    if table is not None and "target" not in body and chosen.target is None:
        raise without_target(client, table, parsing)
    uploaded = None
    if isinstance(table, Path):
        table = uploaded = _uploaded(client, table, parsing)
    if table is not None:
        body["dataset"] = table.id if uploaded else version_ref(table.name, table.version)
        body.setdefault("model_name", table.name)
    columns = [] if table is None else [column.name for column in table.columns]
    chosen.put_into(body, columns)
    with shown_by(refused), deleted_if_refused(client, uploaded):
        return client.runs.create(body)


def _read(
    client: Client, file: Path, data: Path | None
) -> tuple[dict[str, Any], Callable[[Problem], str], Path | DatasetRead | None]:
    """Return the spec, the text for a refusal of it, and the file or dataset to use."""
    if data is None and not file.exists():
        return {}, refused_options, stored_table(client, file)
    if not is_table(file):
        source = Source.read(file)
        if data is None or data.exists():
            return source.body, source.refused, data
        return source.body, source.refused, stored_table(client, data)
    if data is not None:
        raise ValueError(
            f"got {file}, a table, before {data}; expected `fitserve train SPEC TABLE`, "
            "or one table with --target"
        )
    return {}, refused_options, file


def watch(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="Id of the run.", autocompletion=runs)],
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Follow a run to its end."""
    with service(context) as client:
        _follow(client, client.runs.get(run_id), timeout, as_json=as_json)


def _uploaded(client: Client, data: Path, parsing: dict[str, Any]) -> DatasetRead:
    """Upload a table for a spec."""
    dataset = upload(client, data, **parsing)
    say(f"uploaded {dataset.name}: {rows_text(dataset.num_rows)}", err)
    say_replaced(client, dataset)
    return dataset


def _follow(
    client: Client, run: RunRead, timeout: float | None, *, as_json: bool
) -> None:
    try:
        run = follow(client, run.id, err if as_json else out, timeout)
    except RunFailed as error:
        if as_json:
            print_json(error.run)
        else:
            show_ended(client, error.run, waits=False)
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
        if _CHOOSES_INPUTS in warning:
            say("  the option of `fitserve train` for it: --features-as table")
    show_ended(client, run)
    if run.model_version is not None:
        show_new_version(client, run.model_name, run.model_version)
        say(f"  fitserve open {run.id}")
