"""A home with a trained model, which is trained once per test process and then copied."""

import pytest

from tests.conftest import bench_in
from tests.service.small_model import SPEC, TABLE


@pytest.fixture(scope="session")
def small_home(tmp_path_factory, broker_url):
    """Settings of a closed bench that trained `SPEC` as version 1 of `m`."""
    with bench_in(tmp_path_factory.mktemp("small") / "home", broker_url) as bench:
        bench.upload(TABLE)
        run = bench.train(SPEC)
        assert run["status"] == "succeeded", run["error"]
    return bench.settings
