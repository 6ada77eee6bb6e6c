"""`fitserve open`."""

import webbrowser
from contextlib import suppress
from typing import Annotated
from urllib.parse import quote

import typer

from fitserve.cli.completion import runs
from fitserve.cli.console import AsJson, err, print_or_say, say, service
from fitserve.client import ApiError, Client


def open_(
    context: typer.Context,
    run_id: Annotated[
        str | None, typer.Argument(help="Id of a run to show.", autocompletion=runs)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Open the page of the service in a browser; print its address."""
    with service(context) as client:
        url = _address(client, run_id)
        is_open = webbrowser.open(url)
        print_or_say({"url": url, "opened": is_open}, url, as_json=as_json)
        if not is_open:
            say("No browser could be started here; open this address yourself.", err)


def _address(client: Client, run_id: str | None) -> str:
    """Return the address of the page; raise if the service or the run is not there."""
    if run_id is None:
        with suppress(ApiError):  # a page asks for the key
            client.openapi()
        return f"{client.base_url}/"
    run = client.runs.get(run_id)
    return f"{client.base_url}/#/runs/{quote(run.id)}"
