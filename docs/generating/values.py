"""Describe the values of a key in words, from its JSON Schema."""

import json
from typing import Any, get_args

from fitserve.specs import vocabulary
from fitserve.specs.layers import REGULARIZERS
from fitserve.specs.optimizers import OPTIMIZERS

LINKS = {
    get_args(vocabulary.Activation): "[activation](#activations)",
    get_args(vocabulary.Initializer): "[initializer](#initializers)",
    get_args(vocabulary.Loss): "[loss](#losses-of-a-regression)",
    get_args(vocabulary.Metric): "[metric](#metrics-of-a-regression)",
}
PLACES = {
    "FeaturesSpec": "features",
    "ColumnOptions": "a-column",
    "SplitSpec": "split",
    "ModelSpec": "model",
    "KerasModel": "a-keras-model",
    "CompileSpec": "compile",
    "FitSpec": "fit",
    "ReportSpec": "report",
    "WebhookSpec": "webhook",
}


def value_of(field: dict[str, Any], whole: dict[str, Any]) -> str:
    """Return the values of a key, such as `integer, 1 to 64`, or links to sections."""
    if "$ref" in field:
        return _object(field["$ref"].rpartition("/")[2], whole)
    for key in ("anyOf", "oneOf"):
        if key in field:
            return _either(field[key], whole)
    if "const" in field:
        return _code(field["const"])
    if "enum" in field:
        known = LINKS.get(tuple(field["enum"]))
        return known or ", ".join(_code(value) for value in field["enum"])
    return _plain(field, whole)


def _object(name: str, whole: dict[str, Any]) -> str:
    described = whole["$defs"][name]
    if "enum" in described:
        return ", ".join(_code(value) for value in described["enum"])
    return f"[object](#{PLACES.get(name, name.lower())})"


def _either(options: list[dict[str, Any]], whole: dict[str, Any]) -> str:
    """Return each section once; layers, optimizers and regularizers share one each."""
    names = {o["$ref"].rpartition("/")[2] for o in options if "$ref" in o}
    if "Dense" in names:
        return "[layer](#layers)"
    if names and names <= OPTIMIZERS.keys():
        return "[optimizer](#optimizers)"
    if names and names <= REGULARIZERS.keys():
        return "[regularizer](#regularizers)"
    values = [value_of(option, whole) for option in options if option != {"type": "null"}]
    return " or ".join(dict.fromkeys(values))


def _plain(field: dict[str, Any], whole: dict[str, Any]) -> str:
    kind = field.get("type")
    if kind == "array":
        return f"list of {value_of(field['items'], whole)}"
    if kind == "object":
        held = field.get("additionalProperties") or _patterned(field)
        return f"{value_of(held, whole)} by name" if isinstance(held, dict) else "object"
    if kind in ("integer", "number"):
        return f"{kind}{_bounds(field)}"
    return str(kind)


def _patterned(field: dict[str, Any]) -> Any:
    return next(iter(field.get("patternProperties", {}).values()), None)


def _bounds(field: dict[str, Any]) -> str:
    low = _bound(field, "minimum", "", "exclusiveMinimum", "above ")
    high = _bound(field, "maximum", "", "exclusiveMaximum", "below ")
    if low and high:
        return f", {low} to {high}"
    return f", {low} or more" if low and "above" not in low else f", {low}" if low else ""


def _bound(field: dict[str, Any], *keys: str) -> str:
    for key, word in zip(keys[::2], keys[1::2], strict=True):
        if key in field:
            return f"{word}{field[key]:,.12g}"
    return ""


def _code(value: Any) -> str:
    return f"`{json.dumps(value)}`"
