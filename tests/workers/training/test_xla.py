"""Test the wait for XLA under a time limit."""

import math
import threading

import numpy as np
import pytest

pytestmark = pytest.mark.keras


@pytest.fixture
def waits(monkeypatch):
    """Return the accepted wait for XLA, which never becomes ready."""
    from workers.training import xla

    asked, end = [], threading.Event()

    def never(_programs):
        thread = threading.Thread(target=end.wait, daemon=True)
        thread.start()
        return thread

    monkeypatch.setattr(xla, "_start_compiling", never)
    monkeypatch.setattr(xla, "_wait", lambda _, left, __: asked.append(left))
    yield asked
    end.set()


@pytest.mark.parametrize(
    ("seconds", "most"), [(math.inf, math.inf), (7200.0, 3600.0), (0.01, 0.0)]
)
def test_the_wait_is_at_most_half_of_the_time(waits, seconds, most):
    """The number of epochs would justify XLA; without time, nothing is compiled."""
    import keras

    from workers.training.batches import InMemoryBatches
    from workers.training.fit_plan import FitPlan
    from workers.training.xla import XlaSwitch

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    rows = InMemoryBatches(np.ones((8, 2), np.float32), np.ones((8, 1), np.float32))
    plan = FitPlan(4, 10**9, shuffle=False, seed=0, seconds=seconds)
    switch = XlaSwitch(model, rows, None, plan, plan.epochs)
    for _ in range(4):
        switch.run_epoch(None, lambda: True)
    if most:
        (asked,) = waits
        assert 3000 < asked <= most
    else:
        assert not waits
