"""Fixtures with real parts: migrated databases, a real Redis, the API, the trainer."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import functools
import gc
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from starlette.testclient import TestClient

from core.database.sessions import Database
from core.settings import ReportRules, RunTimes, Settings
from core.storage import Storage, open_storage
from service.app import create_app
from tests.servers import (
    ENGINES,
    IS_SCALE_OUT,
    new_storage_url,
    postgres_at_head,
    postgres_copy,
    redis_of,
    sqlite_at_head,
    storage_folder,
)
from tests.service.small_model import SPEC, TABLE
from tests.steps import Steps

# a busy machine is slow, which is not an error of the example
hypothesis.settings.register_profile("without deadline", deadline=None)
hypothesis.settings.load_profile("without deadline")

QUICK = RunTimes(
    lease_seconds=300.0,  # long enough to trace a graph on a busy machine
    heartbeat_seconds=0.5,
    janitor_seconds=0.5,
    requeue_after_seconds=1.0,
    history_seconds=0.05,
    cancel_poll_seconds=0.05,
)


_UNTIL = float(os.environ.get("FITSERVE_TEST_UNTIL", "inf"))
_SERVER_FIXTURES = {"broker_url", "database_url"}


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Deselect tests without a database or Redis in the profile that changes those."""
    if not IS_SCALE_OUT:
        return
    chosen = [item for item in items if _uses_servers(item)]
    config.hook.pytest_deselected(
        items=[item for item in items if not _uses_servers(item)]
    )
    items[:] = chosen


def _uses_servers(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    is_whole_service = item.get_closest_marker("e2e") is not None
    return is_whole_service or not _SERVER_FIXTURES.isdisjoint(fixtures)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Skip the tests that are left once the clock passes `FITSERVE_TEST_UNTIL`."""
    if time.time() > _UNTIL:
        pytest.skip("no time left (FITSERVE_TEST_UNTIL)")


def pytest_runtest_teardown() -> None:
    """Exclude Keras from garbage collection once it is imported, as the worker does.

    Keras collects before each training, which otherwise takes half a second.
    """
    if "keras" in sys.modules:
        _freeze_once()


@functools.cache  # gc.get_freeze_count() counts the objects, in 40 ms
def _freeze_once() -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture
def steps() -> Steps:
    """Return a log of the steps of a long test."""
    return Steps()


@pytest.fixture(scope="session")
def broker_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the bundled Redis."""
    with redis_of(tmp_path_factory.mktemp("b")) as url:
        yield url


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Create a database on one of the engines, migrated to head."""
    if request.param == "postgresql":
        return postgres_at_head()
    return sqlite_at_head(f"sqlite:///{tmp_path / 'test.db'}")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@dataclass
class ServiceUnderTest:
    """A service in this process: its settings, its API client, and a worker."""

    settings: Settings
    client: TestClient
    database: Database

    @property
    def storage(self) -> Storage:
        return open_storage(self.settings)

    @property
    def files(self) -> Path:
        """Return the folder of the stored files, also if an S3 server has them."""
        return storage_folder(self.settings.home_dir, self.settings.storage_url)

    def forget_copies(self) -> None:
        """Remove this machine's copies of files of an S3 server, which may be read."""
        shutil.rmtree(self.settings.files_dir / "cache", ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables with which another process is of the same service."""
        settings = self.settings
        storage = settings.storage_url
        return {
            **os.environ,
            "FITSERVE_HOME": str(settings.home_dir),
            "FITSERVE_BROKER_URL": settings.resolved_broker_url,
            "FITSERVE_DATABASE_URL": settings.resolved_database_url,
            **({"FITSERVE_STORAGE_URL": storage} if storage else {}),
        }

    def upload(self, csv: str | bytes | Path, name: str = "table") -> dict[str, Any]:
        """Upload a CSV given as text or as a path."""
        body = csv.read_bytes() if isinstance(csv, Path) else csv
        answer = self.client.post("/v1/datasets", params={"name": name}, content=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def post(self, spec: dict[str, Any]) -> str:
        """Queue a run and return its id."""
        answer = self.client.post("/v1/runs", json=spec)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def execute(
        self, run_id: str, is_stopping: Callable[[], bool] = bool
    ) -> dict[str, Any]:
        """Train a queued run in this process, as a worker's child would."""
        from workers import heartbeat
        from workers.run_executor import RunExecutor

        executor = RunExecutor(
            self.settings, self.database, self.storage, "test", is_stopping
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(heartbeat, "_LEAVE_SECONDS", 300.0)  # otherwise it ends pytest
            executor.execute(run_id)
        return self.client.get(f"/v1/runs/{run_id}").json()

    def train(self, spec: dict[str, Any]) -> dict[str, Any]:
        """Queue a run and train it."""
        return self.execute(self.post(spec))


@contextmanager
def bench_in(
    home: Path, broker_url: str, trained: Settings | None = None, **given: Any
) -> Iterator[ServiceUnderTest]:
    """Run a service in its own home, with short times.

    Unless `given` names a database, the service uses the profile's. It must be migrated
    to head. With `trained`, the settings of a closed service, start from a copy of its
    home and database.
    """
    own = {"runs": QUICK, "report": ReportRules(baselines=False)}
    if IS_SCALE_OUT and "database_url" not in given:
        copied = trained and postgres_copy(trained.resolved_database_url)
        given["database_url"] = copied or postgres_at_head()
    if "storage_url" not in given:
        given["storage_url"] = new_storage_url()
    settings = Settings(home=home, broker_url=broker_url, **{**own, **given})
    if trained is not None:
        shutil.copytree(trained.home_dir, settings.home_dir)
        if settings.storage_url:
            source = storage_folder(trained.home_dir, trained.storage_url)
            shutil.copytree(
                source, storage_folder(settings.home_dir, settings.storage_url)
            )
    else:
        settings.home_dir.mkdir()
        if settings.database_url is None:
            sqlite_at_head(settings.resolved_database_url)
    database = Database(settings.resolved_database_url)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        yield ServiceUnderTest(settings, client, database)
    database.close()


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Settings:
    """Train `SPEC` as version 1 of `m`; return the settings of the closed service.

    Each test process trains it once, and tests copy it.
    """
    with bench_in(tmp_path_factory.mktemp("small") / "home", broker_url) as bench:
        bench.upload(TABLE)
        run = bench.train(SPEC)
        assert run["status"] == "succeeded", run["error"]
    return bench.settings


@pytest.fixture
def bench(tmp_path: Path, broker_url: str) -> Iterator[ServiceUnderTest]:
    with bench_in(tmp_path / "home", broker_url) as bench:
        yield bench


@pytest.fixture
def settings(bench: ServiceUnderTest) -> Settings:
    return bench.settings


@pytest.fixture
def client(bench: ServiceUnderTest) -> TestClient:
    return bench.client


@pytest.fixture
def upload(bench: ServiceUnderTest) -> Callable[..., dict[str, Any]]:
    return bench.upload


@pytest.fixture
def train(bench: ServiceUnderTest) -> Callable[..., dict[str, Any]]:
    return bench.train
