"""Environment variables of a supervised process, and its stop with the supervisor."""

import os
import signal
import sys
import threading

SUPERVISED = "FITSERVE_SUPERVISED"
"""Set for children that must end when the pipe on their stdin is closed.

With the value `held`, a child also waits for a byte in the pipe before it begins.
"""
HELD = "held"
LISTEN_FD = "FITSERVE_LISTEN_FD"
"""The number of the inherited listening socket, which stays open across restarts."""
METRICS_DIR = "FITSERVE_METRICS_DIR"
"""The folder in which API processes on one address share their counters."""
READER_ON_DEMAND = "FITSERVE_READER_ON_DEMAND"
"""Set if the supervisor starts the reader while datasets wait in the queue."""
NOT_SETTINGS = (LISTEN_FD, METRICS_DIR, READER_ON_DEMAND, SUPERVISED)
"""The variables above, which only the supervisor sets."""


def is_reader_on_demand() -> bool:
    """Return whether this process's supervisor starts the reader on demand."""
    return READER_ON_DEMAND in os.environ


def end_with_supervisor() -> None:
    """Send this process SIGTERM once the pipe that the supervisor holds is closed.

    A held process waits here until the supervisor releases it.
    """
    supervised = os.environ.pop(SUPERVISED, None)
    if supervised == HELD and not os.read(0, 1):
        sys.exit(0)
    if supervised:
        threading.Thread(target=_watch, name="supervisor-pipe", daemon=True).start()


def _watch() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
