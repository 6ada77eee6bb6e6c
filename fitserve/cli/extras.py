"""Load the commands of installed extras, named in pyproject.toml, when they are used.

`fitserve predict` never imports the server. `fitserve up` without the libraries of the
server prints the `pip install` that is missing.
"""

import functools
import os
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from pydantic import ValidationError
from typer.core import TyperGroup
from typer.main import get_command

from fitserve.cli.console import CLOSED, USAGE, err
from fitserve.problems import field_errors
from fitserve.server import use_server_path

GROUP = "fitserve.commands"
Function = Callable[..., Any]
_ANY = {"ignore_unknown_options": True, "allow_extra_args": True}


class Commands(TyperGroup):
    """The built-in commands and, after them, the commands of the extras."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; describe wrong options in words, without those of pydantic.

        Exits silently if the reader of the output has gone.
        """
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            if isinstance(error.__cause__, ValidationError):
                (line, *_) = field_errors(error.__cause__.errors(include_url=False))
                error.message = line.detail
            raise
        except BrokenPipeError as error:
            # otherwise Python reports that it cannot flush stdout
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(CLOSED) from error

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, each once."""
        extras = sorted(entry_points(group=GROUP).names)
        names = [*super().list_commands(ctx), *extras]
        return list(dict.fromkeys(names))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the built-in command of this name, else the command of an extra."""
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        entries = entry_points(group=GROUP, name=cmd_name)
        return next((_command(entry) for entry in entries), None)


def _command(entry: EntryPoint) -> Any:
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    use_server_path()
    try:
        loaded = entry.load()
        if isinstance(loaded, typer.Typer):  # a group of commands
            group = get_command(_guarded_group(entry.name, loaded))
            group.name = entry.name  # otherwise the help has no name
            return group
        alone.command(entry.name)(_guarded(entry.name, loaded))
    except ImportError as error:
        alone.command(entry.name, context_settings=_ANY)(_lacking(entry.name, error))
    return get_command(alone)


def _guarded_group(name: str, group: typer.Typer) -> typer.Typer:
    for command in group.registered_commands:
        if command.callback is not None:
            command.callback = _guarded(name, command.callback)
    return group


def _guarded(name: str, function: Function) -> Function:
    """Return `function`; if it imports a missing library, it prints how to install it."""

    @functools.wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except ModuleNotFoundError as error:
            return _lacking(name, error)()

    return called


def _lacking(name: str, error: ImportError) -> Function:
    def lacking() -> None:
        """Install the server first: pip install 'fitserve[worker]'."""
        sentence = (
            f"`fitserve {name}` needs the server's libraries ({error}). "
            "Install them: pip install 'fitserve[worker]'"
        )
        err.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(USAGE)

    return lacking
