"""A clock for Kombu, which pauses before it connects to a broker again."""

import pytest
from kombu.utils import functional

from tests.timing import Clock


@pytest.fixture
def broker_clock(monkeypatch):
    """Replace the clock of the pauses between two connection attempts."""
    clock = Clock()
    monkeypatch.setattr(functional, "time", clock.time)
    monkeypatch.setattr(functional, "sleep", clock.sleep)
    return clock
