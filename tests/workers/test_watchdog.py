"""Test that a worker notices when it no longer receives messages."""

import pytest

from core.runs.leases import Lease
from core.runs.next_run import ANY_RUN
from core.settings import RunTimes
from tests.core.runs.rows import add_run
from tests.timing import Clock
from workers import watchdog as module
from workers.watchdog import Watchdog, waiting_runs

TIMES = RunTimes(missed_message_seconds=30.0)


@pytest.fixture
def clock(monkeypatch):
    """Replace the clock of the watchdog."""
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_an_idle_child_with_a_waiting_run_misses_messages(database, clock):
    """The child reports it after the allowed time, unless the run was claimed."""
    run_id = add_run(database)
    watchdog = Watchdog(
        database, waiting_runs(lambda: ANY_RUN), TIMES, is_busy=lambda: False
    )
    assert not watchdog.misses_messages()
    clock.now += 29.0
    assert not watchdog.misses_messages()
    clock.now += 2.0
    assert watchdog.misses_messages()
    Lease.claim(database, run_id, "w", 30.0)
    assert not watchdog.misses_messages()


def test_a_busy_child_reports_no_missed_messages(database, clock):
    """Runs wait because the child works; the time starts when it is idle again."""
    add_run(database)
    busy = [False]
    watchdog = Watchdog(
        database, waiting_runs(lambda: ANY_RUN), TIMES, is_busy=lambda: busy[0]
    )
    assert not watchdog.misses_messages()
    busy[0] = True
    clock.now += 31.0
    assert not watchdog.misses_messages()
    busy[0] = False
    assert not watchdog.misses_messages()
