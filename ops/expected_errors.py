"""Print an expected error of a command that works without a service, and exit."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from core.errors import FitserveError, StorageUnavailable
from fitserve.cli.console import REFUSED, UNREACHABLE, USAGE
from ops.supervisor.cannot_start import CannotStart


class WrongUse(Exception):
    """The command cannot do this; the message says why, and what to do instead."""


@contextmanager
def exit_on_error(*, as_json: bool) -> Iterator[None]:
    """Print an expected error, and exit with its code."""
    try:
        yield
    except ValidationError as error:
        for line in error.errors():
            print_notice(line["msg"].removeprefix("Value error, "))
        raise typer.Exit(USAGE) from error
    except (WrongUse, CannotStart) as error:
        print_notice(str(error))
        raise typer.Exit(USAGE) from error
    except FitserveError as error:
        problem = error.problem()
        print_notice(problem.model_dump_json(indent=2) if as_json else problem.detail)
        is_away = isinstance(error, StorageUnavailable)
        raise typer.Exit(UNREACHABLE if is_away else REFUSED) from error
    except OperationalError as error:
        print_notice(
            f"The database does not answer ({error.orig}); check FITSERVE_DATABASE_URL."
        )
        raise typer.Exit(UNREACHABLE) from error


def print_notice(line: str) -> None:
    """Print a line for the user to stderr, since stdout is for programs."""
    typer.secho(line, fg="yellow", err=True)
