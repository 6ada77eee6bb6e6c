"""The command line: `fitserve`."""

from importlib.metadata import EntryPoint, entry_points
from typing import Annotated

import typer

from fitserve import __version__
from fitserve.cli import datasets, models, runs
from fitserve.cli.console import USAGE, err
from fitserve.cli.predict import predict
from fitserve.cli.train import train, watch

HELP = """\
Upload a CSV, train a Keras network from a JSON spec, predict.

Exit codes: 0 done, 1 the run failed, 2 wrong usage, 3 the service refused,
4 no service answers.
"""


def _root(
    url: Annotated[  # noqa: ARG001  read from the context
        str | None, typer.Option(envvar="FITSERVE_URL", help="Where the service is.")
    ] = None,
    api_key: Annotated[  # noqa: ARG001  read from the context
        str | None, typer.Option(envvar="FITSERVE_API_KEY", help="Its API key.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True)
    ] = False,
) -> None:
    if version:
        typer.echo(f"fitserve {__version__}")
        raise typer.Exit


def make_app() -> typer.Typer:
    """The command line with the commands of every installed extra."""
    app = typer.Typer(
        callback=_root,
        help=HELP,
        no_args_is_help=True,
        invoke_without_command=True,
        pretty_exceptions_enable=False,
    )
    for command in (train, watch, predict):
        app.command()(command)
    for name, group in (("datasets", datasets), ("runs", runs), ("models", models)):
        app.add_typer(group.app, name=name)
    for entry in entry_points(group="fitserve.commands"):
        _add(app, entry)
    return app


def _add(app: typer.Typer, entry: EntryPoint) -> None:
    """A command of the server's extra, or in its place one that says what is missing."""
    try:
        app.command(entry.name)(entry.load())
    except ImportError as error:
        missing = error.name

        def lacking() -> None:
            err.print(
                f"`fitserve {entry.name}` needs the server, and {missing} is not "
                "installed: pip install 'fitserve[worker]'",
                style="red",
                markup=False,
            )
            raise typer.Exit(USAGE)

        app.command(entry.name, help="Needs the extra `worker`.")(lacking)


def main() -> None:
    """Run the command line."""
    make_app()()
