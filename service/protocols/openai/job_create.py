"""The body of POST /v1/fine_tuning/jobs."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from fitserve.specs.closed import Closed


def _word_or_number(value: object) -> str:
    return "word" if isinstance(value, str) else "number"


_Auto = Annotated[Literal["auto"], Tag("word")]
_Int = Annotated[_Auto | Annotated[int, Tag("number")], Discriminator(_word_or_number)]
_Multiplier = Annotated[
    _Auto | Annotated[float, Field(ge=1e-6, le=1e6), Tag("number")],
    Discriminator(_word_or_number),
]


class _Body(Closed):
    """Closed, but a null is an absent key: clients write every key that they know."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None}


class Hyperparameters(_Body):
    """`auto` is the default of this service."""

    n_epochs: _Int | None = None
    batch_size: _Int | None = None
    learning_rate_multiplier: _Multiplier | None = None
    """Times the optimizer's default learning rate."""


class Supervised(_Body):
    """The one way of training here."""

    hyperparameters: Hyperparameters = Hyperparameters()


class Method(_Body):
    """Supervised, or nothing."""

    type: Literal["supervised"]
    supervised: Supervised = Supervised()


class JobCreate(_Body):
    """What to train, on which file."""

    model: str = Field(min_length=1, max_length=500)
    """Any label; kept as the tag `base_model`."""
    training_file: str = Field(min_length=1, max_length=100)
    validation_file: str | None = Field(default=None, min_length=1, max_length=100)
    hyperparameters: Hyperparameters = Hyperparameters()
    method: Method | None = None
    seed: int | None = None
    suffix: str | None = Field(default=None, min_length=1, max_length=500)
    """The name of the model that comes out, else `model` is."""
    metadata: dict[str, str] = Field(default={})
    """`target` is the column to predict; all else becomes the run's tags."""
    integrations: list[Any] = Field(default=[])
    """None are offered, so that it must be empty."""
    spec: dict[str, Any] = Field(default={})
    """Any part of a RunCreate."""
