"""Settings by their environment variables."""

import pytest

from core.settings import RunTimes, Settings
from ops.doctor.host import look_at_names


@pytest.mark.parametrize("name", ["JANITOR_SECONDS", "SWEEP_SECONDS"])
def test_the_janitors_pace_has_an_old_name_that_still_works(monkeypatch, name):
    """`fitserve doctor` accepts it as well."""
    variable = f"FITSERVE_RUNS__{name}"
    monkeypatch.setenv(variable, "1.5")
    assert Settings().runs.janitor_seconds == 1.5
    assert look_at_names({variable: "1.5"}).verdict == "ok"


def test_the_new_name_of_the_janitors_pace_wins(monkeypatch):
    """Over the old one, if both are set."""
    monkeypatch.setenv("FITSERVE_RUNS__SWEEP_SECONDS", "1")
    monkeypatch.setenv("FITSERVE_RUNS__JANITOR_SECONDS", "2")
    assert Settings().runs.janitor_seconds == 2
    assert RunTimes(janitor_seconds=3).model_dump()["janitor_seconds"] == 3
