"""In the place of `workers.training.epoch_loop`: epochs that take their time, no gradient."""

import threading
import time
from typing import Any

import numpy as np

from tests.chaos.stand_in.faults import befall
from tests.chaos.stand_in.weights import NAN_SEED, first, next_one
from workers.training.fit_plan import FitPlan

_NEVER = threading.Event()
"""Waited for instead of sleeping, which libfaketime does not bear."""


class Weight:
    """The one variable, as much of Keras's as snapshots ask for."""

    name, shape, dtype = "w", (), "float64"

    def __init__(self, value: float) -> None:
        self.value = value

    def __array__(self, *_: Any, **__: Any) -> Any:
        return np.array(self.value)

    def assign(self, value: Any) -> None:
        self.value = float(value)

    def numpy(self) -> Any:
        return np.array(self.value)


class Optimizer:
    """Nothing to remember."""

    variables: tuple[()] = ()

    def build(self, _: Any) -> None:
        """Nothing to build."""


class StandIn:
    """In the place of a compiled model."""

    def __init__(self, seed: int, epoch_seconds: float, fault: str) -> None:
        self.weight = Weight(first(seed))
        self.variables = self.trainable_variables = [self.weight]
        self.optimizer = Optimizer()
        self.stop_training = False
        self.epoch_seconds = epoch_seconds
        self.fault = fault

    def run_epoch(self, epoch: int, plan: FitPlan, keeps_going: Any) -> dict[str, float]:
        """Sleep, asked now and then whether to go on."""
        ends = time.monotonic() + self.epoch_seconds
        while (left := ends - time.monotonic()) > 0 and keeps_going():
            _NEVER.wait(min(left, 0.05))
        befall(self.fault, epoch)
        self.weight.value = next_one(self.weight.value)
        is_nan = plan.seed == NAN_SEED and epoch >= 3
        return {"loss": float("nan") if is_nan else self.weight.value}


def fit_epochs(
    model: StandIn,
    _train: Any,
    _validation: Any,
    plan: FitPlan,
    callbacks: list[Any],
    listener: Any,
    search: Any = None,
    _xla: Any = None,
) -> dict[str, list[float]]:
    """As the real one, callback for callback."""
    from workers.training.multi_seed import SeedSearch
    from workers.training.snapshots import FitState

    for callback in callbacks:
        callback.model = model
        callback.on_train_begin()
    rng = np.random.default_rng(plan.seed)
    state = FitState(model, callbacks, rng, search=search or SeedSearch())
    listener.begin(state)

    def keeps_going() -> bool:
        callbacks[1].on_train_batch_end(0)
        return not model.stop_training

    for epoch in range(state.epoch, plan.epochs):
        logs = model.run_epoch(epoch + 1, plan, keeps_going)
        for name, value in logs.items():
            state.history.setdefault(name, []).append(value)
        for callback in callbacks:
            callback.on_epoch_end(epoch, logs)
        state.epoch = epoch + 1
        if model.stop_training:
            break
        if state.epoch < plan.epochs:
            listener.epoch_ended(state)
    callbacks[1].on_train_end()
    return state.history
