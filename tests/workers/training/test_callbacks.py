"""Test the learning rate of each epoch."""

import numpy as np
import pytest

pytestmark = pytest.mark.keras


def test_a_cosine_rises_and_falls():
    """The rate rises linearly, is halfway down in the middle, and ends at alpha."""
    from workers.training.callbacks import cosine_decay

    of_epoch = cosine_decay(rate=0.1, epochs=12, warmup_epochs=2, alpha=0.2)
    rates = [of_epoch(epoch) for epoch in range(13)]
    np.testing.assert_allclose(rates[:3], [0.1 / 3, 0.2 / 3, 0.1])
    assert rates[7] == pytest.approx(0.1 * (0.2 + 0.8 / 2))
    assert rates[12] == pytest.approx(0.02)
    assert np.all(np.diff(rates[2:]) < 0)


def test_a_fit_follows_its_scheduler():
    """Every epoch has the rate of the cosine."""
    import keras

    from fitserve.specs.training import FitSpec
    from workers.training.trainer import _learning_rate_callbacks

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    given = {"type": "CosineDecay", "alpha": 0.5}
    spec = FitSpec.model_validate({"epochs": 4, "learning_rate_scheduler": given})
    x = np.ones((8, 1), np.float32)
    fitted = model.fit(
        x, x, epochs=4, verbose=0, callbacks=_learning_rate_callbacks(spec, model)
    )
    expected = 0.1 * (0.5 + 0.5 * (1 + np.cos(np.pi * np.arange(4) / 4)) / 2)
    np.testing.assert_allclose(fitted.history["learning_rate"], expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["plateau", "cosine"])
def test_the_history_has_the_learning_rate_as_keras_has_it(kind):
    """Under the same name, with the rate that each epoch was trained with."""
    import keras

    from fitserve.specs.training import FitSpec
    from workers.training.batches import InMemoryBatches
    from workers.training.epoch_loop import fit_epochs
    from workers.training.fit_plan import FitPlan
    from workers.training.trainer import _learning_rate_callbacks

    given = {
        "plateau": {
            "reduce_lr_on_plateau": {"monitor": "loss", "patience": 1, "min_delta": 9.0}
        },
        "cosine": {"learning_rate_scheduler": {"type": "CosineDecay"}},
    }
    spec = FitSpec.model_validate({"epochs": 5, **given[kind]})
    x = np.ones((8, 1), np.float32)

    def compiled():
        model = keras.Sequential(
            [keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")]
        )
        model.compile(keras.optimizers.SGD(0.1), "mse")
        return model, _learning_rate_callbacks(spec, model)

    model, callbacks = compiled()
    expected = model.fit(x, x, epochs=5, verbose=0, callbacks=callbacks).history
    model, callbacks = compiled()
    plan = FitPlan(32, 5, shuffle=False, seed=0)
    history = fit_epochs(model, InMemoryBatches(x, x), None, plan, callbacks)
    assert list(history) == list(expected) == ["loss", "learning_rate"]
    assert len(set(expected["learning_rate"])) > 2
    np.testing.assert_allclose(history["learning_rate"], expected["learning_rate"])
