"""Build the spec to try next: the run's spec with the changes for its diagnosis."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from core.runs.planning.one_row_batches import larger_batch, one_row_batches
from core.runs.spec import ResolvedSpec
from core.settings import Limits
from fitserve.enums import StopReason
from fitserve.specs.layers import (
    L2,
    ActivationLayer,
    BatchNormalization,
    Dense,
    Dropout,
    Layer,
)
from fitserve.specs.training import EarlyStopping
from fitserve.specs.vocabulary import Activation

Changed = tuple[ResolvedSpec, str]
"""A changed spec, and the advice in words."""
Change = Callable[[ResolvedSpec, Limits], Changed]

_PATIENCE = 20
_MOST_EPOCHS = 500
_NEW_UNITS = 64
_LEAST_UNITS = 16
_RATE = 0.2
_MOST_RATE = 0.5
_WIDEST = 1_024
_L2 = 0.01


class NextSpec(NamedTuple):
    """A spec to try, the kind of its change, and the advice in words."""

    kind: str
    spec: ResolvedSpec
    advice: str


def next_spec(
    word: str,
    spec: ResolvedSpec,
    num_train_rows: int,
    limits: Limits,
    stop_reason: StopReason | None = None,
) -> NextSpec | None:
    """Return a spec to try after a diagnosis; None if it would repeat the run.

    `spec` is the run's spec. The rows, their split and the loss stay the same, so the
    validation losses of both runs can be compared.
    """
    if word not in _CHANGES:
        return None
    fits = spec.fit.num_seeds
    limits = limits.model_copy(update={"max_epochs": max(1, limits.max_epochs // fits)})
    kind, change = _CHANGES[word]
    if one_row_cause(word, spec, num_train_rows):
        changed, advice = _enlarge_batches(spec, num_train_rows)
        kind = LARGER_BATCHES
    else:
        changed, advice = change(spec, limits)
    steps = fits * -(-num_train_rows // changed.fit.batch_size)
    epochs = min(changed.fit.epochs, max(1, limits.max_steps // max(1, steps)))
    changed = _with_fit(changed, epochs=epochs)
    return (
        None if _repeats(changed, spec, stop_reason) else NextSpec(kind, changed, advice)
    )


def _repeats(new: ResolvedSpec, old: ResolvedSpec, reason: StopReason | None) -> bool:
    """Return whether a spec would train the same network again.

    More patience changes nothing in a run that early stopping did not end.
    """
    stopping = old.fit.early_stopping
    if reason == StopReason.COMPLETED and stopping and new.fit.early_stopping:
        patience = max(stopping.patience, new.fit.early_stopping.patience)
        stopping = stopping.model_copy(update={"patience": patience})
        old = _with_fit(old, early_stopping=stopping)
    return new == old


def one_row_cause(word: str, spec: ResolvedSpec, num_train_rows: int) -> str | None:
    """Return which batches of one row explain a diagnosis; None if none does."""
    which = one_row_batches(spec.model, spec.fit.batch_size, num_train_rows)
    is_unstable = word in ("diverged", "noisy")
    is_every_batch = spec.fit.batch_size == 1 and word != "fine"
    return which if is_unstable or is_every_batch else None


def _enlarge_batches(spec: ResolvedSpec, num_train_rows: int) -> Changed:
    """Choose a batch size that leaves no batch of one row to BatchNormalization."""
    size = larger_batch(spec.fit.batch_size, num_train_rows)
    return _with_fit(spec, batch_size=size), f"`fit.batch_size` {size}"


def _grow(spec: ResolvedSpec, limits: Limits) -> Changed:
    """Make the network wider and deeper."""
    spec = _stop_early(spec, limits)
    layers, hidden = spec.model.layers, _hidden(spec.model.layers)
    if not hidden:
        new = [_dense(_NEW_UNITS), _dense(_NEW_UNITS)]
        advice = f"two hidden layers of {_NEW_UNITS} units"
        return _with_layers(spec, [*layers[:-1], *new, layers[-1]]), advice
    layers = [_less_dropout(layer) for layer in layers]
    widest = min(_WIDEST, limits.max_layer_width)
    wider = _with_units(layers, lambda n: max(n, min(widest, max(32, 2 * n))))
    more = _dense(_hidden(wider)[-1].units, _activation(hidden))
    larger = [*wider[:-1], more, wider[-1]]
    if len(larger) > limits.max_layers or _weights(larger) > limits.max_parameters / 2:
        advice = "more patience and less dropout; the network is at the size limit"
        return _with_layers(spec, layers), advice
    return _with_layers(spec, larger), _growth(hidden, _hidden(wider))


def _growth(before: Sequence[Dense], after: Sequence[Dense]) -> str:
    """Return what grew, in words: some layers cannot be twice as wide."""
    pairs = [(old.units, new.units) for old, new in zip(before, after, strict=True)]
    if all(new == 2 * old for old, new in pairs):
        return "hidden layers twice as wide, and one more layer"
    if all(new == old for old, new in pairs):
        return "one more layer"
    widths = ", ".join(f"{new:,}" for _, new in pairs)
    return f"hidden layers of {widths} units, and one more layer"


def _regularize(spec: ResolvedSpec, limits: Limits) -> Changed:
    """Add dropout after each hidden layer, or remove units if dropout is high."""
    spec = _stop_early(spec, limits)
    layers = spec.model.layers
    rates = [layer.rate for layer in layers if isinstance(layer, Dropout)]
    if rates and max(rates) >= _MOST_RATE:
        narrower = _with_units(layers, lambda n: max(_LEAST_UNITS, n // 2))
        return _with_layers(spec, narrower), "hidden layers half as wide"
    if rates:
        more = [_more_dropout(layer) for layer in layers]
        return _with_layers(spec, more), "a higher dropout rate"
    if not _hidden(layers):
        advice = f"an L2 penalty of {_L2:g} on the weights, and early stopping"
        return _with_layers(spec, [_with_penalty(x) for x in layers]), advice
    advice = f"dropout of {_RATE:g} after each hidden layer, and early stopping"
    return _with_layers(spec, _with_dropout(layers, limits)), advice


def _with_dropout(layers: Sequence[Layer], limits: Limits) -> list[Layer]:
    found: list[Layer] = []
    for i, layer in enumerate(layers):
        found.append(layer)
        is_allowed = len(found) + len(layers) - i - 1 < limits.max_layers
        if _ends_hidden(layers, i) and is_allowed:
            found.append(Dropout(type="Dropout", rate=_RATE))
    return found


def _ends_hidden(layers: Sequence[Layer], i: int) -> bool:
    """Return whether layer `i` is a hidden layer's last part, such as its activation."""
    if i >= len(layers) - 1:
        return False
    if isinstance(layers[i], ActivationLayer):
        return True
    continues = isinstance(layers[i + 1], ActivationLayer | BatchNormalization)
    return isinstance(layers[i], Dense) and not continues


def _go_on(spec: ResolvedSpec, limits: Limits) -> Changed:
    """Train for more epochs, with more patience."""
    epochs = min(limits.max_epochs, max(_MOST_EPOCHS, 5 * spec.fit.epochs))
    stopping = spec.fit.early_stopping
    patience = max(2 * _PATIENCE, 3 * (stopping.patience if stopping else 0))
    spec = _with_fit(spec, epochs=epochs, time_limit_seconds=None)
    spec = _stop_early(spec, limits, patience)
    return spec, f"up to {spec.fit.epochs:,} epochs, with a patience of {patience}"


def _slow_down(spec: ResolvedSpec, limits: Limits) -> Changed:
    """Divide the learning rate by ten, and clip gradients that are not clipped."""
    optimizer = spec.compile.optimizer
    rate = min(optimizer.learning_rate / 10, 0.01)
    spec = _with_optimizer(spec, learning_rate=rate)
    advice = f"a learning rate of {rate:g}"
    if optimizer.clipnorm is None and optimizer.clipvalue is None:
        spec = _with_optimizer(spec, clipnorm=1.0)
        advice += ", and gradients clipped to a norm of 1"
    return _stop_early(spec, limits), advice


def _calm(spec: ResolvedSpec, limits: Limits) -> Changed:
    """Lower the learning rate, and double the epochs."""
    rate = spec.compile.optimizer.learning_rate / 5
    spec = _with_optimizer(spec, learning_rate=rate)
    spec = _with_fit(spec, epochs=min(limits.max_epochs, 2 * spec.fit.epochs))
    advice = f"a learning rate of {rate:g}, twice the epochs, and early stopping"
    return _stop_early(spec, limits), advice


_CHANGES: dict[str, tuple[str, Change]] = {
    "underfit": ("larger_network", _grow),
    "overfit": ("regularization", _regularize),
    "still_improving": ("more_epochs", _go_on),
    "diverged": ("lower_rate", _slow_down),
    "noisy": ("calmer_steps", _calm),
}
"""The kind of each change, and its function. A fine curve is no reason for a change."""
LEAVE_OUT, LARGER_BATCHES = "leave_out", "larger_batches"
KINDS = (LEAVE_OUT, LARGER_BATCHES, *(kind for kind, _ in _CHANGES.values()))
"""All kinds of suggestions; benchmarks/advice.py counts how often each was better."""


def _stop_early(
    spec: ResolvedSpec, limits: Limits, patience: int = _PATIENCE
) -> ResolvedSpec:
    """Train for enough epochs to see the loss rise, and keep the best epoch."""
    own = spec.fit.early_stopping or EarlyStopping(monitor=_monitor(spec), patience=0)
    longer = max(patience, own.patience)
    stopping = own.model_copy(update={"patience": longer, "restore_best_weights": True})
    epochs = min(limits.max_epochs, max(200, spec.fit.epochs))
    return _with_fit(spec, epochs=epochs, early_stopping=stopping)


def _monitor(spec: ResolvedSpec) -> str:
    is_validated = spec.fit.validation_split or spec.fit.validation_dataset
    return "val_loss" if is_validated else "loss"


def _with_fit(spec: ResolvedSpec, **changes: Any) -> ResolvedSpec:
    return spec.model_copy(update={"fit": spec.fit.model_copy(update=changes)})


def _with_optimizer(spec: ResolvedSpec, **changes: Any) -> ResolvedSpec:
    optimizer = spec.compile.optimizer.model_copy(update=changes)
    compiled = spec.compile.model_copy(update={"optimizer": optimizer})
    return spec.model_copy(update={"compile": compiled})


def _with_layers(spec: ResolvedSpec, layers: list[Layer]) -> ResolvedSpec:
    model = spec.model.model_copy(update={"layers": layers})
    return spec.model_copy(update={"model": model})


def _less_dropout(layer: Layer) -> Layer:
    if not isinstance(layer, Dropout):
        return layer
    return layer.model_copy(update={"rate": layer.rate / 2})


def _more_dropout(layer: Layer) -> Layer:
    if not isinstance(layer, Dropout):
        return layer
    rate = min(_MOST_RATE, round(layer.rate + _RATE, 3))
    return layer.model_copy(update={"rate": rate})


def _with_penalty(layer: Layer) -> Layer:
    if not isinstance(layer, Dense):
        return layer
    return layer.model_copy(update={"kernel_regularizer": L2(type="L2", l2=_L2)})


def _with_units(layers: Sequence[Layer], units: Callable[[int], int]) -> list[Layer]:
    """Return the layers with other numbers of units in the hidden layers."""
    resized: list[Layer] = [
        x.model_copy(update={"units": units(x.units)}) if isinstance(x, Dense) else x
        for x in layers[:-1]
    ]
    return [*resized, layers[-1]]


def _weights(layers: Sequence[Layer]) -> int:
    """Return the approximate number of weights, without those of the first layer."""
    units = [layer.units for layer in layers if isinstance(layer, Dense)]
    return sum(a * b for a, b in itertools.pairwise(units))


def _hidden(layers: Sequence[Layer]) -> list[Dense]:
    return [layer for layer in layers[:-1] if isinstance(layer, Dense)]


def _dense(units: int, activation: Activation = "relu") -> Dense:
    return Dense(type="Dense", units=units, activation=activation)


def _activation(hidden: Sequence[Dense]) -> Activation:
    """Return the activation of the last hidden layer, or relu if it sets none."""
    own = hidden[-1].activation
    return own if own not in ("linear", "softmax") else "relu"
