"""A few of the faults in every run of the tests; `make chaos` plays them all, and more.

`FITSERVE_TEST_SEED` plays a run again with the same choices.
"""

import os
import random

import pytest

from tests.chaos.checker import violations
from tests.chaos.house import house
from tests.chaos.play import play
from tests.chaos.profiles import Broker, NoServer, Profile
from tests.chaos.registry import ROWS
from tests.chaos.rows.queue import duplicates
from tests.chaos.rows.workers import zombie

pytestmark = pytest.mark.e2e
SEED = int(os.environ.get("FITSERVE_TEST_SEED", str(random.randrange(10**6))))


@pytest.fixture
def embedded():
    return Profile("sqlite", Broker.embedded, NoServer())


@pytest.mark.parametrize(("number", "times"), [(1, 1), (7, 1), (8, 5), (11, 1)])
def test_a_fault_breaks_no_promise(embedded, tmp_path, number, times):
    """Played on the embedded default, then everything is read and compared."""
    outcome = play(ROWS[number], embedded, tmp_path / "home", times, SEED)
    assert outcome.violations == [], outcome


@pytest.mark.parametrize(
    ("fault", "times", "sign"),
    [(zombie, 1, "changed after its end"), (duplicates, 2, "was executed")],
)
def test_without_the_fence_the_checker_finds_what_is_wrong(
    embedded, tmp_path, fault, times, sign
):
    """The negative control: the same faults, workers whose writes are not fenced."""
    with house(embedded, tmp_path / "home", workers=2, CHAOS_FENCE="off") as built:
        try:
            fault(built, times, random.Random(SEED))
            found = violations(built, deadline=10.0)
        except TimeoutError as error:
            found = [str(error), *built.ledger.wrong]
    assert any(sign in sentence for sentence in found), found
