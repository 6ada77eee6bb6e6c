"""The base class of the specs: strict, and with hints for misspelt keys."""

from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, ClassVar, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from fitserve.names import did_you_mean, nearest


def name_or_object(value: object) -> str:
    """Return the tag of a union of a name and an object (for `Discriminator`)."""
    return "name" if isinstance(value, str) else "object"


class Closed(BaseModel):
    """A schema that refuses unknown keys and names the key that was probably meant."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,  # "3" and true are not numbers
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=False,
    )

    other_keys: ClassVar[tuple[str, ...]] = ()
    """Keys of another schema that is also accepted here, for the hint."""

    elsewhere: ClassVar[dict[str, str]] = {}
    """Hints for keys that belong to another request."""

    @model_validator(mode="wrap")
    @classmethod
    def _hint_unknown_keys(cls, data: Any, handler: Callable[[Any], Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            lines = [_line(cls, line) for line in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(cls.__name__, lines) from None


def _hint(schema: type[Closed], key: object) -> str:
    """Return a hint: the key that was probably meant, here or in an inner object."""
    if key in schema.elsewhere:
        return schema.elsewhere[str(key)]
    inner = _inner_keys(schema)
    if key in inner:
        return f"did you mean `{inner[str(key)]}`?"
    own = (*_keys(schema), *schema.other_keys)
    if nearest(key, own) is None and (near := nearest(key, inner)) is not None:
        return f"did you mean `{inner[near]}`?"
    return did_you_mean(key, own)


def _inner_keys(schema: type[Closed], levels: int = 2) -> dict[str, str]:
    """Return the path of each key of inner objects; the shortest of a name counts."""
    inner = [
        (name, one)
        for name, field in schema.model_fields.items()
        for one in _schemas(field.annotation)
    ]
    found: dict[str, str] = {}
    for name, one in inner:
        for key in _keys(one):
            found.setdefault(key, f"{name}.{key}")
    for name, one in inner if levels > 1 else []:
        for key, path in _inner_keys(one, levels - 1).items():
            found.setdefault(key, f"{name}.{path}")
    return found


def _keys(schema: type[Closed]) -> list[str]:
    """Return the keys of a schema; a key that Python reserves has an alias."""
    return [field.alias or name for name, field in schema.model_fields.items()]


def _schemas(annotation: Any) -> list[type[Closed]]:
    """Return the schemas that an annotation allows, without schemas of list items."""
    if isinstance(annotation, type) and issubclass(annotation, Closed):
        return [annotation]
    is_union = get_origin(annotation) in (Union, UnionType, Annotated)
    return [s for part in get_args(annotation) if is_union for s in _schemas(part)]


def _line(schema: type[Closed], line: ErrorDetails) -> InitErrorDetails:
    """Return an error line, with a hint if the key is unknown."""
    if line["type"] == "extra_forbidden" and len(line["loc"]) == 1:
        key = line["loc"][0]
        facts = {"key": key, "hint": _hint(schema, key)}
        said = "`{key}` is not a key of this object"
        kind = PydanticCustomError("unknown_key", said, facts)
    else:
        said = line["msg"].replace("{", "{{").replace("}", "}}")
        type_: Any = line["type"]
        kind = PydanticCustomError(type_, said, line.get("ctx"))
    return {"type": kind, "loc": line["loc"], "input": line["input"]}
