"""Random orders of run events keep the guarantees about runs.

`make fuzz` tries many more orders (FITSERVE_FUZZ_EXAMPLES).
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import update

from core.runs.leases import Lease, LeaseLost
from core.runs.tables import Run
from core.settings import RunTimes
from fitserve.enums import RunStatus
from tests.conftest import bench_in
from tests.core.runs.machine import CSV, HOUR, MAX_ATTEMPTS, RunMachine

EXAMPLES = int(os.environ.get("FITSERVE_FUZZ_EXAMPLES", "5"))
CALM = RunTimes(
    janitor_seconds=HOUR, requeue_after_seconds=HOUR, max_attempts=MAX_ATTEMPTS
)
OPTIONS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    derandomize="FITSERVE_FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def machine(tmp_path, broker_url, database_url):
    home = tmp_path / "home"
    with bench_in(home, broker_url, database_url=database_url, runs=CALM) as bench:
        bench.upload(CSV)
        yield type("Machine", (RunMachine,), {"bench": bench})


def test_no_order_of_events_breaks_a_guarantee(machine):
    run_state_machine_as_test(machine, settings=OPTIONS)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_machine_finds_a_missing_fence(machine, monkeypatch):
    """Control: if `_update` ignores the attempt, the machine reports an old worker's write."""
    world = machine()
    run_id = world.create()
    old = world.claim(run_id)
    world.die_or_stall(run_id)
    world.sweep()
    world.claim(run_id)
    world.beat(old)
    world.all_is_as_expected()
    monkeypatch.setattr(Lease, "_update", _without_the_attempt)
    with pytest.raises(AssertionError, match="does not hold"):
        world.beat(old)
    world.teardown()


def _without_the_attempt(lease, session, **values):
    is_running = Run.status == RunStatus.RUNNING
    query = update(Run).where(Run.id == lease.run_id, is_running).values(**values)
    if not session.execute(query.returning(Run.id)).all():
        raise LeaseLost(lease.run_id)
