"""The protocol's bodies; those of infer are for the OpenAPI document only."""

from typing import Any

from pydantic import BaseModel, Field

from service.bodies import body_schema


class Tensor(BaseModel):
    """A named, typed, row-major tensor; its data is here or in bytes after the JSON."""

    name: str
    datatype: str = Field(description="BOOL, UINT8 … INT64, FP16, FP32, FP64 or BYTES.")
    shape: list[int] = Field(description="`[N]` or `[N, 1]` for a column.")
    parameters: dict[str, Any] | None = None
    data: list[Any] | None = None


class InferRequest(BaseModel):
    """A tensor for each column, or one tensor `[N, F]` for all columns."""

    id: str | None = None
    parameters: dict[str, Any] | None = None
    inputs: list[Tensor]
    outputs: list[dict[str, Any]] | None = Field(
        default=None, description="Requested outputs, by `name`; the default is all."
    )


class InferResponse(BaseModel):
    """The prediction, followed by probabilities for classification."""

    model_name: str
    model_version: str
    id: str
    parameters: dict[str, Any] | None = None
    outputs: list[Tensor]


class TensorMetadata(BaseModel):
    """An input or output of a model."""

    name: str
    datatype: str
    shape: list[int] = Field(description="-1 means any number of rows.")
    parameters: dict[str, Any] | None = Field(
        default=None, description="For outputs of a classifier: its `classes` in order."
    )


class ModelMetadata(BaseModel):
    """The inputs and outputs of a version."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ServerMetadata(BaseModel):
    """The name, version and extensions of this service."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(BaseModel):
    """The answer of a process that is alive."""

    live: bool


class ServerReady(BaseModel):
    """The answer of a process that can serve."""

    ready: bool
    live: bool


class ModelReady(BaseModel):
    """The answer for a version that can predict."""

    name: str
    ready: bool


class ModelNames(BaseModel):
    """The names of all models."""

    models: list[str]


class IndexEntry(BaseModel):
    """A version in the repository; its state is always READY."""

    name: str
    version: str
    state: str
    reason: str


INFER_BODY = body_schema(
    InferRequest, ("application/octet-stream", {"type": "string", "format": "binary"})
)
