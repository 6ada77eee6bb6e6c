"""Test `fitserve prune` on the home of a service."""

import json
from datetime import timedelta

import pytest
import typer
from sqlalchemy import update
from typer.testing import CliRunner

from core.database.base import utc_now
from core.retention.expired import Expired, Kind
from core.runs.tables import Run
from ops.retention import pruning
from ops.retention.command import prune as command
from tests.conftest import bench_in
from tests.service.small_model import SPEC

LIMIT = {"FITSERVE_RETENTION__RUNS_DAYS": "30"}


@pytest.fixture
def service(tmp_path, broker_url, small_home):
    """Return a service with a run that was cancelled a month and a half ago."""
    with bench_in(tmp_path / "home", broker_url, small_home) as bench:
        run_id = bench.post(SPEC)
        bench.client.post(f"/v1/runs/{run_id}/cancel")
        with bench.database.write() as session:
            ended = update(Run).where(Run.id == run_id)
            session.execute(ended.values(ended_at=utc_now() - timedelta(days=45)))
        bench.cancelled = run_id
        yield bench


def prune(service, *options, environment=None):
    app = typer.Typer()
    app.command()(command)
    given = service.environment | (LIMIT if environment is None else environment)
    return CliRunner().invoke(app, list(options), env=given)


def test_a_dry_run_lists_and_deletes_nothing(service):
    listed = prune(service, "--dry-run")
    assert listed.exit_code == 0, listed.output
    assert f"runs: 1 would be deleted ({service.cancelled})" in listed.output
    assert "versions: 0 would be deleted" in listed.output
    assert service.client.get(f"/v1/runs/{service.cancelled}").status_code == 200


def test_a_list_that_was_cut_says_so(capsys):
    """And runs of the listed versions are announced."""
    one = Expired("default", "id", "m version 1")
    found = {kind: [] for kind in Kind} | {Kind.VERSIONS: [one] * pruning.MOST_LISTED}
    pruning.show(found, is_dry=True, as_json=False)
    told = capsys.readouterr().out
    assert "versions: at least 100,000 would be deleted (m version 1, " in told
    assert "runs: 0 would be deleted" in told
    assert "The runs of these versions are not counted" in told


def test_what_has_expired_is_deleted(service):
    done = prune(service, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["runs"] == [service.cancelled]
    assert service.client.get(f"/v1/runs/{service.cancelled}").status_code == 404
    assert service.client.get("/v1/models/m").status_code == 200
    assert json.loads(prune(service, "--json").stdout)["runs"] == []


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "No age limit is set"),
        (LIMIT | {"FITSERVE_DATABASE_URL": "sqlite:////nowhere/x.db"}, "no database"),
        ({"FITSERVE_RETENTION__RUNS_DAYS": "-1"}, "FITSERVE_RETENTION__RUNS_DAYS: "),
        ({"FITSERVE_RETENTION__RUNS_DAYS": "inf"}, "FITSERVE_RETENTION__RUNS_DAYS: "),
        ({"FITSERVE_WORKER_TAGS": "gpu"}, "FITSERVE_WORKER_TAGS: expected JSON"),
        ({"FITSERVE_WORKER_TAGS": '["GPU"]'}, "FITSERVE_WORKER_TAGS[0]: "),
    ],
)
def test_a_command_that_cannot_work_says_why(service, environment, sentence):
    """It makes no folder either."""
    refused = prune(service, environment=environment)
    assert refused.exit_code == 2, refused.output
    assert sentence in " ".join(refused.output.split())
