"""The protocol's bodies, for the OpenAPI page; infer reads and writes them by hand."""

from typing import Any

from pydantic import BaseModel, Field

from service.bodies import body_schema


class Tensor(BaseModel):
    """A named, typed, row-major tensor; its data is here or in bytes behind the JSON."""

    name: str
    datatype: str = Field(description="BOOL, UINT8 … INT64, FP16, FP32, FP64 or BYTES.")
    shape: list[int] = Field(description="`[N]` or `[N, 1]` a column.")
    parameters: dict[str, Any] | None = None
    data: list[Any] | None = None


class InferRequest(BaseModel):
    """One tensor a column, or one of `[N, F]` for all of them."""

    id: str | None = None
    parameters: dict[str, Any] | None = None
    inputs: list[Tensor]
    outputs: list[dict[str, Any]] | None = Field(
        default=None, description="Outputs wanted, by `name`; all unless given."
    )


class InferResponse(BaseModel):
    """The prediction first; probabilities behind it for classification."""

    model_name: str
    model_version: str
    id: str
    parameters: dict[str, Any] | None = None
    outputs: list[Tensor]


class TensorMetadata(BaseModel):
    """A tensor that a model takes or gives."""

    name: str
    datatype: str
    shape: list[int] = Field(description="-1 is any number of rows.")
    parameters: dict[str, Any] | None = Field(
        default=None, description="Of outputs of classes: their `classes` in order."
    )


class ModelMetadata(BaseModel):
    """What a version takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ServerMetadata(BaseModel):
    """Who answers."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(BaseModel):
    """Whether this process answers."""

    live: bool


class ServerReady(BaseModel):
    """Whether it can serve."""

    ready: bool
    live: bool


class ModelReady(BaseModel):
    """Whether a version can be asked now."""

    name: str
    ready: bool


class ModelNames(BaseModel):
    """Every model, by name."""

    models: list[str]


class IndexEntry(BaseModel):
    """A version in the repository: READY if it is loaded, UNAVAILABLE until asked for."""

    name: str
    version: str
    state: str
    reason: str


INFER_BODY = body_schema(
    InferRequest, ("application/octet-stream", {"type": "string", "format": "binary"})
)
