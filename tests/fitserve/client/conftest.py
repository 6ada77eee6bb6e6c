"""Define a client of the fake server."""

import pytest

from fitserve import Client


@pytest.fixture
def client(wire):
    with Client(wire.url) as client:
        yield client
