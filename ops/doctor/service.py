"""Check the parts that the settings name: database, broker, files, port, key."""

import shutil
import socket
import stat
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError

from sqlalchemy import select
from sqlalchemy.engine import make_url

from core.database.clock import now_ms
from core.database.sessions import Database
from core.errors import StorageUnavailable
from core.health import checks
from core.keys.repository import ApiKeyRepository
from core.queue import Queue, make_celery
from core.settings import Settings, StorageRules
from core.storage.bucket import Bucket
from core.storage.factory import check_scheme
from ops.doctor.findings import Finding, Verdict, failed, of_part, ok, warning

_NEW_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
_FEWEST_DIFFERENT = 10
_CLOCK_SECONDS = 5.0
_MIGRATE = "python -m fitserve.server core.database.migrate"
_BUCKET_RULES = StorageRules(timeout_seconds=4, retry_seconds=0)
_START = "`fitserve up` creates it."


class ServiceChecks:
    """The checks of a service from outside, whether it is running or not."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.resolved_database_url)
        self._url = make_url(settings.resolved_database_url)

    def check_database(self) -> Finding:
        """Check that the database answers; do not create a file."""
        shown = self._url.render_as_string(hide_password=True)
        if self._is_missing():
            return ok("database", f"{shown} does not exist yet; {_START}")
        fix = "Start the database, or correct FITSERVE_DATABASE_URL."
        try:
            part = checks.check_database(self._database)
        except Exception as error:  # noqa: BLE001  each driver has its own errors
            return failed("database", f"{shown}: {type(error).__name__}.", fix)
        return of_part("database", part, fix)

    def check_migrations(self) -> Finding:
        """Check that the database is at the newest revision of this code."""
        if self._is_missing():
            return ok("migrations", f"The database does not exist yet; {_START}")
        part = checks.check_migrations(self._database)
        return of_part("migrations", part, _MIGRATE)

    def check_broker(self) -> Finding:
        """Check that the broker answers; the embedded one runs within `fitserve up`."""
        settings = self._settings
        if settings.broker_url is None and not settings.redis_socket.exists():
            return ok(
                "broker", "The embedded broker is not running; `fitserve up` starts it."
            )
        part = checks.check_broker(Queue(make_celery(settings)))
        return of_part("broker", part, "Start a broker, or correct FITSERVE_BROKER_URL.")

    def check_storage(self) -> Finding:
        """Check that files can be written, the free disk space, and a bucket."""
        try:
            scheme = check_scheme(self._settings)
        except ValueError as error:
            return failed("storage", str(error), "Correct FITSERVE_STORAGE_URL.")
        found = self._check_folder()
        if scheme != "s3" or found.verdict == Verdict.FAILED:
            return found
        try:
            Bucket(self._settings.storage_url or "", _BUCKET_RULES).ping()
        except StorageUnavailable as error:
            return failed("storage", error.reason, "Run `fitserve storage check`.")
        return replace(found, detail=f"The store of files answers. {found.detail}")

    def _check_folder(self) -> Finding:
        folder, least = self._settings.files_dir, self._settings.min_free_bytes
        if not folder.exists():
            folder = _nearest(folder)
            free = shutil.disk_usage(folder).free
            detail = f"Nothing is stored yet; {free / 2**30:,.1f} GiB are free."
            fix = f"Free space on the disk of {folder}, or set FITSERVE_HOME."
            return (
                ok("storage", detail)
                if free >= least
                else warning("storage", detail, fix)
            )
        fix = f"Let this user write to {folder}, and free space on its disk."
        return of_part("storage", checks.check_folder(folder, least), fix)

    def check_home(self) -> Finding:
        """Check that other users of this machine cannot read the files."""
        home = self._settings.home_dir
        if not home.exists():
            return ok("home", f"{home} does not exist yet; {_START}")
        mode = stat.S_IMODE(home.stat().st_mode)
        if mode & 0o077:
            detail = f"{home} has the mode {mode:o}: other users can read it."
            return warning("home", detail, f"chmod 700 {home}")
        return ok("home", f"Only its owner can read {home}.")

    def check_port(self) -> Finding:
        """Check that the port is free, or that fitserve answers on it."""
        host, port = self._settings.host, self._settings.port
        if port == 0:
            return ok("port", "A free port is chosen at the start.")
        if not is_listening(host, port):
            return ok("port", f"{host}:{port} is free; no service is running.")
        if self.is_served():
            return ok("port", f"fitserve answers on {host}:{port}.")
        return failed(
            "port",
            f"Another program listens on {host}:{port}.",
            "Stop it, or set FITSERVE_PORT.",
        )

    def is_served(self) -> bool:
        """Return whether the service that the settings name is running."""
        return is_listening(self._settings.host, self._settings.port) and _answers_live(
            self._settings
        )

    def check_workers(self) -> Finding:
        """Check that workers for runs and datasets were seen recently."""
        if self._is_missing() or not self.is_served():
            return ok("workers", "No service is running, so no workers are needed.")
        part = checks.check_workers(self._database, self._settings.runs.lease_seconds)
        fix = "Run `python -m fitserve.server workers`; its log shows why it ended."
        return of_part("workers", part, fix)

    def check_clock(self) -> Finding:
        """Compare the clock of this machine with the clock of the database."""
        if self._is_missing():
            return ok("clock", "There is no database to compare with yet.")
        with self._database.read() as session:
            theirs = (session.scalar(select(now_ms())) or 0) / 1000
        off = abs(time.time() - theirs)
        if off < _CLOCK_SECONDS:
            return ok("clock", f"{off:.1f} s from the clock of the database.")
        detail = f"{off:,.0f} s from the clock of the database; times shown are wrong."
        return warning("clock", detail, "Synchronise both machines with NTP.")

    def check_key(self) -> Finding:
        """Check that the key is hard to guess; do not print the key."""
        key = self._settings.api_key
        if key is None:
            return self._check_keys()
        text = key.get_secret_value()
        if len(set(text)) < _FEWEST_DIFFERENT:
            detail = f"Only {len(set(text))} different characters, so it can be guessed."
            return warning("key", detail, f"Use a random key: {_NEW_KEY}")
        return ok("key", f"{len(text)} characters, {len(set(text))} different ones.")

    def _check_keys(self) -> Finding:
        has_any, has_valid = False, False
        if not self._is_missing():
            with self._database.read() as session:
                keys = ApiKeyRepository(session)
                has_any, has_valid = keys.any_ever(), keys.any_valid()
        if has_valid:
            return ok("key", "The database has valid keys.")
        if has_any:
            detail = "Every key in the database is expired or revoked."
            return warning("key", detail, "Create one: fitserve keys create NAME")
        if self._settings.is_loopback:
            return ok("key", "No key: only programs on this machine can connect.")
        detail = f"The host {self._settings.host} needs a key, but no key exists."
        return failed("key", detail, "Create one: fitserve keys create NAME")

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _is_missing(self) -> bool:
        path = self._url.database
        is_sqlite = self._url.get_backend_name() == "sqlite"
        return is_sqlite and path is not None and not Path(path).exists()


def is_listening(host: str, port: int) -> bool:
    """Return whether something accepts connections at the address."""
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
    """Return the address to connect to for an address to listen on."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  to connect to


def _nearest(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())
