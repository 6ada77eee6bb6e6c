"""`fitserve up`: start the supervisor from the command line."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.lazy import LazyModule
from ops.options import Home
from ops.settings_errors import WRONG_SETTINGS, settings_sentences
from ops.supervisor.cannot_start import CannotStart

if TYPE_CHECKING:
    from core import settings
    from ops.supervisor import supervisor
    from ops.supervisor.ready import Ready
else:  # needs the server's libraries, which other commands do not need
    settings = LazyModule("core.settings")
    supervisor = LazyModule("ops.supervisor.supervisor")


def up(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. [127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="0 chooses a free port. [8000]")
    ] = None,
    home: Home = None,
    api_workers: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="Number of API processes. [1]"),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print a line of JSON when the service is ready."),
    ] = False,
) -> None:
    """Start API, worker and broker on this machine; Ctrl-C stops them."""
    given: dict[str, Any] = {
        "host": host,
        "port": port,
        "home": home,
        "api_workers": api_workers,
    }
    try:
        chosen = {name: value for name, value in given.items() if value is not None}
        say = partial(_print, err=as_json)  # with --json, stdout has one line only
        supervisor.Supervisor(
            settings.Settings(**chosen), say, _print_json if as_json else _print_ready
        ).run()
    except WRONG_SETTINGS as error:
        for sentence in settings_sentences(error):
            typer.secho(sentence, fg="red", err=True)
        raise typer.Exit(2) from error
    except CannotStart as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(2) from error


def _print_ready(ready: "Ready") -> None:
    _print(f"fitserve is ready at {ready.url}")
    _print("Open this address in a browser.")
    _print(f"API reference {ready.url}/docs, files and logs in {ready.home}")


def _print_json(ready: "Ready") -> None:
    _print(ready.model_dump_json())


def _print(line: str, *, err: bool = False) -> None:
    """Print a line; continue if the reader has closed the pipe."""
    name = "stderr" if err else "stdout"
    try:
        typer.echo(line, err=err)
        getattr(sys, name).flush()
    except BrokenPipeError:
        devnull = Path(os.devnull).open("w")  # noqa: SIM115  for the rest of the process
        setattr(sys, name, devnull)
