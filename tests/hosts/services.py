"""PostgreSQL, Redis and an S3 store, each on a host of its own."""

import signal
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import psycopg

from tests import s3
from tests.chaos.processes import until
from tests.chaos.profiles import Broker, Profile
from tests.hosts.network import Host, Network
from tests.live import free_port
from tests.servers import pgserver

PASSWORD = "only-between-the-hosts"
_PORT = 5432
_PATIENCE = {
    "connect_timeout": 2,
    "tcp_user_timeout": 3000,
    "keepalives_idle": 1,
    "keepalives_interval": 1,
}
"""Both ends of a connection give it up after 3 s of silence, instead of 20 s."""


class PostgresHost:
    """PostgreSQL of the wheel on a host, which others reach over TCP with a password."""

    def __init__(self, host: Host, subnet: str, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.host = host
        self._server = pgserver(folder).get_server(folder / "data", start=False)
        self._server.ensure_pgdata_inited()
        self._folder = self._server.pgdata
        with (self._folder / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {subnet} scram-sha-256\n")
        self.start()
        self._run(f"ALTER ROLE postgres PASSWORD '{PASSWORD}'")

    def start(self) -> None:
        """Start the server, and wait until it answers on its socket."""
        user = self._server.system_user  # it refuses to run as root
        as_user = ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups")
        program = str(self._server.bin_path / "postgres")
        where = ("-D", self._folder, "-h", self.host.address, "-k", self._folder)
        options = (*where, "-c", "fsync=off")
        with (self._folder.parent / "postgres.log").open("ab") as log:
            command = [*self.host.prefix, *as_user, program, *options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._answers)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "PostgreSQL does not start"
        try:
            self._run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, statement: str) -> None:
        where = f"host={self._folder} user=postgres dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement)

    def new_database(self, _: Path) -> str:
        """Create a database. Return its URL, which names the host's address."""
        self._run("CREATE DATABASE fitserve")
        server = f"postgres:{PASSWORD}@{self.host.address}:{_PORT}"
        return f"postgresql+psycopg://{server}/fitserve?{urlencode(_PATIENCE)}"

    def kill(self) -> None:
        """Stop the server immediately."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()


class StoreHost:
    """An S3 store on a host; its folder keeps the objects while it is stopped."""

    def __init__(self, host: Host, folder: Path) -> None:
        self.host = host
        self.root = folder
        self.port = free_port()
        self.url = f"s3://{s3.BUCKET}/files"
        self.environment = s3.environment(f"http://{host.address}:{self.port}")
        (folder / s3.BUCKET).mkdir(parents=True)
        self.start()

    def start(self) -> None:
        """Start the store, and wait until it accepts connections."""
        where = (self.root, self.port, self.host.address)
        self._process = s3.start_rclone(*where, self.host.prefix)

    def kill(self) -> None:
        """Kill the store, as a crash does."""
        self._process.kill()
        self._process.wait()

    def keys(self) -> set[str]:
        """Return the key of each object, read from the folder."""
        files = self.root / s3.BUCKET / "files"
        return {str(f.relative_to(files)) for f in files.rglob("*") if f.is_file()}


def profile_of(network: Network, folder: Path) -> Profile:
    """Start PostgreSQL on a host; its Redis starts on another."""
    redis = network.add_host("redis")
    server = PostgresHost(network.add_host("postgres"), network.subnet, folder / "pg")

    def start_redis(home: Path) -> Broker:
        return Broker.by_tcp(home, redis.address, PASSWORD, redis.prefix)

    return Profile("hosts", start_redis, server)
