"""Names that the shell completes by asking the service."""

import itertools
from collections.abc import Callable, Iterable
from contextlib import suppress

import typer

from fitserve.client import Client, FitserveError
from fitserve.schemas.models import ModelRead

_MOST = 50
_PATIENCE = 2.0  # seconds that somebody waits who has pressed a key
Complete = Callable[[typer.Context, str], list[str]]


def _completing(names: Callable[[Client, typer.Context], Iterable[str]]) -> Complete:
    def complete(context: typer.Context, incomplete: str) -> list[str]:
        options = context.find_root().params
        with (
            suppress(FitserveError),  # a key was pressed, no question was asked
            Client(options.get("url"), options.get("api_key"), _PATIENCE, 0) as client,
        ):
            found = (n for n in names(client, context) if n.startswith(incomplete))
            return list(itertools.islice(found, _MOST))
        return []

    return complete


def _of_model(names: Callable[[ModelRead], Iterable[str]]) -> Complete:
    """What the model has that was named before in the line."""

    def found(client: Client, context: typer.Context) -> Iterable[str]:
        name = _model_name(context)
        return names(client.models.get(name)) if name else ()

    return _completing(found)


def _model_name(context: typer.Context) -> str | None:
    """The first argument, which an option that lacks its value leaves unparsed."""
    given: str | None = context.params.get("name") or context.params.get("model")
    return given or next(iter(context.args), None)


def _not_yet(client: Client, context: typer.Context) -> Iterable[str]:
    given = context.params.get("run_ids") or ()
    return (run.id for run in client.runs.list() if run.id not in given)


datasets = _completing(lambda client, _: (d.name for d in client.datasets.list()))
models = _completing(lambda client, _: (m.name for m in client.models.list()))
runs = _completing(lambda client, _: (run.id for run in client.runs.list()))
other_runs = _completing(_not_yet)
versions = _of_model(lambda model: map(str, model.versions))
aliases = _of_model(lambda model: model.aliases)


def artifacts(incomplete: str) -> list[str]:
    """The files that every version may have; nobody is asked."""
    names = ("model.keras", "model.onnx", "weights.npz", "signature.json")
    return [name for name in names if name.startswith(incomplete)]
