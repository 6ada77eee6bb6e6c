"""Test that the compiled epoch trains as `keras.Model.fit` does."""

from unittest.mock import Mock

import numpy as np
import pytest

from core.runs.spec import ResolvedCompile
from fitserve.enums import Task
from fitserve.specs.layers import ModelSpec
from fitserve.specs.optimizers import BY_NAME
from fitserve.specs.vocabulary import LONG_NAMES, LOSSES, METRICS

pytestmark = pytest.mark.keras

EPOCHS = 4
ADAM = BY_NAME["adam"]()
HIDDEN = [
    {"type": "Dense", "units": 5, "activation": "tanh", "kernel_regularizer": "l2"},
    {"type": "BatchNormalization", "momentum": 0.9},
    {"type": "Dense", "units": 4, "bias_regularizer": {"type": "L1", "l1": 0.01}},
    {"type": "LayerNormalization"},
    {"type": "Activation", "activation": "relu"},
]
LIGHT = HIDDEN[:2]
"""Fewer layers, because tracing the others takes seconds."""
HEADS = {
    Task.REGRESSION: {"type": "Dense", "units": 1},
    Task.BINARY: {"type": "Dense", "units": 1, "activation": "sigmoid"},
    Task.MULTICLASS: {"type": "Dense", "units": 3, "activation": "softmax"},
}


def cases():
    """Return every loss, with every metric for classes, and every optimizer."""
    for task, losses in LOSSES.items():
        for loss in losses:
            if loss in LONG_NAMES:
                continue  # a second name of the same loss
            layers = LIGHT if task == Task.REGRESSION and loss != "mse" else HIDDEN
            yield pytest.param(task, loss, ADAM, layers, id=loss)
    for name, kind in BY_NAME.items():
        if name != "adam":
            optimizer = kind(learning_rate=0.01, weight_decay=0.01)
            yield pytest.param(Task.REGRESSION, "mse", optimizer, LIGHT, id=name)
    momentum = BY_NAME["sgd"](momentum=0.9, nesterov=True, clipnorm=1.0)
    yield pytest.param(Task.REGRESSION, "mae", momentum, LIGHT, id="nesterov")


def rows(task, loss, n, seed):
    from workers.training.batches import InMemoryBatches
    from workers.training.targets import one_hot

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    if task == Task.REGRESSION:
        y = (x @ [[1.0], [-2.0], [0.5]] + 3).astype(np.float32)
    else:
        y = rng.integers(0, 2 if task == Task.BINARY else 3, (n, 1)).astype(np.float32)
    if loss == "categorical_crossentropy":
        y = one_hot(y, 3)
    return InMemoryBatches(x, y)


def network(task, loss, optimizer, layers=LIGHT, seed=1, width=3, weighted=()):
    import keras

    from workers.training.build import build, compile_model

    keras.utils.set_random_seed(seed)
    model = build(ModelSpec.model_validate({"layers": [*layers, HEADS[task]]}), width)
    every = [name for name in METRICS[task] if name not in LONG_NAMES]
    metrics = every if layers is HIDDEN else ["mae"]
    compiled = ResolvedCompile(
        optimizer=optimizer, loss=loss, metrics=metrics, weighted_metrics=list(weighted)
    )
    compile_model(model, compiled)
    return model


def by_keras(model, train, validation, batch_size, class_weight=None):
    return model.fit(
        train.x,
        train.y,
        batch_size=batch_size,
        epochs=EPOCHS,
        shuffle=False,
        sample_weight=train.weight,
        validation_data=(validation.x, validation.y, validation.weight),
        class_weight=class_weight,
        verbose=0,
    ).history


def by_us(model, train, validation, batch_size, xla):
    from workers.training.compiled_epoch import CompiledEpoch

    epochs = CompiledEpoch(model, train, validation, batch_size)
    logs = [epochs.run(None, lambda: True)]
    if xla:
        for function in epochs.functions.values():
            function.prepare_compiled_copy()()
            assert function._compiled is not None
    logs += [epochs.run(None, lambda: True) for _ in range(EPOCHS - 1)]
    return {name: [epoch[name] for epoch in logs] for name in logs[0]}


def assert_same(ours, history, kerass, expected):
    assert set(history) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(
            history[name], values, rtol=1e-4, atol=1e-5, err_msg=name
        )
    for mine, theirs in zip(ours.weights, kerass.weights, strict=True):
        if "seed" not in mine.path:
            np.testing.assert_allclose(
                mine.numpy(), theirs.numpy(), rtol=1e-3, atol=1e-4, err_msg=mine.path
            )


@pytest.mark.parametrize(("task", "loss", "optimizer", "layers"), list(cases()))
def test_weights_and_history_equal_those_of_keras(task, loss, optimizer, layers):
    """The test has remainder batches, every metric, and four epochs."""
    train, validation = rows(task, loss, 37, 0), rows(task, loss, 19, 1)
    models = [network(task, loss, optimizer, layers) for _ in range(2)]
    expected = by_keras(models[0], train, validation, 8)
    history = by_us(models[1], train, validation, 8, xla=False)
    assert_same(models[1], history, models[0], expected)


@pytest.mark.parametrize("task", list(Task))
def test_xla_equals_keras(task):
    """XLA compiles the epoch."""
    loss = LOSSES[task][0]
    train, validation = rows(task, loss, 37, 0), rows(task, loss, 16, 1)
    models = [network(task, loss, ADAM) for _ in range(2)]
    expected = by_keras(models[0], train, validation, 8)
    history = by_us(models[1], train, validation, 8, xla=True)
    assert_same(models[1], history, models[0], expected)


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("batch_size", [1, 37, 36, 5, 512])
@pytest.mark.heavy
def test_batches_are_cut_as_in_keras(batch_size, xla):
    """Batches have one row, all rows, a remainder of one, or more rows than exist."""
    train, validation = (
        rows(Task.REGRESSION, "mse", 37, 0),
        rows(Task.REGRESSION, "mse", 5, 1),
    )
    models = [network(Task.REGRESSION, "mse", ADAM) for _ in range(2)]
    expected = by_keras(models[0], train, validation, batch_size)
    history = by_us(models[1], train, validation, batch_size, xla=xla)
    assert_same(models[1], history, models[0], expected)


def test_class_weights_equal_those_of_keras():
    """Keras's class_weight equals fitserve's row weights."""
    from workers.training.batches import InMemoryBatches
    from workers.training.targets import row_weights

    loss = "sparse_categorical_crossentropy"
    train, validation = (
        rows(Task.MULTICLASS, loss, 37, 0),
        rows(Task.MULTICLASS, loss, 19, 1),
    )
    weights = {0: 1.0, 1: 5.0, 2: 0.5}
    models = [network(Task.MULTICLASS, loss, ADAM) for _ in range(2)]
    expected = by_keras(models[0], train, validation, 8, class_weight=weights)
    by_name = {str(place): weight for place, weight in weights.items()}
    weighted = InMemoryBatches(train.x, train.y, row_weights(train.y, [0, 1, 2], by_name))
    history = by_us(models[1], weighted, validation, 8, xla=False)
    assert_same(models[1], history, models[0], expected)


@pytest.mark.parametrize("xla", [False, pytest.param(True, marks=pytest.mark.heavy)])
@pytest.mark.parametrize("task", list(Task))
def test_sample_weights_are_kerass(task, xla):
    """On both sides; every metric of the task, with weights and without."""
    loss = LOSSES[task][0]
    train, validation = (
        weighed(rows(task, loss, count, seed)) for count, seed in ((37, 0), (19, 1))
    )
    names = [name for name in METRICS[task] if name not in LONG_NAMES]
    models = [network(task, loss, ADAM, HIDDEN, weighted=names) for _ in range(2)]
    expected = by_keras(models[0], train, validation, 8)
    assert {f"val_weighted_{name}" for name in names} <= set(expected)
    history = by_us(models[1], train, validation, 8, xla=xla)
    assert_same(models[1], history, models[0], expected)


def weighed(batches):
    """Return the rows with weights, some of them 0."""
    from workers.training.batches import InMemoryBatches

    weight = np.random.default_rng(2).uniform(0, 3, batches.num_rows)
    weight[::5] = 0
    return InMemoryBatches(batches.x, batches.y, weight.astype(np.float32))


def test_chunks_change_nothing(monkeypatch):
    """An epoch in many calls equals an epoch in one call."""
    from workers.training import compiled_epoch

    monkeypatch.setattr(compiled_epoch, "steps_per_chunk", lambda *_: 2)  # for both sets
    train, validation = (
        rows(Task.REGRESSION, "mse", 37, 0),
        rows(Task.REGRESSION, "mse", 5, 1),
    )
    models = [network(Task.REGRESSION, "mse", ADAM) for _ in range(2)]
    expected = by_keras(models[0], train, validation, 4)
    steps = ("train_step", "test_step")
    traces = [counted(models[1], step) for step in steps]
    history = by_us(models[1], train, validation, 4, xla=False)
    assert_same(models[1], history, models[0], expected)
    # once for full and shorter batches in all functions of the epoch
    assert [trace.call_count for trace in traces] == [1, 1]


def counted(model, name):
    """Replace a method of a model by a mock that calls it, and return the mock."""
    spy = Mock(wraps=getattr(model, name))
    setattr(model, name, spy)
    return spy


def test_early_stopping_stops_where_keras_stops():
    """Epoch and restored weights are the same with Keras's own callback."""
    import keras

    from workers.training.epoch_loop import fit_epochs
    from workers.training.fit_plan import FitPlan

    train, validation = (
        rows(Task.REGRESSION, "mse", 37, 0),
        rows(Task.REGRESSION, "mse", 19, 1),
    )
    models = [
        network(Task.REGRESSION, "mse", BY_NAME["adam"](learning_rate=0.05))
        for _ in range(2)
    ]
    stops = [
        keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
        for _ in range(2)
    ]
    expected = models[0].fit(
        train.x, train.y, batch_size=8, epochs=300, shuffle=False, verbose=0,
        validation_data=(validation.x, validation.y), callbacks=[stops[0]],
    ).history  # fmt: skip
    plan = FitPlan(batch_size=8, epochs=300, shuffle=False, seed=0)
    history = fit_epochs(models[1], train, validation, plan, [stops[1]])
    assert len(history["loss"]) == len(expected["loss"]) < 300
    assert stops[1].best_epoch == stops[0].best_epoch
    assert_same(models[1], history, models[0], expected)


def test_dropout_learns_as_in_keras():
    """With random noise, the mean losses over seeds agree."""
    layers = [
        {"type": "Dense", "units": 32, "activation": "relu"},
        {"type": "Dropout", "rate": 0.5},
        {"type": "GaussianNoise", "stddev": 0.1},
    ]
    train, validation = (
        rows(Task.REGRESSION, "mse", 64, 0),
        rows(Task.REGRESSION, "mse", 32, 1),
    )
    adam = BY_NAME["adam"](learning_rate=0.01)
    differences = []
    for seed in range(3):
        models = [network(Task.REGRESSION, "mse", adam, layers, seed) for _ in range(2)]
        kerass = by_keras(models[0], train, validation, 16)["loss"][-1]
        ours = by_us(models[1], train, validation, 16, xla=False)["loss"][-1]
        differences.append(ours - kerass)
    spread = np.std(differences) / np.sqrt(len(differences)) + 0.05
    assert np.std(differences) > 0
    assert abs(np.mean(differences)) < 4 * spread


@pytest.mark.parametrize("batch_size", [4, 37])
def test_a_long_epoch_can_be_stopped(monkeypatch, batch_size):
    """The remaining rows are skipped; the epoch is validated and reported."""
    import keras

    from workers.training import compiled_epoch, xla
    from workers.training.epoch_loop import fit_epochs
    from workers.training.fit_plan import FitPlan

    class StopAtThird(keras.callbacks.Callback):
        calls = 0

        def on_train_batch_end(self, *_, **__):
            self.calls += 1
            self.model.stop_training = self.calls >= 3

    monkeypatch.setattr(compiled_epoch, "steps_per_chunk", lambda *_: 1)
    monkeypatch.setattr(xla, "_PRICE_SECONDS", float("inf"))  # waiting calls it, too
    train, validation = (
        rows(Task.REGRESSION, "mse", 37 * 6 + 1, 0),
        rows(Task.REGRESSION, "mse", 150, 1),
    )
    model = network(Task.REGRESSION, "mse", ADAM)
    plan = FitPlan(batch_size, epochs=2, shuffle=True, seed=0)
    history = fit_epochs(model, train, validation, plan, [StopAtThird()])
    assert len(history["loss"]) == len(history["val_loss"]) == 1
    assert int(model.optimizer.iterations) == 4
