"""Start a fake server and a real service for client and command line."""

import httpcore
import pytest

from tests.fitserve.client.wire import serving
from tests.fitserve.served import served_in


@pytest.fixture(autouse=True)
def _no_pause_before_connecting_again(monkeypatch):
    monkeypatch.setattr(httpcore.SyncBackend, "sleep", lambda *_: None)


@pytest.fixture
def wire():
    with serving() as wire:
        yield wire


@pytest.fixture(scope="module")
def served(tmp_path_factory, broker_url):
    with served_in(tmp_path_factory.mktemp("served"), broker_url) as served:
        yield served
