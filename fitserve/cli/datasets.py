"""`fitserve datasets`."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from fitserve.cli import completion, progress
from fitserve.cli.confirming import Yes, asks, confirm
from fitserve.cli.console import (
    AsJson,
    Columns,
    cell,
    err,
    print_list,
    print_or_say,
    print_or_show,
    print_table,
    say,
    service,
)
from fitserve.cli.parsing import reads_file
from fitserve.cli.places import refused
from fitserve.cli.refusals import shown_by
from fitserve.cli.uploads import say_replaced
from fitserve.client import ApiError, Client, Forbidden
from fitserve.enums import WarningKind
from fitserve.names import version_ref
from fitserve.number_text import rows_text
from fitserve.schemas.datasets import ColumnRead, DatasetPreview, DatasetRead

app = typer.Typer(
    no_args_is_help=True,
    help="Preview, upload, append to, list, show, rename and delete datasets.",
)
Ref = Annotated[
    str,
    typer.Argument(
        help="Dataset name, version (houses@2) or id.", autocompletion=completion.datasets
    ),
]
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="Dataset name.", autocompletion=completion.datasets
    ),
]
_DATASETS: Columns = {
    "name": lambda d: d.name,
    "version": lambda d: d.version,
    "rows": lambda d: d.num_rows,
    "columns": lambda d: len(d.columns),
    "created": lambda d: d.created_at,
    "id": lambda d: d.id,
}
_COLUMNS: Columns = {
    "column": lambda c: c.name,
    "type": lambda c: c.type,
    "missing": lambda c: c.missing,
    "unique": lambda c: c.unique,
    "min": lambda c: c.min,
    "mean": lambda c: c.mean,
    "max": lambda c: c.max,
    "warnings": lambda c: "; ".join(_remarks(c)["warning"]),
}
_NOTES: Columns = {"notes": lambda c: "; ".join(_remarks(c)["note"])}
"""The last column of a table of columns, if there are notes."""


@app.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List all datasets, newest first."""
    with service(context) as client:
        print_list(client.datasets.list(), _DATASETS, as_json=as_json)


@app.command()
@reads_file
def upload(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="The file to upload.", dir_okay=False)],
    name: Annotated[
        str | None, typer.Option(help="Name of the dataset. Default: the file's name.")
    ] = None,
    as_json: AsJson = False,
    *,
    parsing: dict[str, Any],
) -> None:
    """Upload a file of rows; options replace what is detected.

    CSV, JSON Lines, Parquet, Arrow IPC and workbooks are recognised by their content,
    also packed with gzip or zstd.
    """
    with service(context) as client:
        dataset = progress.upload(client, path, name, **parsing)
        say_replaced(client, dataset)
        print_or_show(dataset, _show, as_json=as_json)


@app.command()
@reads_file
def append(
    context: typer.Context,
    ref: Name,
    path: Annotated[Path, typer.Argument(help="The file to append.", dir_okay=False)],
    as_json: AsJson = False,
    *,
    parsing: dict[str, Any],
) -> None:
    """Append a file of rows to a dataset, as its next version.

    The columns keep their types; the warnings say which columns and categories are new.
    """
    with service(context) as client:
        with shown_by(lambda problem: refused(path, parsing, problem)):
            dataset = progress.append(client, ref, path, **parsing)
        print_or_show(dataset, _show_append, as_json=as_json)


@app.command()
@reads_file
def preview(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="The file to preview.", dir_okay=False)],
    as_json: AsJson = False,
    *,
    parsing: dict[str, Any],
) -> None:
    """Show how a file would be read with these options; nothing is stored."""
    with service(context) as client:
        found = client.datasets.preview(path, **parsing)
        print_or_show(found, _show_preview, as_json=as_json)


def _show_preview(found: DatasetPreview) -> None:
    more = "" if found.is_complete else ", more follow"
    say(f"{rows_text(found.rows.total)} read{more}")
    for warning in found.warnings:
        say(f"warning: {warning}")
    _print_columns(found.columns)
    print_table(found.rows.columns, found.rows.data)


@app.command()
def show(context: typer.Context, ref: Ref, as_json: AsJson = False) -> None:
    """Show the columns of a dataset."""
    with service(context) as client:
        print_or_show(client.datasets.get(ref), _show, as_json=as_json)


@app.command()
def rename(
    context: typer.Context,
    ref: Ref,
    name: Annotated[str, typer.Argument(help="The new name.")],
    as_json: AsJson = False,
) -> None:
    """Rename a dataset with all its versions; refused if runs name it."""
    with service(context) as client:
        found = client.datasets.rename(ref, name)
        print_or_say(found, f"renamed {ref!r} to {found.name!r}", as_json=as_json)


@app.command()
def delete(
    context: typer.Context, ref: Ref, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Delete a dataset; of a name, its newest version only."""
    with service(context) as client:
        found = _readable(client, ref)
        if asks(yes=yes):
            _confirm(found or client.datasets.get(ref))
        client.datasets.delete(found.id if found else ref)
        sentence = f"deleted {_named(found) if found else f'dataset {ref!r}'}"
        if found and not as_json:
            sentence += _newest_now(client, found)
        deleted: dict[str, Any] = {"deleted": ref}
        if found:
            deleted |= {"id": found.id, "version": found.version}
        print_or_say(deleted, sentence, as_json=as_json, to=err)


def _remarks(of: DatasetRead | ColumnRead) -> dict[str, list[str]]:
    """Return the warnings, and the notes, which are for information."""
    found: dict[str, list[str]] = {"warning": [], "note": []}
    # datasets of earlier releases have no kinds
    kinds = of.warning_kinds or [WarningKind.READING] * len(of.warnings)
    for text, kind in zip(of.warnings, kinds, strict=True):
        found["note" if kind.is_note else "warning"].append(text)
    return found


def _show_append(dataset: DatasetRead) -> None:
    added = rows_text(dataset.num_added or 0)
    say(f"{added} added to {version_ref(dataset.name, dataset.version)}")
    for word, texts in _remarks(dataset).items():
        for text in texts:
            say(f"{word}: {text}")
    _show(dataset)


def _readable(client: Client, ref: str) -> DatasetRead | None:
    """Return a dataset; None if the key may delete datasets and not read them."""
    with suppress(Forbidden):
        return client.datasets.get(ref)
    return None


def _named(dataset: DatasetRead) -> str:
    ref = version_ref(dataset.name, dataset.version)
    return (
        f"version {dataset.version} of the dataset {dataset.name!r} ({ref}, {dataset.id})"
    )


def _confirm(found: DatasetRead) -> None:
    """Ask whether to delete a version of a dataset."""
    size = f"{rows_text(found.num_rows)}, {cell(found.created_at)}, {found.id}"
    confirm(f"version {found.version} of the dataset {found.name!r} ({size})")


def _newest_now(client: Client, deleted: DatasetRead) -> str:
    """Return which version of the name is the newest after a deletion."""
    try:
        newest = next(iter(client.datasets.list(deleted.name)), None)
    except ApiError:  # the version is deleted all the same
        return ""
    if newest is None:
        return "; no other version is left"
    ref = version_ref(newest.name, newest.version)
    return f"; the newest version is {ref} ({rows_text(newest.num_rows)})"


def _show(dataset: DatasetRead) -> None:
    is_first = dataset.version == 1
    title = dataset.name if is_first else version_ref(dataset.name, dataset.version)
    say(f"{title}  {rows_text(dataset.num_rows)}  {dataset.id}")
    _print_columns(dataset.columns)


def _print_columns(columns: Sequence[ColumnRead]) -> None:
    has_notes = any(_remarks(column)["note"] for column in columns)
    shown = {**_COLUMNS, **_NOTES} if has_notes else _COLUMNS
    print_list(columns, shown, as_json=False)
