"""What the settings name: database, broker, files, port, key."""

import shutil
import socket
import stat
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

from sqlalchemy import select
from sqlalchemy.engine import make_url

from core.database.clock import now_ms
from core.database.sessions import Database
from core.health import checks
from core.keys.repository import ApiKeyRepository
from core.queue import Queue, make_celery
from core.settings import Settings
from ops.doctor.findings import Finding, failed, of_part, ok, warning

_NEW_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
_FEWEST_DIFFERENT = 10
_CLOCK_SECONDS = 5.0
_MIGRATE = "python -m fitserve.server core.database.migrate"
_START = "`fitserve up` makes it."


class ServiceChecks:
    """A service that is looked at from outside, whether it runs or not."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.resolved_database_url)
        self._url = make_url(settings.resolved_database_url)

    def look_at_database(self) -> Finding:
        """Whether it answers; a file that is not there yet is not made."""
        shown = self._url.render_as_string(hide_password=True)
        if self._is_unmade():
            return ok("database", f"{shown} is not there yet. {_START}")
        mend = "Start it, or correct FITSERVE_DATABASE_URL."
        try:
            part = checks.check_database(self._database)
        except Exception as error:  # noqa: BLE001  a driver's own
            return failed("database", f"{shown}: {type(error).__name__}.", mend)
        return of_part("database", part, mend)

    def look_at_migrations(self) -> Finding:
        """Whether its tables are this code's."""
        if self._is_unmade():
            return ok("migrations", f"Nothing to migrate yet. {_START}")
        part = checks.check_migrations(self._database)
        return of_part("migrations", part, _MIGRATE)

    def look_at_broker(self) -> Finding:
        """Whether it can be rung; the embedded one lives with `fitserve up`."""
        settings = self._settings
        if settings.broker_url is None and not settings.redis_socket.exists():
            return ok("broker", "The embedded one does not run; `fitserve up` starts it.")
        part = checks.check_broker(Queue(make_celery(settings)))
        return of_part("broker", part, "Start it, or correct FITSERVE_BROKER_URL.")

    def look_at_storage(self) -> Finding:
        """Whether files can be written, and how much room there is."""
        folder, least = self._settings.files_dir, self._settings.min_free_bytes
        if not folder.exists():
            folder = _nearest(folder)
            free = shutil.disk_usage(folder).free
            told = f"Nothing is stored yet; {free / 2**30:,.1f} GiB are free."
            mend = f"Make room on the disk of {folder}, or set FITSERVE_HOME."
            return (
                ok("storage", told) if free >= least else warning("storage", told, mend)
            )
        mend = f"Let this user write to {folder}, and leave room on its disk."
        return of_part("storage", checks.check_storage(folder, least), mend)

    def look_at_home(self) -> Finding:
        """Whether others on this machine can read what is stored."""
        home = self._settings.home_dir
        if not home.exists():
            return ok("home", f"{home} is not there yet. {_START}")
        mode = stat.S_IMODE(home.stat().st_mode)
        if mode & 0o077:
            told = f"{home} has the mode {mode:o}: others on this machine may look in."
            return warning("home", told, f"chmod 700 {home}")
        return ok("home", f"{home} is its owner's alone.")

    def look_at_port(self) -> Finding:
        """Whether the service answers there, somebody else does, or nobody."""
        host, port = self._settings.host, self._settings.port
        if port == 0:
            return ok("port", "A free one is taken at the start.")
        if not is_listening(host, port):
            return ok("port", f"{host}:{port} is free; no service runs there.")
        if self.is_served():
            return ok("port", f"fitserve answers on {host}:{port}.")
        return failed(
            "port",
            f"Something that is not fitserve listens on {host}:{port}.",
            "Stop it, or set FITSERVE_PORT.",
        )

    def is_served(self) -> bool:
        """Whether the service that the settings name runs."""
        return is_listening(self._settings.host, self._settings.port) and _answers_live(
            self._settings
        )

    def look_at_workers(self) -> Finding:
        """Whether somebody trains and reads."""
        if self._is_unmade() or not self.is_served():
            return ok("workers", "No service runs here, so none is missed.")
        part = checks.check_workers(self._database, self._settings.runs.lease_seconds)
        mend = "`python -m fitserve.server workers`; its log tells why it ended."
        return of_part("workers", part, mend)

    def look_at_clock(self) -> Finding:
        """How far this machine's clock is from the database's."""
        if self._is_unmade():
            return ok("clock", "No database to compare with yet.")
        with self._database.read() as session:
            theirs = (session.scalar(select(now_ms())) or 0) / 1000
        off = abs(time.time() - theirs)
        if off < _CLOCK_SECONDS:
            return ok("clock", f"{off:.1f} s from the database's.")
        told = f"It is {off:,.0f} s from the database's; times that are shown are wrong."
        return warning("clock", told, "Let both machines keep time by NTP.")

    def look_at_key(self) -> Finding:
        """Whether the key is hard to guess; it is never shown."""
        key = self._settings.api_key
        if key is None:
            return self._look_at_keys()
        text = key.get_secret_value()
        if len(set(text)) < _FEWEST_DIFFERENT:
            told = f"It has {len(set(text))} different characters; that can be guessed."
            return warning("key", told, f"Take one by chance: {_NEW_KEY}")
        return ok("key", f"{len(text)} characters, {len(set(text))} different ones.")

    def _look_at_keys(self) -> Finding:
        is_had, is_valid = False, False
        if not self._is_unmade():
            with self._database.read() as session:
                keys = ApiKeyRepository(session)
                is_had, is_valid = keys.any_ever(), keys.any_valid()
        if is_valid:
            return ok("key", "Keys of the database.")
        if is_had:
            told = "Every key of the database has ended: nobody is let in."
            return warning("key", told, "Make one: fitserve keys create NAME")
        if self._settings.is_loopback:
            return ok("key", "None: only programs of this machine are served.")
        told = f"None, and it shall listen on {self._settings.host}: it will not start."
        return failed("key", told, "Make one: fitserve keys create NAME")

    def close(self) -> None:
        """Leave it alone."""
        self._database.close()

    def _is_unmade(self) -> bool:
        path = self._url.database
        is_sqlite = self._url.get_backend_name() == "sqlite"
        return is_sqlite and path is not None and not Path(path).exists()


def is_listening(host: str, port: int) -> bool:
    """Whether a connection is taken there."""
    try:
        with socket.create_connection((_reachable(host), port), timeout=2):
            return True
    except OSError:
        return False


def _answers_live(settings: Settings) -> bool:
    host = _reachable(settings.host)
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{settings.port}/health/live"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return b'"live"' in answer.read(100)
    except (OSError, HTTPError, ValueError):
        return False


def _reachable(host: str) -> str:
    """Where a service that listens everywhere is asked."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  to ask there


def _nearest(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())
