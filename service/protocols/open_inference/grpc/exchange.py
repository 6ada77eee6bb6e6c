"""A ModelInfer call as an exchange over the predictor."""

from typing import Any

import numpy as np
import orjson
from tritonclient.grpc import service_pb2 as messages

from core.errors import InvalidInstances
from service.predictor.answers import ModelAnswer
from service.predictor.instance_reader import InstanceReader, ParsedInstances
from service.predictor.values import Cells
from service.predictor.version_resolver import ModelRef
from service.protocols.open_inference.columns import (
    asked_outputs,
    described,
    outputs,
    read_tensors,
)
from service.protocols.open_inference.models import model_named
from service.protocols.open_inference.tensors import (
    BYTES,
    NamedTensor,
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
    """A ModelInferRequest; if its tensors are raw bytes, so are the answer's tensors."""

    def __init__(self, request: Any, workspace: str) -> None:
        self._workspace = workspace
        self._request = request
        self._is_raw = bool(request.raw_input_contents)
        self.is_strict = False

    def model_ref(self) -> ModelRef:
        request = self._request
        self.is_strict = strict_parameter(_parameter(request, "strict"))
        return model_named(self._workspace, request.model_name, request.model_version)

    def read(self, reader: InstanceReader) -> ParsedInstances:
        inputs, raw = self._request.inputs, self._request.raw_input_contents
        if not inputs:
            raise InvalidInstances("Expected `inputs` to be a list of tensors.")
        if self._is_raw and len(raw) != len(inputs):
            raise InvalidInstances(
                f"The request has {len(inputs)} inputs and {len(raw)} raw contents; "
                "expected one for each input."
            )
        tensors = [
            _tensor(given, raw[place] if self._is_raw else None)
            for place, given in enumerate(inputs)
        ]
        return read_tensors(tensors, reader)

    def write(self, answer: ModelAnswer) -> Any:
        response = messages.ModelInferResponse(**described(answer, self._request.id))
        if answer.warnings:
            text = orjson.dumps(answer.warnings).decode()
            response.parameters["warnings"].string_param = text
        names = [output.name for output in self._request.outputs]
        for tensor in asked_outputs(names, outputs(answer)):
            output = response.outputs.add(
                name=tensor.name, datatype=tensor.datatype, shape=tensor.shape
            )
            if self._is_raw:
                response.raw_output_contents.append(to_bytes(tensor))
            else:
                _fill(output.contents, tensor)
        return response


def _parameter(request: Any, name: str) -> Any:
    """Return the value of a parameter; None if the request has none of that name."""
    if name not in request.parameters:  # indexing would create it
        return None
    value = request.parameters[name]
    kind = value.WhichOneof("parameter_choice")
    return kind and getattr(value, kind)


def _tensor(given: Any, raw: bytes | None) -> NamedTensor:
    name, datatype = given.name, given.datatype
    cells = _contents(given) if raw is None else from_bytes(name, datatype, raw)
    return checked(name, datatype, list(given.shape), cells)


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


def _fill(contents: Any, tensor: NamedTensor) -> None:
    listed = np.asarray(tensor.cells).tolist()
    if tensor.datatype == BYTES:
        listed = [str(cell).encode() for cell in tensor.cells]
    getattr(contents, _CONTENTS[tensor.datatype]).extend(listed)
