"""JSON Schema of one column of an instance."""

from typing import Any

from core.models.example import categories, plain
from core.models.signature import Feature, NumericEncoder, OneHotEncoder, Signature
from fitserve.statuses import ColumnType

Schema = dict[str, Any]
_FORMATS = {
    None: "date-time",
    "%Y-%m-%d": "date",
    "%Y-%m-%dT%H:%M:%SZ": "date-time",
    "%Y-%m-%dT%H:%M:%S.%fZ": "date-time",
}
"""JSON Schema's names for patterns; it has none for other ways to write a moment."""


def property_schema(feature: Feature, signature: Signature) -> Schema:
    """What cells of the column are like in the training rows, and what if not."""
    schema, said = _kind(feature, signature)
    if feature.has_missing:
        said += " Null where it is missing, as in some training rows."
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    else:
        said += " Null is answered with a warning: no training row lacked it."
    return {"title": feature.name, "description": said, **schema}


def _kind(feature: Feature, signature: Signature) -> tuple[Schema, str]:
    """Schema and sentence, of cells that are there."""
    if feature.is_text:
        return _category(feature, signature)
    if feature.type == ColumnType.DATETIME:
        return _moment(feature.format.datetime)
    least, greatest = _range(feature)
    if feature.type == ColumnType.BOOLEAN:
        return _boolean(least, greatest)
    return _number(least, greatest)


def _range(feature: Feature) -> tuple[float | None, float | None]:
    encoder = feature.encoder
    if not isinstance(encoder, NumericEncoder):
        return None, None
    if encoder.least is None or encoder.greatest is None:
        return None, None
    return plain(encoder.least), plain(encoder.greatest)


def _number(least: float | None, greatest: float | None) -> tuple[Schema, str]:
    if least is None:
        return {"type": "number"}, "A number."
    said = f"A number, {least} to {greatest} in the training rows; what lies outside is "
    schema = {"type": "number", "minimum": least, "maximum": greatest}
    return schema, said + "answered with a warning."


def _boolean(least: float | None, greatest: float | None) -> tuple[Schema, str]:
    if least is None or least != greatest:
        return {"type": "boolean"}, "True or false."
    always = least > 0
    said = f"Always {always} in the training rows; {not always} is answered with a "
    return {"type": "boolean", "enum": [always]}, (said + "warning.").capitalize()


def _moment(pattern: str | None) -> tuple[Schema, str]:
    own = "" if pattern is None else f"as `{pattern}` (Python's strptime) or "
    said = f"A date or time written {own}in ISO 8601, UTC unless it names a zone; other "
    schema = {"type": "string"}
    if pattern in _FORMATS:
        schema["format"] = _FORMATS[pattern]
    return schema, said + "texts are refused."


def _category(feature: Feature, signature: Signature) -> tuple[Schema, str]:
    known = categories(feature, signature)
    encoder = feature.encoder
    is_shared = not isinstance(encoder, OneHotEncoder) or encoder.others
    place = "they share a place with rare ones" if is_shared else "they count as none"
    noun = "category is" if len(known) == 1 else "categories are"
    said = f"{len(known)} {noun} known; others are answered with a warning: {place}."
    schema: Schema = {"type": "string"}
    if known or feature.has_missing:  # an empty `enum` would forbid everything
        schema["enum"] = known
    return schema, said
