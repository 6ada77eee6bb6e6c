"""Translate the result of `model.to_json()` to layers of the closed spec."""

from dataclasses import dataclass

from pydantic_core import from_json

from fitserve.specs.keras_json.chain import (
    MOST_LAYERS,
    Link,
    check_chain,
    input_width,
    links,
)
from fitserve.specs.keras_json.faults import Fault, Refused, refuse
from fitserve.specs.keras_json.layers import layer_of
from fitserve.specs.keras_json.objects import mapping, named, one_of
from fitserve.specs.keras_json.rules import built, built_shape, float32, kept, label, only
from fitserve.specs.layers import Layer

_MODULES = {"Sequential": "keras", "Functional": "keras.src.models.functional"}
_ALL = {"name": label, "trainable": only(True), "dtype": float32, "layers": kept}
_KEYS = {
    "Sequential": {**_ALL, "build_input_shape": built_shape},
    # check_chain checks the ends
    "Functional": {**_ALL, "input_layers": kept, "output_layers": kept},
}
_COMPILED = (
    "remove `compile_config`: the spec's `compile` sets optimizer, loss and metrics"
)


@dataclass(frozen=True)
class Translated:
    """Layers of the closed spec, and the number of inputs that the JSON declares."""

    layers: list[Layer]
    num_inputs: int | None
    """The width of the input layer; None if the JSON does not set it."""
    first: int
    """The number of entries in the JSON before the first of `layers`."""


def translate(given: object) -> Translated:
    """Translate the JSON of a Keras model, an object or a string; raise Refused."""
    model = mapping(_parsed(given), ())
    class_name = model.get("class_name")
    one_of(class_name, ("class_name",), tuple(_MODULES))
    module = _MODULES[str(class_name)]
    found = named(model, (), module, _MODULES, ("build_config", "compile_config"))
    built(model.get("build_config"), ("build_config",))
    if model.get("compile_config"):
        refuse(("compile_config",), "this key is not read", _COMPILED)
    found.translated(_KEYS[found.class_name])
    chain, faults = links(found.config, found.at)
    if found.class_name == "Functional" and not faults:
        check_chain(found.config, chain, found.at)
    return _translated(chain, faults)


def _parsed(given: object) -> object:
    if not isinstance(given, str):
        return given
    try:
        return from_json(given, allow_inf_nan=False)
    except ValueError as error:
        hint = "send the result of `model.to_json()`"
        raise Refused(Fault((), f"this text is not JSON: {error}", hint)) from None


def _translated(chain: list[Link], faults: list[Fault]) -> Translated:
    width: int | None = None
    first = int(bool(chain) and chain[0].is_input)
    layers: list[Layer] = []
    for link in chain:
        try:
            if link.is_input:
                width = input_width(link)
            else:
                layers.append(layer_of(link.found))
        except Refused as refused:
            faults += refused.faults
    if not faults and not 0 < len(layers) <= MOST_LAYERS:
        detail = f"got {len(layers)} layers after the input; expected 1 to {MOST_LAYERS}"
        faults = [Fault(("config", "layers"), detail)]
    if faults:
        raise Refused(*faults)
    return Translated(layers, width, first)
