"""Test several fits in one run, which keeps the best fit."""

import io
import math
import threading

import numpy as np
import pytest

from tests.problems import assert_problem

pytestmark = pytest.mark.keras
CSV = "x,z,y\n" + "".join(f"{i},{i % 7},{3 * i + i % 5}\n" for i in range(80))
EPOCHS = 4


@pytest.fixture(autouse=True)
def no_xla(monkeypatch):
    """Disable XLA, which starts after a varying time and changes rounding."""
    from workers.training import xla

    monkeypatch.setattr(xla, "_PRICE_SECONDS", math.inf)


def spec(seed=1, num_seeds=3, **fit):
    return {
        "dataset": "table",
        "target": "y",
        "model_name": "m",
        "model": {
            "layers": [
                {"type": "Dense", "units": 8, "activation": "relu"},
                {"type": "Dropout", "rate": 0.2},
                {"type": "Dense", "units": 1},
            ]
        },
        "compile": {"optimizer": {"type": "Adam", "learning_rate": 0.03}},
        "fit": {"epochs": EPOCHS, "seed": seed, "num_seeds": num_seeds, **fit},
    }


def history(bench, run):
    return bench.client.get(f"/v1/runs/{run['id']}/history").json()


def weights(bench, run):
    url = f"/v1/models/m/versions/{run['model_version']}/artifacts/weights.npz"
    with np.load(io.BytesIO(bench.client.get(url).content)) as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.fixture
def table(upload):
    upload(CSV)


def test_the_fit_with_the_lowest_loss_is_kept(bench, table):
    """Each fit starts again; epoch numbers continue; metrics are those of the kept epoch."""
    run = bench.train(spec())
    read = history(bench, run)
    assert read["epoch"] == list(range(1, 3 * EPOCHS + 1))
    assert read["fit"] == [1] * EPOCHS + [2] * EPOCHS + [3] * EPOCHS
    ends = read["history"]["val_loss"][EPOCHS - 1 :: EPOCHS]
    assert len(set(ends)) == 3
    assert run["best_epoch"] == EPOCHS * (ends.index(min(ends)) + 1)
    assert run["kept_fit"] == ends.index(min(ends)) + 1
    assert run["metrics"]["val_loss"] == min(ends)
    assert run["progress"] == {"epoch": 12, "epochs": 12, "eta_seconds": 0.0}
    assert (run["status"], run["stop_reason"]) == ("succeeded", "completed")


def test_each_fit_equals_a_run_with_its_seed(bench, table):
    """Initial weights, noise, order of rows, rate and steps are equal bit for bit."""
    bench.upload(CSV, "held")
    fit = {
        "validation_dataset": "held",  # otherwise the seed also selects other rows
        "learning_rate_scheduler": {"type": "CosineDecay", "warmup_epochs": 1},
    }
    run = bench.train(spec(num_seeds=2, **fit))
    alone = [bench.train(spec(seed=seed, num_seeds=1, **fit)) for seed in (1, 2)]
    metrics = history(bench, run)["history"]
    for name, values in metrics.items():
        parts = [history(bench, one)["history"][name] for one in alone]
        assert values == [*parts[0], *parts[1]], name
    kept = alone[run["best_epoch"] > EPOCHS]
    assert kept["metrics"] == run["metrics"]
    for name, array in weights(bench, kept).items():
        np.testing.assert_array_equal(weights(bench, run)[name], array)
    assert "fit" not in history(bench, kept)


def test_early_stopping_chooses_by_its_monitor(bench, table):
    """Each fit counts its own patience."""
    watched = {"monitor": "val_mae", "patience": 1}
    run = bench.train(spec(epochs=30, early_stopping=watched))
    read = history(bench, run)
    assert set(read["fit"]) == {1, 2, 3}
    values = read["history"]["val_mae"]
    assert run["metrics"]["val_mae"] == min(values)
    assert run["best_epoch"] == values.index(min(values)) + 1


def test_a_training_loss_stops_fits_but_does_not_choose_one(bench, table):
    """The kept epoch of the run has the lowest `val_loss` of the fits' kept epochs."""
    given = {"monitor": "loss", "patience": 9}
    run = bench.train(spec(seed=9, early_stopping=given))
    metrics = history(bench, run)["history"]
    begins = range(0, 3 * EPOCHS, EPOCHS)
    losses = [metrics["loss"][begin : begin + EPOCHS] for begin in begins]
    kept = [
        begin + own.index(min(own)) for begin, own in zip(begins, losses, strict=True)
    ]
    best = min(kept, key=lambda place: metrics["val_loss"][place])
    assert run["best_epoch"] == best + 1
    assert best != min(kept, key=lambda place: metrics["loss"][place])


def test_a_fit_with_nan_is_ignored(bench, table, monkeypatch):
    """The run fails only if all fits do."""
    spoil(monkeypatch, {1})
    run = bench.train(spec())
    assert run["status"] == "succeeded"
    assert history(bench, run)["fit"] == [1] + [2] * EPOCHS + [3] * EPOCHS
    assert run["best_epoch"] > 1
    assert any("in 1 of 3 fits the loss became NaN" in w for w in run["warnings"])
    spoil(monkeypatch, {1, 2, 3})
    run = bench.train(spec())
    assert (run["status"], run["stop_reason"]) == ("failed", "nan_loss")
    assert history(bench, run)["fit"] == [1, 2, 3]
    kept = (run["best_epoch"], run["kept_fit"], run["model_version"])
    assert kept == (None, None, None)


def spoil(monkeypatch, places):
    """Make the loss of the first epoch of the given fits NaN."""
    from workers.training import epoch_loop, trainer

    def fit_epochs(model, train, validation, plan, callbacks, checkpointer, search, xla):
        class Spoiled:
            def run_epoch(self, rng, keeps_going):
                logs = xla.run_epoch(rng, keeps_going)
                is_out = search.index + 1 in places
                return logs | {"loss": math.nan} if is_out else logs

        given = (model, train, validation, plan, callbacks, checkpointer, search)
        return epoch_loop.fit_epochs(*given, Spoiled())

    monkeypatch.setattr(trainer, "fit_epochs", fit_epochs)


@pytest.fixture
def at_epoch(monkeypatch):
    """Call a function when the epoch of the given number ends."""
    from workers.heartbeat import Heartbeat

    report = Heartbeat.epoch_ended

    def put(number, action):
        def epoch_ended(heartbeat, epoch, logs, fit):
            report(heartbeat, epoch, logs, fit)
            if epoch == number:
                action(heartbeat)

        monkeypatch.setattr(Heartbeat, "epoch_ended", epoch_ended)

    return put


def test_a_cancel_in_a_later_fit_keeps_the_best_so_far(bench, table, at_epoch):
    """The cancelled run has a version, and no other fit starts."""
    at_epoch(EPOCHS + 1, lambda heartbeat: heartbeat.cancelled.set())
    run = bench.train(spec())
    assert (run["status"], run["stop_reason"]) == ("cancelled", "cancelled")
    read = history(bench, run)
    assert read["fit"] == [1] * EPOCHS + [2]
    ends = {
        EPOCHS: read["history"]["val_loss"][-2],
        EPOCHS + 1: run["metrics"]["val_loss"],
    }
    assert run["best_epoch"] in ends
    assert (
        run["metrics"]["val_loss"] == read["history"]["val_loss"][run["best_epoch"] - 1]
    )


def test_no_fit_starts_that_would_exceed_the_time_limit(bench, table, at_epoch):
    """The first fit took more than half of the limit."""
    at_epoch(EPOCHS, lambda _: threading.Event().wait(2.5))
    run = bench.train(spec(time_limit_seconds=4))
    assert (run["status"], run["stop_reason"]) == ("succeeded", "time_limit")
    assert (run["progress"]["epoch"], run["best_epoch"]) == (EPOCHS, EPOCHS)
    assert run["kept_fit"] == 1
    assert any("there was time for 1 of 3 fits" in text for text in run["warnings"])
    assert history(bench, run)["fit"] == [1] * EPOCHS


@pytest.mark.parametrize(
    ("ends", "seconds"), [([50, 51, 52, 53], 4), ([5], 20), ([5, 6], 4), ([0, 0, 0], 0)]
)
def test_the_estimate_of_a_fit_excludes_tracing(monkeypatch, ends, seconds):
    """The estimate is four epochs at the pace after the first epoch, if there are more."""
    from workers.training import callbacks

    clock = iter([0, *ends])
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: next(clock))
    timer = callbacks.EpochTimer()
    timer.on_train_begin()
    for epoch in range(len(ends)):
        timer.on_epoch_end(epoch)
    monkeypatch.undo()
    assert timer.estimate(4) == seconds


def test_curves_are_those_of_the_kept_fit(bench, table):
    """Report and comparison use the kept fit; CSV and events name the fit of an epoch."""
    run = bench.train(spec())
    url = f"/v1/runs/{run['id']}"
    reading = bench.client.get(f"{url}/report").json()["reading"]
    assert reading["numbers"]["epochs"] == EPOCHS
    assert reading["next_spec"]["fit"]["num_seeds"] == 3
    other = bench.train(spec(num_seeds=1))
    compared = bench.client.get(
        "/v1/runs/compare", params={"ids": f"{run['id']},{other['id']}"}
    ).json()
    assert compared["epoch"] == list(range(1, EPOCHS + 1))
    assert compared["curves"]["val_loss"][0][-1] == run["metrics"]["val_loss"]
    assert compared["runs"][0]["best_epoch"] == EPOCHS
    assert [one["kept_fit"] for one in compared["runs"]] == [run["kept_fit"], None]
    assert reading["sentence"].startswith(f"These are epochs of fit {run['kept_fit']}. ")
    table = bench.client.get(f"{url}/history", headers={"Accept": "text/csv"}).text
    assert table.startswith("epoch,fit,loss,")
    events = bench.client.get(f"{url}/events").text
    assert '"epoch":5,"epochs":12,"fit":2' in events.replace(" ", "")


def test_several_fits_need_validation_rows(bench, table):
    """The error points to the key `num_seeds`."""
    answer = bench.client.post("/v1/runs", json=spec(validation_split=0.0))
    problem = assert_problem(answer, 422, "invalid-spec")
    assert [error["pointer"] for error in problem["errors"]] == ["#/fit/num_seeds"]


def test_the_limit_of_epochs_is_for_all_fits(bench, table):
    """Each fit is below the limit, but together they exceed it."""
    answer = bench.client.post("/v1/runs", json=spec(epochs=5_000))
    (error,) = assert_problem(answer, 422, "over-limit")["errors"]
    assert error["pointer"] == "#/fit/epochs"
    assert "15,000 epochs in 3 fits; the limit here is 10,000" in error["detail"]


def test_fits_of_another_release_are_not_restored():
    """A checkpoint with missing or unknown fields restarts the run at epoch 1."""
    from workers.training.checkpoints import CheckpointUseless
    from workers.training.multi_seed import SeedSearch
    from workers.training.snapshots import _restore_search

    kept = {"value": 1.0, "fit": 1, "epoch": 3, "stop_reason": "completed", "metrics": {}}
    state = {"place": 1, "epochs_before": 3, "num_lost": 0, "kept": kept}
    search = SeedSearch()
    _restore_search(search, state, [])
    assert search.to_json() == state
    for other in ({"kept": kept | {"more": 1}}, {"kept": {"value": 1.0}}):
        with pytest.raises(CheckpointUseless, match="another release"):
            _restore_search(SeedSearch(), state | other, [])
