"""The supervisor stops on a signal, and refuses an unknown storage."""

import os
import subprocess
import sys

import psutil

from tests.e2e_service import FITSERVE

MANY_SIGNALS = """
import signal, sys
from core.settings import Settings
from ops.supervisor.supervisor import Supervisor

supervisor = Supervisor(Settings(home=sys.argv[1]), print, print)
signal.signal(signal.SIGALRM, supervisor.stop)
signal.setitimer(signal.ITIMER_REAL, 5e-5, 5e-5)
stopped = [supervisor.is_stopped_within(1e-5) for _ in range(20_000)]
signal.setitimer(signal.ITIMER_REAL, 0)
print(stopped[-1])
"""


def test_a_signal_at_any_moment_stops_without_a_deadlock(tmp_path):
    """A handler must not take the lock of the wait that it interrupts."""
    done = subprocess.run(
        [sys.executable, "-c", MANY_SIGNALS, tmp_path],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout == "True\n"


def test_an_unknown_storage_is_refused_before_anything_starts(tmp_path):
    """The message lists the known schemes."""
    command = [FITSERVE, "up", "--home", tmp_path / "home", "--port", "0"]
    done = subprocess.run(
        command,
        env={**os.environ, "FITSERVE_STORAGE_URL": "ftp://host/files"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "'ftp'; expected one of file" in done.stderr
    assert "stopping" not in done.stderr
    assert (tmp_path / "home" / "logs" / "api.log").read_text() == ""


HOLDING = """
import os, sys, threading, time
from core.settings import Settings
from ops.supervisor import preparation, supervisor

def prepare(settings):
    print("preparing", flush=True)
    time.sleep(60)

preparation.prepare = prepare
supervisor.Supervisor(Settings(home=sys.argv[1], port=0), print, print).run()
"""


def test_a_supervisor_that_is_killed_while_it_prepares_leaves_no_process(tmp_path):
    """Neither the preparing child nor the held API stays; the home is free."""
    command = [sys.executable, "-c", HOLDING, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout.readline() == "preparing\n"
        left = psutil.Process(started.pid).children(recursive=True)
        started.kill()
        assert len(left) == 2, left
    gone, alive = psutil.wait_procs(left, timeout=60)
    assert (len(gone), alive) == (2, [])
