"""TF Serving's bodies, for the OpenAPI page; read and written by hand."""

from typing import Any

from pydantic import BaseModel, Field

from fitserve.schemas.predict import CellWarning


class PredictBody(BaseModel):
    """Rows as `instances`, or columns as `inputs`."""

    signature_name: str | None = Field(default=None, description="`serving_default`.")
    instances: list[Any] | None = None
    inputs: dict[str, list[Any]] | list[Any] | None = None


class Warned(BaseModel):
    """An answer that tells what is worth knowing about its rows."""

    warnings: list[CellWarning] | None = Field(
        default=None, description="Present if there are any; the first hundred."
    )


class PredictAnswer(Warned):
    """The network's output a row: `predictions` for instances, `outputs` for inputs."""

    predictions: list[list[float]] | None = None
    outputs: list[list[float]] | None = None


class ExamplesBody(BaseModel):
    """Rows as objects; `context` holds what all have in common."""

    signature_name: str | None = None
    context: dict[str, Any] | None = None
    examples: list[dict[str, Any]]


class ClassifyAnswer(Warned):
    """Pairs of label and probability, a list a row."""

    results: list[list[tuple[str, float]]]


class RegressAnswer(Warned):
    """A number a row."""

    results: list[float]


class StateStatus(BaseModel):
    """Why a version is in its state."""

    error_code: str
    error_message: str


class VersionStatus(BaseModel):
    """Whether a version serves."""

    version: str
    state: str
    status: StateStatus

    @classmethod
    def available(cls, number: int) -> "VersionStatus":
        """Return the status of a version that serves."""
        status = StateStatus(error_code="OK", error_message="")
        return cls(version=str(number), state="AVAILABLE", status=status)


class ModelStatus(BaseModel):
    """The versions that serve."""

    model_version_status: list[VersionStatus]
