"""The revisions that this code knows, and the one that a database is at.

Read without alembic, whose import costs the API some 20 MB.
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
    """Return every revision that this code knows, newest first, from the file names."""
    scripts = (scripts_folder() / "versions").glob("[0-9]*_*.py")
    return tuple(sorted((path.name.partition("_")[0] for path in scripts), reverse=True))


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the database; None if it was never migrated."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(select(_VERSION.c.version_num))
