"""What every command shares: the client, output, errors, exit codes."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from fitserve.client import ApiError, Client, ConnectionFailed, RunFailed

FAILED, USAGE, REFUSED, UNREACHABLE = 1, 2, 3, 4
"""Exit codes: the run failed, wrong usage, the service refused, nobody answers."""

out = Console()
err = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def service(context: typer.Context) -> Iterator[Client]:
    """The client that the global options name; errors become sentences and exit codes."""
    options: dict[str, Any] = context.find_root().params
    with reporting(), Client(options.get("url"), options.get("api_key")) as client:
        yield client


@contextmanager
def reporting() -> Iterator[None]:
    """Print what went wrong, and end with the code that tells its kind."""
    try:
        yield
    except RunFailed as error:
        raise _ended(str(error), FAILED) from error
    except ApiError as error:
        raise _ended(str(error), REFUSED) from error
    except ConnectionFailed as error:
        raise _ended(str(error), UNREACHABLE) from error
    except (OSError, ValueError) as error:
        raise _ended(str(error), USAGE) from error


def _ended(sentence: str, code: int) -> typer.Exit:
    err.print(sentence, style="red", markup=False, highlight=False)
    return typer.Exit(code)


def print_json(value: BaseModel | Sequence[BaseModel]) -> None:
    """Models as JSON, plain, for other programs."""
    if isinstance(value, BaseModel):
        typer.echo(value.model_dump_json(indent=2))
    else:
        typer.echo(json.dumps([item.model_dump(mode="json") for item in value], indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A plain table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(number(cell) for cell in row))
    out.print(table, markup=False)


def number(value: Any) -> str:
    """A cell, short: four significant digits are enough to look at."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
