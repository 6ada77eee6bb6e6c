"""Test that a worker notices when it no longer receives messages."""

import time

from core.runs.leases import Lease
from core.settings import RunTimes
from tests.core.runs.rows import add_run
from workers.watchdog import Watchdog, waiting_runs

TIMES = RunTimes(deaf_after_seconds=0.05)


def test_an_idle_child_with_a_waiting_run_misses_messages(database):
    """The child reports it after the allowed time, unless the run was claimed."""
    run_id = add_run(database)
    watchdog = Watchdog(database, waiting_runs, TIMES, is_busy=lambda: False)
    assert not watchdog.misses_messages()
    time.sleep(0.1)
    assert watchdog.misses_messages()
    Lease.claim(database, run_id, "w", 30.0)
    assert not watchdog.misses_messages()


def test_a_busy_child_reports_no_missed_messages(database):
    """Runs wait because the child works; the time starts when it is idle again."""
    add_run(database)
    busy = [True]
    watchdog = Watchdog(database, waiting_runs, TIMES, is_busy=lambda: busy[0])
    watchdog.misses_messages()
    time.sleep(0.1)
    assert not watchdog.misses_messages()
    busy[0] = False
    assert not watchdog.misses_messages()
