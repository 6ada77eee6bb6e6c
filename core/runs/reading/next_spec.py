"""The spec to try after a reading: the same run, with what the word asks for changed."""

import copy
import itertools
from collections.abc import Callable
from typing import Any

from core.settings import Limits

Spec = dict[str, Any]
Change = Callable[[Spec, Limits], str]
"""Changes a resolved spec in place; the advice in words."""

_PATIENCE = 20
_MOST_EPOCHS = 500
_NEW_UNITS = 64
_LEAST_UNITS = 16
_RATE = 0.2
_MOST_RATE = 0.5
_WIDEST = 1_024
_L2 = 0.01


def next_spec(
    word: str, spec: Spec, dataset: str, num_train_rows: int, limits: Limits
) -> tuple[Spec, str]:
    """A RunCreate to post, and in words what is different in it.

    `spec` is a run's resolved spec. The rows, their split and the loss stay the same, so
    that the validation losses of both runs can be compared.
    """
    changed = copy.deepcopy(spec)
    changed["dataset"] = dataset
    fits = spec["fit"].get("num_seeds", 1)  # runs of an earlier release name none
    limits = limits.model_copy(update={"max_epochs": max(1, limits.max_epochs // fits)})
    advice = _CHANGES[word](changed, limits)
    fit = changed["fit"]
    steps = fits * -(-num_train_rows // fit["batch_size"])
    fit["epochs"] = min(fit["epochs"], max(1, limits.max_steps // max(1, steps)))
    return changed, advice


def _grow(spec: Spec, limits: Limits) -> str:
    """Wider and deeper."""
    layers = spec["model"]["layers"]
    hidden = _hidden(layers)
    _stop_early(spec, limits)
    if not hidden:
        new = [_dense(_NEW_UNITS), _dense(_NEW_UNITS)]
        spec["model"]["layers"] = [*layers[:-1], *new, layers[-1]]
        return f"two hidden layers of {_NEW_UNITS} units"
    for layer in layers:
        if layer["type"] == "Dropout":
            layer["rate"] /= 2
    larger = copy.deepcopy(layers)
    widest = min(_WIDEST, limits.max_layer_width)
    for layer in _hidden(larger):
        layer["units"] = max(layer["units"], min(widest, max(32, 2 * layer["units"])))
    activation = _activation(hidden)
    larger.insert(len(larger) - 1, _dense(_hidden(larger)[-1]["units"], activation))
    if len(larger) > limits.max_layers or _weights(larger) > limits.max_parameters / 2:
        return "more patience and less dropout: the network is as large as it may be"
    spec["model"]["layers"] = larger
    return "hidden layers twice as wide, and one more of them"


def _regularize(spec: Spec, limits: Limits) -> str:
    """Dropout behind each hidden layer; where there is much of it, fewer units."""
    layers = spec["model"]["layers"]
    rates = [layer["rate"] for layer in layers if layer["type"] == "Dropout"]
    _stop_early(spec, limits)
    if rates and max(rates) >= _MOST_RATE:
        for layer in _hidden(layers):
            layer["units"] = max(_LEAST_UNITS, layer["units"] // 2)
        return "hidden layers half as wide"
    if rates:
        for layer in layers:
            if layer["type"] == "Dropout":
                layer["rate"] = min(_MOST_RATE, round(layer["rate"] + _RATE, 3))
        return "a higher dropout rate"
    if not _hidden(layers):
        layers[-1]["kernel_regularizer"] = {"type": "L2", "l2": _L2}
        return f"an L2 penalty of {_L2:g} on the weights, and early stopping"
    spec["model"]["layers"] = _with_dropout(layers, limits)
    return f"dropout of {_RATE:g} behind each hidden layer, and early stopping"


def _with_dropout(layers: list[Spec], limits: Limits) -> list[Spec]:
    found: list[Spec] = []
    for i, layer in enumerate(layers):
        found.append(layer)
        room = len(found) + len(layers) - i - 1 < limits.max_layers
        if _ends_hidden(layers, i) and room:
            found.append({"type": "Dropout", "rate": _RATE})
    return found


def _ends_hidden(layers: list[Spec], i: int) -> bool:
    """Whether a hidden layer is whole here: its own activation, or one behind it."""
    if i >= len(layers) - 1:
        return False
    if layers[i]["type"] == "Activation":
        return True
    follows = layers[i + 1]["type"]
    return layers[i]["type"] == "Dense" and follows not in (
        "Activation",
        "BatchNormalization",
    )


def _go_on(spec: Spec, limits: Limits) -> str:
    """More epochs, more patience."""
    fit = spec["fit"]
    fit["epochs"] = min(limits.max_epochs, max(_MOST_EPOCHS, 5 * fit["epochs"]))
    stopping = fit["early_stopping"] or {}
    patience = max(2 * _PATIENCE, 3 * stopping.get("patience", 0))
    fit["time_limit_seconds"] = None
    _stop_early(spec, limits, patience)
    return f"up to {fit['epochs']:,} epochs, with a patience of {patience}"


def _slow_down(spec: Spec, limits: Limits) -> str:
    """A tenth of the learning rate, gradients clipped."""
    optimizer = spec["compile"]["optimizer"]
    rate = optimizer["learning_rate"] = min(optimizer["learning_rate"] / 10, 0.01)
    optimizer["clipnorm"] = optimizer["clipnorm"] or 1.0
    _stop_early(spec, limits)
    return f"a learning rate of {rate:g}, and gradients clipped to a norm of 1"


def _calm(spec: Spec, limits: Limits) -> str:
    """Smaller steps, each over more rows."""
    optimizer, fit = spec["compile"]["optimizer"], spec["fit"]
    rate = optimizer["learning_rate"] = optimizer["learning_rate"] / 5
    fit["epochs"] = min(limits.max_epochs, 2 * fit["epochs"])
    _stop_early(spec, limits)
    return f"a learning rate of {rate:g}, twice the epochs, and early stopping"


def _polish(spec: Spec, limits: Limits) -> str:
    """A rate that falls where the curve is flat."""
    fit = spec["fit"]
    fit["learning_rate_scheduler"] = None  # one of the two sets the rate
    fit["reduce_lr_on_plateau"] = {
        "monitor": _monitor(spec),
        "factor": 0.3,
        "patience": _PATIENCE // 2,
    }
    fit["epochs"] = min(limits.max_epochs, max(_MOST_EPOCHS, fit["epochs"]))
    _stop_early(spec, limits, 2 * _PATIENCE)
    return "a learning rate that is lowered where the curve is flat, and more patience"


_CHANGES: dict[str, Change] = {
    "underfit": _grow,
    "overfit": _regularize,
    "still_improving": _go_on,
    "diverged": _slow_down,
    "noisy": _calm,
    "fine": _polish,
}


def _stop_early(spec: Spec, limits: Limits, patience: int = _PATIENCE) -> None:
    """Enough epochs to see the curve turn, and the best of them kept."""
    fit = spec["fit"]
    fit["epochs"] = min(limits.max_epochs, max(200, fit["epochs"]))
    stopping = fit["early_stopping"] or {"monitor": _monitor(spec), "patience": 0}
    stopping["patience"] = max(patience, stopping["patience"])
    stopping["restore_best_weights"] = True
    fit["early_stopping"] = stopping


def _monitor(spec: Spec) -> str:
    fit = spec["fit"]
    validated = fit["validation_split"] or fit["validation_dataset"]
    return "val_loss" if validated else "loss"


def _weights(layers: list[Spec]) -> int:
    """About how many there are; those of the first layer are not counted."""
    units = [layer["units"] for layer in layers if layer["type"] == "Dense"]
    return sum(a * b for a, b in itertools.pairwise(units))


def _hidden(layers: list[Spec]) -> list[Spec]:
    return [layer for layer in layers[:-1] if layer["type"] == "Dense"]


def _dense(units: int, activation: str = "relu") -> Spec:
    return {"type": "Dense", "units": units, "activation": activation}


def _activation(hidden: list[Spec]) -> str:
    """That of the last hidden layer, if it has one of its own."""
    own = hidden[-1].get("activation", "linear")
    return own if own not in ("linear", "softmax") else "relu"
