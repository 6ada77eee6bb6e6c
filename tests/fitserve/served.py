"""Start the real service on a socket, and train small runs in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.app import create_app
from tests.conftest import ServiceUnderTest, bench_in
from tests.live import live

FIT = {"epochs": 2, "seed": 1, "validation_split": 0.2}


@dataclass
class Served:
    """A service at `url`; `fit` trains runs."""

    url: str
    bench: ServiceUnderTest

    def fit(self, dataset: str, target: str, **more: Any) -> dict[str, Any]:
        """Train a model with the name of its dataset."""
        spec = {"dataset": dataset, "target": target, "model_name": dataset, "fit": FIT}
        run = self.bench.train({**spec, "preset": "small", **more})
        assert run["status"] == "succeeded", run["error"]
        return run


@contextmanager
def served_in(folder: Path, broker_url: str) -> Iterator[Served]:
    """Start a service in a new folder."""
    with (
        bench_in(folder / "home", broker_url) as bench,
        live(create_app(bench.settings)) as url,
    ):
        yield Served(url, bench)
