"""`fitserve train` and `fitserve watch`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from fitserve.cli.console import AsJson, err, number, out, print_json, service
from fitserve.cli.progress import watch as follow
from fitserve.client import Client
from fitserve.schemas.runs import RunRead

SpecPath = Annotated[Path, typer.Argument(help="A RunCreate as JSON.", dir_okay=False)]
DataPath = Annotated[
    Path | None, typer.Argument(help="A CSV to upload and train on.", dir_okay=False)
]


def train(
    context: typer.Context,
    spec: SpecPath,
    data: DataPath = None,
    watch: Annotated[bool, typer.Option(help="Follow the run to its end.")] = True,
    name: Annotated[str | None, typer.Option(help="Name of the model.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train the network that SPEC describes, on DATA if it is given."""
    with service(context) as client:
        body = _body(spec)
        if name is not None:
            body["model_name"] = name
        if data is not None:
            dataset = client.datasets.upload(data)
            err.print(f"uploaded {dataset.name}: {dataset.num_rows:,} rows", markup=False)
            body["dataset"] = dataset.id
            body.setdefault("model_name", dataset.name)
        run = client.runs.create(body)
        err.print(f"queued {run.id}", markup=False)
        _follow(client, run, follows=watch, as_json=as_json)


def watch(context: typer.Context, run_id: str, as_json: AsJson = False) -> None:
    """Follow a run to its end."""
    with service(context) as client:
        _follow(client, client.runs.get(run_id), follows=True, as_json=as_json)


def _body(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ValueError(f"{path} holds no JSON object")  # noqa: TRY004  usage, not type
    return body


def _follow(client: Client, run: RunRead, *, follows: bool, as_json: bool) -> None:
    if follows:
        run = follow(client, run.id, err if as_json else out)
    if as_json:
        print_json(run)
    elif follows:
        _summary(run)
    else:
        out.print(f"fitserve watch {run.id}")


def _summary(run: RunRead) -> None:
    kept = f", best epoch {run.best_epoch}" if run.best_epoch else ""
    out.print(f"{run.status} ({run.stop_reason}) after epoch {run.progress.epoch}{kept}")
    for name, value in run.metrics.items():
        out.print(f"  {name:<24} {number(value)}")
    if run.model_version is not None:
        out.print(f"model {run.model_name}, version {run.model_version}; now try:")
        out.print(f"  fitserve predict {run.model_name} ROWS.csv")
