"""`fitserve models`."""

import re
from pathlib import Path
from typing import Annotated

import typer

from fitserve.cli import completion
from fitserve.cli.confirming import Yes, asks, confirm
from fitserve.cli.console import (
    FIGURE_COLUMNS,
    AsJson,
    Columns,
    cell,
    err,
    print_list,
    print_or_say,
    service,
)
from fitserve.client import Client

app = typer.Typer(no_args_is_help=True, help="Show, promote, download and delete models.")
Name = Annotated[str, typer.Argument(help="The model.", autocompletion=completion.models)]
Version = Annotated[int, typer.Argument(min=1, autocompletion=completion.versions)]
_MODELS: Columns = {
    "name": lambda m: m.name,
    "version": lambda m: m.latest_version,
    "aliases": lambda m: ", ".join(f"{a}={n}" for a, n in m.aliases.items()),
    **FIGURE_COLUMNS,
}
_VERSIONS: Columns = {
    "version": lambda v: v.version,
    "task": lambda v: v.task,
    "parameters": lambda v: v.num_params,
    "kept epoch": lambda v: v.best_epoch,
    **FIGURE_COLUMNS,
    "metrics": lambda v: "  ".join(f"{n} {cell(m)}" for n, m in v.metrics.items()),
    "aliases": lambda v: ", ".join(v.aliases),
}


@app.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List all models."""
    with service(context) as client:
        print_list(client.models.list(), _MODELS, as_json=as_json)


@app.command()
def show(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Show all versions of a model."""
    with service(context) as client:
        print_list(client.models.versions(name), _VERSIONS, as_json=as_json)


@app.command()
def promote(
    context: typer.Context,
    name: Name,
    version: Version,
    alias: Annotated[str, typer.Option(autocompletion=completion.aliases)] = "production",
    require: Annotated[
        list[str] | None, typer.Option(help="Condition: roc_auc>=current; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Point an alias at a version; to roll back, promote an older version."""
    with service(context) as client:
        required = dict(_requirement(text) for text in require or [])
        found = client.models.set_alias(name, alias, version, required)
        sentence = f"{found.model_name}: {alias} now points at version {found.version}"
        print_or_say(found, sentence, as_json=as_json)


def _requirement(text: str) -> tuple[str, str]:
    metric = re.split("[<>]", text, maxsplit=1)[0]
    if metric == text or not metric.strip():
        raise ValueError(f"got {text!r}; expected a condition such as roc_auc>=current")
    return metric.strip(), text[len(metric) :].strip()


@app.command()
def delete(
    context: typer.Context,
    name: Name,
    version: Annotated[
        int | None,
        typer.Option(
            min=1, help="Delete only this version.", autocompletion=completion.versions
        ),
    ] = None,
    alias: Annotated[
        str | None,
        typer.Option(help="Delete only this alias.", autocompletion=completion.aliases),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete a model with all its versions, or one version, or only an alias.

    A version cannot be deleted while an alias points at it.
    """
    with service(context) as client:
        if asks(yes=yes):
            _confirm(client, name, version, alias)
        sentence = _delete(client, name, version, alias)
        deleted = {"deleted": name, "version": version, "alias": alias}
        print_or_say(deleted, sentence, as_json=as_json, to=err)


def _confirm(client: Client, name: str, version: int | None, alias: str | None) -> None:
    """Ask whether to delete the alias, the version, or the model and all in it."""
    if alias is not None:
        confirm(f"the alias {alias!r} of the model {name!r} (the version is kept)")
    elif version is not None:
        confirm(f"version {version} of the model {name!r}")
    else:
        number = len(client.models.get(name).versions)
        confirm(f"the model {name!r} with all its versions ({number:,})")


def _delete(client: Client, name: str, version: int | None, alias: str | None) -> str:
    """Delete the model, the version or the alias; return a message."""
    if version is not None and alias is not None:
        raise ValueError("got --version and --alias; expected only one of them")
    if alias is not None:
        client.models.delete_alias(name, alias)
        return f"deleted alias {alias!r} of model {name!r}; the version is kept"
    if version is not None:
        client.models.delete_version(name, version)
        return f"deleted version {version} of model {name!r}"
    client.models.delete(name)
    return f"deleted model {name!r} with all its versions"


@app.command()
def download(
    context: typer.Context,
    name: Name,
    version: Version,
    artifact: Annotated[
        str, typer.Argument(autocompletion=completion.artifacts)
    ] = "model.keras",
    to: Annotated[Path | None, typer.Option(help="Target file.", dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Download model.keras, model.onnx, weights.npz or signature.json."""
    with service(context) as client:
        saved = client.models.download(name, version, artifact, to)
        print_or_say({"path": str(saved)}, str(saved), as_json=as_json)
