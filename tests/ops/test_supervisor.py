"""The supervisor stops on a signal, and refuses an unknown storage."""

import os
import subprocess
import sys

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
