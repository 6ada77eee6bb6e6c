"""Test some of the faults; `make chaos` plays all of them with more repetitions.

`FITSERVE_TEST_SEED` repeats the same random choices.
"""

import contextlib
import os
import random

import pytest

import tests.chaos.scenario  # noqa: F401  imported to register all rows
from tests.chaos.checker import violations
from tests.chaos.cluster import cluster
from tests.chaos.profiles import Broker, NoServer, Profile
from tests.chaos.registry import ROWS
from tests.chaos.rows.queue import duplicates
from tests.chaos.rows.workers import zombie

pytestmark = [pytest.mark.e2e, pytest.mark.heavy]
SEED = int(os.environ.get("FITSERVE_TEST_SEED", str(random.randrange(10**6))))


@pytest.fixture
def embedded():
    return Profile("sqlite", Broker.embedded, NoServer())


def test_faults_break_no_promise(embedded, tmp_path):
    """The faults are those of workers and messages, on the embedded default."""
    choice = random.Random(SEED)
    with cluster(embedded, tmp_path / "home", workers=2) as built:
        for number, times in ((8, 5), (1, 1), (7, 1), (11, 1)):
            ROWS[number].play(built, times, choice)
        assert violations(built) == [], f"seed {SEED}"


@pytest.mark.parametrize(
    ("fault", "times", "sign"),
    [(zombie, 1, "changed after its end"), (duplicates, 2, "was executed")],
)
def test_without_the_fence_the_checker_finds_violations(
    embedded, tmp_path, fault, times, sign
):
    """The negative control: with the same faults, workers have no fence."""
    choice = random.Random(SEED)
    found: list[str] = []
    with cluster(embedded, tmp_path / "home", workers=2, CHAOS_FENCE="off") as built:
        for _ in range(5):  # a busy machine may continue a frozen worker late
            with contextlib.suppress(TimeoutError):
                fault(built, times, choice)
            found += violations(built, deadline=10.0)
            if any(sign in sentence for sentence in found):
                return
    pytest.fail(f"seed {SEED}: nothing of {sign!r} in {found}")
