"""Define how raw columns become the network's inputs.

The encoders are fitted on the training rows. Training applies them in NumPy, and the
downloads as Keras layers (`model.keras`) and ONNX nodes (`model.onnx`, which `/predict`
runs). Their results must agree.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, PrivateAttr

from core.columns import READING, kind_of
from core.columns.base import ColumnKind, Numbers
from core.lazy import pl
from core.runs.planning.target import class_name
from fitserve.enums import ColumnType, Task
from fitserve.schemas.datasets import ColumnFormat
from fitserve.schemas.predict import Cell

MISSING = ""
"""The text of a missing category in the raw string input."""

OTHERS = "(other)"
"""The name of the input that rare and unseen categories share."""


class NumericEncoder(BaseModel):
    """`(x - center) / scale`; a missing (NaN) value finally becomes `fill`.

    With `log`, x is first replaced by `sign(x) * log(1 + |x|)`. With `clip`, the scaled z
    is replaced by `z / sqrt(1 + (z / clip)^2)`, which hardly changes small values
    and keeps the largest below `clip`. This is the smooth clipping of Holzmüller,
    Grinsztajn and Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees
    on Tabular Data", 2024.

    With `knots`, every gap between two knots adds an input (a piece): 0 below the gap, 1
    above it, and a straight line within it. This is the piecewise linear
    encoding of Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in
    Tabular Deep Learning", 2022. The pieces of a missing value are all 0.
    """

    type: Literal["numeric"] = "numeric"
    log: bool = False
    center: float
    scale: float
    clip: float | None = None
    fill: float
    knots: list[float] = []
    """The bounds of the pieces on the scale of z, ascending; empty or at least two."""
    least: float | None = None
    """The smallest value of the training rows; smaller ones get a warning."""
    greatest: float | None = None


class OneHotEncoder(BaseModel):
    """An input for each category: 1 for the category of the row, 0 for all others.

    With `others`, rare and unseen categories share one more input, the first. Without it,
    all inputs of an unseen category are 0. A missing value is the category `""`.
    """

    type: Literal["one_hot"] = "one_hot"
    vocabulary: list[str]
    others: bool = False


class EmbeddingEncoder(BaseModel):
    """The index of the category in a trained table with `dim` numbers for each.

    Rare and unseen categories have index 0; the vocabulary begins at 1.
    """

    type: Literal["embedding"] = "embedding"
    vocabulary: list[str]
    dim: int


class DatetimePart(BaseModel):
    """A number computed from a datetime, standardised."""

    name: str
    center: float
    scale: float


class DatetimeEncoder(BaseModel):
    """Parts of a datetime, given as seconds since 1970 (UTC); 0 if it is missing.

    `elapsed` counts days. Month, weekday and hour are angles on a circle, each as sine
    and cosine. Parts that are equal in all training rows are left out.
    """

    type: Literal["datetime"] = "datetime"
    parts: list[DatetimePart]
    least: float | None = None
    """The earliest moment of the training rows; earlier ones get a warning."""
    greatest: float | None = None


Encoder = Annotated[
    NumericEncoder | OneHotEncoder | EmbeddingEncoder | DatetimeEncoder,
    Field(discriminator="type"),
]


Kind = TypeVar("Kind", NumericEncoder, OneHotEncoder, EmbeddingEncoder, DatetimeEncoder)


class Feature(BaseModel):
    """A raw column, the rules to read its texts, and its encoder."""

    name: str
    type: ColumnType
    format: ColumnFormat = ColumnFormat()
    has_missing: bool = True
    """Whether a training row lacks a value; if not, a missing value gets a warning."""
    encoder: Encoder
    example: Cell = None
    """The cell of the example row, as a client sends it; see `core.models.example`."""
    _reading: int = PrivateAttr(default=READING)

    @property
    def kind(self) -> ColumnKind:
        """Return the class that reads the column, by the model's version of the rules."""
        return kind_of(self.type, self._reading)

    def read_as(self, reading: int) -> None:
        """Set the version of the rules that read a cell; the signature stores it."""
        self._reading = reading

    @property
    def is_text(self) -> bool:
        """Return whether the raw input is a string tensor `[N, 1]`, not a float64 one."""
        return isinstance(self.encoder, OneHotEncoder | EmbeddingEncoder)

    @property
    def vocabulary(self) -> list[str]:
        """Return the categories of the encoder."""
        encoder = self.encoder
        if isinstance(encoder, OneHotEncoder | EmbeddingEncoder):
            return encoder.vocabulary
        return []

    def numbers(self, column: pl.Series) -> Numbers:
        """Return a stored column as raw input, float64 `[N]`, NaN where missing."""
        numbers: Numbers = self.kind.raw(column)
        return numbers

    def texts(self, column: pl.Series) -> pl.Series:
        """Return a stored column as raw input, `[N]` texts, `MISSING` where missing."""
        texts: pl.Series = self.kind.raw(column).fill_null(MISSING)
        return texts

    @property
    def inputs(self) -> list[str]:
        """Return the names of the network's inputs that this column becomes."""
        encoder = self.encoder
        if isinstance(encoder, OneHotEncoder):
            places = [OTHERS] * encoder.others + encoder.vocabulary
            return [f"{self.name}={value}" for value in places]
        if isinstance(encoder, EmbeddingEncoder):
            return [f"{self.name}[{k}]" for k in range(encoder.dim)]
        if isinstance(encoder, DatetimeEncoder):
            return [f"{self.name}.{part.name}" for part in encoder.parts]
        # a piece is named after the knot where it begins
        return [self.name, *(f"{self.name}>{knot:.3g}" for knot in encoder.knots[:-1])]


class Signature(BaseModel):
    """The columns that a version expects, and its answers; stored as `signature.json`."""

    model_name: str
    task: Task
    target: str
    classes: list[str | int | float | bool] | None
    features: list[Feature]
    reading: int = 1
    """The version of the rules that read a cell; models without this key have 1."""
    ignored: list[str]
    """Other columns of the dataset; an instance may have them, without effect."""
    null_values: list[str] | None = None
    """The texts that mean "missing", if the upload specified them."""
    offset: float = Field(default=0.0, exclude_if=lambda offset: not offset)
    """Subtracted from the target in training, and added to the output in float64.

    It is 0 unless the target is so far from 0 that float32 would lose its differences.
    """

    def model_post_init(self, context: Any, /) -> None:  # noqa: ARG002  pydantic's shape
        """Set the version of the rules on every feature."""
        for feature in self.features:
            feature.read_as(self.reading)

    @property
    def class_names(self) -> list[str]:
        """Return the labels as keys of probabilities."""
        return [class_name(label) for label in self.classes or []]

    def encoded_by(self, kind: type[Kind]) -> list[tuple[Feature, Kind]]:
        """Return the features with that class of encoder and their encoders, in order."""
        pairs = ((f, f.encoder) for f in self.features)
        return [(f, encoder) for f, encoder in pairs if isinstance(encoder, kind)]

    @property
    def ordered(self) -> list[Feature]:
        """Return the features in the order of the encoded table: embeddings last."""
        kinds = ("numeric", "datetime", "one_hot", "embedding")
        return sorted(self.features, key=lambda f: kinds.index(f.encoder.type))

    @property
    def inputs(self) -> list[str]:
        """Return the inputs of the first layer, after embeddings are looked up."""
        return [name for feature in self.ordered for name in feature.inputs]

    @property
    def num_encoded(self) -> int:
        """Return the width of the encoded table, in which an embedding is one index."""
        embedded = self.encoded_by(EmbeddingEncoder)
        return len(self.inputs) - sum(encoder.dim - 1 for _, encoder in embedded)
