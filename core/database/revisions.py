"""Read the revisions of this code, and the revision of a database.

This module does not import alembic, which takes some 20 MB of memory.
"""

import importlib.util
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

_VERSION = table("alembic_version", column("version_num"))


def scripts_folder() -> Path:
    """Return the folder of the migrations."""
    spec = importlib.util.find_spec("migrations")
    if spec is None or spec.origin is None:
        raise RuntimeError(
            "the package `migrations` is not on the path; start the server with "
            "`fitserve up`, or run a module with `python -m fitserve.server`"
        )
    return Path(spec.origin).parent


@cache
def known_revisions() -> tuple[str, ...]:
    """Return every revision of this code, newest first, from the file names."""
    scripts = (scripts_folder() / "versions").glob("[0-9]*_*.py")
    return tuple(sorted((path.name.partition("_")[0] for path in scripts), reverse=True))


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the database; None if it was never migrated."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(select(_VERSION.c.version_num))
