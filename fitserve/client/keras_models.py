"""Replace a Keras model in a spec by the JSON of its architecture, without Keras."""

import json
from typing import Any, Protocol

_NOT_SET = (None, False)
_OF_KERAS_ONLY = frozenset({"name", "ema_momentum"})


class KerasLike(Protocol):
    """The method of `keras.Sequential` and `keras.Model` that the client calls."""

    def to_json(self) -> str:
        """Return the architecture as JSON."""


def with_keras_model(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the spec with the model's `to_json()`; take `compile` from it if absent."""
    model = spec.get("model")
    if model is None or not hasattr(model, "to_json"):
        return spec
    architecture = json.loads(model.to_json())
    compiled = architecture.pop("compile_config", None)
    taken = {**spec, "model": {"keras": architecture}}
    if compiled and "compile" not in spec:
        taken["compile"] = _compile(compiled)
    return taken


def _compile(config: dict[str, Any]) -> dict[str, Any]:
    found = {
        "optimizer": _optimizer(config.get("optimizer")),
        "loss": _named(config.get("loss"), "loss"),
        "metrics": _metrics(config, "metrics"),
        "weighted_metrics": _metrics(config, "weighted_metrics"),
    }
    return {name: value for name, value in found.items() if value}


def _metrics(config: dict[str, Any], key: str) -> list[Any]:
    return [_named(metric, key) for metric in config.get(key) or ()]


def _optimizer(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    config = {
        name: value
        for name, value in given["config"].items()
        if value not in _NOT_SET and name not in _OF_KERAS_ONLY
    }
    rate = config.get("learning_rate")
    if isinstance(rate, float):  # Keras stores a float32: 0.001 becomes 0.00100000005
        config["learning_rate"] = float(f"{rate:.7g}")
    return {"type": given["class_name"], **config}


def _named(given: Any, key: str) -> Any:
    if given is None or isinstance(given, str):
        return given
    raise TypeError(
        f"the model was compiled with an object as `{key}`; expected a name, such as "
        "'mae'. Compile the model with a name, or pass compile={...}"
    )
