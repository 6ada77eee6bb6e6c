"""Describe one column of an instance in JSON Schema."""

from core.columns.base import Schema, Seen
from core.models.example import categories
from core.models.signature import (
    DatetimeEncoder,
    Feature,
    NumericEncoder,
    OneHotEncoder,
    Signature,
)


def property_schema(feature: Feature, signature: Signature) -> Schema:
    """Return the schema of a column's cells; its description covers other cells."""
    schema, text = feature.kind.describe(feature.format, _seen(feature, signature))
    if feature.has_missing:
        text += " Null if the value is missing, as in some training rows."
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    else:
        text += " Null gets a warning: every training row has a value."
    if schema.get("enum") == []:  # an empty list would forbid everything
        del schema["enum"]
    return {"title": feature.name, "description": text, **schema}


def _seen(feature: Feature, signature: Signature) -> Seen:
    encoder = feature.encoder
    if isinstance(encoder, NumericEncoder | DatetimeEncoder):
        return Seen(least=encoder.least, greatest=encoder.greatest)
    known = tuple(categories(feature, signature))
    is_shared = not isinstance(encoder, OneHotEncoder) or encoder.others
    return Seen(categories=known, is_shared=is_shared)
