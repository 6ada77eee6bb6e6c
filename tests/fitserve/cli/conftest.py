"""Run `fitserve` in this process, against a fake server."""

import pytest
from typer.testing import CliRunner

from fitserve.cli.app import make_app


@pytest.fixture
def fitserve(wire):
    """Return a function that runs `fitserve --url <wire> ...`."""
    return lambda *args: CliRunner().invoke(
        make_app(), ["--url", wire.url, *(str(arg) for arg in args)]
    )
