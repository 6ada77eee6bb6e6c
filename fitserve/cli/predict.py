"""`fitserve predict`."""

import contextlib
import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from fitserve.cli.completion import models
from fitserve.cli.console import AsJson, err, print_json, print_table, say, service
from fitserve.client import ApiError, Client
from fitserve.problems import Problem
from fitserve.schemas.predict import CellWarning, PredictResponse
from fitserve.spreadsheets import harmless

_SHOWN = 20
_COLUMNS = 6
_WARNINGS = 5
_ROW = re.compile(r"\b[Rr]ow (\d+)\b")
Row = dict[str, Any]


def predict(
    context: typer.Context,
    model: Annotated[str, typer.Argument(autocompletion=models)],
    rows: Annotated[Path, typer.Argument(help="A CSV of rows.", dir_okay=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write a CSV; - is stdout.")
    ] = None,
    version: Annotated[int | None, typer.Option(min=1)] = None,
    alias: Annotated[str | None, typer.Option()] = None,
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
    try:
        answer = client.models.predict(model, instances, version, alias)
    except ApiError as error:
        raise type(error)(_by_lines(error.problem)) from error
    _warn(answer.warnings or [])
    return answer


def _by_lines(problem: Problem) -> Problem:
    """With lines of the CSV for rows."""

    def told(text: str) -> str:
        return _ROW.sub(lambda found: _line(int(found[1])), text)

    errors = [e.model_copy(update={"detail": told(e.detail)}) for e in problem.errors]
    return problem.model_copy(update={"detail": told(problem.detail), "errors": errors})


def _line(row: int) -> str:
    """Of the CSV, counted from 1 with its header, where rows are from 0."""
    return f"line {row + 2}"


def _warn(warnings: list[CellWarning]) -> None:
    for warning in warnings[:_WARNINGS]:
        where = "" if warning.row is None else f"{_line(warning.row)}, "
        say(f"{where}column {warning.column!r}: {warning.detail}", err)
    if len(warnings) > _WARNINGS:
        say(f"{len(warnings) - _WARNINGS} more warnings with --json", err)


def _show(table: list[Row], answer: PredictResponse) -> None:
    added = answer.table()
    names = list(table[0])
    shown = [*names[:1], *names[1:][1 - _COLUMNS :]]  # the first is often an id
    rows = [
        [*(row[name] for name in shown), *(column[i] for column in added.values())]
        for i, row in enumerate(table[:_SHOWN])
    ]
    print_table([*shown, *added], rows)
    hidden = {"rows": len(table) - _SHOWN, "columns": len(names) - len(shown)}
    more = " and ".join(f"{n:,} more {what}" for what, n in hidden.items() if n > 0)
    told = f"; --output FILE keeps {more}" if more else ""
    say(f"{answer.model_name}, version {answer.model_version}{told}")


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
