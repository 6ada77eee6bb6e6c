"""Create, list and revoke API keys in the database, for `fitserve keys`."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError
from rich.table import Table
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.migrate import upgrade
from core.database.sessions import Database
from core.keys.pepper import read_pepper
from core.keys.repository import ApiKeyRepository
from core.keys.service import create_key
from core.settings import Settings
from fitserve.cli.console import USAGE, CommandConsole
from fitserve.problems import field_errors, sentences
from fitserve.schemas.keys import KeyCreate, KeyCreated, KeyRead
from ops.expected_errors import exit_on_error, print_notice
from ops.options import settings_of

_MAX_KEYS = 10_000


@dataclass(frozen=True)
class CommonOptions:
    """The options that all commands of keys share.

    Args:
        home: the folder of the service; None for the one of the environment.
        url: the URL of a service, which the commands do not use.
        as_json: whether to print JSON, and on stderr only errors.

    """

    home: Path | None
    url: str | None = None
    as_json: bool = False


def create(options: CommonOptions, given: dict[str, Any]) -> KeyCreated:
    """Create a key from the values of the options."""
    spec = _spec(given)
    with _open_database(options) as (settings, session):
        return create_key(session, read_pepper(settings), spec)


def find_all(options: CommonOptions, workspace: str | None) -> list[KeyRead]:
    """Return the keys of a workspace, or of all workspaces."""
    with _open_database(options, must_exist=True) as (_, session):
        found = ApiKeyRepository(session).page(None, _MAX_KEYS, workspace)
        return [KeyRead.model_validate(key) for key in found]


def revoke(options: CommonOptions, ref: str) -> tuple[str, str]:
    """Revoke the key with this id or name; return its id and its name."""
    with _open_database(options, must_exist=True) as (_, session):
        keys = ApiKeyRepository(session)
        revoked = keys.revoke(_id_of(keys, ref))
        return revoked.id, revoked.name


def _id_of(keys: ApiKeyRepository, ref: str) -> str:
    """Return `ref` if it is an id, else the id of the only valid key with this name."""
    named = keys.in_force_named(ref) if keys.find(ref) is None else []
    if len(named) > 1:
        print_notice(
            f"{len(named)} valid keys are called {ref!r}: {', '.join(named)}. "
            "Give the id of one of them."
        )
        raise typer.Exit(USAGE)
    return named[0] if named else ref


def _spec(given: dict[str, Any]) -> KeyCreate:
    try:
        return KeyCreate.model_validate(given)
    except ValidationError as error:
        print_notice(sentences(field_errors(error.errors(include_url=False), given)))
        raise typer.Exit(USAGE) from error


@contextmanager
def _open_database(
    options: CommonOptions, *, must_exist: bool = False
) -> Iterator[tuple[Settings, Session]]:
    """Migrate the database, and provide the settings and a session to write.

    With `must_exist`, exit if the embedded database does not exist.
    """
    with exit_on_error(as_json=options.as_json):
        settings = settings_of(options.home)
        if must_exist:
            _refuse_absent(settings)
        if not options.as_json:
            _say_where(settings, options.url)
        settings.home_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        upgrade(settings.resolved_database_url)
        with (
            closing(Database(settings.resolved_database_url)) as database,
            database.write() as session,
        ):
            yield settings, session


def _refuse_absent(settings: Settings) -> None:
    if settings.database_url is not None:
        return
    if not settings.database_file.exists():
        lacking = "database in" if settings.home_dir.exists() else "folder"
        print_notice(
            f"There is no {lacking} {settings.home_dir}, so it has no keys. Give the "
            "home of the service with --home or FITSERVE_HOME; `fitserve up` and "
            "`fitserve keys create` make a new one."
        )
        raise typer.Exit(USAGE)


def _say_where(settings: Settings, service: str | None) -> None:
    """Print which home or database the command uses, and that it uses no service."""
    named = f"the home {settings.home_dir}"
    if settings.database_url is not None:
        url = make_url(settings.database_url).render_as_string(hide_password=True)
        named = f"the database {url}"
    unused = f"; the service at {service} is not used" if service else ""
    print_notice(f"Keys in {named}{unused}:")


def print_table(keys: list[KeyRead]) -> None:
    """Print the keys as a table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "name", "workspace", "scopes", "state", "last used", "last four"):
        table.add_column(name, overflow="fold", no_wrap=name in {"id", "scopes"})
    for key in keys:
        scopes = "\n".join(key.scopes)
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}Z" if key.last_used_at else "never"
        state, four = _state(key), key.last_four
        table.add_row(key.id, key.name, key.workspace, scopes, state, used, four)
    CommandConsole(soft_wrap=False).print(table)


def _state(key: KeyRead) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None:
        return "valid"
    is_over = key.expires_at <= utc_now()
    return f"{'expired' if is_over else 'until'} {key.expires_at:%Y-%m-%d %H:%M}Z"
