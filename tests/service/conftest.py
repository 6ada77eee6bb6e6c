"""A home with a trained model; each test process trains it once, and tests copy it."""

import pytest

from tests.conftest import bench_in
from tests.service.small_model import SPEC, TABLE


@pytest.fixture(scope="session")
def small_home(tmp_path_factory, broker_url):
    """Train `SPEC` as version 1 of `m`; return the settings of the closed service."""
    with bench_in(tmp_path_factory.mktemp("small") / "home", broker_url) as bench:
        bench.upload(TABLE)
        run = bench.train(SPEC)
        assert run["status"] == "succeeded", run["error"]
    return bench.settings


@pytest.fixture
def append(client):
    """Return a function that appends a body to `table`, and returns the new version."""

    def append(body, name="table", **options):
        url = f"/v1/datasets/{name}/rows"
        answer = client.post(url, params=options, content=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return append
