"""What a fit is made of between two epochs, taken out as arrays and put back.

Weights, the state of normalizations and noise, the optimizer's variables, what early
stopping and the reduction of the learning rate remember, the generator that shuffles,
the history, the best of the fits before. Metrics are not: they begin at zero in every
epoch.
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
_REMEMBERED: dict[type, tuple[str, ...]] = {
    keras.callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
}


@dataclass
class FitState:
    """A fit under way; `epoch` is how many are done of it, `fits` the whole run."""

    model: keras.Model
    callbacks: list[keras.callbacks.Callback]
    rng: np.random.Generator | None
    history: dict[str, list[float]] = field(default_factory=dict)
    epoch: int = 0
    fits: SeedSearch = field(default_factory=SeedSearch)


def take(state: FitState, seconds: float) -> Snapshot:
    """Copies, so that the fit may go on while they are written."""
    arrays: Arrays = {"told": _packed(_told(state))}
    arrays |= _numbered("state", copied(_variables(state.model)))
    arrays |= _numbered("kept", state.fits.weights)
    arrays |= _numbered("best", _best_weights(state) or [])
    arrays |= {f"history/{name}": np.array(v) for name, v in state.history.items()}
    return Snapshot(state.fits.epochs_before + state.epoch, seconds, arrays)


def restore(state: FitState, snapshot: Snapshot) -> None:
    """Bring a fit that has just begun to where another one was.

    CheckpointUseless if that was another network.
    """
    arrays = snapshot.arrays
    told = json.loads(arrays["told"].tobytes())
    variables, values = _variables(state.model), _listed("state", arrays)
    if [(tuple(v.shape), v.dtype) for v in variables] != [
        (value.shape, str(value.dtype)) for value in values
    ]:
        raise CheckpointUseless("it is of another network")
    assign(variables, values)
    for callback, remembered in zip(_callbacks(state), told["callbacks"], strict=True):
        vars(callback).update(remembered)
        if isinstance(callback, keras.callbacks.EarlyStopping):
            callback.best_weights = _listed("best", arrays) or None
    if state.rng is not None:
        state.rng.bit_generator.state = told["rng"]
    for name in told["history"]:
        state.history[name] = arrays[f"history/{name}"].tolist()
    if "fits" in told:  # not in a checkpoint of an earlier release
        _restore_fits(state.fits, told["fits"], _listed("kept", arrays))
    state.epoch = snapshot.epoch - state.fits.epochs_before


def _restore_fits(fits: SeedSearch, told: dict[str, Any], weights: list[Any]) -> None:
    try:
        fits.restore(told, weights)
    except (KeyError, TypeError) as error:
        raise CheckpointUseless("it is of another release") from error


def _variables(model: keras.Model) -> list[keras.Variable]:
    """In a fixed order; the model's own hold the seeds of its noise."""
    model.optimizer.build(model.trainable_variables)
    found = [*model.variables, *model.optimizer.variables]
    return list({id(variable): variable for variable in found}.values())


def _callbacks(state: FitState) -> list[keras.callbacks.Callback]:
    return [callback for callback in state.callbacks if type(callback) in _REMEMBERED]


def _told(state: FitState) -> dict[str, Any]:
    return {
        "rng": state.rng.bit_generator.state if state.rng is not None else None,
        "callbacks": [
            {name: getattr(callback, name) for name in _REMEMBERED[type(callback)]}
            for callback in _callbacks(state)
        ],
        "history": list(state.history),
        "fits": state.fits.told(),
    }


def _best_weights(state: FitState) -> list[NDArray[Any]] | None:
    for callback in state.callbacks:
        if isinstance(callback, keras.callbacks.EarlyStopping):
            weights: list[NDArray[Any]] | None = callback.best_weights
            return weights
    return None


def _packed(told: dict[str, Any]) -> NDArray[Any]:
    """JSON, for numbers that no array holds (128 bits of a generator) and for None."""
    return np.frombuffer(json.dumps(told).encode(), np.uint8)


def _numbered(name: str, arrays: list[NDArray[Any]]) -> Arrays:
    return {f"{name}/{place}": array for place, array in enumerate(arrays)}


def _listed(name: str, arrays: Any) -> list[NDArray[Any]]:
    count = sum(key.startswith(f"{name}/") for key in arrays)
    return [arrays[f"{name}/{place}"] for place in range(count)]
