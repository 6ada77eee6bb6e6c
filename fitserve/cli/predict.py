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
from fitserve.cli.parsing import reads_file
from fitserve.cli.places import refused, rows_of, warn
from fitserve.cli.predictions import Predicted, show
from fitserve.cli.refusals import shown_by
from fitserve.file_formats import other_ending, stem_of
from fitserve.number_text import rows_text
from fitserve.spreadsheets import harmless

_OUTPUT = (
    "CSV to write, with commas between cells; - is stdout. The cells of the file are "
    "unchanged, and predicted numbers have a decimal point."
)


def _csv_path(path: Path | None) -> Path | None:
    """Refuse a name of another format, because the output is CSV."""
    if path is not None and (ending := other_ending(path.name)) is not None:
        stem = stem_of(path.name).removesuffix(ending)
        raise typer.BadParameter(
            f"got {path.name!r}, but the output is CSV; expected a name such as "
            f"'{stem}.csv', which spreadsheets open too"
        )
    return path


@reads_file
def predict(  # noqa: PLR0913, PLR0917  one argument per option
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Model name.", autocompletion=models)],
    file: Annotated[Path, typer.Argument(help="The file of rows.", dir_okay=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=_OUTPUT, callback=_csv_path),
    ] = None,
    version: Annotated[int | None, typer.Option(min=1, autocompletion=versions)] = None,
    alias: Annotated[str | None, typer.Option(autocompletion=aliases)] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse rows that cause warnings.")
    ] = False,
    as_json: AsJson = False,
    exact: Annotated[
        bool,
        typer.Option(help="Write text unchanged, even if a spreadsheet would run it."),
    ] = False,
    *,
    parsing: dict[str, Any],
) -> None:
    """Predict the rows of a file; the output keeps all columns of the file.

    The file is read like an upload, with the formats of the model's columns; options
    replace what is detected, and --type a format. In the output, a '
    precedes text that a spreadsheet would run as a formula.
    """
    with service(context) as client:
        with shown_by(lambda problem: refused(file, parsing, problem)):
            answer = client.models.predict_file(
                model, file, version, alias, strict, **parsing
            )
        rows = rows_of(file, parsing, answer)
        warn(answer, rows)
        predicted = Predicted.of(rows, answer)
        if output is not None and not (as_json and str(output) == "-"):
            _write(output, predicted, exact=exact)
        if as_json:
            print_json(answer)
        elif output is None:
            show(predicted)


def _write(path: Path, predicted: Predicted, *, exact: bool) -> None:
    with _opened(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        for row in predicted.lines():
            writer.writerow(row if exact else [harmless(cell) for cell in row])
    if str(path) != "-":
        answer = predicted.answer
        said = f"{answer.model_name}, version {answer.model_version}"
        say(f"{said}: {rows_text(len(answer.predictions))} in {path}", err)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Open a file for writing, which replaces `path` (maybe the input) once complete."""
    if str(path) == "-":
        yield sys.stdout
        return
    target = path.resolve()
    if target.exists() and not target.is_file():  # such as /dev/null
        with target.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
