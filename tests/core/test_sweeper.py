"""What nobody holds is found, and ends one way or another."""

import time

import pytest
from sqlalchemy import select

from core.queue import Queue, make_celery
from core.runs.files import checkpoint_key
from core.runs.leases import Lease, SavedCheckpoint
from core.runs.repository import RunRepository
from core.runs.tables import Checkpoint
from core.settings import RunTimes, Settings
from core.storage import LocalStorage
from core.sweeper import Sweeper
from fitserve.statuses import RunStatus
from tests.core.runs.rows import add_run, read_run

TIMES = RunTimes(requeue_after_seconds=0.0, max_attempts=2)


@pytest.fixture
def storage(tmp_path):
    return LocalStorage(tmp_path / "files")


def sweeper(database, storage, broker_url):
    queue = Queue(make_celery(Settings(broker_url=broker_url)))
    return Sweeper(database, storage, queue, TIMES)


def test_a_run_whose_worker_died_is_sent_again_until_it_was_tried_enough(
    database, storage, broker_url
):
    """Two attempts are allowed: one requeue, then failed with the reason."""
    run_id = add_run(database)
    sweep = sweeper(database, storage, broker_url).sweep
    for attempt in (1, 2):
        assert Lease.claim(database, run_id, "w", 0.0).attempt == attempt
        time.sleep(0.01)
        assert sweep() == ([run_id] if attempt == 1 else [])
    run = read_run(database, run_id)
    assert run.status == RunStatus.FAILED
    assert run.error.type == "/problems/worker-lost"
    assert "2 times" in run.error.detail


def test_a_run_whose_message_was_lost_is_sent_again(database, storage, broker_url):
    """A queued run that nobody came for rings again."""
    run_id = add_run(database)
    time.sleep(0.01)
    assert sweeper(database, storage, broker_url).sweep() == [run_id]


def test_a_worker_that_froze_in_a_write_stops_no_sweep(database, storage, broker_url):
    """Its rows are locked; PostgreSQL's sweep passes them by and requeues the others."""
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one lock for all")
    frozen, lost = add_run(database), add_run(database)
    for run_id in (frozen, lost):
        Lease.claim(database, run_id, "w", 0.0)
    time.sleep(0.01)
    with database.write() as session:
        RunRepository(session, "default").request_cancel(frozen)
        assert sweeper(database, storage, broker_url).sweep() == [lost]
    assert read_run(database, frozen).status == RunStatus.RUNNING


def test_a_held_run_is_left_alone(database, storage, broker_url):
    """A lease that runs is respected."""
    run_id = add_run(database)
    Lease.claim(database, run_id, "w", 30.0)
    assert sweeper(database, storage, broker_url).sweep() == []
    assert read_run(database, run_id).status == RunStatus.RUNNING


def test_a_broken_broker_is_survived(database, storage, tmp_path):
    """With no broker at all the sweep ends without an error."""
    run_id = add_run(database)
    time.sleep(0.01)
    missing = f"redis+socket://{tmp_path / 'none.sock'}"
    assert sweeper(database, storage, missing).sweep() == [run_id]
    assert read_run(database, run_id).status == RunStatus.QUEUED


def test_checkpoints_of_ended_runs_are_removed(database, storage, broker_url):
    """Recorded or not; those of a run that may go on stay."""
    ids = [add_run(database) for _ in range(2)]
    for run_id in ids:
        lease = Lease.claim(database, run_id, "w", 30.0)
        lease.record([], SavedCheckpoint(1, 0.1, "k", "0", 1))
        lease.release()
        with storage.scratch() as folder:
            (folder / "f").write_text("x")
            storage.publish(folder / "f", checkpoint_key(run_id, 1, 1))
    with database.write() as session:
        RunRepository(session, "default").request_cancel(ids[0])
    sweep = sweeper(database, storage, broker_url)
    sweep.sweep()
    sweep.sweep_files()
    assert storage.keys("checkpoints") == [checkpoint_key(ids[1], 1, 1)]
    with database.read() as session:
        rows = session.scalars(select(Checkpoint.run_id)).all()
    assert rows == [ids[1]]
