"""Metrics read from the database, on both engines."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from core.database.base import utc_now
from core.janitor import worker_lost
from core.metrics.repository import DURATION_BOUNDS, FiguresRepository
from core.runs.leases import Lease
from core.runs.maintenance import RunMaintenance
from core.runs.repository import RunRepository
from core.runs.tables import Run
from core.workers.repository import RUNS, WorkerRepository
from fitserve.enums import RunStatus
from tests.core.runs.rows import add_run as new_run


def figures(database):
    """Return all figures as attributes of one object."""
    with database.read() as session:
        repository = FiguresRepository(session)
        totals = repository.totals()
        found = repository.figures(30.0, totals)
    return SimpleNamespace(**vars(found), **vars(totals))


def change(database, run_id, **values):
    with database.write() as session:
        session.execute(update(Run).where(Run.id == run_id).values(**values))


def finish(database, lease, status=RunStatus.SUCCEEDED, **values):
    with database.write() as session:
        lease.finish_in(session, status, **values)


def lose(database, run_id):
    """Claim a run and let its lease expire."""
    assert Lease.claim(database, run_id, "w", 30.0)
    change(database, run_id, lease_until=0)
    with database.write() as session:
        RunMaintenance(session).requeue_lost(3)


def test_an_empty_database_has_every_figure(database):
    found = figures(database)
    assert set(found.runs.values()) == set(found.datasets.values()) == {0}
    assert (found.epochs, found.lease_expiries, found.oldest_queued_seconds) == (
        0,
        0,
        0.0,
    )
    assert found.durations == {}
    assert found.stored_bytes == {"uploads": 0, "artifacts": 0}


def test_a_queue_has_a_depth_and_an_age(database):
    """The oldest waiting run sets the age; running runs do not count."""
    old, young, running = (new_run(database) for _ in range(3))
    change(database, old, created_at=utc_now() - timedelta(seconds=100))
    change(database, running, created_at=utc_now() - timedelta(seconds=900))
    assert Lease.claim(database, running, "w", 30.0)
    found = figures(database)
    assert found.runs == {
        "queued": 2,
        "running": 1,
        "succeeded": 0,
        "failed": 0,
        "cancelled": 0,
    }
    assert 100 <= found.oldest_queued_seconds < 160
    assert young


@pytest.mark.parametrize("seconds", [0.5, 20.0, 100_000.0])
def test_a_duration_falls_into_its_buckets(database, seconds):
    """The buckets are cumulative and equal on SQLite and PostgreSQL."""
    run_id = new_run(database)
    lease = Lease.claim(database, run_id, "w", 30.0)
    finish(database, lease)
    ended = utc_now()
    change(
        database, run_id, started_at=ended - timedelta(seconds=seconds), ended_at=ended,
        epoch=4, fit_seconds=2.5,
    )  # fmt: skip
    found = figures(database)
    durations = found.durations["succeeded"]
    assert durations.total == 1
    assert durations.seconds == pytest.approx(seconds, abs=0.001)
    assert durations.counts == [int(seconds < bound) for bound in DURATION_BOUNDS]
    assert (found.epochs, found.fit_seconds) == (4, 2.5)


def test_lost_attempts_are_counted_once_and_stay_counted(database):
    """A requeue counts one, later claims keep it, and a run that is handed back adds none."""
    run_id = new_run(database)
    seen = [figures(database).lease_expiries]
    lose(database, run_id)
    seen.append(figures(database).lease_expiries)
    lease = Lease.claim(database, run_id, "w", 30.0)
    seen.append(figures(database).lease_expiries)
    lease.release()
    seen.append(figures(database).lease_expiries)
    finish(database, Lease.claim(database, run_id, "w", 30.0))
    seen.append(figures(database).lease_expiries)
    assert seen == [0, 1, 1, 1, 1]
    assert figures(database).handed_back == 1


def test_a_run_lost_for_good_counts_every_attempt(database):
    """Two requeued attempts and the last one count three."""
    run_id = new_run(database)
    for _ in range(2):
        lose(database, run_id)
    assert Lease.claim(database, run_id, "w", 30.0)
    error = worker_lost(3)
    change(database, run_id, status=RunStatus.FAILED, error=error)
    assert figures(database).lease_expiries == 3


@pytest.mark.parametrize("is_running", [True, False])
def test_a_cancelled_run_keeps_its_lost_attempt(database, is_running):
    """The count is the same if the second attempt was waiting or running."""
    run_id = new_run(database)
    lose(database, run_id)
    lease = Lease.claim(database, run_id, "w", 30.0) if is_running else None
    with database.write() as session:
        RunRepository(session, "default").request_cancel(run_id)
    if lease:
        finish(database, lease, RunStatus.CANCELLED)
    assert figures(database).lease_expiries == 1


def test_workers_and_bytes(database):
    """Live workers and the bytes of uploads are counted."""
    new_run(database)
    with database.write() as session:
        WorkerRepository(session).beat("a:1", RUNS)
    found = figures(database)
    assert found.workers == {"runs": 1, "datasets": 0}
    assert found.stored_bytes["uploads"] > 0
