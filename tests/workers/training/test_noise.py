"""Test that the hash for Dropout and GaussianNoise is sufficiently random."""

import numpy as np
import pytest

pytestmark = pytest.mark.keras


def drawn(layer, n=200):
    import keras
    import tensorflow as tf

    from workers.training.noise import fast_noise

    model = keras.Sequential([keras.Input((n,)), layer])
    with fast_noise(model):
        traced = tf.function(lambda x: model(x, training=True))
        values = [traced(tf.ones((n, n))).numpy() for _ in range(2)]
    assert "call" not in vars(layer)
    return values


def test_dropout_keeps_its_rate_and_the_mean():
    """Kept values are scaled up; neighbours, rows and steps are independent."""
    import keras

    first, second = drawn(keras.layers.Dropout(0.3, seed=5))
    assert np.allclose(np.unique(first), [0, 1 / 0.7])
    kept = [(values > 0).astype(float) for values in (first, second)]
    n = kept[0].size
    for share in (kept[0].mean(), kept[1].mean()):
        assert abs(share - 0.7) < 4 * np.sqrt(0.21 / n)
    pairs = {
        "steps": (kept[0], kept[1]),
        "columns": (kept[0][:, 1:], kept[0][:, :-1]),
        "rows": (kept[0][1:], kept[0][:-1]),
    }
    for name, (one, other) in pairs.items():
        correlation = np.corrcoef(one.ravel(), other.ravel())[0, 1]
        assert abs(correlation) < 4 / np.sqrt(n), name


def test_gaussian_noise_is_normal():
    """The first four moments are correct, and no two steps are equal."""
    import keras

    first, second = (v - 1 for v in drawn(keras.layers.GaussianNoise(1.0, seed=5)))
    assert np.isfinite(first).all()
    n = first.size
    assert abs(first.mean()) < 4 / np.sqrt(n)
    assert abs(first.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs((first**3).mean()) < 4 * np.sqrt(15 / n)
    assert abs((first**4).mean() - 3) < 4 * np.sqrt(96 / n)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 4 / np.sqrt(n)


def test_no_noise_is_infinite():
    """Neither the smallest nor the largest uniform number gives infinity."""
    from workers.training.noise import _normal

    ends = np.array([0.0, 1.0 - 2.0**-24], np.float32)
    assert np.isfinite(_normal(ends).numpy()).all()
