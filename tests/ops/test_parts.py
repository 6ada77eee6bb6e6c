"""A part starts again when it dies, on demand when wanted, and held until its release."""

import signal
import sys

import pytest

from ops.supervisor.parts import Part
from tests.timing import until


@pytest.fixture
def wanted():
    """Return the list whose last word says whether the part is wanted."""
    return [True]


@pytest.fixture
def part(tmp_path, wanted):
    """Return a part on demand that ends when its stdin is closed, or by a signal."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    log = tmp_path / "p.log"
    found = Part("p", command, {}, log, has_work=lambda: wanted[-1])
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


def test_a_part_on_demand_that_ends_is_no_failure_and_starts_again_soon(part):
    part.watch()
    assert end(part) is None
    part.watch()
    assert part.process is None  # a part that ends at once is not started all the time
    until(lambda: part.watch() or part.process)


def test_a_part_on_demand_that_dies_is_reported(part):
    part.watch()
    part.process.kill()
    part.process.wait(30)
    assert part.watch() == -signal.SIGKILL
    part.watch()
    assert part.process is None  # after a pause


def test_another_part_that_ends_is_reported(part):
    part.has_work = None
    part.watch()
    assert end(part) == 0


HELD = """
from core.supervised import end_with_supervisor
print("imported", flush=True)
end_with_supervisor()
print("released", flush=True)
"""


@pytest.fixture
def held(tmp_path):
    """Return a held part that has imported its modules, and its log."""
    log = tmp_path / "held.log"
    found = Part("held", [sys.executable, "-c", HELD], {}, log)
    found.start(is_held=True)
    until(lambda: "imported" in log.read_text())
    yield found, log
    found.wait(30.0)
    found.watch()


def test_a_held_part_begins_when_it_is_released(held):
    part, log = held
    part.release()
    part.process.wait(30)
    assert log.read_text().split() == ["imported", "released"]


def test_a_held_part_ends_with_its_supervisor(held):
    part, log = held
    part.process.stdin.close()
    assert part.process.wait(30) == 0
    assert log.read_text().split() == ["imported"]


def test_a_held_part_that_died_is_reported(held):
    part, _ = held
    part.process.kill()
    part.process.wait(30)
    part.release()
    assert part.watch() == -signal.SIGKILL
