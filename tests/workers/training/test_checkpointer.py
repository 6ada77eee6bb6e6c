"""Test that an interrupted run continues, and ends like an uninterrupted one."""

import io
import threading
from dataclasses import dataclass
from threading import Event

import numpy as np
import pytest
from sqlalchemy import select, update

from core.runs.tables import Checkpoint, Epoch, Run
from fitserve.specs.layers import Dense, ModelSpec

pytestmark = pytest.mark.keras
CSV = "x,z,k,y\n" + "".join(
    f"{i},{i % 7},{'abc'[i % 3]},{3 * i + i % 5}\n" for i in range(200)
)
SPEC = {
    "dataset": "table",
    "target": "y",
    "model_name": "m",
    "model": {
        "layers": [
            {"type": "Dense", "units": 16, "activation": "relu"},
            {"type": "BatchNormalization"},
            {"type": "Dropout", "rate": 0.2},
            {"type": "GaussianNoise", "stddev": 0.1},
            {"type": "Dense", "units": 1},
        ]
    },
    "compile": {"optimizer": {"type": "Adam", "learning_rate": 0.05}},
    "fit": {
        "epochs": 25,
        "seed": 1,
        "batch_size": 16,
        "early_stopping": {"patience": 6, "restore_best_weights": True},
        "reduce_lr_on_plateau": {"patience": 1, "factor": 0.5, "cooldown": 1},
    },
}


_FIT = {key: SPEC["fit"][key] for key in ("epochs", "seed", "batch_size")}
ENSEMBLE = SPEC | {
    "features": {"num_bins": 4},
    "model": SPEC["model"] | {"ensemble": 2},
    "fit": _FIT
    | {"learning_rate_scheduler": {"type": "CosineDecay", "warmup_epochs": 5}},
}


class Killed(BaseException):
    """An exception that ends an attempt like SIGKILL, without a handback."""


@dataclass
class Interruptions:
    """The epochs after which an attempt is stopped or killed."""

    stop: Event
    stop_at: int = 0
    kill_at: int = 0


@pytest.fixture
def interruptions(monkeypatch):
    from workers.heartbeat import Heartbeat

    plan = Interruptions(Event())
    report = Heartbeat.epoch_ended

    def epoch_ended(heartbeat, epoch, logs, fit):
        report(heartbeat, epoch, logs, fit)
        if epoch == plan.kill_at:
            for thread in threading.enumerate():
                if thread.name == "checkpoint":  # else the test races with its end
                    thread.join()
            raise Killed
        if epoch == plan.stop_at:
            plan.stop.set()

    monkeypatch.setattr(Heartbeat, "epoch_ended", epoch_ended)
    return plan


@pytest.fixture(params=["in memory", pytest.param("streamed", marks=pytest.mark.heavy)])
def rows_are(request, monkeypatch):
    """Select whether the rows of the fit are in memory or streamed."""
    from workers.training import batches, splits

    if request.param == "streamed":
        for module in (splits, batches):
            monkeypatch.setattr(module, "LARGEST_IN_MEMORY", 0)
        monkeypatch.setattr(batches, "_BLOCK_BYTES", 1000)


@pytest.fixture
def no_xla(monkeypatch):
    """Disable XLA, which starts after a varying time and changes rounding."""
    from workers.training import xla

    monkeypatch.setattr(xla, "_PRICE_SECONDS", float("inf"))


def attempt(bench, run_id, interruptions, stop_at=0):
    interruptions.stop.clear()
    interruptions.stop_at = stop_at
    return bench.execute(run_id, interruptions.stop.is_set)


def result(bench, run):
    """Return everything that an interruption must not change."""
    url = f"/v1/models/m/versions/{run['model_version']}/artifacts/weights.npz"
    answer = bench.client.get(url)
    assert answer.status_code == 200, answer.text
    with np.load(io.BytesIO(answer.content)) as arrays:
        weights = {name: array.tobytes() for name, array in arrays.items()}
    history = bench.client.get(f"/v1/runs/{run['id']}/history").json()
    kept = {key: run[key] for key in ("metrics", "best_epoch", "stop_reason", "status")}
    return weights, history, kept


@pytest.mark.usefixtures("rows_are", "no_xla")
def test_a_run_interrupted_twice_ends_like_an_uninterrupted_one(bench, interruptions):
    """Weights, history, kept epoch, noise and callbacks are equal bit for bit."""
    assert_the_same_if_interrupted(bench, interruptions, SPEC)


@pytest.mark.usefixtures("no_xla")
@pytest.mark.heavy
def test_an_ensemble_and_its_schedule_continue(bench, interruptions):
    """The stop is during the warm-up: the rate depends on the number of the epoch."""
    assert_the_same_if_interrupted(bench, interruptions, ENSEMBLE)


@pytest.mark.usefixtures("no_xla")
@pytest.mark.parametrize("early_stopping", [None, {"patience": 2}])
@pytest.mark.heavy
def test_several_seeds_continue(bench, interruptions, early_stopping):
    """The stop is in the second fit: the checkpoint has the best epoch so far."""
    fit = {**_FIT, "epochs": 6, "num_seeds": 3, "early_stopping": early_stopping}
    spec = SPEC | {"fit": fit}
    assert_the_same_if_interrupted(bench, interruptions, spec, stops=(2, 8))


@pytest.mark.usefixtures("no_xla")
@pytest.mark.heavy
def test_sample_weights_weigh_on(bench, interruptions):
    """Loss, best epoch and learning rate are equal, by the weighted `val_loss`."""
    weighed = SPEC["fit"] | {"sample_weight": "z"}
    compiled = SPEC["compile"] | {"metrics": ["mae"], "weighted_metrics": ["mae"]}
    spec = SPEC | {"fit": weighed, "compile": compiled}
    assert_the_same_if_interrupted(bench, interruptions, spec)


@pytest.mark.parametrize(("epochs", "stops"), [(3, (3, 6)), (1, (1, 2))])
@pytest.mark.heavy
def test_a_run_stopped_between_two_fits_continues_there(
    bench, interruptions, epochs, stops
):
    """Fits may have only one epoch."""
    fit = {**_FIT, "epochs": epochs, "num_seeds": 3, "early_stopping": None}
    assert_the_same_if_interrupted(bench, interruptions, SPEC | {"fit": fit}, stops)


def assert_the_same_if_interrupted(bench, interruptions, spec, stops=(3, 4)):
    bench.upload(CSV)
    expected = result(bench, bench.train(spec))
    run_id = bench.post(spec)
    for stop_at in stops:
        run = attempt(bench, run_id, interruptions, stop_at)
        assert (run["status"], run["progress"]["epoch"]) == ("queued", stop_at)
    run = attempt(bench, run_id, interruptions)
    assert run["attempt"] == 3
    assert run["warnings"] == []
    weights, history, kept = result(bench, run)
    assert history == expected[1]
    assert kept == expected[2]
    assert weights == expected[0]
    assert history["epoch"] == list(range(1, len(history["epoch"]) + 1))


@pytest.mark.heavy
def test_a_run_with_xla_continues(bench, interruptions):
    """Results are equal up to rounding, since XLA starts after a varying time."""
    spec = SPEC | {"fit": SPEC["fit"] | {"epochs": 12, "early_stopping": None}}
    bench.upload(CSV)
    expected = result(bench, bench.train(spec))
    run_id = bench.post(spec)
    attempt(bench, run_id, interruptions, stop_at=6)
    _, history, _ = result(bench, attempt(bench, run_id, interruptions))
    assert history["epoch"] == expected[1]["epoch"]
    for name, values in expected[1]["history"].items():
        np.testing.assert_allclose(history["history"][name], values, rtol=1e-3)


def expire(bench):
    with bench.database.write() as session:
        session.execute(update(Run).values(status="queued", lease_owner=None))


@pytest.mark.heavy
def test_a_killed_worker_loses_only_the_epochs_after_the_checkpoint(
    bench, interruptions, no_xla, monkeypatch
):
    """The next attempt starts at the saved epoch."""
    monkeypatch.setattr(bench.settings.runs, "checkpoint_seconds", 0.0)
    bench.upload(CSV)
    spec = SPEC | {"fit": {"epochs": 3000, "seed": 1, "batch_size": 16}}
    run_id = bench.post(spec)
    interruptions.kill_at = 600
    with pytest.raises(Killed):
        bench.execute(run_id)
    with bench.database.read() as session:
        saved = session.get_one(Checkpoint, run_id)
    assert 1 <= saved.epoch < 600
    assert (
        bench.client.get(f"/v1/runs/{run_id}").json()["progress"]["epoch"] >= saved.epoch
    )
    expire(bench)
    interruptions.kill_at = 700
    began = []
    with pytest.MonkeyPatch.context() as patch:
        from workers.training.checkpointer import Checkpointer

        begin = Checkpointer.begin
        patch.setattr(
            Checkpointer, "begin", lambda self, s: (begin(self, s), began.append(s.epoch))
        )
        with pytest.raises(Killed):
            bench.execute(run_id)
    assert began == [saved.epoch]
    with bench.database.read() as session:
        query = select(Epoch).where(Epoch.run_id == run_id).order_by(Epoch.epoch)
        epochs = session.scalars(query).all()
    assert [e.epoch for e in epochs] == list(range(1, len(epochs) + 1))
    seconds = [e.seconds for e in epochs]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize("harm", ["damaged", "gone", "of another network"])
def test_an_invalid_checkpoint_restarts_the_run(bench, interruptions, harm):
    """The run has a warning and a complete history."""
    bench.upload(CSV)
    run_id = bench.post(SPEC)
    attempt(bench, run_id, interruptions, stop_at=5)
    [path] = (bench.files / "checkpoints" / run_id).iterdir()
    if harm == "gone":
        path.unlink()
    elif harm == "damaged":
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    else:
        widen(bench, run_id)
    run = attempt(bench, run_id, interruptions)
    assert run["status"] == "succeeded", run["error"]
    assert "restarted at epoch 1" in run["warnings"][-1]
    epochs = bench.client.get(f"/v1/runs/{run_id}/history").json()["epoch"]
    assert epochs == list(range(1, run["progress"]["epoch"] + 1))


def widen(bench, run_id):
    with bench.database.write() as session:
        run = session.get_one(Run, run_id)
        layers = [Dense(type="Dense", units=units) for units in (17, 1)]
        run.spec = run.spec.model_copy(update={"model": ModelSpec(layers=layers)})


def test_an_ended_run_leaves_no_checkpoint(bench, interruptions):
    """Both file and row are deleted."""
    bench.upload(CSV)
    run_id = bench.post(SPEC)
    attempt(bench, run_id, interruptions, stop_at=5)
    folder = bench.files / "checkpoints" / run_id
    assert len(list(folder.iterdir())) == 1
    attempt(bench, run_id, interruptions)
    assert not list(folder.glob("*.npz"))
    with bench.database.read() as session:
        assert session.get(Checkpoint, run_id) is None


def test_a_time_limit_includes_earlier_attempts(bench, interruptions, no_xla):
    """A run without remaining time stops within one epoch."""
    bench.upload(CSV)
    fit = {"epochs": 10_000, "seed": 1, "time_limit_seconds": 60}
    run_id = bench.post(SPEC | {"fit": fit})
    attempt(bench, run_id, interruptions, stop_at=5)
    with bench.database.write() as session:
        session.execute(update(Checkpoint).values(seconds=61.0))
    run = attempt(bench, run_id, interruptions)
    assert (run["status"], run["stop_reason"]) == ("succeeded", "time_limit")
    assert run["progress"]["epoch"] == 6


def test_a_full_disk_loses_the_checkpoint_not_the_run(bench, interruptions, monkeypatch):
    """The run is handed back without a checkpoint, and starts again."""
    from core.errors import StorageFull
    from workers.training import checkpointer

    def full(*_):
        raise StorageFull("full")

    bench.upload(CSV)
    run_id = bench.post(SPEC)
    monkeypatch.setattr(checkpointer, "save", full)
    run = attempt(bench, run_id, interruptions, stop_at=5)
    assert run["status"] == "queued"
    assert attempt(bench, run_id, interruptions)["status"] == "succeeded"


def test_a_replaced_worker_leaves_no_artifacts(bench, monkeypatch):
    """The worker has written its files when another attempt has the run."""
    import workers.run_executor

    bench.upload(CSV)
    run_id = bench.post(SPEC)
    save, saved = workers.run_executor.save_artifacts, []

    def save_and_lose(*given):
        saved.extend(save(*given))
        with bench.database.write() as session:
            session.execute(update(Run).values(attempt=2))
        return saved

    monkeypatch.setattr(workers.run_executor, "save_artifacts", save_and_lose)
    assert bench.execute(run_id)["status"] == "running"
    assert len(saved) == 4
    split = f"runs/{run_id}/split-1.npy"  # the other attempt uses it
    assert bench.storage.list("runs") == [split]


def test_a_worker_whose_run_has_ended_leaves_no_artifacts(bench, monkeypatch):
    """Another attempt ended the run while this worker wrote its files."""
    import workers.run_executor

    bench.upload(CSV)
    run_id = bench.post(SPEC)
    save, saved = workers.run_executor.save_artifacts, []

    def save_and_be_overtaken(*given):
        monkeypatch.setattr(workers.run_executor, "save_artifacts", save)
        saved.extend(save(*given))
        expire(bench)
        assert bench.execute(run_id)["status"] == "succeeded"
        return saved

    monkeypatch.setattr(workers.run_executor, "save_artifacts", save_and_be_overtaken)
    run = bench.execute(run_id)
    assert (run["status"], run["attempt"], run["model_version"]) == ("succeeded", 2, 1)
    kept = bench.storage.list("runs")
    assert {key.split("/")[2] for key in kept} == {"2", "split-1.npy"}
    assert not set(kept) & {artifact.key for artifact in saved}
