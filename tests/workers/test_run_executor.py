"""Test every way in which an attempt can end."""

import math
import threading
import time

import pytest
from sqlalchemy.exc import OperationalError

from core.runs.leases import Lease

pytestmark = pytest.mark.keras
ROWS = "".join(f"{i},{i % 7},{3 * i + 1}\n" for i in range(60))
CSV = "x,z,y\n" + ROWS


@pytest.fixture
def table(upload):
    upload(CSV)


def spec(layers=None, **fit):
    layers = layers or [{"type": "Dense", "units": 4}, {"type": "Dense", "units": 1}]
    return {
        "dataset": "table",
        "target": "y",
        "model_name": "m",
        "model": {"layers": layers},
        "fit": {"epochs": 5, "seed": 1, **fit},
    }


def history(bench, run):
    return bench.client.get(f"/v1/runs/{run['id']}/history").json()


def test_a_complete_run(bench, table):
    """The history has one row per epoch, and the metrics are those of the last one."""
    run = bench.train(spec())
    assert (run["status"], run["stop_reason"]) == ("succeeded", "completed")
    read = history(bench, run)
    assert read["epoch"] == [1, 2, 3, 4, 5]
    assert list(read["history"]) == [
        "loss", "mae", "root_mean_squared_error",
        "val_loss", "val_mae", "val_root_mean_squared_error",
    ]  # fmt: skip
    assert run["best_epoch"] == 5
    assert run["metrics"]["val_loss"] == read["history"]["val_loss"][-1]
    assert run["num_rows"] == {"train": 48, "validation": 12}
    assert run["model_version"] == 1


def test_the_history_has_the_learning_rate_where_it_changes(bench, table):
    """It is in the history and in its CSV, and it is no metric of the version."""
    schedule = {"type": "CosineDecay", "alpha": 0.5}
    run = bench.train(spec(learning_rate_scheduler=schedule, num_seeds=2))
    rates = history(bench, run)["history"]["learning_rate"]
    assert len(rates) == 10
    assert rates[0] == pytest.approx(0.001)
    assert rates[5:] == rates[:5] == sorted(rates[:5], reverse=True)
    assert "learning_rate" not in run["metrics"]
    url, accept = f"/v1/runs/{run['id']}/history", {"accept": "text/csv"}
    head, *lines = bench.client.get(url, headers=accept).text.splitlines()
    assert head.split(",")[-1] == "learning_rate"
    assert len(lines) == 10


@pytest.mark.parametrize("members", [None, 2])
def test_a_batch_may_be_larger_than_the_training_rows(bench, table, members):
    """Each epoch is one step, as in the course; the spec keeps the given batch size."""
    given = spec(batch_size=512)
    if members is not None:
        given["model"]["ensemble"] = members
    run = bench.train(given)
    assert run["status"] == "succeeded", run["error"]
    assert run["spec"]["fit"]["batch_size"] == 512
    losses = history(bench, run)["history"]["loss"]
    assert losses == sorted(losses, reverse=True)


def test_early_stopping_keeps_the_lowest_validation_loss(bench, table):
    """The kept epoch has the lowest `val_loss`."""
    stop = {"patience": 3, "min_delta": 0.0, "restore_best_weights": True}
    given = spec(epochs=1000, early_stopping=stop)
    given["compile"] = {"optimizer": {"type": "Adam", "learning_rate": 0.1}}
    run = bench.train(given)
    assert run["stop_reason"] == "early_stopping"
    losses = history(bench, run)["history"]["val_loss"]
    assert len(losses) == run["progress"]["epoch"] < 1000
    assert losses[run["best_epoch"] - 1] == min(losses) == run["metrics"]["val_loss"]


def test_the_same_seed_gives_the_same_network(bench, table):
    """The predictions of two runs are exactly equal."""
    for _ in range(2):
        assert bench.train(spec())["status"] == "succeeded"
    answers = [
        bench.client.post(
            f"/v1/models/m/versions/{n}/predict", json={"instances": [[1, 2], [30, 4]]}
        ).json()["predictions"]
        for n in (1, 2)
    ]
    assert answers[0] == answers[1]


def test_a_nan_loss_fails_the_run_and_keeps_its_history(bench, table):
    """The last loss is null, and there is no version."""
    given = spec(epochs=50)
    given["compile"] = {"optimizer": {"type": "SGD", "learning_rate": 1e6}, "loss": "mse"}
    run = bench.train(given)
    assert (run["status"], run["stop_reason"]) == ("failed", "nan_loss")
    assert run["error"]["type"] == "/problems/nan-loss"
    losses = history(bench, run)["history"]["loss"]
    assert losses[-1] is None
    assert all(loss is None or math.isfinite(loss) for loss in losses)
    assert run["model_version"] is None


def test_a_time_limit_ends_the_fit_with_the_trained_network(bench, table):
    """The run succeeds by time_limit."""
    run = bench.train(spec(epochs=10_000, time_limit_seconds=0.5))
    assert (run["status"], run["stop_reason"]) == ("succeeded", "time_limit")
    assert run["model_version"] == 1


def in_background(bench, run_id, **options):
    thread = threading.Thread(target=bench.execute, args=[run_id], kwargs=options)
    thread.start()
    for _ in range(2400):
        if bench.client.get(f"/v1/runs/{run_id}").json()["progress"]["epoch"] > 1:
            return thread
        time.sleep(0.05)
    raise AssertionError("the run made no progress")


def test_cancelling_a_running_run_keeps_its_best_weights(bench, table):
    """The cancelled run has a version, which serves only requests that name it."""
    bench.train(spec())
    run_id = bench.post(spec(epochs=10_000))
    thread = in_background(bench, run_id)
    assert bench.client.post(f"/v1/runs/{run_id}/cancel").status_code == 202
    thread.join(timeout=60)
    assert not thread.is_alive()
    run = bench.client.get(f"/v1/runs/{run_id}").json()
    assert (run["status"], run["stop_reason"]) == ("cancelled", "cancelled")
    assert run["model_version"] == 2
    assert bench.client.get("/v1/models/m").json()["latest_version"] == 1
    answer = bench.client.post(
        "/v1/models/m/versions/2/predict", json={"instances": [[1, 2]]}
    )
    assert answer.status_code == 200


def test_a_version_with_another_target_is_warned_of(bench, table):
    """Requests that name only the model would get another kind of answer."""
    bench.train(spec())
    asked = {**spec(), "target": "x"}
    answer = bench.client.post("/v1/runs/validate", json=asked).json()
    (warning,) = [w for w in answer["warnings"] if "becomes the next version" in w]
    assert "predicts 'y' (regression)" in warning
    for other in (spec(), asked | {"model_name": "another"}):
        answer = bench.client.post("/v1/runs/validate", json=other).json()
        assert not any("next version" in w for w in answer["warnings"])


def test_a_stopping_worker_hands_its_run_back(bench, table):
    """The run is queued again, and its attempt is not counted."""
    stop = threading.Event()
    run_id = bench.post(spec(epochs=2000))
    thread = in_background(bench, run_id, is_stopping=stop.is_set)
    stop.set()
    thread.join(timeout=60)
    assert bench.client.get(f"/v1/runs/{run_id}").json()["status"] == "queued"
    bench.client.post(f"/v1/runs/{run_id}/cancel")


@pytest.mark.parametrize("error", [MemoryError("x"), RuntimeError("odd")])
def test_an_error_in_training_ends_the_run_not_the_worker(
    bench, table, monkeypatch, error
):
    """The run fails with a problem that explains what to try."""
    import workers.run_executor

    def broken(*_):
        raise error

    monkeypatch.setattr(workers.run_executor, "train", broken)
    run = bench.train(spec())
    slug = "out-of-memory" if isinstance(error, MemoryError) else "training-failed"
    assert run["status"] == "failed"
    assert run["error"]["type"] == f"/problems/{slug}"


@pytest.mark.parametrize("weights", ["balanced", {"a": 5.0}])
def test_class_weights_are_accepted(bench, weights):
    """The weights are balanced or given by class name."""
    bench.upload("x,y\n" + "".join(f"{i},{'aab'[i % 3]}\n" for i in range(60)))
    given = spec([{"type": "Output"}], class_weight=weights)
    assert bench.train(given)["status"] == "succeeded"


def test_a_lost_database_connection_at_the_end_fails_no_run(bench, table, monkeypatch):
    """The attempt ends; its lease expires, and another attempt starts."""
    finish = Lease.finish_in

    def gone(*_, **__):
        monkeypatch.setattr(Lease, "finish_in", finish)  # only once
        raise OperationalError("COMMIT", {}, Exception("terminating connection"))

    monkeypatch.setattr(Lease, "finish_in", gone)
    run_id = bench.post(spec())
    with pytest.raises(OperationalError):
        bench.execute(run_id)
    assert bench.client.get(f"/v1/runs/{run_id}").json()["status"] == "running"


def test_all_rows_of_a_validation_dataset_are_used(bench, table):
    """All rows of the dataset train, and rows without target are ignored."""
    bench.upload("x,z,y\n1,2,3\n4,5,\n7,8,9\n", name="held-out")
    run = bench.train(spec(validation_dataset="held-out"))
    assert run["status"] == "succeeded", run["error"]
    assert run["num_rows"] == {"train": 60, "validation": 2}


@pytest.mark.parametrize(
    ("loss", "metrics"),
    [
        (
            "sparse_categorical_crossentropy",
            ["accuracy", "sparse_top_k_categorical_accuracy"],
        ),
        ("categorical_crossentropy", ["accuracy"]),
    ],
)
def test_both_class_losses_learn(bench, loss, metrics):
    """Each of the two losses separates three classes."""
    bench.upload("x,y\n" + "".join(f"{i},c{i // 30}\n" for i in range(90)))
    given = spec(
        [{"type": "Dense", "units": 16, "activation": "relu"}, {"type": "Output"}],
        epochs=60,
    )
    given["compile"] = {
        "optimizer": {"type": "Adam", "learning_rate": 0.05},
        "loss": loss,
        "metrics": metrics,
    }
    run = bench.train(given)
    assert run["metrics"]["val_accuracy"] > 0.8
