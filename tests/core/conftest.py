"""The clock of Kombu, which waits before it connects to a broker again."""

import pytest
from kombu.utils import functional

from tests.timing import Clock


@pytest.fixture
def broker_clock(monkeypatch):
    """The time that passes between two attempts to connect to the broker."""
    clock = Clock()
    monkeypatch.setattr(functional, "time", clock.time)
    monkeypatch.setattr(functional, "sleep", clock.sleep)
    return clock
