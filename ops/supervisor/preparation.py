"""Prepare database, storage, keys and broker before the service starts."""

from collections.abc import Sequence
from typing import NamedTuple

from core.database.migrate import upgrade
from core.database.sessions import Database
from core.keys.insecure_binding import InsecureBinding, refuse_insecure_binding
from core.keys.repository import ApiKeyRepository
from core.settings import Settings
from core.storage import open_storage
from ops.supervisor.broker import redis_command
from ops.supervisor.cannot_start import CannotStart
from ops.supervisor.ready import KeyState


class Prepared(NamedTuple):
    """The kind of key that the API checks, and the command of an embedded broker."""

    key: KeyState
    broker: Sequence[str] | None


def prepare(settings: Settings) -> Prepared:
    """Migrate the database, and check the settings; raise CannotStart for a wrong one."""
    upgrade(settings.resolved_database_url)
    _check_storage(settings)
    key = _check_key(settings)
    return Prepared(key, redis_command(settings) if settings.broker_url is None else None)


def _check_storage(settings: Settings) -> None:
    try:
        open_storage(settings)
    except ValueError as error:
        raise CannotStart(str(error)) from error
    except OSError as error:
        raise CannotStart(
            f"The folder of files, {settings.files_dir}, cannot be used "
            f"({error.strerror}). Let this user write to it, or set FITSERVE_HOME or "
            "FITSERVE_STORAGE_URL."
        ) from error


def _check_key(settings: Settings) -> KeyState:
    database = Database(settings.resolved_database_url)
    try:
        refuse_insecure_binding(settings, database)
        return key_state(settings, database)
    except InsecureBinding as error:
        raise CannotStart(str(error)) from error
    finally:
        database.close()


def key_state(settings: Settings, database: Database) -> KeyState:
    """Return the kind of key that the API checks; expired and revoked keys count too."""
    if settings.api_key is not None:
        return "setting"
    with database.read() as session:
        return "database" if ApiKeyRepository(session).any_ever() else "none"
