"""Run a whole service of a profile: broker, database, API processes and workers."""

import contextlib
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from core.database.migrate import upgrade
from core.database.sessions import Database
from core.runs.tables import Run
from core.settings import RunTimes, Settings
from core.supervised import LISTEN_FD
from tests.chaos.client import CELL, KEY, Client
from tests.chaos.processes import ManagedProcess, until
from tests.chaos.profiles import Profile
from tests.chaos.request_log import RequestLog

FAST = RunTimes(
    lease_seconds=2.0,
    heartbeat_seconds=0.5,
    janitor_seconds=0.5,
    requeue_after_seconds=1.0,
    missed_message_seconds=8.0,
    history_seconds=0.05,
    cancel_poll_seconds=0.1,
    checkpoint_seconds=0.2,
    idempotency_lease_seconds=2.0,
)


class Cluster:
    """All parts of one service; a test may kill and start its `workers` and `apis`."""

    client_seconds = 30.0
    """How long the client waits for an answer."""

    def __init__(self, profile: Profile, home: Path, **environment: str) -> None:
        self.profile = profile
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.log_dir = home.with_suffix(".logs")  # not in `home`, whose disk may be full
        self.log_dir.mkdir(exist_ok=True)
        self.broker = profile.make_broker(home)
        self.database_url = profile.server.new_database(home)
        upgrade(self.database_url)
        self.database = Database(self.database_url)
        self._listener: socket.socket | None = None
        self.urls = self._listen()
        self.environment = {**self._environment(), **environment}
        self.request_log = RequestLog()
        self.client = Client(self.urls, self.request_log, self.client_seconds)
        self.apis: list[ManagedProcess] = []
        self.workers: list[ManagedProcess] = []

    def _listen(self) -> list[str]:
        """Open the address that all API processes share. Return the URLs for clients."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        return [f"http://127.0.0.1:{self._listener.getsockname()[1]}"]

    @property
    def url(self) -> str:
        return self.urls[0]

    def _environment(self) -> dict[str, str]:
        runs = {
            f"FITSERVE_RUNS__{k.upper()}": str(v) for k, v in FAST.model_dump().items()
        }
        return {
            **runs,
            "FITSERVE_HOME": str(self.home),
            "FITSERVE_API_KEY": KEY,
            "FITSERVE_DATABASE_URL": self.database_url,
            "FITSERVE_BROKER_URL": self.broker.url,
            "FITSERVE_LIMITS__MAX_QUEUED_RUNS": "100000",
            "CHAOS_EXECUTIONS": str(self._executions),
            "CHAOS_FAILPOINTS": str(self.home / "failpoints"),
        }

    @property
    def _executions(self) -> Path:
        return self.home.with_suffix(".executions")  # not in `home`, as above

    @property
    def settings(self) -> Settings:
        return Settings(
            home=self.home, database_url=self.database_url, broker_url=self.broker.url
        )

    def start_api(
        self, prefix: tuple[str, ...] = (), **environment: str
    ) -> ManagedProcess:
        """Start another API process on the shared address."""
        log = self.log_dir / f"api-{len(self.apis)}.log"
        fds = [self._listener.fileno()] if self._listener else []
        inherited = {LISTEN_FD: str(fd) for fd in fds}  # noqa: B035  there is at most one
        given = {**self.environment, **inherited, **environment}
        part = ManagedProcess("tests.chaos.api", given, log, fds, prefix)
        self.apis.append(part)
        return self.apis[-1]

    def start_worker(
        self, prefix: tuple[str, ...] = (), **environment: str
    ) -> ManagedProcess:
        """Start another worker for runs."""
        log = self.log_dir / f"worker-{len(self.workers)}.log"
        given = {**self.environment, **environment}
        part = ManagedProcess("tests.chaos.stand_in runs", given, log, prefix=prefix)
        self.workers.append(part)
        return part

    def until_ready(self, workers: int | None = None) -> None:
        """Wait until the API answers and the given number of workers have a child."""
        self.client.insist("GET", "/health/live")
        for worker in self.workers[: len(self.workers) if workers is None else workers]:
            worker.child()

    def holder(self, run_id: str) -> ManagedProcess:
        """Wait for the worker whose child trains the run, and return the worker."""
        found: ManagedProcess = until(lambda: self._holder(run_id))
        return found

    def _holder(self, run_id: str) -> ManagedProcess | None:
        with self.database.read() as session:
            owner = session.get_one(Run, run_id).lease_owner or ":0"
        pid = int(owner.rsplit(":", 1)[1])
        return next((w for w in self.workers if pid in w.child_pids()), None)

    def is_locked(self, seconds: float = 3.0) -> bool:
        """Return whether a process holds SQLite's write lock for longer than `seconds`."""
        if not self.profile.is_sqlite:
            return False
        path = self.database_url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(path, timeout=seconds)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False

    def executions(self) -> list[tuple[str, int, float]]:
        """Return run, attempt and start time of every fit."""
        return executions_in(self._executions)

    def stored_files(self) -> set[str]:
        """Return the keys of all stored files, and the paths of all other files."""
        files = self.settings.files_dir
        return {str(f.relative_to(files)) for f in files.rglob("*") if f.is_file()}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what no log may contain: a key, and the cell of a table."""
        return KEY, CELL

    @property
    def parts(self) -> list[ManagedProcess]:
        """Return the processes that a supervisor restarts."""
        return [*self.workers, *self.apis]

    def logs(self) -> Iterator[Path]:
        """Return the log files of all processes."""
        yield from self.log_dir.glob("*.log")

    def close(self) -> None:
        for part in self.parts:
            if part.is_alive:
                part.kill()
        self.client.close()
        self.database.close()
        self.broker.close()
        if self._listener:
            self._listener.close()


def executions_in(path: Path) -> list[tuple[str, int, float]]:
    """Return run, attempt and start time of the fits that a file lists."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [
        (run_id, int(attempt), float(at)) for run_id, attempt, at in map(str.split, lines)
    ]


@contextmanager
def cluster(
    profile: Profile, home: Path, apis: int = 1, workers: int = 1, **environment: str
) -> Iterator[Cluster]:
    """Start a cluster with a dataset; end all of its processes at the end of the block."""
    built = Cluster(profile, home, **environment)
    try:
        for _ in range(apis):
            built.start_api()
        for _ in range(workers):
            built.start_worker()
        built.until_ready()
        built.client.upload()
        yield built
    finally:
        built.close()


class Restarter:
    """Restart processes that have ended, as `fitserve up` does, until the block ends."""

    def __init__(self, built: Cluster) -> None:
        self._cluster = built
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def _keep(self) -> None:
        while not self._stopped.wait(0.2):
            for part in self._cluster.parts:
                if not part.is_alive:
                    part.start()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()


__all__ = ["FAST", "Cluster", "Restarter", "cluster", "until"]
