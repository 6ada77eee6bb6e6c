"""A client, and a wire for it to talk to."""

import pytest

from fitserve import Client
from tests.fitserve.client.wire import serving


@pytest.fixture
def wire():
    with serving() as wire:
        yield wire


@pytest.fixture
def client(wire):
    with Client(wire.url) as client:
        yield client
