"""Several fits in one run, of which the best is kept."""

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
    """XLA takes over by the clock, and rounds other epochs each time."""
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


def test_the_fit_of_the_least_loss_is_kept(bench, table):
    """Each fit begins anew; numbers go on; metrics are those of the epoch kept."""
    run = bench.train(spec())
    told = history(bench, run)
    assert told["epoch"] == list(range(1, 3 * EPOCHS + 1))
    assert told["fit"] == [1] * EPOCHS + [2] * EPOCHS + [3] * EPOCHS
    ends = told["history"]["val_loss"][EPOCHS - 1 :: EPOCHS]
    assert len(set(ends)) == 3
    assert run["best_epoch"] == EPOCHS * (ends.index(min(ends)) + 1)
    assert run["kept_fit"] == ends.index(min(ends)) + 1
    assert run["metrics"]["val_loss"] == min(ends)
    assert run["progress"] == {"epoch": 12, "epochs": 12, "eta_seconds": 0.0}
    assert (run["status"], run["stop_reason"]) == ("succeeded", "completed")


def test_each_fit_is_what_its_seed_alone_would_have_been(bench, table):
    """First weights, noise, order of rows, rate and steps begin anew, bit for bit."""
    bench.upload(CSV, "held")
    fit = {
        "validation_dataset": "held",  # else the seed draws other rows, too
        "learning_rate_scheduler": {"type": "CosineDecay", "warmup_epochs": 1},
    }
    run = bench.train(spec(num_seeds=2, **fit))
    alone = [bench.train(spec(seed=seed, num_seeds=1, **fit)) for seed in (1, 2)]
    told = history(bench, run)["history"]
    for name, values in told.items():
        parts = [history(bench, one)["history"][name] for one in alone]
        assert values == [*parts[0], *parts[1]], name
    kept = alone[run["best_epoch"] > EPOCHS]
    assert kept["metrics"] == run["metrics"]
    for name, array in weights(bench, kept).items():
        np.testing.assert_array_equal(weights(bench, run)[name], array)
    assert "fit" not in history(bench, kept)


def test_early_stopping_chooses_by_what_it_watches(bench, table):
    """A fit stops by itself, and the next begins with patience of its own."""
    watched = {"monitor": "val_mae", "patience": 1}
    run = bench.train(spec(epochs=30, early_stopping=watched))
    told = history(bench, run)
    assert set(told["fit"]) == {1, 2, 3}
    values = told["history"]["val_mae"]
    assert run["metrics"]["val_mae"] == min(values)
    assert run["best_epoch"] == values.index(min(values)) + 1


def test_a_loss_of_training_rows_stops_fits_but_chooses_none(bench, table):
    """Of the epochs that it keeps, the one with the least `val_loss` is the run's."""
    given = {"monitor": "loss", "patience": 9}
    run = bench.train(spec(seed=3, early_stopping=given))
    told = history(bench, run)["history"]
    begins = range(0, 3 * EPOCHS, EPOCHS)
    losses = [told["loss"][begin : begin + EPOCHS] for begin in begins]
    kept = [
        begin + own.index(min(own)) for begin, own in zip(begins, losses, strict=True)
    ]
    best = min(kept, key=lambda place: told["val_loss"][place])
    assert run["best_epoch"] == best + 1
    assert best != min(kept, key=lambda place: told["loss"][place])


def test_a_fit_of_nan_is_out_and_the_others_count(bench, table, monkeypatch):
    """The run fails only if all are."""
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
    """The loss of the first epoch of these fits is no number."""
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
    """Has something done when an epoch of that number ends."""
    from workers.heartbeat import Heartbeat

    tell = Heartbeat.epoch_ended

    def put(number, action):
        def epoch_ended(heartbeat, epoch, logs, fit):
            tell(heartbeat, epoch, logs, fit)
            if epoch == number:
                action(heartbeat)

        monkeypatch.setattr(Heartbeat, "epoch_ended", epoch_ended)

    return put


def test_a_cancel_in_a_later_fit_keeps_the_best_so_far(bench, table, at_epoch):
    """Cancelled, with a version; no fit begins after."""
    at_epoch(EPOCHS + 1, lambda heartbeat: heartbeat.cancelled.set())
    run = bench.train(spec())
    assert (run["status"], run["stop_reason"]) == ("cancelled", "cancelled")
    told = history(bench, run)
    assert told["fit"] == [1] * EPOCHS + [2]
    ends = {
        EPOCHS: told["history"]["val_loss"][-2],
        EPOCHS + 1: run["metrics"]["val_loss"],
    }
    assert run["best_epoch"] in ends
    assert (
        run["metrics"]["val_loss"] == told["history"]["val_loss"][run["best_epoch"] - 1]
    )


def test_no_fit_begins_that_would_not_end_in_time(bench, table, at_epoch):
    """The first took more than half of it."""
    at_epoch(EPOCHS, lambda _: threading.Event().wait(2.5))
    run = bench.train(spec(time_limit_seconds=4))
    assert (run["status"], run["stop_reason"]) == ("succeeded", "time_limit")
    assert (run["progress"]["epoch"], run["best_epoch"]) == (EPOCHS, EPOCHS)
    assert run["kept_fit"] == 1
    assert any("there was time for 1 of 3 fits" in told for told in run["warnings"])
    assert history(bench, run)["fit"] == [1] * EPOCHS


@pytest.mark.parametrize(
    ("ends", "seconds"), [([50, 51, 52, 53], 4), ([5], 20), ([5, 6], 4), ([0, 0, 0], 0)]
)
def test_tracing_is_no_price_of_another_fit(monkeypatch, ends, seconds):
    """Four more epochs, at the pace behind the first one where there is one."""
    from workers.training import callbacks

    clock = iter([0, *ends])
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: next(clock))
    timer = callbacks.EpochTimer()
    timer.on_train_begin()
    for epoch in range(len(ends)):
        timer.on_epoch_end(epoch)
    monkeypatch.undo()
    assert timer.estimate(4) == seconds


def test_what_is_read_of_a_curve_is_of_the_fit_that_was_kept(bench, table):
    """Report and comparison; CSV and events tell which fit an epoch is of."""
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


def test_without_validation_rows_nothing_tells_which_is_best(bench, table):
    """422, at the key."""
    answer = bench.client.post("/v1/runs", json=spec(validation_split=0.0))
    problem = assert_problem(answer, 422, "invalid-spec")
    assert [error["pointer"] for error in problem["errors"]] == ["#/fit/num_seeds"]


def test_a_limit_of_epochs_names_the_fits(bench, table):
    """Each has few enough; together they have not."""
    answer = bench.client.post("/v1/runs", json=spec(epochs=5_000))
    (error,) = assert_problem(answer, 422, "over-limit")["errors"]
    assert error["pointer"] == "#/fit/epochs"
    assert "15,000 epochs in 3 fits; the limit here is 10,000" in error["detail"]


def test_fits_of_another_release_are_of_no_use():
    """What its checkpoint tells of them lacks something, or says more: epoch 1 again."""
    from workers.training.checkpoints import CheckpointUseless
    from workers.training.multi_seed import SeedSearch
    from workers.training.snapshots import _restore_search

    kept = {"value": 1.0, "fit": 1, "epoch": 3, "stop_reason": "completed", "metrics": {}}
    told = {"place": 1, "epochs_before": 3, "num_lost": 0, "kept": kept}
    search = SeedSearch()
    _restore_search(search, told, [])
    assert search.to_json() == told
    for other in ({"kept": kept | {"more": 1}}, {"kept": {"value": 1.0}}):
        with pytest.raises(CheckpointUseless, match="another release"):
            _restore_search(SeedSearch(), told | other, [])
