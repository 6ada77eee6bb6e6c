"""The one definition of how raw columns become the network's inputs.

Fitted on the training split; rendered as NumPy for training and as layers and nodes for
`model.keras` and `model.onnx`, which `/predict` runs. Those four must agree.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from fitserve.statuses import ColumnType, Task

MISSING = ""
"""How a missing category is written in the raw string input."""


class NumericEncoder(BaseModel):
    """`(x - center) / scale`; a missing (NaN) value becomes `fill`, after scaling."""

    type: Literal["numeric"] = "numeric"
    center: float
    scale: float
    fill: float


class OneHotEncoder(BaseModel):
    """A 1 in the place of the category; unseen ones are all zeros.

    A missing value is the category `""`: all zeros too unless the training rows had one.
    """

    type: Literal["one_hot"] = "one_hot"
    vocabulary: list[str]


Encoder = Annotated[NumericEncoder | OneHotEncoder, Field(discriminator="type")]


class Feature(BaseModel):
    """A raw column and its encoder."""

    name: str
    type: ColumnType
    encoder: Encoder

    @property
    def inputs(self) -> list[str]:
        """The names of the network's inputs that this column becomes."""
        if isinstance(self.encoder, OneHotEncoder):
            return [f"{self.name}={value}" for value in self.encoder.vocabulary]
        return [self.name]


class Signature(BaseModel):
    """What a version expects and answers; stored with it as `signature.json`."""

    model_name: str
    task: Task
    target: str
    classes: list[str | int | float | bool] | None
    features: list[Feature]
    ignored: list[str]
    """Other columns of the dataset: allowed in an instance, and not looked at."""

    @property
    def numeric(self) -> list[Feature]:
        """Features whose raw input is a float64 tensor `[N, 1]`."""
        return [f for f in self.features if f.encoder.type == "numeric"]

    @property
    def categorical(self) -> list[Feature]:
        """Features whose raw input is a string tensor `[N, 1]`."""
        return [f for f in self.features if f.encoder.type == "one_hot"]

    @property
    def inputs(self) -> list[str]:
        """The network's inputs: numeric features first, then one-hot places."""
        ordered = [*self.numeric, *self.categorical]
        return [name for feature in ordered for name in feature.inputs]
