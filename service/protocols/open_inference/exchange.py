"""An infer request: tensors in, tensors out; binary where the client says so."""

import gzip
import re
import secrets
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response

from core.errors import InvalidInstances
from service.bodies import Body, parse_loose_json
from service.predictor.answers import Answer
from service.predictor.columns import RawColumns, ReadColumns
from service.predictor.version_resolver import ModelRef
from service.protocols.open_inference.columns import asked_outputs, outputs, to_columns
from service.protocols.open_inference.tensors import (
    Tensor,
    checked,
    flattened,
    from_bytes,
    to_bytes,
)
from service.strict import strict_parameter

HEADER = "Inference-Header-Content-Length"
_WORTH_PACKING = 1024
_MOST_DIGITS = 20
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")


class InferExchange:
    """An infer request.

    Args:
        body: JSON, behind which the bytes of binary tensors may follow.
        headers: of the request; they say how many bytes of it are JSON.
        wanted: what the path names.
        is_strict: whether warnings refuse it; its `parameters` may say so too.

    """

    def __init__(
        self, body: Body, headers: Headers, wanted: ModelRef, *, is_strict: bool
    ) -> None:
        self.is_strict = is_strict
        self._packed = body
        self._header_length = headers.get(HEADER)
        self._accepts = headers.get("accept-encoding", "")
        self._wanted = wanted
        self._body: dict[str, Any] = {}
        self._binary = memoryview(b"")

    def wanted(self) -> ModelRef:
        content = self._packed.content()
        length = _length(self._header_length, len(content))
        self._binary = memoryview(content)[length:]
        body = parse_loose_json(content if length == len(content) else content[:length])
        if not isinstance(body, dict):
            raise InvalidInstances("Expected a JSON object with `inputs`.")
        self._body = body
        self.is_strict |= strict_parameter(_parameters(body).get("strict"))
        return self._wanted

    def read(self, columns: RawColumns) -> ReadColumns:
        inputs = self._body.get("inputs")
        if not isinstance(inputs, list) or not inputs:
            raise InvalidInstances("Expected `inputs` to be a list of tensors.")
        tensors, at = [], 0
        for place, given in enumerate(inputs):
            tensor, at = self._tensor(place, given, at)
            tensors.append(tensor)
        if at != len(self._binary):
            raise InvalidInstances(
                f"{len(self._binary)} bytes follow the JSON; the inputs' "
                f"`binary_data_size` add up to {at}."
            )
        return columns.of_columns(to_columns(tensors, columns.names))

    def write(self, answer: Answer) -> Response:
        request_id = self._body.get("id")
        content: dict[str, Any] = {
            "model_name": answer.served.model_name,
            "model_version": str(answer.served.number),
            "id": request_id if isinstance(request_id, str) else secrets.token_hex(8),
        }
        if answer.warnings:
            told = orjson.dumps(answer.warnings).decode()
            content["parameters"] = {"warnings": told}
        listed, parts = [], []
        for tensor, is_binary in self._asked(outputs(answer)):
            listed.append(_listed(tensor))
            if is_binary:
                parts.append(to_bytes(tensor))
                del listed[-1]["data"]
                listed[-1]["parameters"] = {"binary_data_size": len(parts[-1])}
        content["outputs"] = listed
        return _packed(_response(content, parts), self._accepts)

    def _tensor(self, place: int, given: Any, at: int) -> tuple[Tensor, int]:
        """The input at a place, and where the next one's bytes begin."""
        if not isinstance(given, dict) or not isinstance(given.get("name"), str):
            raise InvalidInstances(
                f"Expected inputs[{place}] to be a tensor with a name."
            )
        name, datatype = given["name"], given.get("datatype")
        size = _parameters(given).get("binary_data_size")
        if "shared_memory_region" in _parameters(given):
            raise InvalidInstances("Shared memory is not offered; send the data.")
        if size is None:
            cells: Any = flattened(given.get("data"))
        elif type(size) is int and 0 <= size <= len(self._binary) - at:
            cells = from_bytes(name, datatype, self._binary[at : at + size])
            at += size
        else:
            raise InvalidInstances(
                f"Input {name[:100]!r} has `binary_data_size` {str(size)[:40]}; "
                f"{len(self._binary) - at} bytes are left behind the JSON."
            )
        return checked(name, datatype, given.get("shape"), cells), at

    def _asked(self, known: dict[str, Tensor]) -> list[tuple[Tensor, bool]]:
        """The outputs that are asked for (all, if none is named), and which as bytes."""
        everywhere = bool(_parameters(self._body).get("binary_data_output"))
        asked = self._body.get("outputs")
        asked = [] if asked is None else asked
        if not isinstance(asked, list) or not all(isinstance(o, dict) for o in asked):
            raise InvalidInstances("Expected `outputs` to be a list of objects.")
        tensors = asked_outputs([output.get("name") for output in asked], known)
        are_binary = [
            bool(_parameters(output).get("binary_data", everywhere)) for output in asked
        ]
        return list(zip(tensors, are_binary or [everywhere] * len(tensors), strict=True))


def _parameters(given: dict[str, Any]) -> dict[str, Any]:
    parameters = given.get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def _length(header: str | None, num_bytes: int) -> int:
    if header is None:
        return num_bytes
    is_number = header.isascii() and header.isdigit() and len(header) <= _MOST_DIGITS
    if is_number and int(header) <= num_bytes:
        return int(header)
    raise InvalidInstances(
        f"{HEADER} is {header[:40]!r}; expected a number of at most {num_bytes}, the "
        "bytes of the unpacked body."
    )


def _listed(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "datatype": tensor.datatype,
        "shape": tensor.shape,
        "data": tensor.cells,
    }


def _response(content: dict[str, Any], parts: list[bytes]) -> Response:
    header = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    if not parts:
        return Response(header, media_type="application/json")
    return Response(
        b"".join([header, *parts]),
        headers={HEADER: str(len(header))},
        media_type="application/octet-stream",
    )


def _packed(response: Response, accepts: str) -> Response:
    """The response in gzip, if its client reads that; HEADER counts unpacked bytes."""
    if len(response.body) < _WORTH_PACKING or not _GZIP.search(accepts):
        return response
    response.body = gzip.compress(response.body, compresslevel=1)
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.body))
    return response
