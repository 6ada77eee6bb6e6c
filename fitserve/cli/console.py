"""The client, output, errors and exit codes of every command."""

import csv
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from fitserve.client import ApiError, Client, FitserveError, RunFailed, retrying
from fitserve.main_figure import best_text, figure_text
from fitserve.number_text import number_text

FAILED, USAGE, REFUSED, UNREACHABLE, LATE, INTERRUPTED = 1, 2, 3, 4, 5, 130
"""Exit codes: the run failed, wrong usage, the service refused the request, the service
cannot be reached, --timeout expired, interrupted or not confirmed."""
CLOSED = 141
"""The exit code if the reader of the output has gone, as SIGPIPE gives."""
_CODES: tuple[tuple[type[Exception], int], ...] = (
    (RunFailed, FAILED),
    (ApiError, REFUSED),
    (FitserveError, UNREACHABLE),
    (TimeoutError, LATE),
    (Exception, USAGE),
)
_WIDE = 10_000  # characters per line in a pipe, so that no cell is cut


class CommandConsole(Console):
    """A console that reports a pipe whose reader has gone to its caller.

    Rich would end the program with code 1.
    """

    def on_broken_pipe(self) -> None:
        """Raise the BrokenPipeError that is being handled."""
        raise  # noqa: PLE0704  rich calls this method in its `except` block


out = CommandConsole()
err = CommandConsole(stderr=True)

Shown = TypeVar("Shown", bound=BaseModel)
Columns = Mapping[str, Callable[[Any], Any]]
"""The columns of a table by their header: each reads a cell from an item."""
FIGURE_COLUMNS: Columns = {
    "main figure": lambda item: item.main_figure and figure_text(item.main_figure),
    "best baseline": lambda item: item.main_figure and best_text(item.main_figure),
}
"""The main figure of a run, a version or a model, and the baseline to compare it with."""
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON; errors as JSON on stderr.")
]
Timeout = Annotated[
    float | None,
    typer.Option(min=0, metavar="SECONDS", help="Stop waiting; the run continues."),
]


@contextmanager
def service(context: typer.Context) -> Iterator[Client]:
    """Yield a client with the global options; exit with a code if a call fails."""
    options: dict[str, Any] = context.find_root().params
    with (
        _pauses_shown(),
        reporting(as_json=bool(context.params.get("as_json"))),
        Client(options.get("url"), options.get("api_key")) as client,
    ):
        yield client


@contextmanager
def _pauses_shown() -> Iterator[None]:
    """Print the client's log messages about retries on stderr."""
    handler, level = _OnStderr(), retrying.logger.level
    retrying.logger.addHandler(handler)
    retrying.logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        retrying.logger.removeHandler(handler)
        retrying.logger.setLevel(level)


class _OnStderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage(), err)


@contextmanager
def reporting(*, as_json: bool = False) -> Iterator[None]:
    """Print an error on stderr, a problem as JSON if `as_json`; exit with its code."""
    try:
        yield
    except BrokenPipeError:
        raise  # the reader of the output has closed the pipe; `Commands` exits silently
    except (FitserveError, OSError, ValueError, csv.Error) as error:
        if as_json and isinstance(error, ApiError):
            typer.echo(error.problem.model_dump_json(indent=2), err=True)
        else:
            text = _sentence(error)
            err.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
        code = next(code for kind, code in _CODES if isinstance(error, kind))
        raise typer.Exit(code) from error


def _sentence(error: Exception) -> str:
    if not isinstance(error, OSError) or error.filename is None:
        return str(error)
    path = Path(os.fsdecode(error.filename))
    if not path.parent.exists():
        return f"{str(path)!r} cannot be used: no folder {str(path.parent)!r} exists."
    if isinstance(error, FileNotFoundError):
        return f"The file {str(path)!r} does not exist."
    return f"{str(path)!r} cannot be used: {error.strerror}."


def say(sentence: str, console: Console = out) -> None:
    """Print a line unchanged, without markup and line breaks."""
    console.print(sentence, markup=False, soft_wrap=True)


def print_json(value: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> None:
    """Print a model, a list of models or an object as JSON."""
    if isinstance(value, BaseModel):
        typer.echo(value.model_dump_json(indent=2))
    elif isinstance(value, dict):
        typer.echo(json.dumps(value, indent=2))
    else:
        typer.echo(json.dumps([item.model_dump(mode="json") for item in value], indent=2))


def print_or_say(
    value: BaseModel | dict[str, Any], sentence: str, *, as_json: bool, to: Console = out
) -> None:
    """Print the result of a command, as JSON or as a sentence."""
    if as_json:
        print_json(value)
    else:
        say(sentence, to)


def print_or_show(
    value: Shown, show: Callable[[Shown], object], *, as_json: bool
) -> None:
    """Print a model as JSON, or call `show` to print the model as text."""
    if as_json:
        print_json(value)
    else:
        show(value)


def print_list(items: Iterable[BaseModel], columns: Columns, *, as_json: bool) -> None:
    """Print models as JSON, or as a table with one row per model."""
    found = list(items)
    if as_json:
        print_json(found)
    else:
        rows = [[read(item) for read in columns.values()] for item in found]
        print_table([*columns], rows)
        if not rows:
            say("none found", err)


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    width: int = _WIDE,
    first_width: int | None = None,
) -> None:
    """Print a plain table; outside a terminal, lines have at most `width` characters.

    Texts in the first column that are longer than `first_width` wrap.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        most = first_width if place == 0 else None
        table.add_column(column, overflow="fold", max_width=most)
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    console = out if out.is_terminal else CommandConsole(width=width)
    console.print(table, markup=False)


def table_width(piped: int = _WIDE) -> int:
    """Return the maximum number of characters in a line of a table.

    `piped` is the maximum outside a terminal.
    """
    return out.width if out.is_terminal else piped


def cell(value: Any) -> str:
    """Return a value as short text for a cell."""
    match value:
        case None:
            return "-"
        case float():
            return number_text(value)
        case datetime():
            return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    return str(value)
