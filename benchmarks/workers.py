"""Measure runs a minute over 1, 2 and 4 workers on this machine, with PostgreSQL.

`RUNS=1000 WORKERS=1,2,4 python -m benchmarks workers`. Each run fits a small network for
one epoch, so that little of it is arithmetic. "database" and "broker" are the times that
PostgreSQL and Redis themselves spend on statements and commands, all of the service's, in
milliseconds for each run.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import sqlalchemy
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from benchmarks.postgresql import postgresql
from benchmarks.service import SPEC, TABLE, service
from core.settings import Settings
from core.workers.repository import RUNS as FOR_RUNS
from core.workers.repository import WorkerRepository
from fitserve import Client
from fitserve.enums import TERMINAL, RunStatus
from ops.supervisor.broker import connect

RUNS = int(os.environ.get("RUNS", "1000"))
WORKERS = [int(number) for number in os.environ.get("WORKERS", "1,2,4").split(",")]
_IDLE_SECONDS = 30
_COMMAND = [sys.executable, "-m", "fitserve.server", "workers", "runs"]


class ServersTime:
    """The time that PostgreSQL and Redis have spent since the start."""

    def __init__(self, engine: Engine, home: Path) -> None:
        self._engine = engine
        self._redis = connect(Settings(home=home).redis_socket)

    def milliseconds(self) -> tuple[float, float]:
        """Return the time of the database's statements and of the broker's commands."""
        query = text(
            "SELECT active_time FROM pg_stat_database WHERE datname = current_database()"
        )
        with self._engine.connect() as connection:
            database = float(connection.execute(query).scalar_one())
        commands = self._redis.info("commandstats")
        return database, sum(found["usec"] for found in commands.values()) / 1000

    def connections(self) -> int:
        """Return how many connections to the database the service has open."""
        query = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())


@contextmanager
def more_workers(home: Path, number: int) -> Iterator[None]:
    """Run further workers for runs."""
    environment = os.environ | {"FITSERVE_HOME": str(home)}
    with ExitStack() as stack:
        for i in range(number):
            log = stack.enter_context((home / "logs" / f"more-{i}.log").open("w"))
            process = subprocess.Popen(
                _COMMAND, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        yield


def train(client: Client, number: int) -> float:
    """Queue runs; return the seconds until all have succeeded."""
    began = time.monotonic()
    waiting = [client.runs.create(SPEC).id for _ in range(number)]
    while waiting:
        status = client.runs.get(waiting[-1]).status
        if status in TERMINAL:
            assert status == RunStatus.SUCCEEDED, waiting.pop()  # noqa: S101
            waiting.pop()
            continue
        time.sleep(0.05)
    return time.monotonic() - began


def idle_milliseconds(servers: ServersTime) -> float:
    """Return the time of the database for each second in which nothing waits."""
    time.sleep(2)  # the end of the last run
    before, _ = servers.milliseconds()
    time.sleep(_IDLE_SECONDS)
    after, _ = servers.milliseconds()
    return (after - before) / _IDLE_SECONDS


def measure(number: int, engine: Engine) -> dict[str, float]:
    """Train all runs over a number of workers; return the rate and the servers' time."""
    with (
        tempfile.TemporaryDirectory(prefix="fitserve-bench-") as folder,
        service(folder) as (url, _, _),
        more_workers(Path(folder), number - 1),
        Client(url) as client,
    ):
        client.datasets.upload(TABLE, name="diabetes")
        _warm(client, engine, number)
        servers = ServersTime(engine, Path(folder))
        before, cpu = servers.milliseconds(), psutil.cpu_times_percent()
        seconds = train(client, RUNS)
        database, broker = (
            (after - start) / RUNS
            for after, start in zip(servers.milliseconds(), before, strict=True)
        )
        cpu = psutil.cpu_times_percent()
        idle = idle_milliseconds(servers)
        connections = servers.connections()
    return {
        "workers": number,
        "runs_a_minute": round(60 * RUNS / seconds, 1),
        "database_ms_a_run": round(database, 2),
        "broker_ms_a_run": round(broker, 2),
        "busy_percent_of_all_cores": round(100 - cpu.idle, 1),
        "idle_database_ms_a_second": round(idle, 2),
        "connections": connections,
    }


def _warm(client: Client, engine: Engine, number: int) -> None:
    """Wait for the workers, and train a few runs on each."""
    with Session(engine) as session:
        while WorkerRepository(session).count_alive(30)[FOR_RUNS] < number:
            time.sleep(0.1)
    train(client, 4 * number)


def main() -> None:
    """Print a line of JSON for each number of workers."""
    with tempfile.TemporaryDirectory(prefix="fitserve-bench-") as folder:
        for number in WORKERS:
            with postgresql(Path(folder) / str(number)) as url:
                os.environ["FITSERVE_DATABASE_URL"] = url
                engine = sqlalchemy.create_engine(url)
                print(json.dumps(measure(number, engine)), flush=True)
                engine.dispose()


if __name__ == "__main__":
    main()
