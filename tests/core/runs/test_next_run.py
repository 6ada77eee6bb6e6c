"""Test which run a free worker process trains next."""

import collections
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import update

from core.database.base import utc_now
from core.runs.leases import Lease
from core.runs.next_run import (
    ANY_RUN,
    Slot,
    lock_waiting,
    must_give_way,
    record_turn,
)
from core.runs.tables import Run
from core.settings import RunTimes
from fitserve.enums import RunStatus
from tests.core.runs.rows import add_run, read_run, resolved_spec

TIMES = RunTimes()
SMALL = Slot(small_runs_only=True, gives_way=False)


@pytest.fixture
def take(database):
    """Return a function that claims the next run for a slot; its id, or None."""

    def claim(slot=ANY_RUN):
        lease = Lease.claim_next(database, slot, "w", TIMES)
        return lease and lease.run_id

    return claim


@pytest.fixture
def end(database):
    """Return a function that ends a run."""

    def finish(run_id):
        set_columns(database, run_id, status=RunStatus.SUCCEEDED)

    return finish


def set_columns(database, run_id, **values):
    with database.write() as session:
        session.execute(update(Run).where(Run.id == run_id).values(**values))


def ago(seconds):
    return utc_now() - timedelta(seconds=seconds)


def test_the_oldest_run_of_the_highest_priority_is_first(database, take):
    low = add_run(database, spec=resolved_spec(priority=-1))
    first, second = add_run(database), add_run(database)
    high = add_run(database, spec=resolved_spec(priority=5))
    assert [take() for _ in range(5)] == [high, first, second, low, None]
    assert read_run(database, first).attempt == 1


def test_a_flood_of_one_workspace_takes_turns_with_another(database, take, end):
    """Ten runs that arrive behind two hundred have every second turn of one worker."""
    for _ in range(200):
        add_run(database, "flood")
    late = {add_run(database, "late") for _ in range(10)}
    started = []
    for _ in range(21):
        run_id = take()
        started.append(run_id in late)
        end(run_id)
    assert sum(started[:20]) == 10
    assert all(one != other for one, other in pairwise(started[:20]))
    assert not started[20]


def test_workers_are_shared_evenly(database, take):
    """Eight busy processes train two runs of each of the four workspaces."""
    names = {}
    for workspace in ("a", "b", "c", "d"):
        for _ in range(2 if workspace == "d" else 50):
            names[add_run(database, workspace)] = workspace
    shares = collections.Counter(names[take()] for _ in range(8))
    assert shares == {"a": 2, "b": 2, "c": 2, "d": 2}


def test_a_priority_is_above_the_other_runs_of_its_workspace_only(database, take, end):
    """A workspace cannot start all its runs before those of others."""
    mine = {add_run(database, "mine", spec=resolved_spec(priority=100)) for _ in range(3)}
    other = add_run(database, "other")
    first, second = take(), take()
    assert first in mine
    assert second == other


def test_a_process_for_small_runs_leaves_large_ones(database, take):
    large = add_run(database, is_small=False)
    small = add_run(database)
    assert [take(SMALL), take(SMALL), take()] == [small, None, large]


def test_only_a_worker_with_all_tags_takes_a_run(database, take):
    """A worker with tags takes runs without tags too."""
    both = add_run(database, spec=resolved_spec(worker_tags=["gpu", "large-memory"]))
    gpu = add_run(database, spec=resolved_spec(worker_tags=["gpu"]))
    assert take() is None
    assert take(Slot(tags=["large-memory"])) is None
    assert take(Slot(tags=["gpu"])) == gpu
    assert take(Slot(tags=["large-memory", "gpu"])) == both
    plain = add_run(database)
    assert take(Slot(tags=["gpu"])) == plain


def give_way(database, run_id):
    with database.read() as session:
        return must_give_way(session, run_id, ANY_RUN, TIMES)


@pytest.fixture
def long_run(database, take):
    """Return the id of a long run that is running."""
    run_id = add_run(database, is_small=False)
    assert take() == run_id
    return run_id


def test_a_long_run_gives_way_to_a_small_one_that_has_waited(database, long_run):
    waiting = add_run(database)
    assert not give_way(database, long_run)
    set_columns(database, waiting, created_at=ago(31))
    assert give_way(database, long_run)


@pytest.mark.parametrize(
    "values", [{"is_small": False}, {"spec": resolved_spec(worker_tags=["gpu"])}]
)
def test_a_long_run_does_not_give_way_to_others(database, long_run, values):
    """A run that is long too, or that this worker cannot train, waits."""
    add_run(database, created_at=ago(600), **values)
    assert not give_way(database, long_run)


def test_a_small_run_does_not_give_way(database, take):
    run_id = add_run(database)
    take()
    add_run(database, created_at=ago(600))
    assert not give_way(database, run_id)


def test_a_run_that_gave_way_starts_after_the_others_for_five_minutes(database, take):
    """It then has its old place again, and it gives way at most once in that time."""
    long_run = add_run(database, is_small=False)
    lease = Lease.claim_next(database, ANY_RUN, "w", TIMES)
    small, later = (add_run(database, created_at=ago(60)) for _ in range(2))
    with database.write() as session:
        lease.release_in(session, gives_way=True)
    released = read_run(database, long_run)
    assert (released.status, released.handed_back) == (RunStatus.QUEUED, 1)
    assert take() == small
    assert take() == later
    assert take() == long_run
    add_run(database, created_at=ago(60))
    assert not give_way(database, long_run)
    set_columns(database, long_run, gave_way_at=1)
    assert give_way(database, long_run)


def test_the_small_run_starts_before_other_long_ones(database, take):
    """A long run has given way to it, not to the long runs that wait too."""
    lease_of = add_run(database, is_small=False)
    lease = Lease.claim_next(database, ANY_RUN, "w", TIMES)
    high = add_run(database, is_small=False, spec=resolved_spec(priority=9))
    small = add_run(database)
    with database.write() as session:
        lease.release_in(session, gives_way=True)
    assert [take(), take(), take()] == [small, high, lease_of]


def test_no_more_runs_give_way_than_small_ones_wait(database, take):
    long_runs = [add_run(database, is_small=False) for _ in range(3)]
    assert [take() for _ in range(3)] == long_runs
    add_run(database, created_at=ago(31))
    assert [give_way(database, one) for one in long_runs] == [True, False, False]
    add_run(database, created_at=ago(31))
    assert [give_way(database, one) for one in long_runs] == [True, True, False]


def test_more_than_eight_locked_runs_do_not_hide_a_free_one(database, take):
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one lock for all")
    locked, free = [add_run(database) for _ in range(10)], add_run(database)
    with database.write() as session:
        assert all(lock_waiting(session, one) for one in locked)
        assert take() == free


def test_a_worker_that_hangs_after_its_turn_delays_no_other(database, take):
    """Neither in its own workspace nor in another."""
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one lock for all")
    first = add_run(database)
    assert take() == first
    frozen, free = add_run(database), add_run(database)
    with database.write() as session:
        assert lock_waiting(session, frozen)
        record_turn(session, frozen)
        assert take() == free


def test_a_worker_takes_another_run_if_its_first_choice_is_gone(database, monkeypatch):
    """Between choice and claim, another worker may take the run."""
    gone, left = add_run(database), add_run(database)
    set_columns(database, gone, status=RunStatus.CANCELLED)
    choices = iter([[gone], [left]])
    monkeypatch.setattr("core.runs.leases.next_runs", lambda *_: next(choices))
    lease = Lease.claim_next(database, ANY_RUN, "w", TIMES)
    assert lease.run_id == left


def test_a_worker_that_hangs_in_its_claim_delays_no_other(database, take):
    """The others take the next run, of the same workspace or of another."""
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one lock for all")
    locked, free = add_run(database), add_run(database)
    with database.write() as session:
        assert lock_waiting(session, locked)
        assert take() == free
        assert take() is None
    assert take() == locked
