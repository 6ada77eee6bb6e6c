"""The layers of a Sequential, or of a Functional that is a plain chain, in order."""

from dataclasses import dataclass

from fitserve.problems import shown
from fitserve.specs.keras_json.faults import Fault, Path, Refused
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


@dataclass(frozen=True)
class Link:
    """A layer as it stands in the JSON, with the way to it."""

    at: Path
    entry: Json
    found: Named

    @classmethod
    def read(cls, entry: object, at: Path) -> "Link":
        """The entry, if it is of a class that is known."""
        # Functional writes its nodes beside the layer
        found = named(entry, at, "keras.layers", _CLASSES, _BESIDE)
        held = mapping(entry, at)
        built(held.get("build_config"), (*at, "build_config"))
        return cls(at, held, found)

    @property
    def is_input(self) -> bool:
        return self.found.class_name == _INPUT


_KWARGS = {"mask": only(None), "training": only(None, False)}
_BESIDE = ("build_config", "name", "inbound_nodes")


def links(config: Json, at: Path) -> tuple[list[Link], list[Fault]]:
    """The entries of `layers` that are known, and what is wrong with the others.

    The first may be an input layer, no other.
    """
    entries = listed(config.get("layers"), (*at, "layers"))
    if len(entries) > MOST_LAYERS + 1:
        detail = f"got {len(entries):,}; expected at most {MOST_LAYERS} and an input"
        raise Refused(Fault((*at, "layers"), detail))
    chain: list[Link] = []
    faults: list[Fault] = []
    for place, entry in enumerate(entries):
        here = (*at, "layers", place)
        try:
            chain.append(Link.read(entry, here))
        except Refused as refused:
            faults += refused.faults
    faults += [
        Fault(link.at, "a second input layer; the network is one chain")
        for link in chain
        if link.is_input and link.at[-1] != 0
    ]
    return chain, faults


def input_width(link: Link) -> int | None:
    """How many numbers an input layer takes; None where it leaves that open."""
    at = (*link.at, "config")
    config = dict(link.found.config)
    given = config.pop("batch_shape", None)
    translated(config, at, _INPUT_KEYS)
    sizes = shape(given, (*at, "batch_shape"))
    is_flat = len(sizes) == 2 and sizes[0] is None
    if not is_flat:
        hint = "a row is one list of numbers; `fit.batch_size` says how many rows a batch"
        detail = f"got {shown(given)}; expected [null, width]"
        raise Refused(Fault((*at, "batch_shape"), detail, hint))
    return sizes[1]


def check_chain(config: Json, chain: list[Link], at: Path) -> None:
    """Refuse a Functional whose layers are not each called once on the one before."""
    names = [_own_name(link) for link in chain]
    if len(set(names)) < len(names):
        raise Refused(Fault((*at, "layers"), "two layers have one name"))
    if not chain or not chain[0].is_input:
        raise Refused(Fault((*at, "layers"), "the first layer is no InputLayer"))
    before: str | None = None
    for link, name in zip(chain, names, strict=True):
        _check_nodes(link, before)
        before = name
    _check_end(config.get("input_layers"), names[0], (*at, "input_layers"))
    _check_end(config.get("output_layers"), names[-1], (*at, "output_layers"))


def _own_name(link: Link) -> str:
    name = link.entry.get("name")
    label(name, (*link.at, "name"))
    one_of(link.found.config.get("name"), (*link.at, "config", "name"), (name,))
    return str(name)


def _check_nodes(link: Link, before: str | None) -> None:
    at = (*link.at, "inbound_nodes")
    nodes = listed(link.entry.get("inbound_nodes"), at)
    if len(nodes) != (before is not None):
        detail = f"called {len(nodes)} times; expected {int(before is not None)}"
        raise Refused(Fault(at, detail, _CHAIN))
    for node in nodes:
        _check_node(mapping(node, (*at, 0)), (*at, 0), before)


def _check_node(node: Json, at: Path, before: str | None) -> None:
    known_keys(node, at, ("args", "kwargs"))
    kwargs = mapping(node.get("kwargs"), (*at, "kwargs"))
    translated(
        kwargs, (*at, "kwargs"), {"mask": only(None), "training": only(None, False)}
    )
    args = listed(node.get("args"), (*at, "args"))
    if len(args) != 1:
        detail = f"takes {len(args)} arguments; expected 1"
        raise Refused(Fault((*at, "args"), detail, _CHAIN))
    _check_tensor(mapping(args[0], (*at, "args", 0)), (*at, "args", 0), before)


def _check_tensor(tensor: Json, at: Path, before: str | None) -> None:
    known_keys(tensor, at, ("class_name", "config"))
    one_of(tensor.get("class_name"), (*at, "class_name"), ("__keras_tensor__",))
    config = mapping(tensor.get("config"), (*at, "config"))

    def from_before(value: object, place: Path) -> object:
        if value != [before, 0, 0]:
            detail = f"comes from {shown(value)}; expected {[before, 0, 0]}"
            raise Refused(Fault(place, detail, _CHAIN))
        return LEFT_OUT

    rules = {"shape": shape, "dtype": float32, "keras_history": from_before}
    translated(config, (*at, "config"), rules)


def _check_end(value: object, name: str, at: Path) -> None:
    """Keras writes one tensor as it is, in a list, or in an object."""
    inner = value
    if isinstance(value, dict) and len(value) == 1:
        inner = next(iter(value.values()))
    elif isinstance(value, list) and len(value) == 1:
        inner = value[0]
    if inner != [name, 0, 0]:
        detail = f"got {shown(value)}; expected {[name, 0, 0]}"
        raise Refused(Fault(at, detail, _CHAIN))


_CHAIN = "only a chain can be taken, each layer called once on the one before it"
