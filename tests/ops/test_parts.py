"""A part is started again when it dies; a part on demand, when it is wanted."""

import signal
import sys

import pytest

from ops.supervisor.parts import Part


@pytest.fixture
def wanted():
    """Return the list whose last word says whether the part is wanted."""
    return [True]


@pytest.fixture
def part(tmp_path, wanted):
    """Return a part on demand that ends when its stdin is closed, or by a signal."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    log = tmp_path / "p.log"
    found = Part("p", command, {}, log, is_wanted=lambda: wanted[-1])
    yield found
    found.terminate()
    found.wait(10.0)
    found.watch()


def end(part: Part) -> int | None:
    """Let the process end with 0, and return what the part reports about it."""
    process = part.process
    process.stdin.close()
    process.wait(30)
    return part.watch()


def test_a_part_that_nothing_wants_is_not_started(part, wanted):
    wanted.append(False)
    part.watch()
    assert part.process is None
    wanted.append(True)
    part.watch()
    assert part.process is not None


def test_a_part_on_demand_that_ends_is_no_failure_and_starts_again_at_once(part):
    part.watch()
    assert end(part) is None
    part.watch()
    assert part.process is not None


def test_a_part_on_demand_that_dies_is_reported(part):
    part.watch()
    part.process.kill()
    part.process.wait(30)
    assert part.watch() == -signal.SIGKILL
    part.watch()
    assert part.process is None  # after a pause


def test_another_part_that_ends_is_reported(part):
    part.is_wanted = None
    part.watch()
    assert end(part) == 0
