"""The health check of a worker's container, as Docker runs it."""

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


def test_a_worker_that_was_seen_is_well_and_one_that_fell_silent_is_not(
    database, database_url
):
    """By its own presence in the database; nothing else is asked."""
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
def test_a_container_asks_for_what_it_takes(database, database_url, kind, asked, is_well):
    """A reader beside it does not make a dead trainer well."""
    beat(database, kind)
    told = fault(Settings(database_url=database_url), HERE, asked)
    assert (told is None) is is_well
    assert told is None or f"No worker for {asked}" in told


def test_workers_of_other_hosts_do_not_count(database, database_url):
    """Nor does one whose name begins alike, or holds a wildcard's character."""
    for host in (f"{HERE}x", f"x{HERE}", "_" * len(HERE)):
        beat(database, RUNS, host)
    assert fault(Settings(database_url=database_url), HERE, None)
    beat(database, RUNS)
    assert fault(Settings(database_url=database_url), HERE, None) is None


def test_a_database_that_is_away_is_told(tmp_path):
    """The worker cannot do its work either."""
    url = f"sqlite:///{tmp_path / 'none' / 'x.db'}"
    told = fault(Settings(database_url=url), HERE, None)
    assert "database does not answer" in told


def test_an_unknown_word_is_refused():
    """With what was expected."""
    answer = health("sqlite://", "run")
    assert answer.returncode == 2
    assert "expected `runs`, `datasets`" in answer.stderr


def test_it_loads_no_keras():
    """It runs every few seconds beside a fit."""
    code = "import sys, workers.health; sys.exit('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0
