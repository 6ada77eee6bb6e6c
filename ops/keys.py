"""`fitserve keys`: create, list and revoke API keys in the database.

The first key needs neither a service nor a key: access to the database is enough.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitserve.cli.console import REFUSED, UNREACHABLE, USAGE, print_json, print_or_say
from fitserve.scopes import USERS, Scope

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.keys.repository import ApiKeyRepository
    from core.settings import Settings
    from fitserve.schemas.keys import KeyCreate, KeyRead

app = typer.Typer(
    help="Create, list and revoke API keys in the database; no service needs to run.",
    no_args_is_help=True,
    add_completion=False,
)
Home = Annotated[
    Path | None, typer.Option(help="Folder of database and files. [~/.fitserve]")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def create(  # noqa: PLR0913, PLR0917  an option each
    name: Annotated[str, typer.Argument(help="A name that says what the key is for.")],
    workspace: Annotated[
        str, typer.Option(help="The workspace that the key opens.")
    ] = "default",
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="A scope of the key; repeatable. [all but admin and metrics]"),
    ] = None,
    expires_in_days: Annotated[
        float | None, typer.Option(help="Without it, the key does not expire.")
    ] = None,
    requests_per_second: Annotated[
        float | None, typer.Option(help="Per API process; 0 sets no limit.")
    ] = None,
    queued_runs: Annotated[
        int | None, typer.Option(help="Most queued runs in the workspace.")
    ] = None,
    stored_bytes: Annotated[
        int | None, typer.Option(help="Most bytes stored in the workspace.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Create a key and print it once."""
    from core.keys.pepper import read_pepper  # noqa: PLC0415  of an extra
    from core.keys.service import create_key  # noqa: PLC0415

    spec = _spec(
        name=name,
        workspace=workspace,
        scopes=scope or list(USERS),
        expires_in_days=expires_in_days,
        limits={
            "requests_per_second": requests_per_second,
            "queued_runs": queued_runs,
            "stored_bytes": stored_bytes,
        },
    )
    with _writing(home, as_json=as_json) as (settings, session):
        made = create_key(session, read_pepper(settings), spec)
    if as_json:
        print_json(made)
        return
    _tell(f"Key {made.id} for the workspace {made.workspace!r}. Store it now, because it")
    _tell(
        "cannot be shown again. Clients send it as `Authorization: Bearer …`, or read it"
    )
    _tell("from FITSERVE_API_KEY:")
    typer.echo(made.key)


@app.command("list")
def list_(
    workspace: Annotated[
        str | None, typer.Option(help="Only the keys of this workspace.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List keys, expired and revoked ones too; secrets are not stored."""
    from core.keys.repository import ApiKeyRepository  # noqa: PLC0415
    from fitserve.schemas.keys import KeyRead  # noqa: PLC0415

    with _writing(home, as_json=as_json) as (_, session):
        found = ApiKeyRepository(session).page(None, 10_000, workspace)
        keys = [KeyRead.model_validate(key) for key in found]
    if as_json:
        print_json({"items": [key.model_dump(mode="json") for key in keys]})
    else:
        _print(keys)


@app.command()
def revoke(
    key: Annotated[
        str, typer.Argument(help="Its id, or its name if only one valid key has it.")
    ],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key; every API process refuses it within a second."""
    from core.keys.repository import ApiKeyRepository  # noqa: PLC0415

    with _writing(home, as_json=as_json) as (_, session):
        keys = ApiKeyRepository(session)
        revoked = keys.revoke(_id_of(keys, key))
        key_id, name = revoked.id, revoked.name
    sentence = f"Key {key_id} ({name!r}) is revoked."
    print_or_say({"revoked": key_id}, sentence, as_json=as_json)


def _id_of(keys: "ApiKeyRepository", said: str) -> str:
    """Return the id; for a name, the id of the only valid key that has it."""
    named = keys.in_force_named(said) if keys.find(said) is None else []
    if len(named) > 1:
        _tell(
            f"{len(named)} valid keys are called {said!r}: {', '.join(named)}. "
            "Give the id of one of them."
        )
        raise typer.Exit(USAGE)
    return named[0] if named else said


def _spec(**given: Any) -> "KeyCreate":
    from pydantic import ValidationError  # noqa: PLC0415

    from fitserve.problems import field_errors, sentences  # noqa: PLC0415
    from fitserve.schemas.keys import KeyCreate  # noqa: PLC0415

    try:
        return KeyCreate.model_validate(given)
    except ValidationError as error:
        _tell(sentences(field_errors(error.errors(include_url=False), given)))
        raise typer.Exit(USAGE) from error


@contextmanager
def _writing(home: Path | None, *, as_json: bool) -> "Iterator[tuple[Settings, Session]]":
    """Migrate the database; yield the settings and a session on it."""
    from pydantic import ValidationError  # noqa: PLC0415
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415

    from core.database.migrate import upgrade  # noqa: PLC0415
    from core.database.sessions import Database  # noqa: PLC0415
    from core.errors import FitserveError  # noqa: PLC0415
    from core.settings import Settings  # noqa: PLC0415

    try:
        settings = Settings() if home is None else Settings(home=home)
        settings.home_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        upgrade(settings.resolved_database_url)
        with (
            closing(Database(settings.resolved_database_url)) as database,
            database.write() as session,
        ):
            yield settings, session
    except ValidationError as error:
        for line in error.errors():
            _tell(line["msg"].removeprefix("Value error, "))
        raise typer.Exit(USAGE) from error
    except FitserveError as error:
        problem = error.problem()
        told = problem.model_dump_json(indent=2) if as_json else problem.detail
        _tell(told)
        raise typer.Exit(REFUSED) from error
    except OperationalError as error:
        _tell(f"The database does not answer ({error.orig}); see FITSERVE_DATABASE_URL.")
        raise typer.Exit(UNREACHABLE) from error


def _print(keys: "list[KeyRead]") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "name", "workspace", "scopes", "state", "last used", "last four"):
        table.add_column(name, overflow="fold", no_wrap=name in {"id", "scopes"})
    for key in keys:
        scopes = "\n".join(key.scopes)
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}Z" if key.last_used_at else "never"
        state, four = _state(key), key.last_four
        table.add_row(key.id, key.name, key.workspace, scopes, state, used, four)
    Console(soft_wrap=False).print(table)


def _state(key: "KeyRead") -> str:
    from core.database.base import utc_now  # noqa: PLC0415

    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None:
        return "valid"
    is_over = key.expires_at <= utc_now()
    return f"{'expired' if is_over else 'until'} {key.expires_at:%Y-%m-%d %H:%M}Z"


def _tell(line: str) -> None:
    typer.secho(line, fg="yellow", err=True)
