"""`fitserve`, in this process, against a wire."""

import pytest
from typer.testing import CliRunner

from fitserve.cli.app import make_app
from fitserve.client import connections
from tests.timing import Clock


@pytest.fixture
def fitserve(wire):
    """Runs `fitserve --url <wire> ...`; its exit code, stdout and stderr."""
    return lambda *args: CliRunner().invoke(
        make_app(), ["--url", wire.url, *(str(arg) for arg in args)]
    )


@pytest.fixture
def client_clock(monkeypatch):
    """The time that passes before the client sends a request again."""
    clock = Clock()
    monkeypatch.setattr(connections, "time", clock)
    return clock
