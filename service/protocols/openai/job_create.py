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
    """A closed body in which null means absent: clients send unused keys as null."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None}


class Hyperparameters(_Body):
    """Hyperparameters; `auto` means the default of this service."""

    n_epochs: _Int | None = None
    batch_size: _Int | None = None
    learning_rate_multiplier: _Multiplier | None = None
    """Number by which the optimizer's default learning rate is multiplied."""


class Supervised(_Body):
    """The settings of supervised training."""

    hyperparameters: Hyperparameters = Hyperparameters()


class Method(_Body):
    """The training method, which is always `supervised`."""

    type: Literal["supervised"]
    supervised: Supervised = Supervised()


class JobCreate(_Body):
    """A run as a fine-tuning job."""

    model: str = Field(min_length=1, max_length=500)
    """Any text; it becomes the tag `base_model`."""
    training_file: str = Field(min_length=1, max_length=100)
    validation_file: str | None = Field(default=None, min_length=1, max_length=100)
    hyperparameters: Hyperparameters = Hyperparameters()
    method: Method | None = None
    seed: int | None = None
    suffix: str | None = Field(default=None, min_length=1, max_length=500)
    """The name of the trained model; by default the text in `model`."""
    metadata: dict[str, str] = Field(default={})
    """`target` is the column to predict; all other keys become tags of the run."""
    integrations: list[Any] = Field(default=[])
    """Must be empty: integrations are not supported."""
    spec: dict[str, Any] = Field(default={})
    """Any keys of a RunCreate."""
