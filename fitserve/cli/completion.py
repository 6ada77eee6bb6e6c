"""Names that the shell completes by asking the service."""

import itertools
from collections.abc import Callable, Iterable
from contextlib import suppress

import typer

from fitserve.client import Client, FitserveError

_MOST = 50
_PATIENCE = 2.0  # seconds that somebody waits who has pressed a key


def _completing(
    names: Callable[[Client], Iterable[str]],
) -> Callable[[typer.Context, str], list[str]]:
    def complete(context: typer.Context, incomplete: str) -> list[str]:
        options = context.find_root().params
        with (
            suppress(FitserveError),  # a key was pressed, no question was asked
            Client(options.get("url"), options.get("api_key"), _PATIENCE, 0) as client,
        ):
            found = (name for name in names(client) if name.startswith(incomplete))
            return list(itertools.islice(found, _MOST))
        return []

    return complete


datasets = _completing(lambda client: (d.name for d in client.datasets.list()))
models = _completing(lambda client: (m.name for m in client.models.list()))
runs = _completing(lambda client: (run.id for run in client.runs.list()))
