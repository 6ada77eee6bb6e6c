"""What every command shares: the client, output, errors, exit codes."""

import csv
import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from fitserve.cli.numbers import number
from fitserve.client import ApiError, Client, FitserveError, RunFailed, retrying

FAILED, USAGE, REFUSED, UNREACHABLE, LATE = 1, 2, 3, 4, 5
"""Exit codes: the run failed, wrong usage, the service refused, nobody answers, the time
given by --timeout is up."""

_WIDE = 10_000  # columns of a pipe: what is cut there is lost
out = Console()
err = Console(stderr=True)

AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON, a problem on stderr too.")
]
Timeout = Annotated[
    float | None,
    typer.Option(min=0, metavar="SECONDS", help="Wait no longer; the run goes on."),
]


@contextmanager
def service(context: typer.Context) -> Iterator[Client]:
    """The client that the global options name; errors become sentences and exit codes."""
    options: dict[str, Any] = context.find_root().params
    with (
        _telling_pauses(),
        reporting(as_json=bool(context.params.get("as_json"))),
        Client(options.get("url"), options.get("api_key")) as client,
    ):
        yield client


@contextmanager
def _telling_pauses() -> Iterator[None]:
    """Whoever waits for a busy service learns that, and for how long."""
    told = _Told()
    retrying.logger.addHandler(told)
    level = retrying.logger.level
    retrying.logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        retrying.logger.removeHandler(told)
        retrying.logger.setLevel(level)


class _Told(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage(), err)


@contextmanager
def reporting(*, as_json: bool = False) -> Iterator[None]:
    """Print what went wrong, and end with the code that tells its kind.

    With `as_json` a problem is printed as it came; other failures stay sentences.
    """
    try:
        yield
    except BrokenPipeError:
        raise  # the reader of our output went away; typer ends quietly
    except RunFailed as error:
        raise _ended(error, FAILED) from error
    except ApiError as error:
        if as_json:
            typer.echo(error.problem.model_dump_json(indent=2), err=True)
            raise typer.Exit(REFUSED) from error
        raise _ended(error, REFUSED) from error
    except FitserveError as error:
        raise _ended(error, UNREACHABLE) from error
    except TimeoutError as error:
        raise _ended(error, LATE) from error
    except OSError as error:
        raise _ended(_of_file(error), USAGE) from error
    except (ValueError, csv.Error) as error:
        raise _ended(error, USAGE) from error


def _of_file(error: OSError) -> str:
    if error.filename is None:
        return str(error)
    path = Path(os.fsdecode(error.filename))
    if not path.parent.exists():
        return (
            f"There is no folder {str(path.parent)!r}, which {path.name!r} would be in."
        )
    if isinstance(error, FileNotFoundError):
        return f"There is no file {str(path)!r}."
    return f"{str(path)!r} cannot be used: {error.strerror}."


def _ended(error: Exception | str, code: int) -> typer.Exit:
    err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(code)


def say(sentence: str, console: Console = out) -> None:
    """Print a line as it is: no markup in it, no break put into it."""
    console.print(sentence, markup=False, soft_wrap=True)


def print_json(value: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> None:
    """Models, or an object, as JSON, plain, for other programs."""
    if isinstance(value, BaseModel):
        typer.echo(value.model_dump_json(indent=2))
    elif isinstance(value, dict):
        typer.echo(json.dumps(value, indent=2))
    else:
        typer.echo(json.dumps([item.model_dump(mode="json") for item in value], indent=2))


def print_or_say(
    value: dict[str, Any], sentence: str, *, as_json: bool, to: Console = out
) -> None:
    """What was done: an object for programs, else a sentence."""
    if as_json:
        print_json(value)
    else:
        say(sentence, to)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A plain table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    console = out if out.is_terminal else Console(width=_WIDE)
    console.print(table, markup=False)


def table_width() -> int:
    """Characters that a line of a table may have."""
    return out.width if out.is_terminal else _WIDE


def cell(value: Any) -> str:
    """A cell, short."""
    match value:
        case None:
            return "-"
        case float():
            return number(value)
        case datetime():
            return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    return str(value)
