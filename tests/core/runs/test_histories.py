"""Test that the history of an ended run becomes one row and reads as before."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from core.database.base import utc_now
from core.database.migration_times import MigrationTime
from core.runs.histories import compact, uncompacted
from core.runs.leases import EpochRow, Lease
from core.runs.repository import RunRepository
from core.runs.serialize import history_to_schema
from core.runs.tables import Epoch, History, Run
from fitserve.enums import RunStatus
from tests.core.runs.rows import add_run

ROWS = [
    EpochRow(1, {"loss": 0.5, "val_loss": None}, 0.1),
    EpochRow(2, {"loss": 0.25, "val_loss": 1e-9}, 0.25, fit=2),
    EpochRow(3, {"loss": None, "val_loss": 3.0}, 0.75, fit=2),
]


def migrated(database, days):
    """Let the database have been migrated some days ago."""
    with database.write() as session:
        at = utc_now() - timedelta(days=days)
        session.execute(update(MigrationTime).values(migrated_at=at))


def trained(database, days=2.0, status=RunStatus.SUCCEEDED):
    """Add a run with three epochs that ended some days ago; return its id.

    The database was migrated long before.
    """
    migrated(database, 100.0)
    run_id = add_run(database)
    lease = Lease.claim(database, run_id, "w", 30.0)
    lease.record(ROWS)
    ended = {"status": status, "ended_at": utc_now() - timedelta(days=days)}
    with database.write() as session:
        session.execute(update(Run).where(Run.id == run_id).values(**ended))
    return run_id


def compact_one(database, run_id):
    with database.write() as session:
        compact(session, run_id)


def waiting(database, days=1.0, limit=10):
    with database.read() as session:
        return uncompacted(session, days, limit)


def count(database, table):
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table))


def facts(epochs):
    return [(e.epoch, e.fit, e.seconds, e.metrics) for e in epochs]


def test_a_compacted_history_reads_as_before(database):
    """All ways to read epochs give the same values in the same order."""
    run_id = trained(database)

    def read():
        with database.read() as session:
            runs = RunRepository(session, "default")
            return (
                facts(runs.epochs(run_id)),
                facts(runs.epochs(run_id, after=1)),
                facts(runs.epochs(run_id, after=3)),
                facts(runs.epochs_below(run_id, 3, 10)),
                facts(runs.epochs_below(run_id, 4, 2)),
                history_to_schema(runs.epochs(run_id), 2).model_dump(),
            )

    before = read()
    compact_one(database, run_id)
    assert (count(database, Epoch), count(database, History)) == (0, 1)
    assert read() == before
    with database.read() as session:
        assert RunRepository(session, "other").epochs(run_id) == []


def test_only_runs_that_ended_some_time_ago_are_compacted(database):
    """Processes of the release before read epoch rows only."""
    old = [trained(database), trained(database, status=RunStatus.CANCELLED)]
    trained(database, days=0.5)
    trained(database, status=RunStatus.RUNNING)
    assert waiting(database) == old
    assert waiting(database, limit=1) == old[:1]
    for run_id in old:
        compact_one(database, run_id)
    assert waiting(database) == []


def test_no_history_is_compacted_soon_after_the_migration(database):
    """API processes of the release before may still run, for a day by default."""
    run_id = trained(database, days=50.0)
    migrated(database, 0.5)
    assert waiting(database) == []
    assert waiting(database, days=0.25) == [run_id]
    migrated(database, 1.5)
    assert waiting(database) == [run_id]


def test_a_run_in_progress_and_a_run_without_epochs_stay(database):
    running, empty = trained(database, status=RunStatus.RUNNING), add_run(database)
    for run_id in (running, empty, "run_none"):
        compact_one(database, run_id)
    assert (count(database, Epoch), count(database, History)) == (3, 0)


def test_two_processes_compact_a_run_once(database):
    run_ids = [trained(database) for _ in range(5)]
    threads = [
        threading.Thread(target=lambda: [compact_one(database, one) for one in run_ids])
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for run_id in set(waiting(database)):  # both skipped a run that the other had locked
        compact_one(database, run_id)
    assert (count(database, Epoch), count(database, History)) == (0, 5)


@pytest.mark.parametrize("limit", [1, 50])
def test_the_search_steps_over_runs_in_progress(database, limit):
    """Many runs in progress are older than a run that has ended."""
    for _ in range(20):
        trained(database, status=RunStatus.RUNNING)
    ended = trained(database)
    assert waiting(database, limit=limit) == [ended]
