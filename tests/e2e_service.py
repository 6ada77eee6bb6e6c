"""The whole service as a user starts it: `fitserve up` in a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
FITSERVE = Path(sys.executable).with_name("fitserve")


@contextmanager
def running(
    home: Path, **environment: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """URL and process of a service on a free port; stopped at the end, and that cleanly."""
    quick = {
        "FITSERVE_RUNS__LEASE_SECONDS": "3",
        "FITSERVE_RUNS__HEARTBEAT_SECONDS": "0.5",
        "FITSERVE_RUNS__SWEEP_SECONDS": "0.5",
        "FITSERVE_RUNS__REQUEUE_AFTER_SECONDS": "3",
        "FITSERVE_RUNS__DEAF_AFTER_SECONDS": "6",
        "FITSERVE_RUNS__CHECKPOINT_SECONDS": "0.5",
    }
    process = subprocess.Popen(
        [FITSERVE, "up", "--port", "0", "--home", home],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **quick, **environment},
    )
    assert process.stdout is not None
    try:
        ready = next(line for line in process.stdout if " ready at " in line)
        yield ready.split()[-1], process
    finally:
        process.stdout.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
