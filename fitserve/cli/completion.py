"""Shell completion of names, which are requested from the service."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice

import typer

from fitserve.client import Client, FitserveError
from fitserve.schemas.models import ModelRead

_MOST = 50
_ANSWER_SECONDS = 2.0  # the user has pressed a key and waits
Complete = Callable[[typer.Context, str], list[str]]


def _completing(names: Callable[[Client, typer.Context], Iterable[str]]) -> Complete:
    def complete(context: typer.Context, incomplete: str) -> list[str]:
        given = context.find_root().params
        url, key = given.get("url"), given.get("api_key")
        with (
            suppress(FitserveError),  # an error would disturb the command line
            Client(url, key, _ANSWER_SECONDS, retry_seconds=0) as client,
        ):
            found = (n for n in names(client, context) if n.startswith(incomplete))
            return list(islice(found, _MOST))
        return []

    return complete


def _of_model(names: Callable[[ModelRead], Iterable[str]]) -> Complete:
    """Complete names that belong to the model in the command line."""

    def found(client: Client, context: typer.Context) -> Iterable[str]:
        given = context.params.get("name") or context.params.get("model")
        # an option without its value leaves the arguments unparsed
        name = given or next(iter(context.args), None)
        return names(client.models.get(name)) if name else ()

    return _completing(found)


def _other_runs(client: Client, context: typer.Context) -> Iterable[str]:
    given = context.params.get("run_ids") or ()
    return (run.id for run in client.runs.summaries() if run.id not in given)


datasets = _completing(lambda client, _: (d.name for d in client.datasets.list()))
models = _completing(lambda client, _: (m.name for m in client.models.list()))
runs = _completing(lambda client, _: (run.id for run in client.runs.summaries()))
other_runs = _completing(_other_runs)
versions = _of_model(lambda model: map(str, model.versions))
aliases = _of_model(lambda model: model.aliases)


def artifacts(incomplete: str) -> list[str]:
    """Complete the files that all versions have."""
    names = ("model.keras", "model.onnx", "weights.npz", "signature.json")
    return [name for name in names if name.startswith(incomplete)]
