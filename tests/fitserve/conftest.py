"""A wire for the client and the command line to talk to."""

import pytest

from tests.fitserve.client.wire import serving


@pytest.fixture
def wire():
    with serving() as wire:
        yield wire
