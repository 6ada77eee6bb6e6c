"""`fitserve predict`."""

import contextlib
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from fitserve.cli.completion import aliases, models, versions
from fitserve.cli.console import AsJson, err, print_json, print_table, say, service
from fitserve.client import Client
from fitserve.schemas.predict import CellWarning, PredictResponse
from fitserve.spreadsheets import harmless

_SHOWN = 20
_WARNINGS = 5
Row = dict[str, Any]


def predict(
    context: typer.Context,
    model: Annotated[str, typer.Argument(autocompletion=models)],
    rows: Annotated[Path, typer.Argument(help="A CSV of rows.", dir_okay=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write a CSV; - is stdout.")
    ] = None,
    version: Annotated[int | None, typer.Option(min=1, autocompletion=versions)] = None,
    alias: Annotated[str | None, typer.Option(autocompletion=aliases)] = None,
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
        table = list(_read(rows))
        if not table:
            raise ValueError(f"{rows} has no rows")
        answer = _predict(client, model, table, version, alias)
        if as_json:
            print_json(answer)
        elif output is None:
            _show(table, answer)
        else:
            _write(output, table, answer, exact=exact)


def _read(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        header = reader.fieldnames or []
        if len(set(header)) < len(header):
            raise ValueError(f"{path} has two columns of one name")
        for row in reader:
            # csv's ways to say too many cells, and too few
            if None in row or None in row.values():
                raise ValueError(
                    f"line {reader.line_num} of {path} has not the {len(header)} cells "
                    "of its header"
                )
            yield row


def _predict(
    client: Client, model: str, table: list[Row], version: int | None, alias: str | None
) -> PredictResponse:
    # the service reads numbers in text as a CSV's cells, so cells go as they are
    instances = [{name: cell or None for name, cell in row.items()} for row in table]
    answer = client.models.predict(model, instances, version, alias)
    _warn(answer.warnings or [])
    return answer


def _warn(warnings: list[CellWarning]) -> None:
    for warning in warnings[:_WARNINGS]:
        where = "" if warning.row is None else f"row {warning.row}, "
        say(f"{where}column {warning.column!r}: {warning.detail}", err)
    if len(warnings) > _WARNINGS:
        say(f"{len(warnings) - _WARNINGS} more warnings with --json", err)


def _show(table: list[Row], answer: PredictResponse) -> None:
    added = answer.table()
    shown = list(table[0])[-4:]
    rows = [
        [*(row[name] for name in shown), *(column[i] for column in added.values())]
        for i, row in enumerate(table[:_SHOWN])
    ]
    print_table([*shown, *added], rows)
    more = f", {len(table) - _SHOWN:,} more with --output" if len(table) > _SHOWN else ""
    say(f"{answer.model_name}, version {answer.model_version}{more}")


def _write(path: Path, table: list[Row], answer: PredictResponse, *, exact: bool) -> None:
    with _opened(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        for row in _rows(table, answer):
            writer.writerow(row if exact else [harmless(cell) for cell in row])


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
