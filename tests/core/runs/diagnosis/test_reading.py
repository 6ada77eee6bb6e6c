"""Curves of each kind, and the specs that are suggested next."""

import json
import math
import random

import pytest

from core.runs.diagnosis.diagnosis import read_curve
from core.runs.diagnosis.facts import Facts
from core.runs.spec import ResolvedSpec
from core.settings import Limits
from fitserve.enums import StopReason
from fitserve.specs.run import RunCreate
from tests.core.runs.rows import resolved_spec

LAYERS = [
    {"type": "Dense", "units": 64, "activation": "relu"},
    {"type": "Dense", "units": 1},
]


def spec(layers=None, **fit):
    """Return a resolved spec, as it is stored with a run."""
    return resolved_spec(
        model={"layers": layers or LAYERS},
        fit={"epochs": 60, "batch_size": 32, "seed": 1, **fit},
    ).to_json()


def read(loss, val_loss=None, stop=StopReason.COMPLETED, given=None, **figures):
    history = {"loss": loss} | ({"val_loss": val_loss} if val_loss else {})
    known = {
        "metrics": {},
        "training_metrics": {},
        "rivals": {},
        "num_train_rows": 100,
        **figures,
    }
    resolved = ResolvedSpec.model_validate(given or spec())
    facts = Facts(stop_reason=stop, spec=resolved, **known)
    return read_curve(history, facts, "ds_1", Limits())


def falling(epochs, to, pace, start=1.0):
    return [to + (start - to) * math.exp(-pace * i) for i in range(epochs)]


DICE = random.Random(1)
FALLS = falling(60, 0.2, 0.15)
CURVES = {
    "fine": (FALLS, [v + 0.02 for v in FALLS]),
    "overfit": (
        falling(60, 0.01, 0.08),
        [v + 0.0004 * max(0, i - 20) ** 1.5 + 0.03 for i, v in enumerate(falling(60, 0.3, 0.15))],
    ),
    "still_improving": (falling(60, 0.1, 0.02), [v + 0.02 for v in falling(60, 0.1, 0.02)]),
    "diverged": (falling(20, 5.0, 0.3), falling(20, 6.0, 0.3)),
    "noisy": (FALLS, [v * DICE.uniform(0.7, 1.4) for v in FALLS]),
    "underfit": (falling(60, 0.9, 0.3), falling(60, 0.91, 0.3)),
}  # fmt: skip


@pytest.mark.parametrize("word", CURVES)
def test_each_curve_has_its_word(word):
    """The reading also has a sentence and finite numbers."""
    reading = read(*CURVES[word])
    assert reading.word == word, reading
    assert reading.sentence.endswith(".")
    assert reading.numbers["epochs"] == len(CURVES[word][0])
    assert json.loads(reading.model_dump_json())  # no NaN in it


@pytest.mark.parametrize("word", sorted(set(CURVES) - {"fine"}))
def test_the_next_spec_can_be_sent_as_it_is(word):
    """It is a different RunCreate with the same rows and the same loss."""
    reading, given = read(*CURVES[word]), spec()
    assert reading.suggestion.spec == reading.next_spec
    following = RunCreate.model_validate(reading.next_spec).to_spec()
    assert following != given | {"dataset": "ds_1"}
    for kept in ("target", "task", "features", "split"):
        assert following[kept] == given[kept]
    for kept in ("seed", "validation_split"):
        assert following["fit"][kept] == given["fit"][kept]
    assert following["compile"]["loss"] == "mse"
    assert following["dataset"] == "ds_1"


def test_a_nan_loss_diverged():
    """The next spec has a lower rate and clipped gradients."""
    for loss in ([None], [1.0, 2.0, None], [0.5] * 20 + [None]):
        reading = read(loss, list(loss), StopReason.NAN_LOSS)
        assert reading.word == "diverged"
        assert f"epoch {len(loss)}" in reading.sentence
        optimizer = reading.next_spec["compile"]["optimizer"]
        assert optimizer["learning_rate"] < 0.001
        assert optimizer["clipnorm"] == 1.0


def test_a_network_far_worse_than_the_mean_diverged():
    """The loss falls, but from such a height that the network is useless."""
    far = [1e9, 1e8, 1e7, 5e6, 4e6]
    assert read(far, far, metrics={"r2": -1e6}).word == "diverged"


def test_a_baseline_that_is_better_makes_it_underfit():
    """If no baseline is better, the same curve is fine."""
    curve = CURVES["fine"]
    rivals = {"constant": {"r2": 0.0}, "gradient_boosting": {"r2": 0.9}}
    worse = read(
        *curve, metrics={"r2": 0.7}, training_metrics={"r2": 0.75}, rivals=rivals
    )
    assert worse.word == "underfit"
    assert "by R², gradient boosting is better (network 0.7" in worse.sentence
    same = read(*curve, metrics={"r2": 0.9}, training_metrics={"r2": 0.91}, rivals=rivals)
    assert same.word == "fine"


def test_a_high_rise_is_overfitting_even_if_the_training_loss_began_above():
    """Dropout and ensembles raise the training loss, as on churn with 27 epochs."""
    loss = [0.64, 0.58, *(0.56 - 0.011 * i for i in range(25))]
    val = [0.54, 0.5275, *(0.53 + 0.0052 * i for i in range(25))]
    reading = read(loss, val, StopReason.EARLY_STOPPING)
    assert reading.word == "overfit", reading
    assert read(loss, [0.54] + [0.53] * 26, StopReason.EARLY_STOPPING).word != "overfit"


def test_a_patience_that_is_too_short_is_recognised():
    """Early stopping ended a falling loss, so a longer patience is suggested."""
    stopping = {"patience": 2}
    loss, val = falling(12, 0.1, 0.1), [v + 0.01 for v in falling(12, 0.1, 0.1)]
    reading = read(
        loss,
        [*val[:9], val[8], val[8], val[8]],
        StopReason.EARLY_STOPPING,
        spec(early_stopping=stopping),
    )
    assert reading.word == "still_improving"
    assert reading.next_spec["fit"]["early_stopping"]["patience"] > 20


def test_a_network_as_good_as_the_best_baseline_is_fine():
    """A falling or much lower training loss alone is no reason to continue."""
    rivals = {"gradient_boosting": {"r2": 0.9}}
    loss, flat = falling(60, 0.05, 0.05), falling(60, 0.2, 0.3)
    for metrics, word in (({"r2": 0.9}, "fine"), ({"r2": 0.88}, "overfit")):
        assert (
            read(
                loss, flat, StopReason.EARLY_STOPPING, metrics=metrics, rivals=rivals
            ).word
            == word
        )
    near = [v * 1.1 for v in falling(60, 0.2, 0.05)]
    for metrics, word in (({"r2": 0.9}, "fine"), ({"r2": 0.88}, "still_improving")):
        assert (
            read(
                falling(60, 0.2, 0.05),
                near,
                StopReason.EARLY_STOPPING,
                metrics=metrics,
                rivals=rivals,
            ).word
            == word
        )


KEPT = [
    (None, 10, "epoch 10 was kept"),
    (None, 60, "epoch 60 was kept, because the spec keeps the last epoch; its validation loss is 0.35"),
    ({"monitor": "val_accuracy"}, 30, "epoch 30 was kept, because its `val_accuracy` is the best; its"),
    ({"min_delta": 0.1}, 9, "epoch 9 was kept; its validation loss is 0.32"),
    ({"restore_best_weights": False}, 60, "epoch 60 was kept, because the spec keeps the last"),
]  # fmt: skip


@pytest.mark.parametrize(("stopping", "kept", "words"), KEPT)
def test_the_reading_names_the_epoch_that_was_kept(stopping, kept, words):
    """The lowest loss is in epoch 10, which is not always the epoch that is kept."""
    val = [0.4 - 0.01 * i for i in range(10)] + [0.35] * 50
    loss = falling(60, 0.3, 0.5)
    reading = read(loss, val, given=spec(early_stopping=stopping), kept_epoch=kept)
    assert f". {words[0].upper()}{words[1:]}" in reading.sentence, reading.sentence
    assert reading.numbers["kept_epoch"] == kept
    assert reading.numbers["best_epoch"] == 10
    without = read(loss, val, given=spec(early_stopping=stopping))
    assert "kept" not in without.sentence


def test_without_validation_rows_nothing_is_called_overfit():
    """Only the training loss is read, and it is monitored next."""
    reading = read(CURVES["overfit"][0], given=spec(validation_split=0.0))
    assert reading.word in ("fine", "still_improving")
    assert reading.numbers["best_val_loss"] is None
    reading = read(CURVES["still_improving"][0], given=spec(validation_split=0.0))
    assert reading.next_spec["fit"]["early_stopping"]["monitor"] == "loss"


def test_before_the_first_epoch_there_is_nothing_to_read():
    assert read([]) is None
    assert read([1.0], [1.0]).word


@pytest.mark.parametrize(
    "values", [[0.0] * 30, [-0.0, 0.0] * 9, [1e-300] * 9, [1e300] * 9, [-1.0] * 8]
)
def test_extreme_curves_can_be_read(values):
    """Zero, tiny, huge and negative losses give a word and finite numbers."""
    reading = read(values, list(values))
    assert all(v is None or math.isfinite(v) for v in reading.numbers.values())


def test_dropout_is_added_after_hidden_layers_only():
    """Dropout follows a separate activation layer, and never the head."""
    given = spec([
        {"type": "Dense", "units": 8}, {"type": "BatchNormalization"},
        {"type": "Activation", "activation": "relu"},
        {"type": "Dense", "units": 8, "activation": "relu"}, {"type": "Dense", "units": 1},
    ])  # fmt: skip
    layers = read(*CURVES["overfit"], given=given).next_spec["model"]["layers"]
    kinds = [layer["type"] for layer in layers]
    assert kinds == [
        "Dense", "BatchNormalization", "Activation", "Dropout",
        "Dense", "Dropout", "Dense",
    ]  # fmt: skip


def test_a_network_with_much_dropout_shrinks():
    """The rate rises first, then the layers get narrower."""
    dense, head = LAYERS
    given = spec([dense, {"type": "Dropout", "rate": 0.3}, head])
    following = read(*CURVES["overfit"], given=given).next_spec
    assert following["model"]["layers"][1]["rate"] == 0.5
    following = read(*CURVES["overfit"], given=following).next_spec
    assert following["model"]["layers"][0]["units"] == 32


def test_a_growing_network_stays_within_the_limits():
    """A network with the most layers, or with very wide ones, does not grow."""
    dense, head = {**LAYERS[0], "units": 8_192}, LAYERS[1]
    for layers in ([LAYERS[0]] * 63 + [head], [LAYERS[0], dense, head]):
        given = spec(layers)
        following = read(*CURVES["underfit"], given=given).next_spec
        assert following["model"] == given["model"]
        assert following["fit"] != given["fit"]


@pytest.mark.parametrize(
    ("units", "grown", "advice"),
    [
        ([64, 32], [128, 64], "hidden layers twice as wide, and one more layer"),
        ([64, 8], [128, 32], "hidden layers of 128, 32 units, and one more layer"),
        ([600, 64], [1024, 128], "hidden layers of 1,024, 128 units, and one more layer"),
        ([1024], [1024], "one more layer"),
    ],
)
def test_the_advice_names_the_width_of_the_next_network(units, grown, advice):
    """A layer becomes at least 32 and at most 1,024 units wide."""
    layers = [{**LAYERS[0], "units": n} for n in units]
    reading = read(*CURVES["underfit"], given=spec([*layers, LAYERS[1]]))
    following = reading.next_spec["model"]["layers"]
    assert [layer["units"] for layer in following[: len(units)]] == grown
    assert len(following) == len(units) + 2
    assert reading.advice == f"Try {advice}."


@pytest.mark.parametrize("clip", [{"clipnorm": 3.0}, {"clipvalue": 0.5}])
def test_gradients_that_are_clipped_keep_their_clipping(clip):
    """Keras allows one way of clipping at a time."""
    given = spec()
    given["compile"]["optimizer"] |= clip
    reading = read([None], [None], StopReason.NAN_LOSS, given)
    optimizer = reading.next_spec["compile"]["optimizer"]
    names = ("clipnorm", "clipvalue")
    assert {n: optimizer[n] for n in names if optimizer.get(n)} == clip
    assert "clipped" not in reading.advice


def test_the_next_spec_stays_within_the_limit_of_steps():
    """A million rows in batches of 32 allow 64 epochs."""
    reading = read(*CURVES["still_improving"], num_train_rows=1_000_000)
    assert reading.next_spec["fit"]["epochs"] == 64


NORMALIZED = [LAYERS[0], {"type": "BatchNormalization"}, LAYERS[1]]


@pytest.mark.parametrize(
    ("word", "batch_size", "rows", "size"),
    [
        ("diverged", 1, 400, 32),
        ("underfit", 1, 400, 32),
        ("diverged", 20, 401, 21),
        ("noisy", 20, 401, 21),
    ],
)
def test_batches_of_one_row_are_the_cause(word, batch_size, rows, size):
    """A larger batch is tried, not a lower rate: BatchNormalization sees no values."""
    given = spec(NORMALIZED, batch_size=batch_size)
    reading = read(*CURVES[word], given=given, num_train_rows=rows)
    assert reading.word == word
    assert "one row, which BatchNormalization turns into zeros" in reading.sentence
    assert reading.advice == f"Try `fit.batch_size` {size}."
    assert reading.next_spec["fit"]["batch_size"] == size
    assert reading.next_spec["compile"] == given["compile"]


@pytest.mark.parametrize(
    ("word", "batch_size", "rows"),
    [("diverged", 20, 400), ("underfit", 20, 401), ("fine", 1, 400)],
)
def test_other_batches_are_not_the_cause(word, batch_size, rows):
    """One row in an epoch explains no flat curve."""
    given = spec(NORMALIZED, batch_size=batch_size)
    reading = read(*CURVES[word], given=given, num_train_rows=rows)
    assert "BatchNormalization" not in reading.sentence
