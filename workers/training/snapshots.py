"""Take the state of a fit between two epochs as arrays, and restore it.

The state is: weights, variables of normalizations and noise, the optimizer's variables,
the state of early stopping and of the learning rate callbacks, the shuffle generator, the
history, and the best of the earlier fits. Metrics are reset in every epoch.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from workers.training.checkpoints import CheckpointUseless, Snapshot
from workers.training.multi_seed import SeedSearch, assign, copied

Arrays = dict[str, NDArray[Any]]
_SAVED_ATTRIBUTES: dict[type, tuple[str, ...]] = {
    keras.callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
}


@dataclass
class FitState:
    """A fit in progress.

    Args:
        epoch: the number of epochs of this fit that have ended.
        search: the progress of the whole run.

    """

    model: keras.Model
    callbacks: list[keras.callbacks.Callback]
    rng: np.random.Generator | None
    history: dict[str, list[float]] = field(default_factory=dict)
    epoch: int = 0
    search: SeedSearch = field(default_factory=SeedSearch)


def take(state: FitState, seconds: float) -> Snapshot:
    """Copy the state, so that the fit can continue while the snapshot is written."""
    # "told" is part of the file format: JSON for None and the generator's 128-bit numbers
    arrays: Arrays = {
        "told": np.frombuffer(json.dumps(_to_json(state)).encode(), np.uint8)
    }
    arrays |= _numbered("state", copied(_variables(state.model)))
    arrays |= _numbered("kept", state.search.weights)
    arrays |= _numbered("best", _best_weights(state))
    arrays |= {f"history/{name}": np.array(v) for name, v in state.history.items()}
    return Snapshot(state.search.epochs_before + state.epoch, seconds, arrays)


def restore(state: FitState, snapshot: Snapshot) -> None:
    """Put the state of a snapshot into a fit that has just begun.

    Raises CheckpointUseless if the snapshot was taken of another network or release.
    """
    arrays = snapshot.arrays
    saved = json.loads(arrays["told"].tobytes())
    _restore_variables(_variables(state.model), _listed("state", arrays))
    for callback, values in zip(_callbacks(state), saved["callbacks"], strict=True):
        vars(callback).update(values)
        if isinstance(callback, keras.callbacks.EarlyStopping):
            callback.best_weights = _listed("best", arrays) or None
    if state.rng is not None:
        state.rng.bit_generator.state = saved["rng"]
    for name in saved["history"]:
        state.history[name] = arrays[f"history/{name}"].tolist()
    if "fits" in saved:  # checkpoints of early releases have no fits
        _restore_search(state.search, saved["fits"], _listed("kept", arrays))
    state.epoch = snapshot.epoch - state.search.epochs_before


def _restore_variables(variables: list[Any], values: list[NDArray[Any]]) -> None:
    if [(tuple(v.shape), v.dtype) for v in variables] != [
        (value.shape, str(value.dtype)) for value in values
    ]:
        raise CheckpointUseless("it is of another network")
    assign(variables, values)


def _restore_search(
    search: SeedSearch, saved: dict[str, Any], weights: list[Any]
) -> None:
    try:
        search.restore(saved, weights)
    except (KeyError, TypeError) as error:
        raise CheckpointUseless("it is of another release") from error


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Return the variables in a fixed order, with the seeds of noise layers."""
    model.optimizer.build(model.trainable_variables)
    found = [*model.variables, *model.optimizer.variables]
    return list({id(variable): variable for variable in found}.values())


def _callbacks(state: FitState) -> list[keras.callbacks.Callback]:
    return [c for c in state.callbacks if type(c) in _SAVED_ATTRIBUTES]


def _to_json(state: FitState) -> dict[str, Any]:
    return {
        "rng": state.rng.bit_generator.state if state.rng is not None else None,
        "callbacks": [
            {name: getattr(callback, name) for name in _SAVED_ATTRIBUTES[type(callback)]}
            for callback in _callbacks(state)
        ],
        "history": list(state.history),
        "fits": state.search.to_json(),
    }


def _best_weights(state: FitState) -> list[NDArray[Any]]:
    for callback in state.callbacks:
        if isinstance(callback, keras.callbacks.EarlyStopping):
            return callback.best_weights or []
    return []


def _numbered(name: str, arrays: list[NDArray[Any]]) -> Arrays:
    return {f"{name}/{index}": array for index, array in enumerate(arrays)}


def _listed(name: str, arrays: Any) -> list[NDArray[Any]]:
    count = sum(key.startswith(f"{name}/") for key in arrays)
    return [arrays[f"{name}/{index}"] for index in range(count)]
