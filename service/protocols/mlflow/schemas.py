"""MLflow's bodies, for the OpenAPI document only."""

from typing import Any

from pydantic import BaseModel, Field

from fitserve.file_formats import MEDIA_TYPES
from fitserve.schemas.predict import CellWarning
from service.bodies import body_schema
from service.protocols.schemas import failures_as


class Split(BaseModel):
    """A table as pandas writes it with orient="split"; `index` is ignored."""

    columns: list[str]
    data: list[list[Any]]
    index: list[Any] | None = None


class ScoringBody(BaseModel):
    """A table in exactly one of four formats."""

    dataframe_split: Split | None = None
    dataframe_records: list[dict[str, Any]] | None = None
    inputs: dict[str, list[Any]] | list[Any] | None = None
    instances: list[Any] | None = None
    params: dict[str, Any] | None = Field(
        default=None,
        description='`{"probabilities": true}` adds probabilities to each label. '
        '`{"strict": true}` refuses rows with warnings.',
    )


class Scores(BaseModel):
    """A number or a label for each row."""

    predictions: list[Any]
    warnings: list[CellWarning] | None = Field(
        default=None, description="The first 100 warnings; absent without warnings."
    )


class ScoringError(BaseModel):
    """The body of every error."""

    error_code: str
    message: str


FAILURES = failures_as(ScoringError)
BODY = body_schema(
    ScoringBody,
    *((kind, {"type": "string", "format": "binary"}) for kind in MEDIA_TYPES.values()),
)
