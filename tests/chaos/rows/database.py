"""Rows 17 to 19, 22 and 37: faults of the database."""

import contextlib
import multiprocessing
import random
import sqlite3
import subprocess
import sys
import threading
import time
from itertools import chain

from alembic import command
from sqlalchemy import insert

from core.database.migrate import alembic_config
from core.database.sessions import Database
from core.workers.tables import Worker
from tests.chaos.cluster import Cluster
from tests.chaos.registry import longest, row
from tests.chaos.rows.workers import at_epoch, succeeded
from tests.chaos.stand_in.weights import NAN_SEED


@row(
    17,
    "PostgreSQL restarted at once (`-m immediate`)",
    default=5,
    full=30,
    allowed=(503,),
    profiles=("postgresql",),
)
def crashed(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Restart PostgreSQL: answers are 503 meanwhile; no run or epoch is lost."""
    back = []
    for _ in range(times):
        ids = [cluster.client.post(choice.randrange(9000), 20) for _ in range(4)]
        time.sleep(choice.uniform(0, 1.5))
        cluster.profile.server.kill()
        cluster.client.ask("GET", f"/v1/runs/{ids[0]}")
        cluster.client.ask("POST", "/v1/runs", json={"dataset": "table", "target": "y"})
        cluster.profile.server.start()
        began = time.monotonic()
        cluster.client.read(ids[0])
        back.append(time.monotonic() - began)
        for run_id in ids:
            succeeded(cluster, run_id)
    return f"0 lost; answers again within {longest(back)}"


@row(
    18,
    "SQLite held by another writer for 5 s; 4 processes that write",
    default=2,
    full=5,
    profiles=("sqlite",),
    environment={"FITSERVE_RUNS__LEASE_SECONDS": "8"},
)
def locked(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Hold SQLite: writers wait, and no log contains "database is locked"."""
    for _ in range(times):
        ids = [cluster.client.post(choice.randrange(9000), 10) for _ in range(3)]
        threading.Thread(target=_hold, args=[cluster, 5.0]).start()
        ids += [cluster.client.post(choice.randrange(9000), 4)]
        for run_id in ids:
            succeeded(cluster, run_id)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        waits = sorted(chain(*pool.map(_write, [cluster.database_url] * 4)))
    p99 = waits[int(len(waits) * 0.99)]
    count = sum("database is locked" in log.read_text() for log in cluster.logs())
    if count:
        cluster.request_log.say(f"{count} logs report a locked database")
    return f"0 reported; of {len(waits)} writes by 4 processes the p99 is {p99:.2f} s"


def _hold(cluster: Cluster, seconds: float) -> None:
    path = cluster.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)


def _write(url: str) -> list[float]:
    """Return the durations of a hundred transactions that read and write."""
    database, took = Database(url), []
    for number in range(100):
        began = time.monotonic()
        with database.write() as session:
            session.query(Worker).all()
            values = {"id": f"{time.time_ns()}-{number}", "kind": "x", "seen_at": number}
            session.execute(insert(Worker).values(**values))
        took.append(time.monotonic() - began)
    database.close()
    return took


@row(
    19,
    "PostgreSQL unavailable for longer than a lease",
    default=2,
    full=10,
    allowed=(503,),
    profiles=("postgresql",),
)
def away(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Stop PostgreSQL: the fit continues meanwhile, and there is one result."""
    for _ in range(times):
        run_id = cluster.client.post(choice.randrange(9000), 60)
        at_epoch(cluster, run_id)
        cluster.profile.server.kill()
        time.sleep(choice.uniform(3, 8))
        cluster.profile.server.start()
        succeeded(cluster, run_id)
    return "1 result each"


@row(22, "The loss is not a number", default=20, full=50)
def not_a_number(cluster: Cluster, times: int, _: random.Random) -> str:
    """Train to NaN: the run fails by nan_loss, and its history is valid JSON."""
    for _ in range(times):
        run = cluster.client.ended(cluster.client.post(NAN_SEED, 6, epoch_ms="20"))
        history = cluster.client.insist("GET", f"/v1/runs/{run['id']}/history").json()
        if run["stop_reason"] != "nan_loss" or history["history"]["loss"][2] is not None:
            cluster.request_log.say(f"{run['id']}: {run['stop_reason']}, {history}")
    return "failed, null in the history"


@row(37, "Two processes bring one old database to head", default=3, full=20, workers=0)
def migrated(cluster: Cluster, times: int, _: random.Random) -> str:
    """Migrate twice at once: one process waits for the other, and old rows remain."""
    for number in range(times):
        home = cluster.home / f"old-{number}"
        home.mkdir()
        url = cluster.profile.server.new_database(home)
        command.upgrade(alembic_config(url), "0001")
        _fill(url)
        code = f"from core.database.migrate import upgrade; upgrade({url!r})"
        both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
        if any(process.wait(120) for process in both):
            cluster.request_log.say("a migration failed")
        _look(cluster, url)
    return f"{times} starts, 0 errors"


def _fill(url: str) -> None:
    database = Database(url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO models (name, created_at) VALUES ('old', '2026-01-01 00:00:00')"
        )
    database.close()


def _look(cluster: Cluster, url: str) -> None:
    database = Database(url)
    with database.engine.connect() as connection:
        names = connection.exec_driver_sql("SELECT name FROM models").scalars().all()
        if names != ["old"]:
            cluster.request_log.say(f"after the migration: {names}")
        if cluster.profile.is_sqlite:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            cluster.request_log.wrong += [f"foreign key: {line}" for line in broken]
    database.close()
