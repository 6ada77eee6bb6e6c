"""`fitserve keys`: create, list and revoke API keys in the database.

The first key needs neither a service nor a key: access to the database is enough.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.lazy import LazyModule
from fitserve.cli.console import print_json, print_or_say
from fitserve.scopes import USERS, Scope
from ops.options import Home

if TYPE_CHECKING:
    from ops import expected_errors, key_database
else:  # needs the server's libraries, which other commands do not need
    expected_errors = LazyModule("ops.expected_errors")
    key_database = LazyModule("ops.key_database")

app = typer.Typer(
    help="Create, list and revoke API keys in the database, without a running service.",
    no_args_is_help=True,
    add_completion=False,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def create(  # noqa: PLR0913, PLR0917  one parameter for each option
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A name that says what the key is for.")],
    workspace: Annotated[
        str, typer.Option(help="The workspace that the key can use.")
    ] = "default",
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="A scope of the key; repeatable. [all but admin and metrics]"),
    ] = None,
    expires_in_days: Annotated[
        float | None, typer.Option(help="Days until the key expires. [never]")
    ] = None,
    requests_per_second: Annotated[
        float | None, typer.Option(help="Maximum per API process; 0 sets no limit.")
    ] = None,
    queued_runs: Annotated[
        int | None, typer.Option(help="Maximum number of queued runs in the workspace.")
    ] = None,
    stored_bytes: Annotated[
        int | None, typer.Option(help="Maximum bytes stored in the workspace.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Create a key and print it once."""
    limits = {
        "requests_per_second": requests_per_second,
        "queued_runs": queued_runs,
        "stored_bytes": stored_bytes,
    }
    given = {
        "name": name,
        "workspace": workspace,
        "scopes": scope or list(USERS),
        "expires_in_days": expires_in_days,
        "limits": limits,
    }
    made = key_database.create(_common_options(context, home, as_json=as_json), given)
    if as_json:
        print_json(made)
        return
    expected_errors.print_notice(
        f"Key {made.id} for the workspace {made.workspace!r}. Store it now, because it\n"
        "cannot be shown again. Clients send it as `Authorization: Bearer …`, or read\n"
        "it from FITSERVE_API_KEY:"
    )
    typer.echo(made.key)


@app.command("list")
def list_(
    context: typer.Context,
    workspace: Annotated[
        str | None, typer.Option(help="Only the keys of this workspace.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List keys, including expired and revoked ones, without their secrets."""
    keys = key_database.find_all(
        _common_options(context, home, as_json=as_json), workspace
    )
    if as_json:
        print_json({"items": [key.model_dump(mode="json") for key in keys]})
    else:
        key_database.print_table(keys)


@app.command()
def revoke(
    context: typer.Context,
    key: Annotated[
        str, typer.Argument(help="The id, or a name that only one valid key has.")
    ],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key; every API process refuses it within a second."""
    key_id, name = key_database.revoke(
        _common_options(context, home, as_json=as_json), key
    )
    sentence = f"Key {key_id} ({name!r}) is revoked."
    print_or_say({"revoked": key_id}, sentence, as_json=as_json)


def _common_options(
    context: typer.Context, home: Path | None, *, as_json: bool
) -> "key_database.CommonOptions":
    url = context.find_root().params.get("url")
    return key_database.CommonOptions(home, url, as_json)
