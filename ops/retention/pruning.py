"""Delete or list what has expired, for `fitserve prune`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import typer

from core.retention.expired import Expired, Kind
from core.retention.remove import Retention
from core.settings import RetentionRules, Settings
from fitserve.cli.console import print_json
from ops.databases import newest_revision, open_existing, open_files
from ops.expected_errors import CommandRefused

_MOST_LISTED = 100_000
_SHOWN = 5

Found = Mapping[Kind, Sequence[Expired]]
"""Expired rows by their kind."""


def prune(home: Path | None, *, is_dry: bool) -> Found:
    """Delete all that has expired, or only list it. Return what it is.

    Raises CommandRefused if no age limit is set, or the database is not a service's.
    """
    with _open_retention(home) as retention:
        remove = _listed if is_dry else _removed
        return {kind: remove(retention, kind) for kind in Kind}


def show(found: Found, *, is_dry: bool, as_json: bool) -> None:
    """Print what was deleted, or would be."""
    if as_json:
        print_json({kind: [one.name for one in rows] for kind, rows in found.items()})
        return
    verb = "would be deleted" if is_dry else "deleted"
    for kind, rows in found.items():
        named = ", ".join(one.name for one in rows[:_SHOWN])
        more = ", …" if len(rows) > _SHOWN else ""
        typer.echo(f"{kind}: {len(rows):,} {verb}{f' ({named}{more})' if named else ''}")
    if is_dry and found[Kind.VERSIONS]:
        typer.echo(
            "Runs whose versions would be deleted are not counted; they may follow."
        )


@contextmanager
def _open_retention(home: Path | None) -> Iterator[Retention]:
    settings = Settings() if home is None else Settings(home=home)
    _refuse_without_limits(settings.retention)
    with closing(open_existing(settings)) as database:
        newest_revision(database)
        yield Retention(database, open_files(settings), settings.retention)


def _refuse_without_limits(rules: RetentionRules) -> None:
    names = [f"{kind}_days" for kind in Kind]
    if any(getattr(rules, name) is not None for name in names):
        return
    variables = ", ".join(f"FITSERVE_RETENTION__{name.upper()}" for name in names)
    raise CommandRefused(
        f"No age limit is set, so everything is kept. Set one of {variables}, such as "
        "FITSERVE_RETENTION__RUNS_DAYS=90, for this command and for the service."
    )


def _listed(retention: Retention, kind: Kind) -> list[Expired]:
    return retention.expired(kind, _MOST_LISTED)


def _removed(retention: Retention, kind: Kind) -> list[Expired]:
    """Delete until nothing of the kind is left but what is in use."""
    found: list[Expired] = []
    while removed := retention.remove(kind):
        found += removed
    return found
