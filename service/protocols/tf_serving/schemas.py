"""TF Serving's bodies, for the OpenAPI document."""

from typing import Any

from pydantic import BaseModel, Field

from fitserve.schemas.predict import CellWarning


class PredictBody(BaseModel):
    """Rows as `instances`, or columns as `inputs`."""

    signature_name: str | None = Field(default=None, description="`serving_default`.")
    instances: list[Any] | None = None
    inputs: dict[str, list[Any]] | list[Any] | None = None


class Warned(BaseModel):
    """An answer with warnings about its rows."""

    warnings: list[CellWarning] | None = Field(
        default=None, description="The first 100 warnings; absent without warnings."
    )


class PredictAnswer(Warned):
    """The network's output by row: `predictions` for instances, `outputs` for inputs."""

    predictions: list[list[float]] | None = None
    outputs: list[list[float]] | None = None


class ExamplesBody(BaseModel):
    """Rows as objects; `context` contains values that all rows share."""

    signature_name: str | None = None
    context: dict[str, Any] | None = None
    examples: list[dict[str, Any]]


class ClassifyAnswer(Warned):
    """A list of pairs of label and probability for each row."""

    results: list[list[tuple[str, float]]]


class RegressAnswer(Warned):
    """A number for each row."""

    results: list[float]


class StateStatus(BaseModel):
    """The error of a version, which is always `OK`."""

    error_code: str
    error_message: str


class VersionStatus(BaseModel):
    """The state of a version, which is always `AVAILABLE`."""

    version: str
    state: str
    status: StateStatus

    @classmethod
    def available(cls, number: int) -> "VersionStatus":
        """Return the status of a version."""
        status = StateStatus(error_code="OK", error_message="")
        return cls(version=str(number), state="AVAILABLE", status=status)


class ModelStatus(BaseModel):
    """The states of versions."""

    model_version_status: list[VersionStatus]
