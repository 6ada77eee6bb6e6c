"""`fitserve models`."""

import re
from pathlib import Path
from typing import Annotated

import typer

from fitserve.cli import completion
from fitserve.cli.console import (
    AsJson,
    Columns,
    cell,
    err,
    print_list,
    print_or_say,
    service,
)
from fitserve.client import Client

app = typer.Typer(no_args_is_help=True, help="Trained networks.")
Name = Annotated[str, typer.Argument(autocompletion=completion.models)]
Version = Annotated[int, typer.Argument(min=1, autocompletion=completion.versions)]
_MODELS: Columns = {
    "name": lambda m: m.name,
    "version": lambda m: m.latest_version,
    "aliases": lambda m: ", ".join(f"{a}={n}" for a, n in m.aliases.items()),
}
_VERSIONS: Columns = {
    "version": lambda v: v.version,
    "task": lambda v: v.task,
    "parameters": lambda v: v.num_params,
    "kept epoch": lambda v: v.best_epoch,
    "metrics": lambda v: "  ".join(f"{n} {cell(m)}" for n, m in v.metrics.items()),
    "aliases": lambda v: ", ".join(v.aliases),
}


@app.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List every model."""
    with service(context) as client:
        print_list(client.models.list(), _MODELS, as_json=as_json)


@app.command()
def show(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Show the versions of a model."""
    with service(context) as client:
        print_list(client.models.versions(name), _VERSIONS, as_json=as_json)


@app.command()
def promote(
    context: typer.Context,
    name: Name,
    version: Version,
    alias: Annotated[str, typer.Option(autocompletion=completion.aliases)] = "production",
    require: Annotated[
        list[str] | None, typer.Option(help="roc_auc>=current; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Point an alias at a version; promote an older one to roll back."""
    with service(context) as client:
        required = dict(_requirement(text) for text in require or [])
        found = client.models.set_alias(name, alias, version, required)
        sentence = f"{found.model_name}: {alias} is version {found.version} now"
        print_or_say(found, sentence, as_json=as_json)


def _requirement(text: str) -> tuple[str, str]:
    metric = re.split("[<>]", text, maxsplit=1)[0]
    if metric == text or not metric.strip():
        raise ValueError(f"{text!r} is no requirement; expected one as roc_auc>=current")
    return metric.strip(), text[len(metric) :].strip()


@app.command()
def delete(
    context: typer.Context,
    name: Name,
    version: Annotated[
        int | None,
        typer.Option(min=1, help="Only this one.", autocompletion=completion.versions),
    ] = None,
    alias: Annotated[
        str | None,
        typer.Option(
            help="Only this alias; versions stay.", autocompletion=completion.aliases
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Delete a model with all its versions, or one of them, or an alias alone.

    No alias may point at what is deleted.
    """
    with service(context) as client:
        sentence = _delete(client, name, version, alias)
        deleted = {"deleted": name, "version": version, "alias": alias}
        print_or_say(deleted, sentence, as_json=as_json, to=err)


def _delete(client: Client, name: str, version: int | None, alias: str | None) -> str:
    """Delete what the options name; return a sentence about it."""
    if version is not None and alias is not None:
        raise ValueError("delete either a --version or an --alias, not both at once")
    if alias is not None:
        client.models.delete_alias(name, alias)
        return f"deleted the alias {alias!r} of model {name!r}; its version stays"
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
    to: Annotated[Path | None, typer.Option(dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Save model.keras, model.onnx, weights.npz or signature.json."""
    with service(context) as client:
        saved = client.models.download(name, version, artifact, to)
        print_or_say({"path": str(saved)}, str(saved), as_json=as_json)
