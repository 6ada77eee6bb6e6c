"""`fitserve datasets`."""

from pathlib import Path
from typing import Annotated

import typer

from fitserve.cli import completion, progress
from fitserve.cli.console import (
    AsJson,
    err,
    print_json,
    print_or_say,
    print_table,
    say,
    service,
)
from fitserve.cli.parsing import Decimal, Delimiter, Encoding, Header, Null, told
from fitserve.schemas.datasets import DatasetRead

app = typer.Typer(no_args_is_help=True, help="Uploaded tables.")
Ref = Annotated[
    str, typer.Argument(help="Name or id.", autocompletion=completion.datasets)
]


@app.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List every dataset, newest first."""
    with service(context) as client:
        found = list(client.datasets.list())
        if as_json:
            print_json(found)
            return
        rows = [[d.name, d.num_rows, len(d.columns), d.created_at, d.id] for d in found]
        print_table(["name", "rows", "columns", "created", "id"], rows)


@app.command()
def upload(  # noqa: PLR0913, PLR0917  an argument is an option
    context: typer.Context,
    path: Annotated[Path, typer.Argument(dir_okay=False)],
    name: Annotated[
        str | None, typer.Option(help="The file's name unless given.")
    ] = None,
    as_json: AsJson = False,
    delimiter: Delimiter = None,
    header: Header = None,
    encoding: Encoding = None,
    decimal: Decimal = None,
    null: Null = None,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="COLUMN=TYPE", help="Repeatable."),
    ] = None,
) -> None:
    """Upload a CSV, gzipped or not; what is detected wrongly can be told."""
    given = told(
        delimiter=delimiter,
        header=header,
        encoding=encoding,
        decimal=decimal,
        null_values=null,
        types=_types(kinds or []) or None,
    )
    with service(context) as client:
        _print(progress.upload(client, path, name, **given), as_json=as_json)


def _types(pairs: list[str]) -> dict[str, str]:
    """`COLUMN=TYPE` each; a column's name may hold `=` too."""
    split = [pair.rpartition("=") for pair in pairs]
    if wrong := [
        pair for pair, (name, _, _) in zip(pairs, split, strict=True) if not name
    ]:
        raise typer.BadParameter(f"{wrong[0]!r} is not COLUMN=TYPE", param_hint="--type")
    return {name: kind for name, _, kind in split}


@app.command()
def show(context: typer.Context, ref: Ref, as_json: AsJson = False) -> None:
    """Show a dataset's columns, by its name or id."""
    with service(context) as client:
        _print(client.datasets.get(ref), as_json=as_json)


@app.command()
def delete(context: typer.Context, ref: Ref, as_json: AsJson = False) -> None:
    """Delete a dataset."""
    with service(context) as client:
        client.datasets.delete(ref)
        print_or_say(
            {"deleted": ref}, f"deleted dataset {ref!r}", as_json=as_json, to=err
        )


def _print(dataset: DatasetRead, *, as_json: bool) -> None:
    if as_json:
        print_json(dataset)
        return
    say(f"{dataset.name}  {dataset.num_rows:,} rows  {dataset.id}")
    rows = [
        [c.name, c.type, c.missing, c.unique, c.min, c.mean, c.max, "; ".join(c.warnings)]
        for c in dataset.columns
    ]
    header = ["column", "type", "missing", "unique", "min", "mean", "max", "warnings"]
    print_table(header, rows)
