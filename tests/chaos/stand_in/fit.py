"""Replace `workers.training.epoch_loop` by epochs that only take time."""

import threading
import time
from typing import Any

import numpy as np

from tests.chaos.stand_in.faults import cause
from tests.chaos.stand_in.weights import NAN_SEED, first, next_one
from workers.training.fit_plan import FitPlan

_NEVER = threading.Event()
"""An event to wait for instead of sleeping, which libfaketime does not support."""


class Weight:
    """The only variable, with the methods of a Keras variable that snapshots call."""

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
    """An optimizer without variables."""

    variables: tuple[()] = ()

    def build(self, _: Any) -> None:
        """Do nothing."""


class StandIn:
    """A replacement for a compiled model."""

    def __init__(self, seed: int, epoch_seconds: float, fault: str) -> None:
        self.weight = Weight(first(seed))
        self.variables = self.trainable_variables = [self.weight]
        self.optimizer = Optimizer()
        self.stop_training = False
        self.epoch_seconds = epoch_seconds
        self.fault = fault

    def run_epoch(self, epoch: int, plan: FitPlan, keeps_going: Any) -> dict[str, float]:
        """Sleep for an epoch; ask `keeps_going` at intervals whether to continue."""
        ends = time.monotonic() + self.epoch_seconds
        while (left := ends - time.monotonic()) > 0 and keeps_going():
            _NEVER.wait(min(left, 0.05))
        cause(self.fault, epoch)
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
    """Call the callbacks as the real function does."""
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
