"""`fitserve predict`."""

import contextlib
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from fitserve.cli.completion import aliases, models, versions
from fitserve.cli.console import AsJson, err, print_json, say, service
from fitserve.cli.predictions import show
from fitserve.cli.refusals import shown_by
from fitserve.cli.rows import Row, Rows
from fitserve.client import Client
from fitserve.schemas.predict import CellWarning, PredictResponse
from fitserve.spreadsheets import harmless

_WARNINGS = 5


def predict(  # noqa: PLR0913, PLR0917  an argument is an option
    context: typer.Context,
    model: Annotated[str, typer.Argument(autocompletion=models)],
    rows: Annotated[Path, typer.Argument(help="A CSV of rows.", dir_okay=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write a CSV; - is stdout.")
    ] = None,
    version: Annotated[int | None, typer.Option(min=1, autocompletion=versions)] = None,
    alias: Annotated[str | None, typer.Option(autocompletion=aliases)] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse rows that bring warnings.")
    ] = False,
    as_json: AsJson = False,
    exact: Annotated[
        bool,
        typer.Option(help="Write text as it is, also where a spreadsheet would run it."),
    ] = False,
) -> None:
    """Predict the rows of a CSV; columns that the model does not use are kept.

    Text that a spreadsheet would run as a formula is written with a ' in front.
    """
    with service(context) as client:
        table = Rows.read(rows)
        answer = _predict(client, model, table, version, alias, strict=strict)
        if as_json:
            print_json(answer)
        elif output is None:
            show(table.cells, answer)
        else:
            _write(output, table.cells, answer, exact=exact)


def _predict(
    client: Client,
    model: str,
    table: Rows,
    version: int | None,
    alias: str | None,
    *,
    strict: bool,
) -> PredictResponse:
    # the service reads numbers in text as a CSV's cells, so cells go as they are
    instances = [
        {name: cell or None for name, cell in row.items()} for row in table.cells
    ]
    with shown_by(table.refused):
        answer = client.models.predict(model, instances, version, alias, strict=strict)
    _warn(answer.warnings or [], table)
    return answer


def _warn(warnings: list[CellWarning], table: Rows) -> None:
    for warning in warnings[:_WARNINGS]:
        where = "" if warning.row is None else f"{table.place(warning.row)}, "
        say(f"{where}column {warning.column!r}: {warning.detail}", err)
    if len(warnings) > _WARNINGS:
        say(f"{len(warnings) - _WARNINGS} more warnings with --json", err)


def _write(path: Path, table: list[Row], answer: PredictResponse, *, exact: bool) -> None:
    with _opened(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        for row in _rows(table, answer):
            writer.writerow(row if exact else [harmless(cell) for cell in row])
    if str(path) != "-":
        told = f"{answer.model_name}, version {answer.model_version}"
        say(f"{told}: {len(table):,} rows in {path}", err)


def _rows(table: list[Row], answer: PredictResponse) -> Iterator[list[Any]]:
    """The header, and every row with what was predicted."""
    added = answer.table()
    yield [*table[0], *added]
    for i, row in enumerate(table):
        yield [*row.values(), *(column[i] for column in added.values())]


def _opened(path: Path) -> contextlib.AbstractContextManager[TextIO]:
    if str(path) == "-":
        return contextlib.nullcontext(sys.stdout)
    return path.open("w", encoding="utf-8", newline="")
