"""Test that a heartbeat with failing writes keeps its lease and ends its run."""

import subprocess
import sys
import time

import pytest
from sqlalchemy.exc import ProgrammingError

from core.runs.leases import Lease, SavedCheckpoint
from fitserve.enums import RunStatus
from tests.conftest import QUICK
from tests.core.runs.rows import add_run, read_run
from workers.heartbeat import Heartbeat

UNWRITABLE = SavedCheckpoint(1, 0.1, "k", "0", num_bytes=object())
"""A faulty checkpoint that no database accepts."""


def until(question):
    deadline = time.monotonic() + 60
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_failed_write_does_not_end_the_heartbeat(database, caplog):
    """The lease is renewed, and the run can be ended."""
    run_id = add_run(database)
    lease = Lease.claim(database, run_id, "w", 300.0)
    times = QUICK.model_copy(update={"heartbeat_seconds": 0.01})
    heartbeat = Heartbeat(lease, times, is_stopping=bool)
    with heartbeat.running():
        heartbeat.epoch_ended(1, {"loss": 1.0})
        heartbeat.checkpoint_saved(UNWRITABLE)
        until(lambda: "ProgrammingError in the thread heartbeat" in caplog.text)
        before = read_run(database, run_id).lease_until
        until(lambda: read_run(database, run_id).lease_until > before)
    with pytest.raises(ProgrammingError), heartbeat.final_transaction(database):
        pass
    with heartbeat.final_transaction(database) as session:
        lease.finish_in(session, RunStatus.FAILED)
    assert read_run(database, run_id).status == RunStatus.FAILED


HANGING = """
import sys
from core.database.sessions import Database
from core.runs.leases import Lease, SavedCheckpoint
from core.settings import RunTimes
from workers import heartbeat

url, run_id, case = sys.argv[1:]
lease = Lease.claim(Database(url), run_id, "w", 300.0)
beating = heartbeat.Heartbeat(lease, RunTimes(history_seconds=0.01), is_stopping=bool)
if case == "broken":
    beating.checkpoint_saved(SavedCheckpoint(1, 0.1, "k", "0", object()))
beating.epoch_ended(1, {"loss": 1.0})
beating.hang_detector._grace = beating.hang_detector._deadline = 0.0
with beating.running():
    sys.stdin.read()
"""


@pytest.mark.parametrize("case", ["sound", "broken"])
def test_a_hung_process_is_killed_even_if_its_last_write_fails(database, case):
    """If the last write succeeds, the run has failed; otherwise another attempt starts."""
    run_id = add_run(database)
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", HANGING, url, run_id, case]
    hanging = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert hanging.wait(120) == -9, hanging.stderr.read()
    finally:
        hanging.kill()
        hanging.communicate()
    run = read_run(database, run_id)
    if case == "sound":
        assert (run.status, run.stop_reason) == ("failed", "time_limit")
    else:
        assert (run.status, run.attempt) == ("running", 1)
