"""Run `fitserve` in this process, against a fake server."""

import pytest
from typer.testing import CliRunner

from fitserve.cli.app import make_app
from fitserve.client import connections
from tests.timing import Clock


@pytest.fixture
def fitserve(wire):
    """Return a function that runs `fitserve --url <wire> ...`."""
    return lambda *args: CliRunner().invoke(
        make_app(), ["--url", wire.url, *(str(arg) for arg in args)]
    )


@pytest.fixture
def client_clock(monkeypatch):
    """Replace the clock of the pauses before the client retries a request."""
    clock = Clock()
    monkeypatch.setattr(connections, "time", clock)
    return clock
