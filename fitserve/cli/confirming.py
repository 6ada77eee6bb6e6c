"""Ask before something is deleted."""

import sys
from typing import Annotated

import typer

from fitserve.cli.console import INTERRUPTED, err, say

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask on a terminal.")]


def asks(*, yes: bool) -> bool:
    """Return whether a person at a terminal has to confirm."""
    return not yes and sys.stdin.isatty()


def confirm(what: str) -> None:
    """Ask on stderr whether to delete `what`; exit unless the answer is yes."""
    if not typer.confirm(f"Delete {what}?", err=True):
        say("nothing was deleted", err)
        raise typer.Exit(INTERRUPTED)
