"""Read the layers of a Sequential, or of a Functional that is a chain, in order."""

from dataclasses import dataclass
from typing import NoReturn

from fitserve.problems import shown
from fitserve.specs.keras_json.faults import Fault, Path, Refused, refuse
from fitserve.specs.keras_json.layers import RULES
from fitserve.specs.keras_json.objects import (
    LEFT_OUT,
    Json,
    Named,
    known_keys,
    listed,
    mapping,
    named,
    one_of,
    translated,
)
from fitserve.specs.keras_json.rules import built, float32, label, only, shape
from fitserve.unneeded_layers import UNNEEDED_LAYERS

MOST_LAYERS = 256
_INPUT = "InputLayer"
_CLASSES = (_INPUT, *RULES)
_INPUT_KEYS = {
    "dtype": float32,
    "name": label,
    "sparse": only(False),
    "ragged": only(False),
    "optional": only(False),
}
_BESIDE = ("build_config", "name", "inbound_nodes")  # of a Functional
_KWARGS = {"mask": only(None), "training": only(None, False)}


@dataclass(frozen=True)
class Link:
    """A layer in the JSON, with its path."""

    at: Path
    entry: Json
    found: Named

    @classmethod
    def read(cls, value: object, at: Path) -> "Link":
        """Return the layer; raise Refused if its class is unknown."""
        entry = mapping(value, at)
        _refuse_unneeded(entry.get("class_name"), at)
        found = named(value, at, "keras.layers", _CLASSES, _BESIDE)
        built(entry.get("build_config"), (*at, "build_config"))
        return cls(at, entry, found)

    @property
    def is_input(self) -> bool:
        return self.found.class_name == _INPUT


def _refuse_unneeded(class_name: object, at: Path) -> None:
    """Refuse a layer whose work fitserve does before the network."""
    if isinstance(class_name, str) and class_name in UNNEEDED_LAYERS:
        detail = f"got {shown(class_name)}; expected the layers after the preprocessing"
        refuse((*at, "class_name"), detail, UNNEEDED_LAYERS[class_name])


def links(config: Json, at: Path) -> tuple[list[Link], list[Fault]]:
    """Return the known entries of `layers`, and the faults of the other entries.

    Only the first entry may be an input layer.
    """
    entries = listed(config.get("layers"), (*at, "layers"))
    if len(entries) > MOST_LAYERS + 1:
        detail = f"got {len(entries):,} layers; expected an input and {MOST_LAYERS} more"
        refuse((*at, "layers"), detail)
    chain: list[Link] = []
    faults: list[Fault] = []
    for place, entry in enumerate(entries):
        here = (*at, "layers", place)
        try:
            chain.append(Link.read(entry, here))
        except Refused as refused:
            faults += refused.faults
    faults += [
        Fault(link.at, "got a second input layer; expected one")
        for link in chain
        if link.is_input and link.at[-1] != 0
    ]
    return chain, faults


def input_width(link: Link) -> int | None:
    """Return the width of an input layer; None if the layer does not set it."""
    config = dict(link.found.config)
    given = config.pop("batch_shape", None)
    translated(config, link.found.at, _INPUT_KEYS)
    at = (*link.found.at, "batch_shape")
    sizes = shape(given, at)
    if len(sizes) != 2 or sizes[0] is not None:
        hint = "a row is one list of numbers; `fit.batch_size` sets the rows per batch"
        refuse(at, f"got {shown(given)}; expected [null, width]", hint)
    return sizes[1]


def check_chain(config: Json, chain: list[Link], at: Path) -> None:
    """Refuse a Functional unless each layer is called once, on the layer before it."""
    names = [_own_name(link) for link in chain]
    if len(set(names)) < len(names):
        refuse((*at, "layers"), "two layers have the same name")
    if not chain or not chain[0].is_input:
        refuse((*at, "layers"), "the first layer is not an InputLayer")
    for link, before in zip(chain, [None, *names], strict=False):
        _check_nodes(link, before)
    _check_end(config.get("input_layers"), names[0], (*at, "input_layers"))
    _check_end(config.get("output_layers"), names[-1], (*at, "output_layers"))


def _own_name(link: Link) -> str:
    name = link.entry.get("name")
    label(name, (*link.at, "name"))
    one_of(link.found.config.get("name"), (*link.found.at, "name"), (name,))
    return str(name)


def _check_nodes(link: Link, before: str | None) -> None:
    at = (*link.at, "inbound_nodes")
    nodes = listed(link.entry.get("inbound_nodes"), at)
    expected = int(before is not None)
    if len(nodes) != expected:
        _refuse_chain(at, f"called {len(nodes)} times; expected {expected}")
    for node in nodes:
        _check_node(mapping(node, (*at, 0)), (*at, 0), before)


def _check_node(node: Json, at: Path, before: str | None) -> None:
    known_keys(node, at, ("args", "kwargs"))
    translated(node.get("kwargs"), (*at, "kwargs"), _KWARGS)
    args = listed(node.get("args"), (*at, "args"))
    if len(args) != 1:
        _refuse_chain((*at, "args"), f"takes {len(args)} arguments; expected 1")
    _check_tensor(mapping(args[0], (*at, "args", 0)), (*at, "args", 0), before)


def _check_tensor(tensor: Json, at: Path, before: str | None) -> None:
    known_keys(tensor, at, ("class_name", "config"))
    one_of(tensor.get("class_name"), (*at, "class_name"), ("__keras_tensor__",))

    def from_before(value: object, place: Path) -> object:
        if value != [before, 0, 0]:
            _refuse_chain(place, f"comes from {shown(value)}; expected {[before, 0, 0]}")
        return LEFT_OUT

    rules = {"shape": shape, "dtype": float32, "keras_history": from_before}
    translated(tensor.get("config"), (*at, "config"), rules)


def _check_end(value: object, name: str, at: Path) -> None:
    """Accept one tensor, alone, in a list or in an object: Keras writes all three."""
    inner = value
    if isinstance(value, dict) and len(value) == 1:
        inner = next(iter(value.values()))
    elif isinstance(value, list) and len(value) == 1:
        inner = value[0]
    if inner != [name, 0, 0]:
        _refuse_chain(at, f"got {shown(value)}; expected {[name, 0, 0]}")


def _refuse_chain(at: Path, detail: str) -> NoReturn:
    hint = "each layer must be called once, on the layer before it"
    refuse(at, detail, hint)
