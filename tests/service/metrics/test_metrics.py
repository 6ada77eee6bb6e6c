"""The content of /metrics, and who may read it."""

from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics,
)
from prometheus_client.parser import text_string_to_metric_families as prometheus
from pydantic import SecretStr
from starlette.testclient import TestClient

from core.database.base import utc_now
from core.supervised import METRICS_DIR
from service.app import create_app
from service.metrics.metrics import Metrics
from service.metrics.request_counters import RequestCounters
from tests.core.runs.rows import add_run
from tests.problems import assert_problem
from tests.service.small_model import ROW, SPEC, TABLE, ask

ROOT = Path(__file__).parents[3]
KEY = "a-secret-of-many-characters"


def samples(client):
    """Return every sample as name and labels with its value."""
    page = client.get("/metrics")
    assert page.status_code == 200
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in prometheus(page.text)
        for sample in family.samples
    }


def fresh(client):
    """Return the samples after another read of the database."""
    metrics = client.app.state.services.metrics
    metrics._until, metrics._totals._value = 0.0, None
    return samples(client)


@pytest.mark.keras
def test_a_run_and_its_predictions_are_counted(bench):
    """One training, two predictions and one refusal appear in every figure."""
    bench.upload(TABLE)
    run = bench.train(SPEC)
    assert run["status"] == "succeeded", run
    for instances in ([ROW], [ROW, ROW]):
        assert ask(bench.client, instances=instances).status_code == 200
    assert ask(bench.client, instances=[]).status_code == 422
    figures = fresh(bench.client)
    model = ("model", "m"), ("workspace", "default")
    assert figures["fitserve_predict_rows_total", *model] == 3
    assert figures["fitserve_predict_duration_seconds_count", *model] == 2
    predict = ("method", "POST"), ("route", "/v1/models/{name}/predict")
    for status, count in (("2xx", 2), ("4xx", 1)):
        key = *predict, ("status", status)
        assert figures["fitserve_http_requests_total", *key] == count
        assert figures["fitserve_http_request_duration_seconds_count", *key] == count
    assert figures["fitserve_runs", ("status", "succeeded")] == 1
    duration = "fitserve_run_duration_seconds_count", ("status", "succeeded")
    assert figures[duration] == 1
    assert figures["fitserve_epochs_total",] == 2
    assert figures["fitserve_model_cache_entries",] == 1
    assert figures["fitserve_model_loads_total",] == 1
    assert figures["fitserve_versions",] == 1
    assert figures["fitserve_stored_bytes", ("kind", "artifacts")] > 1000


def test_a_route_label_is_a_template(client):
    """Ids, unknown paths and refusals add no series."""
    for path in ("/v1/runs/run_1", "/v1/runs/run_2", "/nope/1", "/nope/2"):
        client.get(path)
    client.get("/v1/runs", headers={"Host": "evil.example"})
    figures = samples(client)
    routes = {
        labels["route"]: value
        for (name, *rest), value in figures.items()
        if name == "fitserve_http_requests_total"
        and (labels := dict(rest))["status"] == "4xx"
    }
    assert routes == {"/v1/runs/{run_id}": 2, "none": 3}


def test_a_damaged_model_is_counted(bench):
    from core.errors import ArtifactDamaged
    from core.models.network import ModelFile

    cache = bench.client.app.state.services.predictor.cache
    with pytest.raises(ArtifactDamaged):
        cache.get(ModelFile("v", "models/gone", "0" * 64, 1))
    assert samples(bench.client)["fitserve_model_load_failures_total",] == 1


def test_without_the_database_the_other_metrics_remain(bench):
    """`fitserve_database_up` is 0, and figures of the database are missing."""
    with bench.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE workers RENAME TO away")
    figures = fresh(bench.client)
    assert figures["fitserve_database_up",] == 0
    assert ("fitserve_models",) not in figures
    assert figures["fitserve_api_processes",] == 1


def counted_runs(metrics):
    """Return the runs that ended, as `metrics` answers a scrape after a minute."""
    metrics._until = 0.0
    metrics._totals._read_at = 0.0
    families = {family.name: family for family in metrics.collect()}
    return sum(
        sample.value
        for sample in families["fitserve_run_duration_seconds"].samples
        if sample.name.endswith("_count")
    )


@pytest.fixture
def processes(bench, tmp_path, monkeypatch):
    """Return the metrics of two processes at one address; reading totals is slow."""
    monkeypatch.setenv(METRICS_DIR, str(tmp_path))
    monkeypatch.setattr("service.metrics.cached_reading._QUICK_SECONDS", 0.0)
    predictor = bench.client.app.state.services.predictor
    return [
        Metrics(bench.settings, bench.database, predictor, RequestCounters())
        for _ in range(2)
    ]


def test_no_counter_decreases_after_another_process_has_ended(
    bench, processes, tmp_path, monkeypatch
):
    """The process that is left reads the totals, though it is alone again."""
    mine, other = processes
    began = utc_now()
    ended = {"status": "succeeded", "started_at": began, "ended_at": began}
    assert counted_runs(mine) == 0
    add_run(bench.database, **ended)
    mine._totals._due_at = float("inf")
    assert counted_runs(mine) == 0
    with monkeypatch.context() as patch:
        patch.setattr("os.getpid", lambda: 2**22 + 1)  # a process that has ended
        assert counted_runs(other) == 1
    assert (tmp_path / f"{2**22 + 1}.json").exists()
    assert counted_runs(mine) == 1


def test_open_metrics_are_sent_by_accept(client):
    """A strict parser reads them."""
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    page = client.get("/metrics", headers=accept)
    assert page.headers["content-type"].startswith("application/openmetrics-text")
    assert {family.name for family in open_metrics(page.text)} >= {"fitserve_runs"}


@pytest.mark.parametrize("is_open", [False, True])
def test_metrics_need_a_key_unless_a_setting_opens_them(settings, is_open):
    """The setting opens no other route."""
    changes = {"api_key": SecretStr(KEY), "metrics_open": is_open}
    with TestClient(create_app(settings.model_copy(update=changes))) as locked:
        if is_open:
            assert locked.get("/metrics").status_code == 200
        else:
            assert_problem(locked.get("/metrics"), 401, "unauthorized")
        assert_problem(locked.get("/v1/runs"), 401, "unauthorized")


def test_names_have_a_prefix_and_a_unit(client):
    for family in client.app.state.services.metrics.collect():
        assert family.name.startswith("fitserve_")
        if "Bytes" in family.documentation or "memory" in family.documentation:
            assert family.name.endswith("_bytes")
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
