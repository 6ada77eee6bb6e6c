"""Write the tables of commands and exit codes from the parser of the command line."""

from collections.abc import Iterable
from typing import Any

from typer import Context
from typer.main import get_command

from docs.generating.tables import filled, first_sentence, table
from fitserve.cli.app import make_app
from fitserve.cli.console import (
    CLOSED,
    FAILED,
    INTERRUPTED,
    LATE,
    REFUSED,
    UNREACHABLE,
    USAGE,
)

EXIT_CODES = {
    0: "done; a run that was cancelled has ended, too",
    FAILED: "the run failed, or `doctor` found something to fix",
    USAGE: "wrong usage: an option, or a file that cannot be read; nothing was sent",
    REFUSED: "the service refused; the problem says why",
    UNREACHABLE: "the service cannot be reached, or the server is not fitserve",
    LATE: "`--timeout` expired; the run continues",
    INTERRUPTED: "interrupted, or a deletion was not confirmed; a run that was followed "
    "goes on",
    CLOSED: "the reader of the output has gone, such as `| head -1`",
}


def page() -> str:
    """Return docs/cli.md."""
    codes = [(str(code), meaning) for code, meaning in EXIT_CODES.items()]
    commands = [_row(path, command) for path, command in every_command()]
    return filled(
        "docs/cli.md",
        {
            "commands": table(("command", "does", "options"), commands),
            "exit codes": table(("exit code", "means"), codes),
        },
    )


def every_command() -> Iterable[tuple[tuple[str, ...], Any]]:
    """Yield the path and the command; commands of extras come last."""
    yield from _below(get_command(make_app()), ())


def _below(group: Any, path: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], Any]]:
    context = Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if hasattr(command, "list_commands"):
            yield from _below(command, (*path, name))
        else:
            yield (*path, name), command


def _row(path: tuple[str, ...], command: Any) -> tuple[str, str, str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    call = " ".join(["fitserve", *path, *map(_argument, arguments)])
    named = [f"`{max(p.opts, key=len)}`" for p in options if p.name not in _EVERYWHERE]
    return f"`{call}`", first_sentence(command.help), " ".join(named)


_EVERYWHERE = ("help", "as_json")


def _argument(parameter: Any) -> str:
    """Return an argument as the help names it; `|` would end a cell of the table."""
    name: str = (parameter.metavar or parameter.name.upper()).replace("|", r"\|")
    return name if parameter.required else f"[{name}]"
