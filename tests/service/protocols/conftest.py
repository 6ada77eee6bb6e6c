"""One service with three trained models on a real socket, for all client families."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from core.settings import Settings
from service.app import create_app
from tests.conftest import ServiceUnderTest, bench_in
from tests.live import free_port, live
from tests.service.protocols.models import ROWS, spec, table


@dataclass
class Live:
    """The addresses of the service, and its native answers."""

    url: str
    grpc_address: str
    bench: ServiceUnderTest

    @property
    def address(self) -> str:
        """Return host and port."""
        return self.url.removeprefix("http://")

    def native(
        self, model: str, rows: list[Any] = ROWS, path: str = ""
    ) -> dict[str, Any]:
        """Return the native route's answer, which all protocols must equal."""
        url = f"{self.url}/v1/models/{model}{path}/predict"
        answer = httpx.post(url, json={"instances": rows})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def three_models(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Settings:
    """Train the three models; return the settings of the closed service."""
    with bench_in(tmp_path_factory.mktemp("three") / "home", broker_url) as bench:
        for target in ("price", "churn", "grade"):
            bench.upload(table(target), target)
            run = bench.train(spec(target))
            assert run.get("status") == "succeeded", run
        alias = {"version": 1}
        assert bench.client.put("/v1/models/churn/aliases/live", json=alias).is_success
    return bench.settings


@pytest.fixture(scope="package")
def service(
    tmp_path_factory: pytest.TempPathFactory, broker_url: str, three_models: Settings
) -> Iterator[Live]:
    """Serve the models `price` (regression), `churn` (binary) and `grade` (multiclass)."""
    home = tmp_path_factory.mktemp("live") / "home"
    with bench_in(home, broker_url, three_models) as bench:
        port = free_port()
        more = {"default_model": "churn@live", "grpc_port": port}
        settings = bench.settings.model_copy(update=more)
        with live(create_app(settings)) as url:
            yield Live(url, f"127.0.0.1:{port}", bench)
