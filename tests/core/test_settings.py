"""Settings read from environment variables."""

import pytest
from pydantic import ValidationError

from core.settings import RunTimes, Settings
from ops.doctor.host import check_names


@pytest.mark.parametrize("name", ["JANITOR_SECONDS", "SWEEP_SECONDS"])
def test_the_old_name_of_janitor_seconds_still_works(monkeypatch, name):
    """`fitserve doctor` accepts the old name as well."""
    variable = f"FITSERVE_RUNS__{name}"
    monkeypatch.setenv(variable, "1.5")
    assert Settings().runs.janitor_seconds == 1.5
    assert check_names({variable: "1.5"}).verdict == "ok"


def test_the_new_name_of_janitor_seconds_wins(monkeypatch):
    monkeypatch.setenv("FITSERVE_RUNS__SWEEP_SECONDS", "1")
    monkeypatch.setenv("FITSERVE_RUNS__JANITOR_SECONDS", "2")
    assert Settings().runs.janitor_seconds == 2
    assert RunTimes(janitor_seconds=3).model_dump()["janitor_seconds"] == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNS__JANITOR_SECONDS", "-1"),
        ("RUNS__LEASE_SECONDS", "0"),
        ("RUNS__HEARTBEAT_SECONDS", "0"),
        ("RUNS__MAX_ATTEMPTS", "0"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_an_invalid_value_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"FITSERVE_{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_a_log_level_may_be_lower_case(monkeypatch):
    monkeypatch.setenv("FITSERVE_LOG_LEVEL", "debug")
    assert Settings().log_level == "DEBUG"
