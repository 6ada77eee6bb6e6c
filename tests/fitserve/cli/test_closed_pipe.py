"""Following a run whose output nobody reads any more ends quietly."""

import subprocess

from tests.e2e_service import FITSERVE
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import sse


def test_a_watch_whose_reader_has_gone_ends_quietly(wire):
    """The exit code is that of SIGPIPE, not 1, which says that the run failed."""
    events = [("epoch", bodies.epoch(number)) for number in (1, 2, 3)]
    wire.answers("GET /v1/runs/run_1", bodies.run("queued"))
    wire.answers("GET /v1/runs/run_1/events", sse(*events, ("status", bodies.run())))
    wire.answers("GET /v1/runs/run_1/report", bodies.report())
    program = f"{FITSERVE} --url {wire.url} watch run_1 | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (141, "")
