"""The epochs of a fit, with Keras's own callbacks asked once an epoch."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from workers.training.blocks import Blocks
from workers.training.engine import Engine
from workers.training.epochs import Logs


@dataclass(frozen=True)
class Plan:
    """What `keras.Model.fit` is told besides the rows."""

    batch_size: int
    epochs: int
    shuffle: bool
    seed: int
    gradient_scale: float = 1.0
    """What gradients are multiplied by before the optimizer sees them."""


def fit_epochs(
    model: keras.Model,
    train: Blocks,
    validation: Blocks | None,
    plan: Plan,
    callbacks: list[keras.callbacks.Callback],
) -> dict[str, list[float]]:
    """Do what `model.fit` does, and return its history.

    Callbacks hear of the beginning and end of the fit and of every epoch, and of a batch
    end now and then in a long epoch (often enough to stop it within half a second).
    """
    listeners = keras.callbacks.CallbackList(
        callbacks, model=model, epochs=plan.epochs, verbose=0, steps=None
    )
    engine = Engine(
        model, train, validation, plan.batch_size, plan.epochs, plan.gradient_scale
    )
    rng = np.random.default_rng(plan.seed) if plan.shuffle else None
    history: dict[str, list[float]] = {}
    model.stop_training = False

    def keeps_going() -> bool:
        listeners.on_train_batch_end(0)
        return not model.stop_training

    listeners.on_train_begin()
    for epoch in range(plan.epochs):
        listeners.on_epoch_begin(epoch)
        logs = engine.run_epoch(rng, keeps_going)
        _append(history, logs)
        listeners.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    listeners.on_train_end()
    return history


def _append(history: dict[str, list[Any]], logs: Logs) -> None:
    for name, value in logs.items():
        history.setdefault(name, []).append(value)
