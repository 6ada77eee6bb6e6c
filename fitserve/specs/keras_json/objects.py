"""Parse a serialized Keras object: module, class, config, registered name."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from fitserve.names import did_you_mean
from fitserve.problems import shown
from fitserve.specs.keras_json.faults import Fault, Path, Refused, refuse

Json = dict[str, object]
Rule = Callable[[object, Path], object]
"""Returns the closed spec's value for a value at a path, or LEFT_OUT; raises Refused."""

LEFT_OUT = object()
"""Marks a value that is Keras's default, for a key that the closed spec does not have."""

_KEYS = ("module", "class_name", "config", "registered_name")
_WORDS: dict[object, str] = {None: "null", True: "true", False: "false"}


class Named(NamedTuple):
    """An object whose class is known; its config is not checked yet."""

    class_name: str
    config: Json
    at: Path

    def translated(self, rules: Mapping[str, Rule]) -> Json:
        """Translate the config by a rule for each key; raise Refused with all faults."""
        return translated(self.config, self.at, rules)


def mapping(value: object, at: Path) -> Json:
    """Return the value; raise Refused unless it is a JSON object."""
    if not isinstance(value, dict):
        refuse(at, f"got {shown(value)}; expected a JSON object")
    return value


def listed(value: object, at: Path) -> list[object]:
    """Return the value; raise Refused unless it is a list."""
    if not isinstance(value, list):
        refuse(at, f"got {shown(value)}; expected a list")
    return value


def named(
    value: object, at: Path, module: str, classes: Collection[str], more: Path = ()
) -> Named:
    """Return an object of one of the classes; it may also have the keys in `more`."""
    found = mapping(value, at)
    known_keys(found, at, (*_KEYS, *(str(key) for key in more)))
    one_of(found.get("class_name"), (*at, "class_name"), classes)
    one_of(found.get("module"), (*at, "module"), (module,))
    class_name = str(found["class_name"])
    one_of(found.get("registered_name"), (*at, "registered_name"), (None, class_name))
    inside = (*at, "config")
    return Named(class_name, mapping(found.get("config"), inside), inside)


def known_keys(found: Json, at: Path, known: Collection[str]) -> None:
    """Refuse keys that are not on the list."""
    faults = [
        Fault((*at, key), f"`{key[:200]}` is not a key here", did_you_mean(key, known))
        for key in found
        if key not in known
    ]
    if faults:
        raise Refused(*faults)


def one_of(value: object, at: Path, known: Collection[object]) -> None:
    """Refuse a value that is not on the list; 1 equals 1.0, but not true."""
    if any(_kind(value) is _kind(other) and value == other for other in known):
        return
    names = [other for other in known if isinstance(other, str)]
    hint = did_you_mean(value, names) if isinstance(value, str) else ""
    expected = " or ".join(_written(other) for other in known) if len(known) < 4 else ""
    refuse(at, f"got {_written(value)}; expected {expected or _ANY_NAME}", hint)


_ANY_NAME = "one of the allowed names"


def _kind(value: object) -> type:
    return float if type(value) is int else type(value)


def _written(value: object) -> str:
    is_word = value is None or isinstance(value, bool)
    return _WORDS[value] if is_word else shown(value)


def translated(value: object, at: Path, rules: Mapping[str, Rule]) -> Json:
    """Translate an object by a rule for each key; raise Refused with all faults."""
    config = mapping(value, at)
    known_keys(config, at, rules)
    result: Json = {}
    faults: list[Fault] = []
    for key, inner in config.items():
        try:
            said = rules[key](inner, (*at, key))
        except Refused as refused:
            faults += refused.faults
        else:
            if said is not LEFT_OUT:
                result[key] = said
    if faults:
        raise Refused(*faults)
    return result
