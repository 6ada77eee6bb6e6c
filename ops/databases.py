"""Open the database and the storage of a service, for commands that work on them."""

from pathlib import Path

from sqlalchemy import make_url

from core.database.revisions import current_revision, known_revisions
from core.database.sessions import Database
from core.settings import Settings
from core.storage import Storage, open_storage
from ops.expected_errors import CommandRefused


def open_files(settings: Settings) -> Storage:
    """Return the storage; raise CommandRefused if its URL is wrong."""
    try:
        return open_storage(settings)
    except ValueError as error:
        raise CommandRefused(str(error)) from error


def open_database(url: str) -> Database:
    """Return the database; raise CommandRefused if its URL is of another kind."""
    try:
        return Database(url)
    except ValueError as error:
        raise CommandRefused(str(error)) from error


def open_existing(settings: Settings) -> Database:
    """Return the database of a service; raise CommandRefused if it does not exist."""
    url = settings.resolved_database_url
    if is_absent(url):
        raise CommandRefused(
            f"There is no database {make_url(url).database}. Give the home of the "
            "service with --home or FITSERVE_HOME, or its database with "
            "FITSERVE_DATABASE_URL."
        )
    return open_database(url)


def is_absent(url: str) -> bool:
    """Return whether the URL names an SQLite file that does not exist."""
    parts = make_url(url)
    is_sqlite = parts.get_backend_name() == "sqlite"
    return is_sqlite and not Path(parts.database or "").is_file()


def newest_revision(database: Database) -> str:
    """Return the revision; raise CommandRefused if it is not the newest."""
    with database.engine.connect() as connection:
        revision = current_revision(connection)
    if revision is None:
        raise CommandRefused(
            "The database is empty. Give the home of the service with --home, or its "
            "database with FITSERVE_DATABASE_URL."
        )
    if revision != known_revisions()[0]:
        raise CommandRefused(
            f"The database is at revision {revision}, and this fitserve needs "
            f"{known_revisions()[0]}. Use the fitserve that runs the service."
        )
    return revision
