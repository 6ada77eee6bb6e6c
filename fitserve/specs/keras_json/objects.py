"""What Keras writes for any object: module, class, config, and no registered name."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from fitserve.names import did_you_mean
from fitserve.problems import shown
from fitserve.specs.keras_json.faults import Fault, Path, Refused

Json = dict[str, object]
Rule = Callable[[object, Path], object]
"""Takes a value and its place; gives what the closed spec says for it, or LEFT_OUT."""

LEFT_OUT = object()
"""For a value that is Keras's default where the closed spec has no word for it."""

_KEYS = ("module", "class_name", "config", "registered_name")


class Named(NamedTuple):
    """An object whose class is known; its config has yet to be looked at."""

    class_name: str
    config: Json


def mapping(value: object, at: Path) -> Json:
    """The value as a JSON object."""
    if not isinstance(value, dict):
        raise Refused(Fault(at, f"got {shown(value)}; expected a JSON object"))
    return value


def listed(value: object, at: Path) -> list[object]:
    """The value as a list."""
    if not isinstance(value, list):
        raise Refused(Fault(at, f"got {shown(value)}; expected a list"))
    return value


def named(
    value: object, at: Path, module: str, classes: Collection[str], more: Path = ()
) -> Named:
    """An object of one of the classes; `more` names keys it may have besides."""
    found = mapping(value, at)
    known_keys(found, at, (*_KEYS, *(str(key) for key in more)))
    one_of(found.get("class_name"), (*at, "class_name"), classes)
    one_of(found.get("module"), (*at, "module"), (module,))
    class_name = str(found["class_name"])
    one_of(found.get("registered_name"), (*at, "registered_name"), (None, class_name))
    return Named(class_name, mapping(found.get("config"), (*at, "config")))


def known_keys(found: Json, at: Path, known: Collection[str]) -> None:
    """Refuse keys that are not on the list."""
    faults = [
        Fault(
            (*at, key), f"`{key[:200]}` is no key that is read", did_you_mean(key, known)
        )
        for key in found
        if key not in known
    ]
    if faults:
        raise Refused(*faults)


def one_of(value: object, at: Path, known: Collection[object]) -> None:
    """Refuse what is not on the list; 1 is 1.0, but not true."""
    if any(_kind(value) is _kind(other) and value == other for other in known):
        return
    names = [other for other in known if isinstance(other, str)]
    hint = did_you_mean(value, names) if isinstance(value, str) else ""
    expected = " or ".join(_written(other) for other in known) if len(known) < 4 else ""
    detail = f"got {_written(value)}; expected {expected or 'one of the allowed names'}"
    raise Refused(Fault(at, detail, hint))


def _kind(value: object) -> type:
    return float if type(value) is int else type(value)


def _written(value: object) -> str:
    words = {None: "null", True: "true", False: "false"}
    return (
        words[value] if value is None or value is True or value is False else shown(value)
    )


def translated(config: Json, at: Path, rules: Mapping[str, Rule]) -> Json:
    """The config by a rule for each key; raises Refused with every fault."""
    known_keys(config, at, rules)
    result: Json = {}
    faults: list[Fault] = []
    for key, value in config.items():
        try:
            said = rules[key](value, (*at, key))
        except Refused as refused:
            faults += refused.faults
        else:
            if said is not LEFT_OUT:
                result[key] = said
    if faults:
        raise Refused(*faults)
    return result
