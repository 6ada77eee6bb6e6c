"""A service with rows in every table, and a backup of it."""

import pytest

from ops.backup.backup import make_backup
from tests.conftest import bench_in
from tests.service.small_model import SPEC

ROWS = "\n".join(f"{i},{i % 3}" for i in range(40))


@pytest.fixture
def service(tmp_path, broker_url, small_home):
    """Return a service with a model, an appended table, a key and a webhook."""
    with bench_in(tmp_path / "home", broker_url, small_home) as bench:
        bench.upload("a,y\n" + ROWS, "growing")
        more = bench.client.post("/v1/datasets/growing/rows", content="a,y\n" + ROWS)
        assert more.status_code == 201, more.text
        alias = bench.client.put("/v1/models/m/aliases/live", json={"version": 1})
        assert alias.is_success, alias.text
        bench.post(SPEC | {"webhook": {"url": "https://example.com/hook"}})
        yield bench


@pytest.fixture
def made(service, tmp_path):
    """Return the folder of a backup of the service."""
    make_backup(service.settings, tmp_path / "backup")
    return tmp_path / "backup"
