"""Translate Keras layers, by a rule for each key.

Keras writes more keys than the closed spec has; a rule says which values a key may have.
"""

from collections.abc import Callable, Mapping

from pydantic import TypeAdapter, ValidationError

from fitserve.problems import field_errors, path_of
from fitserve.specs.keras_json.faults import Fault, Path, Refused
from fitserve.specs.keras_json.objects import Json, Named, Rule
from fitserve.specs.keras_json.rules import (
    float32,
    initializer,
    kept,
    label,
    only,
    only_initializer,
    regularizer,
)
from fitserve.specs.layers import BUILT, Layer
from fitserve.specs.tables import complete

_SEEDED = only(None, hint="remove the key: `fit.seed` seeds the whole run")
_ALL = {"name": label, "trainable": only(True), "dtype": float32}
_SCALING: Mapping[str, Rule] = {
    **dict.fromkeys(("epsilon", "center", "scale"), kept),
    "beta_initializer": only_initializer("Zeros"),
    "gamma_initializer": only_initializer("Ones"),
    **dict.fromkeys(
        ("beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint"),
        only(None),
    ),
}
RULES: Mapping[str, Mapping[str, Rule]] = {
    "Dense": {
        **dict.fromkeys(("units", "activation", "use_bias"), kept),
        **dict.fromkeys(("kernel_initializer", "bias_initializer"), initializer),
        **dict.fromkeys(("kernel_regularizer", "bias_regularizer"), regularizer),
        **dict.fromkeys(("kernel_constraint", "bias_constraint"), only(None)),
        "quantization_config": only(None),
    },
    "Activation": {"activation": kept},
    "Dropout": {"rate": kept, "seed": _SEEDED, "noise_shape": only(None)},
    "BatchNormalization": {
        **_SCALING,
        "axis": only(-1, 1),
        "momentum": kept,
        "moving_mean_initializer": only_initializer("Zeros"),
        "moving_variance_initializer": only_initializer("Ones"),
        "synchronized": only(False),
        "renorm": only(False),
        "renorm_clipping": only(None),
        "renorm_momentum": only(0.99),
    },
    "LayerNormalization": {
        **_SCALING,
        # Keras writes a list with one item
        "axis": lambda value, at: only(-1, 1)(_single(value), at),
        "rms_scaling": only(False),
    },
    "GaussianNoise": {"stddev": kept, "seed": _SEEDED},
    "ReLU": {
        "max_value": only(None, 6),
        "negative_slope": only(0.0),
        "threshold": only(0.0),
    },
    "LeakyReLU": {"negative_slope": only(0.2, hint="`leaky_relu` has the slope 0.2")},
    "ELU": {"alpha": only(1.0)},
    "Softmax": {"axis": only(-1, 1)},
}
complete("a rule of keras_json", RULES, BUILT)
for _name, _kind in BUILT.items():
    _fields = _kind.model_fields.keys() - {"type"}
    complete(f"a rule of keras_json for {_name}'s key", RULES[_name], _fields)
_ACTIVATIONS: Mapping[str, Callable[[Json], str]] = {
    "ReLU": lambda config: "relu" if config.get("max_value") is None else "relu6",
    "LeakyReLU": lambda _: "leaky_relu",
    "ELU": lambda _: "elu",
    "Softmax": lambda _: "softmax",
}
"""Keras layers that are activations in the closed spec."""
_SCHEMA: TypeAdapter[Layer] = TypeAdapter(Layer)


def layer_of(found: Named) -> Layer:
    """Return a layer of Keras's JSON as a layer of the closed spec."""
    said = found.translated({**_ALL, **RULES[found.class_name]})
    given = {"type": found.class_name, **said}
    if found.class_name in _ACTIVATIONS:
        activation = _ACTIVATIONS[found.class_name](found.config)
        given = {"type": "Activation", "activation": activation}
    try:
        return _SCHEMA.validate_python(given)
    except ValidationError as error:
        raise Refused(*_faults(error, given, found.at)) from None


def _faults(error: ValidationError, given: Json, at: Path) -> list[Fault]:
    """Return the validation errors, with their paths in the Keras config."""
    lines = field_errors(error.errors(include_url=False), given)
    return [Fault((*at, *_place(e.pointer)), e.detail, e.hint or "") for e in lines]


def _place(pointer: str) -> Path:
    # only a regularizer is an object here; Keras nests its factors in a config
    path = path_of(pointer)
    return (path[0], "config", *path[1:]) if len(path) > 1 else path


def _single(value: object) -> object:
    return value[0] if isinstance(value, list) and len(value) == 1 else value
