"""A run has one holder at a time, and only the holder writes."""

import threading
import time
from dataclasses import replace

import pytest

from core.runs.leases import EpochRow, Lease, LeaseLost, SavedCheckpoint
from core.runs.maintenance import RunMaintenance
from core.runs.repository import RunRepository
from fitserve.enums import RunStatus
from tests.core.runs.rows import add_run, read_run


def claim(database, run_id, owner="a", seconds=30.0):
    return Lease.claim(database, run_id, owner, seconds)


def test_one_of_many_claims_wins(database):
    """Eight workers claim a run at the same time, and one gets it."""
    run_id = add_run(database)
    won = []
    threads = [
        threading.Thread(target=lambda i=i: won.append(claim(database, run_id, str(i))))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(lease is not None for lease in won) == 1
    assert read_run(database, run_id).attempt == 1


def test_a_replaced_worker_cannot_write(database):
    """Every write of the earlier attempt is refused after another worker claimed the run."""
    run_id = add_run(database)
    first = claim(database, run_id, seconds=0.0)
    time.sleep(0.01)
    with database.write() as session:
        RunMaintenance(session).requeue_lost(max_attempts=3)
    second = claim(database, run_id, "b")
    assert second.attempt == 2
    for write in (
        first.renew,
        first.cancel_requested,
        first.release,
        lambda: first.record([EpochRow(1, {"loss": 1.0}, 0.1)]),
        lambda: first.record([], SAVED),
        lambda: first.start_anew("no"),
    ):
        with pytest.raises(LeaseLost):
            write()
    second.record([EpochRow(1, {"loss": 2.0}, 0.1)])
    with database.read() as session:
        assert [e.metrics for e in RunRepository(session, "default").epochs(run_id)] == [
            {"loss": 2}
        ]


def test_nothing_is_written_after_the_end(database):
    run_id = add_run(database)
    lease = claim(database, run_id)
    with database.write() as session:
        lease.finish_in(session, RunStatus.SUCCEEDED)
    with pytest.raises(LeaseLost), database.write() as session:
        lease.finish_in(session, RunStatus.FAILED)
    assert read_run(database, run_id).status == RunStatus.SUCCEEDED


def rows(*epochs):
    return [EpochRow(epoch, {"loss": 1.0 / epoch}, epoch / 10) for epoch in epochs]


SAVED = SavedCheckpoint(2, 0.2, "checkpoints/r/1-2.npz", "0" * 64, 1)


def epochs_of(database, run_id):
    with database.read() as session:
        return [epoch.epoch for epoch in RunRepository(session, "default").epochs(run_id)]


def test_without_a_checkpoint_a_new_attempt_has_an_empty_history(database):
    """Epochs of the earlier attempt are deleted, so that no epoch occurs twice."""
    run_id = add_run(database)
    lease = claim(database, run_id)
    lease.record(rows(1, 2))
    lease.release()
    assert claim(database, run_id).checkpoint is None
    assert epochs_of(database, run_id) == []
    assert read_run(database, run_id).epoch == 0


def test_a_new_attempt_continues_after_the_checkpoint(database):
    """Epochs up to the newest checkpoint stay, and later ones are deleted."""
    run_id = add_run(database)
    lease = claim(database, run_id)
    lease.record(rows(1), replace(SAVED, epoch=1))
    lease.record(rows(2, 3), SAVED)
    lease.release()
    lease = claim(database, run_id)
    assert lease.checkpoint == SAVED
    run = read_run(database, run_id)
    assert (run.epoch, run.fit_seconds) == (2, 0.2)
    lease.record(rows(3, 4))
    assert epochs_of(database, run_id) == [1, 2, 3, 4]


def test_an_unusable_checkpoint_is_removed_with_a_warning(database):
    """The history is empty, and the next claim has no checkpoint."""
    run_id = add_run(database, warnings=["one"])
    lease = claim(database, run_id)
    lease.record(rows(1, 2), SAVED)
    lease.start_anew("two")
    assert epochs_of(database, run_id) == []
    assert read_run(database, run_id).warnings == ["one", "two"]
    lease.release()
    assert claim(database, run_id).checkpoint is None


def test_a_run_that_is_handed_back_does_not_count_as_tried(database):
    """After five orderly stops the run is still queued."""
    run_id = add_run(database)
    for _ in range(5):
        claim(database, run_id).release()
    claim(database, run_id, seconds=0.0)
    time.sleep(0.01)
    with database.write() as session:
        runs = RunMaintenance(session)
        runs.requeue_lost(max_attempts=3)
        assert runs.lost_for_good(max_attempts=3) == []
    assert read_run(database, run_id).status == RunStatus.QUEUED
