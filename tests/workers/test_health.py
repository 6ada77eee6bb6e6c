"""Test the health check of a worker's container, as Docker runs it."""

import os
import socket
import subprocess
import sys

import pytest
from sqlalchemy import update

from core.database.clock import now_ms
from core.settings import Settings
from core.workers.presence import Presence
from core.workers.repository import BOTH, DATASETS, RUNS
from core.workers.tables import Worker
from workers.health import fault

HERE = socket.gethostname()


def health(url, *kind):
    return subprocess.run(
        [sys.executable, "-m", "workers.health", *kind],
        env={**os.environ, "FITSERVE_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


def beat(database, kind, host=HERE):
    Presence(database, f"{host}:7", kind, 5.0).beat()


def test_health_depends_on_the_last_heartbeat(database, database_url):
    """The check reads the worker's presence in the database, and nothing else."""
    unseen = health(database_url)
    assert unseen.returncode == 1
    assert f"No worker on the host {HERE!r}" in unseen.stderr
    beat(database, RUNS)
    assert health(database_url).returncode == 0
    with database.write() as session:
        session.execute(update(Worker).values(seen_at=now_ms() - 40_000))
    stale = health(database_url)
    assert stale.returncode == 1
    assert "within the last 30 s" in stale.stderr


@pytest.mark.parametrize(
    ("kind", "asked", "is_well"),
    [
        (RUNS, RUNS, True),
        (RUNS, DATASETS, False),
        (BOTH, DATASETS, True),
        (DATASETS, RUNS, False),
    ],
)
def test_a_container_checks_its_own_kind_of_worker(
    database, database_url, kind, asked, is_well
):
    """A running reader does not hide an ended trainer."""
    beat(database, kind)
    problem = fault(Settings(database_url=database_url), HERE, asked)
    assert (problem is None) is is_well
    assert problem is None or f"No worker for {asked}" in problem


def test_workers_of_other_hosts_do_not_count(database, database_url):
    """Similar host names, and wildcard characters in them, do not match."""
    for host in (f"{HERE}x", f"x{HERE}", "_" * len(HERE)):
        beat(database, RUNS, host)
    assert fault(Settings(database_url=database_url), HERE, None)
    beat(database, RUNS)
    assert fault(Settings(database_url=database_url), HERE, None) is None


def test_an_unavailable_database_is_reported(tmp_path):
    """The worker needs the database, too."""
    url = f"sqlite:///{tmp_path / 'none' / 'x.db'}"
    problem = fault(Settings(database_url=url), HERE, None)
    assert "database does not answer" in problem


def test_an_unknown_kind_is_refused():
    """The message has the expected kinds."""
    answer = health("sqlite://", "run")
    assert answer.returncode == 2
    assert "expected `runs`, `datasets`" in answer.stderr


def test_it_does_not_load_keras():
    """The check runs every few seconds during a fit."""
    code = "import sys, workers.health; sys.exit('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0
