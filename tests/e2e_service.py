"""The whole service as a user starts it: `fitserve up` in a separate process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.servers import IS_SCALE_OUT, environment_of, redis_of

ROOT = Path(__file__).parents[1]
FITSERVE = Path(sys.executable).with_name("fitserve")


@contextmanager
def running(
    home: Path, program: Path = FITSERVE, **environment: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a service on a free port; yield its URL and process, then check a clean stop."""
    with started(home, program=program, **environment) as (line, process):
        yield line.split()[-1], process


@contextmanager
def started(
    home: Path, *options: str, program: Path = FITSERVE, **environment: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a service with more options; yield its ready line and process."""
    command = [program, "up", "--port", "0", "--home", home, *options]
    with parts_of(home) as parts, _running(command, parts | environment) as service:
        yield service


@contextmanager
def parts_of(home: Path) -> Iterator[dict[str, str]]:
    """Provide settings of a new database and broker; none if the bundled ones are used."""
    if not IS_SCALE_OUT:
        yield {}
        return
    with redis_of(home) as broker:
        yield environment_of(home) | {"FITSERVE_BROKER_URL": broker}


@contextmanager
def _running(
    command: Sequence[str | Path], environment: Mapping[str, str]
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    quick = {
        "FITSERVE_RUNS__LEASE_SECONDS": "3",
        "FITSERVE_RUNS__HEARTBEAT_SECONDS": "0.5",
        "FITSERVE_RUNS__JANITOR_SECONDS": "0.5",
        "FITSERVE_RUNS__REQUEUE_AFTER_SECONDS": "3",
        "FITSERVE_RUNS__DEAF_AFTER_SECONDS": "6",
        "FITSERVE_RUNS__CHECKPOINT_SECONDS": "0.5",
    }
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **quick, **environment},
    )
    assert process.stdout is not None
    try:
        yield (
            _ready_line(process.stdout, Path(command[command.index("--home") + 1])),
            process,
        )
    finally:
        process.stdout.close()
        assert _stopped(process) == 0


def _ready_line(output: Iterable[str], home: Path) -> str:
    """Return the line that says that the service is ready.

    The error, if no such line comes, has the printed lines and the ends of the logs.
    """
    lines = []
    try:
        for line in output:
            lines.append(line)
            if "ready at" in line or '"url"' in line:
                return line
        pytest.fail("the service ended before it was ready")
    except BaseException as error:
        error.add_note("".join(lines))
        for log in (home / "logs").glob("*.log"):
            error.add_note(f"{log.name}: {log.read_text(errors='replace')[-3000:]}")
        raise


def _stopped(process: subprocess.Popen[str]) -> int | None:
    """Send SIGTERM until the process ends; return its exit code."""
    for _ in range(300):
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=0.1)
    return None
