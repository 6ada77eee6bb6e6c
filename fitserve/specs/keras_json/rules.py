"""Rules for the values of the keys of a Keras config."""

import re
from collections.abc import Mapping

from fitserve.problems import shown
from fitserve.specs.keras_json.faults import Path, Refused, refuse
from fitserve.specs.keras_json.objects import (
    LEFT_OUT,
    Json,
    Rule,
    listed,
    named,
    one_of,
    translated,
)

_LABEL = re.compile(r"(?!\.+\Z)[^/\\\x00-\x1f\x7f]{1,200}\Z")
_MOST_AXES, _LARGEST = 8, 2**31 - 1

_DISTRIBUTED: Json = {"seed": None, "input_axes": None, "output_axes": None}
_NORMAL: Json = {"seed": None, "mean": 0.0, "stddev": 0.05}
_INITIALIZERS: Mapping[str, tuple[str, Json]] = {
    "GlorotUniform": ("glorot_uniform", _DISTRIBUTED),
    "GlorotNormal": ("glorot_normal", _DISTRIBUTED),
    "HeUniform": ("he_uniform", _DISTRIBUTED),
    "HeNormal": ("he_normal", _DISTRIBUTED),
    "LecunUniform": ("lecun_uniform", _DISTRIBUTED),
    "LecunNormal": ("lecun_normal", _DISTRIBUTED),
    "RandomUniform": ("random_uniform", {"seed": None, "minval": -0.05, "maxval": 0.05}),
    "RandomNormal": ("random_normal", _NORMAL),
    "TruncatedNormal": ("truncated_normal", _NORMAL),
    "Orthogonal": ("orthogonal", {"seed": None, "gain": 1.0}),
    "Zeros": ("zeros", {}),
    "Ones": ("ones", {}),
}
"""By Keras class: the name in the closed spec, and the arguments that the name means."""
_REGULARIZERS = {"L1": ("l1",), "L2": ("l2",), "L1L2": ("l1", "l2")}


def kept(value: object, at: Path) -> object:
    """Return the value unchanged: the closed spec has the same key and checks it."""
    del at
    return value


def only(*values: object, hint: str = "") -> Rule:
    """Return a rule that accepts only these values, and leaves the key out."""

    def rule(value: object, at: Path) -> object:
        try:
            one_of(value, at, values)
        except Refused as refused:
            found = refused.faults[0]
            refuse(at, found.detail, hint or found.hint)
        return LEFT_OUT

    return rule


def label(value: object, at: Path) -> object:
    """Accept a harmless name and leave it out: the closed spec numbers the layers."""
    if not isinstance(value, str) or not _LABEL.match(value):
        expected = "expected a name without slashes, control characters, `.` or `..`"
        refuse(at, f"got {shown(value)}; {expected}")
    return LEFT_OUT


def float32(value: object, at: Path) -> object:
    """Accept float32, as a name or as a policy; training uses no other dtype."""
    if value is None or value == "float32":
        return LEFT_OUT
    if isinstance(value, str):
        refuse(at, f"got {shown(value)}; expected 'float32'")
    policy = named(value, at, "keras", ("DTypePolicy",))
    policy.translated({"name": only("float32")})
    return LEFT_OUT


def initializer(value: object, at: Path) -> object:
    """Return the name of an initializer with Keras's default arguments."""
    if isinstance(value, str):
        return value
    found = named(value, at, "keras.initializers", _INITIALIZERS)
    name, defaults = _INITIALIZERS[found.class_name]
    hint = "`fit.seed` seeds the whole run; other arguments must be Keras's defaults"
    found.translated({key: only(default, hint=hint) for key, default in defaults.items()})
    return name


def only_initializer(class_name: str) -> Rule:
    """Return a rule that accepts only one initializer, and leaves the key out."""

    def rule(value: object, at: Path) -> object:
        named(value, at, "keras.initializers", (class_name,)).translated({})
        return LEFT_OUT

    return rule


def regularizer(value: object, at: Path) -> object:
    """Return None, a name, or a regularizer of the closed spec."""
    if value is None or isinstance(value, str):
        return value
    found = named(value, at, "keras.regularizers", _REGULARIZERS)
    factors = found.translated(dict.fromkeys(_REGULARIZERS[found.class_name], kept))
    return {"type": found.class_name, **factors}


def shape(value: object, at: Path) -> list[int | None]:
    """Return a shape as a list of sizes; a size may be None."""
    sizes = listed(value, at)
    is_shape = all(
        size is None or (type(size) is int and 0 < size <= _LARGEST) for size in sizes
    )
    if not is_shape or len(sizes) > _MOST_AXES:
        refuse(at, "expected a shape such as [null, 4]")
    return [size if isinstance(size, int) else None for size in sizes]


def built(value: object, at: Path) -> object:
    """Check and leave out the build shape; fitserve derives it from the features."""
    if value is not None:
        translated(value, at, {"input_shape": built_shape})
    return LEFT_OUT


def built_shape(value: object, at: Path) -> object:
    """Accept None or a shape, and leave the key out."""
    if value is not None:
        shape(value, at)
    return LEFT_OUT
