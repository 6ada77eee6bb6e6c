"""What may stand behind a key of a Keras config."""

import re
from collections.abc import Mapping

from fitserve.problems import shown
from fitserve.specs.keras_json.faults import Fault, Path, Refused
from fitserve.specs.keras_json.objects import (
    LEFT_OUT,
    Json,
    Rule,
    listed,
    mapping,
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
"""Keras's classes, the words of the closed spec, and the defaults that these mean."""
_REGULARIZERS = {"L1": ("l1",), "L2": ("l2",), "L1L2": ("l1", "l2")}


def kept(value: object, at: Path) -> object:
    """The closed spec has the same key; its schema knows the range."""
    del at
    return value


def only(*values: object, hint: str = "") -> Rule:
    """One of Keras's own values, where the closed spec has no other."""

    def rule(value: object, at: Path) -> object:
        try:
            one_of(value, at, values)
        except Refused as refused:
            found = refused.faults[0]
            raise Refused(Fault(at, found.detail, hint or found.hint)) from None
        return LEFT_OUT

    return rule


def label(value: object, at: Path) -> object:
    """A name is only a label: layers here are called by their place."""
    if isinstance(value, str) and _LABEL.match(value):
        return LEFT_OUT
    expected = "expected a name without slashes, control characters, `.` or `..`"
    raise Refused(Fault(at, f"got {shown(value)}; {expected}"))


def float32(value: object, at: Path) -> object:
    """The one dtype that is trained in."""
    if value is None or value == "float32":
        return LEFT_OUT
    if isinstance(value, str):
        raise Refused(Fault(at, f"got {shown(value)}; expected 'float32'"))
    policy = named(value, at, "keras", ("DTypePolicy",))
    translated(policy.config, (*at, "config"), {"name": only("float32")})
    return LEFT_OUT


def initializer(value: object, at: Path) -> object:
    """By name, for the closed spec has them only with Keras's defaults."""
    if isinstance(value, str):
        return value
    found = named(value, at, "keras.initializers", _INITIALIZERS)
    name, defaults = _INITIALIZERS[found.class_name]
    hint = "`fit.seed` seeds the whole run; the other arguments have Keras's defaults"
    rules = {key: only(default, hint=hint) for key, default in defaults.items()}
    translated(found.config, (*at, "config"), rules)
    return name


def only_initializer(class_name: str) -> Rule:
    """The initializer that Keras takes where the closed spec names none."""

    def rule(value: object, at: Path) -> object:
        found = named(value, at, "keras.initializers", (class_name,))
        translated(found.config, (*at, "config"), {})
        return LEFT_OUT

    return rule


def regularizer(value: object, at: Path) -> object:
    """None, or an object of the closed spec."""
    if value is None or isinstance(value, str):
        return value
    found = named(value, at, "keras.regularizers", _REGULARIZERS)
    rules = dict.fromkeys(_REGULARIZERS[found.class_name], kept)
    return {"type": found.class_name, **translated(found.config, (*at, "config"), rules)}


def shape(value: object, at: Path) -> list[int | None]:
    """A short list of sizes, None where one is open."""
    sizes = listed(value, at)
    is_shape = all(
        size is None or (type(size) is int and 0 < size <= _LARGEST) for size in sizes
    )
    if not is_shape or len(sizes) > _MOST_AXES:
        raise Refused(Fault(at, "expected a shape such as [null, 4]"))
    return [size if isinstance(size, int) else None for size in sizes]


def built(value: object, at: Path) -> object:
    """Keras notes on what shape it built; shapes here follow from the features."""
    if value is not None:
        translated(mapping(value, at), at, {"input_shape": built_shape})
    return LEFT_OUT


def built_shape(value: object, at: Path) -> object:
    """The same for one shape."""
    if value is not None:
        shape(value, at)
    return LEFT_OUT
