"""Delete or list what has expired, for `fitserve prune`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import typer

from core.retention.expired import Expired, Kind
from core.retention.remove import Retention
from core.settings import RetentionRules
from fitserve.cli.console import print_json
from ops.databases import newest_revision, open_existing, open_files
from ops.expected_errors import CommandRefused
from ops.options import settings_of

MOST_LISTED = 100_000
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
        least = "at least " if is_dry and len(rows) == MOST_LISTED else ""
        number = f"{least}{len(rows):,}"
        typer.echo(f"{kind}: {number} {verb}{f' ({named}{more})' if named else ''}")
    if is_dry and found[Kind.VERSIONS]:
        typer.echo(
            "The runs of these versions are not counted: those older than "
            "FITSERVE_RETENTION__RUNS_DAYS, if it is set, are deleted after them."
        )


@contextmanager
def _open_retention(home: Path | None) -> Iterator[Retention]:
    settings = settings_of(home)
    _refuse_without_limits(settings.retention)
    with closing(open_existing(settings)) as database:
        newest_revision(database)
        yield Retention(database, open_files(settings), settings.retention)


def _refuse_without_limits(rules: RetentionRules) -> None:
    if any(rules.days(kind) is not None for kind in Kind):
        return
    variables = ", ".join(f"FITSERVE_RETENTION__{kind.upper()}_DAYS" for kind in Kind)
    raise CommandRefused(
        f"No age limit is set, so everything is kept. Set one of {variables}, such as "
        "FITSERVE_RETENTION__RUNS_DAYS=90, for this command and for the service."
    )


def _listed(retention: Retention, kind: Kind) -> list[Expired]:
    return retention.expired(kind, MOST_LISTED)


def _removed(retention: Retention, kind: Kind) -> list[Expired]:
    """Delete all of the kind but what is in use by now."""
    removed = retention.remove(kind)
    found = [*removed.rows]
    while removed.last:
        removed = retention.remove(kind, removed.last)
        found += removed.rows
    return found
