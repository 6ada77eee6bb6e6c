"""A ModelInfer call as an exchange over the predictor."""

import secrets
from typing import Any

import numpy as np
import orjson
from tritonclient.grpc import service_pb2 as messages

from core.errors import InvalidInstances
from service.predictor.answers import Answer
from service.predictor.columns import RawColumns, ReadColumns
from service.predictor.version_resolver import ModelRef
from service.protocols.open_inference.columns import asked_outputs, outputs, to_columns
from service.protocols.open_inference.models import wanted_of
from service.protocols.open_inference.tensors import (
    BYTES,
    Cells,
    Tensor,
    checked,
    from_bytes,
    to_bytes,
)
from service.strict import strict_parameter

_CONTENTS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "INT64": "int64_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}


class GrpcExchange:
    """Tensors in, tensors out; raw bytes are answered by raw bytes.

    Args:
        request: a ModelInferRequest.
        workspace: whose models are asked.

    """

    def __init__(self, request: Any, workspace: str) -> None:
        self._workspace = workspace
        self._request = request
        self._is_raw = bool(request.raw_input_contents)
        self.is_strict = False

    def wanted(self) -> ModelRef:
        self.is_strict = strict_parameter(_parameter(self._request, "strict"))
        return wanted_of(
            self._workspace,
            self._request.model_name,
            self._request.model_version or None,
        )

    def read(self, columns: RawColumns) -> ReadColumns:
        inputs, raw = self._request.inputs, self._request.raw_input_contents
        if not inputs:
            raise InvalidInstances("Expected `inputs` to be a list of tensors.")
        if self._is_raw and len(raw) != len(inputs):
            raise InvalidInstances(
                f"{len(inputs)} inputs came with {len(raw)} raw contents; expected one "
                "for each."
            )
        tensors = [
            _tensor(given, raw[place] if self._is_raw else None)
            for place, given in enumerate(inputs)
        ]
        return columns.of_columns(to_columns(tensors, columns.names))

    def write(self, answer: Answer) -> Any:
        response = messages.ModelInferResponse(
            model_name=answer.served.model_name,
            model_version=str(answer.served.number),
            id=self._request.id or secrets.token_hex(8),
        )
        if answer.warnings:
            told_of = orjson.dumps(answer.warnings).decode()
            response.parameters["warnings"].string_param = told_of
        names = [output.name for output in self._request.outputs]
        for tensor in asked_outputs(names, outputs(answer)):
            told = response.outputs.add(
                name=tensor.name, datatype=tensor.datatype, shape=tensor.shape
            )
            if self._is_raw:
                response.raw_output_contents.append(to_bytes(tensor))
            else:
                _fill(told.contents, tensor)
        return response


def _parameter(request: Any, name: str) -> Any:
    """Return the value of a parameter, None where the request has none of that name."""
    if name not in request.parameters:  # asking for it would make one
        return None
    value = request.parameters[name]
    kind = value.WhichOneof("parameter_choice")
    return kind and getattr(value, kind)


def _tensor(given: Any, raw: bytes | None) -> Tensor:
    name, datatype, shape = given.name, given.datatype, list(given.shape)
    if raw is not None:
        return checked(name, datatype, shape, from_bytes(name, datatype, raw))
    return checked(name, datatype, shape, _contents(given))


def _contents(given: Any) -> Cells:
    cells = list(getattr(given.contents, _CONTENTS.get(given.datatype, "fp64_contents")))
    if given.datatype != BYTES:
        return cells
    try:
        return [text.decode() for text in cells]
    except UnicodeDecodeError as error:
        raise InvalidInstances(
            f"Input {given.name[:100]!r} has bytes that are not UTF-8."
        ) from error


def _fill(contents: Any, tensor: Tensor) -> None:
    listed = np.asarray(tensor.cells).tolist()
    if tensor.datatype == BYTES:
        listed = [str(cell).encode() for cell in tensor.cells]
    getattr(contents, _CONTENTS[tensor.datatype]).extend(listed)
