"""The command line: `fitserve`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fitserve import __version__
from fitserve.cli import completion, datasets, models, runs
from fitserve.cli.console import AsJson, print_json, print_or_say, service
from fitserve.cli.extras import Commands
from fitserve.cli.page import open_
from fitserve.cli.predict import predict
from fitserve.cli.train import train, watch

HELP = """\
Train a Keras network on a table, and predict.

To begin: `fitserve up` starts a service; in another terminal, `fitserve train TABLE
--target COLUMN` trains on a file, and `fitserve open` shows the page.

Exit codes: 0 success, 1 the run failed, 2 wrong usage, 3 the service refused the
request, 4 the service cannot be reached, 5 --timeout expired, 130 interrupted
or not confirmed, 141 the reader of the output has gone.
"""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fitserve {__version__}")
        raise typer.Exit


def _root(
    url: Annotated[
        str | None, typer.Option(envvar="FITSERVE_URL", help="URL of the service.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="FITSERVE_API_KEY", help="API key to send.")
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


def openapi(
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Argument(help="Name of a model.", autocompletion=completion.models),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,  # the document is always JSON
) -> None:
    """Print the OpenAPI document of the service, or of the endpoint of one model."""
    with service(context) as client:
        document = client.openapi(model)
        if output is None:
            print_json(document)
            return
        output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        print_or_say({"path": str(output)}, str(output), as_json=as_json)


def make_app() -> typer.Typer:
    """Return the command line with the commands of all installed extras."""
    app = typer.Typer(
        cls=Commands,
        callback=_root,
        help=HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    for command in (train, watch, predict, openapi):
        app.command()(command)
    app.command("open")(open_)
    for name, group in (("datasets", datasets), ("runs", runs), ("models", models)):
        app.add_typer(group.app, name=name)
    return app


def main() -> None:
    """Run the command line."""
    make_app()()
