"""Test that random small networks train for ten epochs as with `keras.Model.fit`."""

import os
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fitserve.enums import Task
from fitserve.specs.optimizers import BY_NAME
from fitserve.specs.vocabulary import LOSSES, Activation
from tests.workers.training.test_compiled_epoch import network, rows

pytestmark = [pytest.mark.keras, pytest.mark.heavy]
EPOCHS = 10
EXAMPLES = int(os.environ.get("FITSERVE_FUZZ_EXAMPLES", "40")) // 10
ACTIVATIONS = sorted(set(get_args(Activation)) - {"softmax", "exponential"})
REGULARIZERS = st.sampled_from(
    [None, "l1", "l2", {"type": "L1L2", "l1": 0.01, "l2": 0.01}]
)

dense = st.fixed_dictionaries(
    {
        "type": st.just("Dense"),
        "units": st.integers(1, 6),
        "activation": st.sampled_from(ACTIVATIONS),
        "use_bias": st.booleans(),
        "kernel_regularizer": REGULARIZERS,
    }
)
norm = st.sampled_from([{"type": "BatchNormalization"}, {"type": "LayerNormalization"}])
layers = st.lists(st.one_of(dense, norm), max_size=3)
optimizers = st.builds(
    lambda name, rate, clipnorm: BY_NAME[name](learning_rate=rate, clipnorm=clipnorm),
    st.sampled_from(sorted(BY_NAME)),
    st.sampled_from([1e-4, 1e-3, 1e-2]),
    st.sampled_from([None, 1.0]),
)
targets = st.sampled_from([(task, loss) for task in Task for loss in LOSSES[task]])


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    targets,
    layers,
    optimizers,
    st.integers(1, 40),
    st.integers(1, 40),
    st.booleans(),
)
def test_any_network_trains_as_in_keras(
    goal, hidden, optimizer, batch_size, num_rows, has_weights
):
    """Weights and histories agree to 1e-4, with remainder batches and row weights."""
    from workers.training.batches import InMemoryBatches
    from workers.training.epoch_loop import fit_epochs
    from workers.training.fit_plan import FitPlan

    task, loss = goal
    train, validation = rows(task, loss, num_rows, 0), rows(task, loss, 13, 1)
    if has_weights:
        weight = np.linspace(0.5, 2, num_rows).astype(np.float32)
        train = InMemoryBatches(train.x, train.y, weight)
    one, other = (network(task, loss, optimizer, hidden) for _ in range(2))
    expected = one.fit(
        train.x, train.y, sample_weight=train.weight, batch_size=batch_size,
        epochs=EPOCHS, shuffle=False, validation_data=(validation.x, validation.y),
        verbose=0,
    ).history  # fmt: skip
    plan = FitPlan(batch_size, EPOCHS, shuffle=False, seed=0)
    history = fit_epochs(other, train, validation, plan, [])
    assert set(history) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(
            history[name], values, rtol=1e-4, atol=1e-4, err_msg=name
        )
    for ours, kerass in zip(other.weights, one.weights, strict=True):
        np.testing.assert_allclose(
            ours.numpy(), kerass.numpy(), rtol=1e-4, atol=1e-4, err_msg=ours.path
        )
