"""The one definition of how raw columns become the network's inputs.

Fitted on the training split; rendered as NumPy for training and as layers and nodes for
`model.keras` and `model.onnx`, which `/predict` runs. Those four must agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, PrivateAttr

from core.columns import READING, kind_of
from core.columns.base import ColumnKind, Numbers
from core.runs.targets import class_name
from fitserve.schemas.datasets import ColumnFormat
from fitserve.schemas.predict import Cell
from fitserve.statuses import ColumnType, Task

if TYPE_CHECKING:
    import polars as pl

MISSING = ""
"""How a missing category is written in the raw string input."""

OTHERS = "(other)"
"""How the place of rare and unseen categories is called."""


class NumericEncoder(BaseModel):
    """`(x - center) / scale`; a missing (NaN) value becomes `fill`, after all else.

    With `log`, x is first `sign(x) * log(1 + |x|)`. With `clip`, the scaled z is at last
    `z / sqrt(1 + (z / clip)^2)`, which leaves small values as they are and holds the
    largest below `clip`: the smooth clipping of Holzmüller, Grinsztajn and Steinwart,
    "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data", 2024.

    With `knots`, a piece for every gap between two of them stands beside the scaled z: 0
    below the gap, 1 above, and a straight line within. That is the piecewise linear
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
    """Where pieces begin and end, ascending, on the scale of z; none or at least two."""
    least: float | None = None
    """The smallest value of the training rows; below it an instance gets a warning."""
    greatest: float | None = None


class OneHotEncoder(BaseModel):
    """A 1 in the place of the category.

    Rare categories share a first place, which unseen ones get too; without it
    (`others`), they are all zeros. A missing value is the category `""`.
    """

    type: Literal["one_hot"] = "one_hot"
    vocabulary: list[str]
    others: bool = False


class EmbeddingEncoder(BaseModel):
    """The place of the category in a trained table of `dim` numbers each.

    Place 0 is that of rare and unseen categories; the vocabulary begins at 1.
    """

    type: Literal["embedding"] = "embedding"
    vocabulary: list[str]
    dim: int


class DatetimePart(BaseModel):
    """A number taken from a moment, standardised."""

    name: str
    center: float
    scale: float


class DatetimeEncoder(BaseModel):
    """Parts of a moment given as seconds since 1970 (UTC); missing ones are 0.

    `elapsed` counts days; month, weekday and hour are places on a circle, each as sine
    and cosine. Parts that are the same in all training rows are left out.
    """

    type: Literal["datetime"] = "datetime"
    parts: list[DatetimePart]


Encoder = Annotated[
    NumericEncoder | OneHotEncoder | EmbeddingEncoder | DatetimeEncoder,
    Field(discriminator="type"),
]


Kind = TypeVar("Kind", NumericEncoder, OneHotEncoder, EmbeddingEncoder, DatetimeEncoder)


class Feature(BaseModel):
    """A raw column, how its texts are read, and its encoder."""

    name: str
    type: ColumnType
    format: ColumnFormat = ColumnFormat()
    has_missing: bool = True
    """Whether training rows lacked it; if none did, an instance that does is warned."""
    encoder: Encoder
    example: Cell = None
    """Its cell in the example row, as a client sends it; see `core.models.example`."""
    _reading: int = PrivateAttr(default=READING)

    @property
    def kind(self) -> ColumnKind:
        """Return the class of the column's type, as the model reads it."""
        return kind_of(self.type, self._reading)

    def read_as(self, reading: int) -> None:
        """Note the version of the reading, which the signature knows."""
        self._reading = reading

    @property
    def is_text(self) -> bool:
        """Return whether the raw input is a string tensor `[N, 1]`, not a float64 one."""
        return isinstance(self.encoder, OneHotEncoder | EmbeddingEncoder)

    @property
    def vocabulary(self) -> list[str]:
        """Return the categories that have a place of their own."""
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
        """The names of the network's inputs that this column becomes."""
        encoder = self.encoder
        if isinstance(encoder, OneHotEncoder):
            places = [OTHERS] * encoder.others + encoder.vocabulary
            return [f"{self.name}={value}" for value in places]
        if isinstance(encoder, EmbeddingEncoder):
            return [f"{self.name}[{k}]" for k in range(encoder.dim)]
        if isinstance(encoder, DatetimeEncoder):
            return [f"{self.name}.{part.name}" for part in encoder.parts]
        # named after where the piece begins, in deviations
        return [self.name, *(f"{self.name}>{knot:.3g}" for knot in encoder.knots[:-1])]


class Signature(BaseModel):
    """What a version expects and answers; stored with it as `signature.json`."""

    model_name: str
    task: Task
    target: str
    classes: list[str | int | float | bool] | None
    features: list[Feature]
    reading: int = 1
    """The version of the reading of cells; models from before it had one have 1."""
    ignored: list[str]
    """Other columns of the dataset: allowed in an instance, and not looked at."""
    null_values: list[str] | None = None
    """The texts that mean "missing", if the upload named its own."""

    def model_post_init(self, context: Any, /) -> None:  # noqa: ARG002  pydantic's shape
        """Let every feature know how its cells are read."""
        for feature in self.features:
            feature.read_as(self.reading)

    @property
    def class_names(self) -> list[str]:
        """The labels as keys of probabilities."""
        return [class_name(label) for label in self.classes or []]

    def encoded_by(self, kind: type[Kind]) -> list[tuple[Feature, Kind]]:
        """Return the features with that class of encoder, in order, with the encoder."""
        pairs = ((f, f.encoder) for f in self.features)
        return [(f, encoder) for f, encoder in pairs if isinstance(encoder, kind)]

    @property
    def ordered(self) -> list[Feature]:
        """Features as the encoded table holds them: embeddings last."""
        kinds = ("numeric", "datetime", "one_hot", "embedding")
        return sorted(self.features, key=lambda f: kinds.index(f.encoder.type))

    @property
    def inputs(self) -> list[str]:
        """The inputs of the network's first layer, embeddings looked up."""
        return [name for feature in self.ordered for name in feature.inputs]

    @property
    def num_encoded(self) -> int:
        """The width of the encoded table: an embedding is one column, its place."""
        embedded = self.encoded_by(EmbeddingEncoder)
        return len(self.inputs) - sum(encoder.dim - 1 for _, encoder in embedded)
