"""Describe one column of an instance in JSON Schema."""

from core.columns.base import Schema, Seen
from core.models.example import categories
from core.models.signature import Feature, NumericEncoder, OneHotEncoder, Signature


def property_schema(feature: Feature, signature: Signature) -> Schema:
    """Return the schema of the column's cells, with what happens to other cells."""
    schema, said = feature.kind.describe(feature.format, _seen(feature, signature))
    if feature.has_missing:
        said += " Null where it is missing, as in some training rows."
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    else:
        said += " Null is answered with a warning: no training row lacked it."
    if schema.get("enum") == []:  # an empty list would forbid everything
        del schema["enum"]
    return {"title": feature.name, "description": said, **schema}


def _seen(feature: Feature, signature: Signature) -> Seen:
    encoder = feature.encoder
    if isinstance(encoder, NumericEncoder):
        return Seen(least=encoder.least, greatest=encoder.greatest)
    known = tuple(categories(feature, signature))
    is_shared = not isinstance(encoder, OneHotEncoder) or encoder.others
    return Seen(categories=known, is_shared=is_shared)
