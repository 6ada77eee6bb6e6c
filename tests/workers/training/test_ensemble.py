"""Test the initial weights and the losses of members that share hidden layers."""

import numpy as np
import pytest

from core.runs.spec import ResolvedCompile
from fitserve.enums import Task
from fitserve.specs.layers import ModelSpec
from fitserve.specs.optimizers import BY_NAME
from tests.workers.training.test_compiled_epoch import HEADS, HIDDEN, rows

pytestmark = pytest.mark.keras
MEMBERS = 3
LOSSES = [
    (Task.REGRESSION, "mse"),
    (Task.MULTICLASS, "categorical_crossentropy"),
]


def ensemble(task, loss, layers=HIDDEN, seed=1, metrics=()):
    """Return the body of a compiled ensemble, and the model of its members."""
    import keras

    from workers.training.build import compile_model
    from workers.training.ensemble import Members, build_ensemble, members_of

    keras.utils.set_random_seed(seed)
    spec = {"layers": [*layers, HEADS[task]], "ensemble": MEMBERS}
    body = build_ensemble(ModelSpec.model_validate(spec), 3)
    members = members_of(body)
    model = Members(members.inputs[0], members.outputs[0])
    adam = BY_NAME["adam"](learning_rate=0.01)
    compiled = ResolvedCompile(
        optimizer=adam, loss=loss, metrics=list(metrics), weighted_metrics=list(metrics)
    )
    compile_model(model, compiled)
    return body, model


@pytest.mark.parametrize("batch_size", [8, 512])
@pytest.mark.parametrize(("task", "loss"), LOSSES)
def test_an_ensemble_trains_as_in_keras(task, loss, batch_size):
    """Row weights, a remainder and a single batch agree to 1e-4."""
    from workers.training.batches import InMemoryBatches
    from workers.training.epoch_loop import fit_epochs
    from workers.training.fit_plan import FitPlan

    train, validation = (
        InMemoryBatches(plain.x, plain.y, np.linspace(0, 2, plain.num_rows, dtype="f4"))
        for plain in (rows(task, loss, 37, 0), rows(task, loss, 13, 1))
    )
    metrics = ["mae" if task == Task.REGRESSION else "accuracy"]
    (_, one), (_, other) = (ensemble(task, loss, metrics=metrics) for _ in range(2))
    expected = one.fit(
        train.x, train.y, sample_weight=train.weight, batch_size=batch_size,
        epochs=4, shuffle=False, verbose=0,
        validation_data=(validation.x, validation.y, validation.weight),
    ).history  # fmt: skip
    plan = FitPlan(batch_size, 4, shuffle=False, seed=0)
    history = fit_epochs(other, train, validation, plan, [])
    assert set(history) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-4, err_msg=name)
    for ours, kerass in zip(other.weights, one.weights, strict=True):
        np.testing.assert_allclose(ours.numpy(), kerass.numpy(), rtol=1e-4, atol=1e-5)


def test_members_learn_from_their_own_loss_and_predict_their_mean():
    """`loss` is the mean of the members' losses, `val_loss` is the loss of their mean."""
    train = rows(Task.REGRESSION, "mse", 20, 0)
    body, model = ensemble(Task.REGRESSION, "mse", layers=HIDDEN[2:3], metrics=["mae"])
    answers = np.asarray(model(train.x))[..., 0]
    assert answers.shape == (20, MEMBERS)
    regularization = float(sum(np.asarray(x) for x in model.losses))
    own = np.mean((answers - train.y) ** 2) + regularization
    mean = np.mean((answers.mean(1) - train.y[:, 0]) ** 2) + regularization
    assert own > mean * 1.01  # otherwise the test could not distinguish them
    loss = model.compute_loss(train.x, train.y, model(train.x), training=True)
    assert float(loss) == pytest.approx(own, rel=1e-5)
    tested = model.evaluate(train.x, train.y, verbose=0, return_dict=True)
    assert tested["loss"] == pytest.approx(mean, rel=1e-5)
    mae = np.mean(np.abs(answers.mean(1) - train.y[:, 0]))
    assert tested["mae"] == pytest.approx(mae, rel=1e-5)
    np.testing.assert_allclose(
        np.asarray(body(train.x))[:, 0], answers.mean(1), rtol=1e-5
    )


def test_members_start_differently():
    """Scales are 1 and -1; each last Dense has the range that Keras gives a Dense."""
    wide = [{"type": "Dense", "units": 400, "activation": "relu"}]
    body, _ = ensemble(Task.REGRESSION, "mse", layers=wide)
    scales, last = body.get_layer("scales").kernel, body.get_layer("l1").kernel
    assert set(np.unique(scales)) == {-1.0, 1.0}
    drawn = last.numpy()
    assert np.ptp(drawn, axis=0).min() > 0
    # Glorot's bound for 400 inputs and 1 output, not for all members together
    assert np.abs(drawn).max() == pytest.approx(np.sqrt(6 / 401), rel=0.02)
