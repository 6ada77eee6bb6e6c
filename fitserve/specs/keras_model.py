"""The `model` of a spec: layers, or the JSON of a Keras model."""

from typing import Annotated, Any

from pydantic import (
    Discriminator,
    Field,
    Tag,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from fitserve.problems import PLACED
from fitserve.specs.closed import Closed, name_or_object
from fitserve.specs.keras_json import Fault, Refused, translate
from fitserve.specs.layers import ModelSpec

_MOST_FAULTS = 100


class KerasModel(Closed):
    """The result of Keras's `model.to_json()`, instead of `layers`.

    fitserve translates the layers; Keras does not load the JSON.
    """

    keras: Annotated[
        Annotated[str, Field(max_length=1_000_000), Tag("name")]
        | Annotated[dict[str, Any], Tag("object")],
        Discriminator(name_or_object),
    ]
    """JSON of a Sequential model, or of a Functional model that is a chain of layers."""


def _model_spec(value: Any, handler: ValidatorFunctionWrapHandler) -> ModelSpec:
    if not isinstance(value, dict) or "keras" not in value:
        spec: ModelSpec = handler(value)
        return spec
    given = KerasModel.model_validate(value).keras
    try:
        found = translate(given)
    except Refused as refused:
        lines = [_line(fault) for fault in refused.faults[:_MOST_FAULTS]]
        raise ValidationError.from_exception_data("KerasModel", lines) from None
    place = ("keras", "config", "layers")
    return ModelSpec(layers=found.layers).came_from(place, found.first, found.num_inputs)


def _line(fault: Fault) -> InitErrorDetails:
    facts = {"said": fault.detail, "hint": fault.hint}
    kind = PydanticCustomError(PLACED, "{said}", facts)
    return {"type": kind, "loc": ("keras", *fault.path), "input": None}


GivenModel = Annotated[
    ModelSpec, WrapValidator(_model_spec, json_schema_input_type=ModelSpec | KerasModel)
]
