"""Tests of /health/ready, part by part."""

import shutil

import pytest
from sqlalchemy import text

from core.workers.repository import BOTH, WorkerRepository
from tests.problems import assert_problem

PARTS = {"database", "migrations", "broker", "storage", "workers"}


@pytest.fixture
def unhurried(bench):
    """Provide a service with long deadlines for its checks, and without caching."""
    health = bench.client.app.state.services.health
    health._deadline = 20.0
    health._max_age = 0.0
    for probe in health._probes.values():
        probe._max_age = 0.0
    return bench


def test_without_a_worker_it_is_degraded_with_200(unhurried):
    """The service still predicts and accepts runs."""
    answer = unhurried.client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    parts = answer.json()["parts"]
    assert parts.keys() == PARTS
    assert [name for name, part in parts.items() if part["status"] != "ok"] == ["workers"]


def test_with_a_worker_it_is_ready(unhurried):
    with unhurried.database.write() as session:
        WorkerRepository(session).beat("here:1", BOTH)
    answer = unhurried.client.get("/health/ready").json()
    assert answer["status"] == "ready", answer
    assert {part["status"] for part in answer["parts"].values()} == {"ok"}


def test_a_database_that_is_not_migrated_is_503(unhurried):
    """The problem lists all parts; the V2 route answers 503 too."""
    with unhurried.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer = unhurried.client.get("/health/ready")
    assert_problem(answer, 503, "not-ready")
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["parts"]["migrations"]["status"] == "failed"
    assert answer.json()["parts"]["database"]["status"] == "ok"
    assert answer.json()["detail"].startswith("Migrations: ")
    assert unhurried.client.get("/v2/health/ready").status_code == 503


def test_files_that_cannot_be_written_are_503(unhurried):
    """The folder is missing, for example because a volume is not mounted."""
    shutil.rmtree(unhurried.settings.files_dir)
    answer = unhurried.client.get("/health/ready")
    assert_problem(answer, 503, "not-ready")
    assert answer.json()["parts"]["storage"]["status"] == "failed"


def test_it_names_no_path_and_no_host(unhurried):
    """Probes need no key, so the answer must reveal nothing."""
    answer = unhurried.client.get("/health/ready").text
    assert str(unhurried.settings.home_dir) not in answer
    assert "redis" not in answer
