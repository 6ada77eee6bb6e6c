"""`GET /v1/runs?view=summary`: the same runs as in the full list, in little space."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from core.database.base import utc_now
from core.janitor import worker_lost
from core.runs.leases import Lease
from core.runs.repository import RunRepository
from core.runs.search import RunFilter
from core.runs.spec import RunPlan
from core.runs.tables import Run
from fitserve.schemas.runs import LayerPlan
from tests.core.runs.rows import add_run, resolved_spec
from tests.problems import assert_problem

MOST_BYTES = 30_000
FIGURE = {
    "figure_metric": "r2",
    "figure_value": 0.87123456789,
    "figure_low": 0.81234567891,
    "figure_high": 0.91234567891,
    "figure_side": "test",
    "figure_rows": 80,
    "baseline_name": "gradient_boosting",
    "baseline_value": 0.85123456789,
}


def change(database, **values):
    with database.write() as session:
        session.execute(update(Run).values(**values))


@pytest.fixture
def fifty(client, bench, upload):
    """Queue 50 runs of the default spec on a table of 30 columns, and end them."""
    names = [f"column_{i}" for i in range(30)]
    rows = [",".join(f"{(i * 7 + j) % 101}.5" for j in range(30)) for i in range(400)]
    upload("\n".join([",".join(names), *rows]), "measurements")
    spec = {"dataset": "measurements", "target": "column_29"}
    ids = [client.post("/v1/runs", json=spec).json()["id"] for _ in range(50)]
    began = utc_now()
    change(
        bench.database, status="succeeded", model_version=17, epoch=123,
        metrics={"loss": 0.123456789123, "val_loss": 0.234567891234},
        started_at=began, ended_at=began + timedelta(seconds=9), **FIGURE,
    )  # fmt: skip
    return ids


def test_fifty_summaries_need_less_than_30_kb(client, fifty):
    """The full list of the same runs needs several times as much."""
    answer = client.get("/v1/runs?view=summary&limit=50")
    assert [run["id"] for run in answer.json()["items"]] == fifty[::-1]
    assert len(answer.content) < MOST_BYTES
    assert len(client.get("/v1/runs?limit=50").content) > 4 * MOST_BYTES


def test_a_summary_agrees_with_the_run(client, fifty):
    """Its figures are rounded; a missing value with a default is left out."""
    summary = client.get("/v1/runs?view=summary&limit=1").json()["items"][0]
    run = client.get(f"/v1/runs/{fifty[-1]}").json()
    same = ("id", "status", "model_name", "model_version", "target", "task", "tags")
    for name in (*same, "created_at", "ended_at", "num_params"):
        assert summary[name] == run[name]
    assert summary["num_params"] > 0
    assert (summary["dataset_name"], summary["seconds"]) == ("measurements", 9.0)
    assert summary["num_seeds"] == run["spec"]["fit"]["num_seeds"]
    assert summary["num_train_rows"] == run["num_rows"]["train"]
    assert (summary["epoch"], summary["loss"]) == (123, 0.234568)
    assert summary["main_figure"] == {
        "metric": "r2",
        "value": 0.871235,
        "low": 0.812346,
        "high": 0.912346,
        "baseline": {"name": "gradient_boosting", "value": 0.851235},
        "baseline_title": "gradient boosting",
    }
    assert not {"notes", "error_title"} & summary.keys()


def test_pages_and_filters_are_those_of_the_full_list(client, fifty):
    first = client.get("/v1/runs?view=summary&limit=30").json()
    rest = client.get(f"/v1/runs?view=summary&cursor={first['next_cursor']}").json()
    assert [run["id"] for run in first["items"] + rest["items"]] == fifty[::-1]
    assert rest["next_cursor"] is None
    assert client.get("/v1/runs?view=summary&status=failed").json()["items"] == []
    answer = client.get("/v1/runs?view=short")
    assert "'short'" in assert_problem(answer, 422, "invalid-body")["detail"]


def test_what_the_database_shortens(database):
    """Notes are cut, an error is its title, and a loss without validation is `loss`."""
    fit = {"batch_size": 32, "epochs": 10, "seed": 1, "num_seeds": 3}
    layers = [LayerPlan(type="Dense", output_shape=[1], params=n) for n in (5, 2**40)]
    run_id = add_run(
        database, spec=resolved_spec(fit=fit, preset="linear"), notes="é" * 200,
        plan=RunPlan(layers=layers), metrics={"loss": 12345.678}, status="failed",
        error=worker_lost(3),
    )  # fmt: skip
    with database.read() as session:
        found = RunRepository(session, "default").summaries(None, 9, RunFilter("failed"))
    assert [run.id for run in found] == [run_id]
    run = found[0]
    assert (run.notes, run.error_title) == ("é" * 100, worker_lost(3).title)
    assert (run.preset, run.num_seeds, run.num_params) == ("linear", 3, 2**40 + 5)
    assert (run.loss, run.num_train_rows, run.main_figure) == (12345.678, 0, None)


def summaries(database):
    with database.read() as session:
        return RunRepository(session, "default").summaries(None, 9)


def test_a_table_may_have_more_rows_than_32_bits_count(database):
    add_run(database, num_rows={"train": 2**40})
    assert summaries(database)[0].num_train_rows == 2**40


@pytest.mark.parametrize(
    ("metrics", "loss"),
    [
        ({"loss": 0.5}, 0.5),
        ({"loss": 0.5, "val_loss": 0.25}, 0.25),
        ({"loss": 0.5, "val_loss": None}, None),
        ({}, None),
    ],
)
def test_a_loss_on_validation_rows_that_is_nan_is_null(database, metrics, loss):
    """The loss on training rows does not replace it."""
    add_run(database, metrics=metrics)
    assert summaries(database)[0].loss == loss


def test_a_run_that_returned_to_the_queue_takes_no_time(database):
    """The time begins again with the next attempt."""
    run_id = add_run(database)
    lease = Lease.claim(database, run_id, "w", 30.0)
    assert summaries(database)[0].seconds >= 0
    lease.release()
    assert summaries(database)[0].seconds is None
