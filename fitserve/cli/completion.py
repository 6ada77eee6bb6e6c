"""Names that the shell completes by asking the service."""

import itertools
from collections.abc import Callable, Iterable
from contextlib import suppress

import typer

from fitserve.client import Client, FitserveError

_MOST = 50
_PATIENCE = 2.0  # seconds that somebody waits who has pressed a key


def _completing(
    names: Callable[[Client, str], Iterable[str]],
) -> Callable[[typer.Context, str], list[str]]:
    def complete(context: typer.Context, incomplete: str) -> list[str]:
        options = context.find_root().params
        # behind an option without its value click leaves arguments unread
        model = context.params.get("name") or next(iter(context.args), "")
        with (
            suppress(FitserveError),  # a key was pressed, no question was asked
            Client(options.get("url"), options.get("api_key"), _PATIENCE, 0) as client,
        ):
            found = (name for name in names(client, model) if name.startswith(incomplete))
            return list(itertools.islice(found, _MOST))
        return []

    return complete


datasets = _completing(lambda client, _: (d.name for d in client.datasets.list()))
models = _completing(lambda client, _: (m.name for m in client.models.list()))
runs = _completing(lambda client, _: (run.id for run in client.runs.list()))
versions = _completing(
    lambda client, model: (str(v.version) for v in client.models.versions(model))
)
aliases = _completing(lambda client, model: client.models.get(model).aliases)
