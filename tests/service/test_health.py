"""/health/ready, part by part."""

import shutil

import pytest
from sqlalchemy import text

from core.workers.repository import BOTH, WorkerRepository
from tests.problems import assert_problem

PARTS = {"database", "migrations", "broker", "storage", "workers"}


@pytest.fixture
def unhurried(bench):
    """A service whose parts may take their time on a busy machine, asked anew each time."""
    health = bench.client.app.state.services.health
    health._deadline = 20.0
    health._max_age = 0.0
    for probe in health._probes.values():
        probe._max_age = 0.0
    return bench


def test_without_a_worker_it_is_ready_and_says_degraded(unhurried):
    """200: it predicts and takes runs."""
    told = unhurried.client.get("/health/ready")
    assert told.status_code == 200
    assert told.json()["status"] == "degraded"
    parts = told.json()["parts"]
    assert parts.keys() == PARTS
    assert [name for name, part in parts.items() if part["status"] != "ok"] == ["workers"]


def test_with_a_worker_it_is_ready(unhurried):
    """Every part ok."""
    with unhurried.database.write() as session:
        WorkerRepository(session).beat("here:1", BOTH)
    told = unhurried.client.get("/health/ready").json()
    assert told["status"] == "ready", told
    assert {part["status"] for part in told["parts"].values()} == {"ok"}


def test_a_database_that_is_behind_is_503_with_the_parts(unhurried):
    """The problem names what failed; the healthy parts are told too, V2 alike."""
    with unhurried.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    told = unhurried.client.get("/health/ready")
    assert_problem(told, 503, "not-ready")
    assert told.headers["retry-after"] == "1"
    assert told.json()["parts"]["migrations"]["status"] == "failed"
    assert told.json()["parts"]["database"]["status"] == "ok"
    assert told.json()["detail"].startswith("Migrations: ")
    assert unhurried.client.get("/v2/health/ready").status_code == 503


def test_files_that_cannot_be_written_are_503(unhurried):
    """The folder is gone, as when a volume is not mounted."""
    shutil.rmtree(unhurried.settings.files_dir)
    told = unhurried.client.get("/health/ready")
    assert_problem(told, 503, "not-ready")
    assert told.json()["parts"]["storage"]["status"] == "failed"


def test_it_names_no_path_and_no_host(unhurried):
    """Probes need no key."""
    told = unhurried.client.get("/health/ready").text
    assert str(unhurried.settings.home_dir) not in told
    assert "redis" not in told
