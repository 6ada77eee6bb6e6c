"""Every command of the command line, as its parser has them."""

from typer import Context
from typer.main import get_command

from fitserve.cli.app import make_app


def every_command():
    """Path and command, those of the installed extras last."""
    yield from _below(get_command(make_app()), ())


def _below(group, path):
    context = Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if hasattr(command, "list_commands"):
            yield from _below(command, (*path, name))
        else:
            yield (*path, name), command
