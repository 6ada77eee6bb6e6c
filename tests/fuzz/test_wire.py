"""Run a few seconds of `make fuzz`."""

import pytest

from service.app import create_app
from tests.conftest import bench_in
from tests.fuzz.wire import KEY, TABLE, attack
from tests.live import live

pytestmark = pytest.mark.heavy


def test_schemathesis_finds_nothing(tmp_path, broker_url):
    """Requests are valid or invalid, with and without a key."""
    with bench_in(tmp_path / "home", broker_url, api_key=KEY) as bench:
        bench.client.headers["Authorization"] = f"Bearer {KEY}"
        bench.upload(TABLE)
        with live(create_app(bench.settings)) as url:
            found = attack(url, 10, seed=1, examples=2, phases="coverage,fuzzing")
    assert found.findings == [], found.words
    assert found.num_cases > 0
