"""`fitserve models`."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

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
    print_or_show,
    say,
    service,
)
from fitserve.cli.lost_rollbacks import lost_rollbacks
from fitserve.cli.refusals import shown_by
from fitserve.client import ApiError, Client
from fitserve.enums import Promotion
from fitserve.main_figure import figure_sentence
from fitserve.names import version_ref
from fitserve.number_text import rows_text
from fitserve.problems import Problem
from fitserve.schemas.models import ModelRead, SpecChange, VersionChanges, VersionRead

app = typer.Typer(no_args_is_help=True, help="Show, promote, download and delete models.")
Name = Annotated[str, typer.Argument(help="The model.", autocompletion=completion.models)]
Version = Annotated[int, typer.Argument(min=1, autocompletion=completion.versions)]
_SERVES = "(serving)"
_OLD_DEFAULT = "production"
"""The alias that `promote` moved by default in earlier releases."""
Alias = Annotated[
    str | None,
    typer.Option(
        help="The alias. Default: what serves if no version is named.",
        autocompletion=completion.aliases,
    ),
]
Reason = Annotated[str | None, typer.Option(help="Reason for the history.")]
_MODELS: Columns = {
    "name": lambda m: m.name,
    "serves": lambda m: m.serving_version,
    **FIGURE_COLUMNS,
    "newest": lambda m: m.latest_version,
    "aliases": lambda m: ", ".join(f"{a}={n}" for a, n in m.aliases.items()),
}
_VERSIONS: Columns = {
    "version": lambda v: v.version,
    "serves": lambda v: "yes" if v.serves else "",
    "aliases": lambda v: ", ".join(v.aliases),
    "task": lambda v: v.task,
    "parameters": lambda v: v.num_params,
    "kept epoch": lambda v: v.best_epoch,
    **FIGURE_COLUMNS,
    "metrics": lambda v: "  ".join(f"{n} {cell(m)}" for n, m in v.metrics.items()),
}
_CHANGES: Columns = {
    "change": lambda c: c.number,
    "what": lambda c: c.alias or _SERVES,
    "before": lambda c: c.before,
    "after": lambda c: c.after,
    "why": lambda c: c.why,
    "who": lambda c: c.who,
    "when": lambda c: c.created_at,
}


@app.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List all models."""
    with service(context) as client:
        print_list(client.models.list(), _MODELS, as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    name: Name,
    version: Annotated[
        int | None, typer.Argument(min=1, autocompletion=completion.versions)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show all versions of a model, or what one version changed."""
    with service(context) as client:
        if version is None:
            print_list(client.models.versions(name), _VERSIONS, as_json=as_json)
        else:
            found = client.models.version(name, version)
            print_or_show(found, _show_version, as_json=as_json)


def _show_version(found: VersionRead) -> None:
    serves = ["serves"] if found.serves else []
    aliases = [f"alias {alias}" for alias in found.aliases]
    title = f"{found.model_name}/{found.version}"
    say("  ".join([title, *serves, *aliases]))
    if found.dataset is not None:
        ref = version_ref(found.dataset.name, found.dataset.version)
        say(f"  dataset: {ref}, {rows_text(found.num_rows or 0)}")
    if found.main_figure is not None:
        say(f"  main figure: {figure_sentence(found.main_figure)}")
    if found.changes is not None:
        _show_changes(found.changes, found.num_rows)


def _show_changes(changes: VersionChanges, num_rows: int | None) -> None:
    ref = version_ref(changes.dataset.name, changes.dataset.version)
    against = f"version {changes.against} ({ref}, {rows_text(changes.num_rows)})"
    which = "which served when it was trained" if changes.served else "the version before"
    say(f"changed against {against}, {which}:")
    for line in _same_and_rows(changes, num_rows):
        say(f"  {line}")
    for one in changes.spec:
        say(f"  {_spec_change(one)}")
    for difference in changes.contract:
        breaks = " (breaks callers)" if difference.breaks else ""
        say(f"  {difference.sign}: {difference.detail}{breaks}")
    for reason in changes.not_comparable:
        say(f"  main figures not comparable: {reason}")


def _same_and_rows(changes: VersionChanges, num_rows: int | None) -> Iterator[str]:
    """Yield whether spec and inputs are the same, and the rows if they differ."""
    is_same = not changes.spec and not changes.contract
    parts = ["same spec and inputs"] if is_same else []
    if num_rows is not None and num_rows != changes.num_rows:
        parts.append(f"rows {changes.num_rows:,} -> {num_rows:,}")
    if parts:
        yield "; ".join(parts)


def _spec_change(change: SpecChange) -> str:
    key = change.pointer.removeprefix("#/").replace("/", ".")
    if isinstance(change.after, list):
        return f"{key} differ"
    return f"{key}: {_value(change.before)} -> {_value(change.after)}"


def _value(value: Any) -> str:
    """Return the value of a key of a spec as text, such as `monitor loss, patience 5`."""
    if not isinstance(value, dict):
        return cell(value)
    return ", ".join(f"{name} {_value(one)}" for name, one in value.items())


@app.command()
def promote(  # noqa: PLR0913, PLR0917  one argument per option
    context: typer.Context,
    name: Name,
    version: Version,
    alias: Alias = None,
    serving: Annotated[
        bool,
        typer.Option(
            "--serving", help="Move what serves, although `production` is an alias."
        ),
    ] = False,
    require: Annotated[
        list[str] | None, typer.Option(help="Condition: roc_auc>=current; repeatable.")
    ] = None,
    allow_new_contract: Annotated[
        bool, typer.Option("--allow-new-contract", help="Even if it breaks callers.")
    ] = False,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Let a version serve, or point an alias at it."""
    with service(context) as client:
        before = client.models.get(name) if alias is None else None
        if before is not None and not serving:
            _refuse_old_default(before)
        required = dict(_requirement(text) for text in require or [])
        with shown_by(_with_options):
            found = client.models.promote(
                name,
                version,
                alias,
                required,
                allow_new_contract=allow_new_contract,
                reason=reason,
            )
        done = f"{alias} now points at version {found.version}"
        if before is not None:
            same = before.serving_version == found.version
            done = f"version {found.version} {'already serves' if same else 'serves now'}"
        print_or_say(found, f"{found.model_name}: {done}", as_json=as_json)


def _with_options(problem: Problem) -> str:
    """Return the text of a refusal, with the option instead of the key of a request."""
    key = 'send `"allow_new_contract": true`'
    return str(ApiError(problem)).replace(key, "give `--allow-new-contract`")


def _refuse_old_default(model: ModelRead) -> None:
    """Raise ValueError if a script may expect the default alias of earlier releases."""
    if _OLD_DEFAULT in model.aliases:
        raise ValueError(
            f"got no --alias, and {model.name!r} has the alias {_OLD_DEFAULT!r}, which "
            f"was the default in earlier releases; give --alias {_OLD_DEFAULT} to move "
            "it, or --serving to move what serves"
        )


@app.command()
def rollback(
    context: typer.Context,
    name: Name,
    alias: Alias = None,
    reason: Reason = None,
    change: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of the change to undo, from `fitserve models changes`; refused "
            "unless this change is the next to be undone.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Undo the last promotion; each further call undoes the one before."""
    with service(context) as client:
        done = client.models.rollback(name, alias, reason, change)
        moved = f"from version {done.before} back to version {done.after}"
        if done.before is None:
            moved = f"again to version {done.after}"
        sentence = f"{name}: {alias or 'the serving version'} went {moved}"
        if alias is None and not as_json:
            sentence += _next_run(client, name)
        print_or_say(done, sentence, as_json=as_json)


def _next_run(client: Client, name: str) -> str:
    """Return a line that says that the next run may undo a rollback, if it may."""
    with suppress(ApiError):  # the key may not read the model
        if client.models.get(name).promotion == Promotion.EXPLICIT:
            return ""
    stop = f"fitserve models update {name} --promotion explicit"
    return f"\nthe next run under this name may serve again; `{stop}` stops that"


@app.command()
def changes(
    context: typer.Context, name: Name, alias: Alias = None, as_json: AsJson = False
) -> None:
    """List what moved the aliases and the serving version, newest first."""
    with service(context) as client:
        print_list(client.models.changes(name, alias), _CHANGES, as_json=as_json)


@app.command()
def update(
    context: typer.Context,
    name: Name,
    promotion: Annotated[
        Promotion,
        typer.Option(help="Whether a finished run may move what serves by itself."),
    ],
    as_json: AsJson = False,
) -> None:
    """Change the rules of a model."""
    with service(context) as client:
        found = client.models.update(name, promotion)
        sentence = f"{name}: promotion is {found.promotion}"
        print_or_say(found, sentence, as_json=as_json)


def _requirement(text: str) -> tuple[str, str]:
    before = re.split("[<>]", text, maxsplit=1)[0]
    metric = before.strip().removesuffix("=").strip()  # roc_auc='>= current'
    if before == text or not metric:
        raise ValueError(f"got {text!r}; expected a condition such as roc_auc>=current")
    return metric, text[len(before) :].strip()


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

    A version cannot be deleted while it serves or an alias points at it.
    """
    with service(context) as client:
        if version is not None and alias is not None:
            raise ValueError("got --version and --alias; expected only one of them")
        lost = "" if version is None else lost_rollbacks(client, name, version)
        if asks(yes=yes):
            _confirm(client, name, version, alias, lost)
        sentence = _delete(client, name, version, alias) + lost
        deleted = {"deleted": name, "version": version, "alias": alias}
        print_or_say(deleted, sentence, as_json=as_json, to=err)


def _confirm(
    client: Client, name: str, version: int | None, alias: str | None, lost: str
) -> None:
    """Ask whether to delete the alias, the version, or the model and all in it."""
    if alias is not None:
        confirm(f"the alias {alias!r} of the model {name!r} (the version is kept)")
    elif version is not None:
        confirm(f"version {version} of the model {name!r}{lost}")
    else:
        number = len(client.models.get(name).versions)
        confirm(f"the model {name!r} with all its versions ({number:,})")


def _delete(client: Client, name: str, version: int | None, alias: str | None) -> str:
    """Delete the model, the version or the alias; return a message."""
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
