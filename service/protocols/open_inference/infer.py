"""`…/infer`: tensors as JSON, or as bytes after the JSON."""

import gzip
import re
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

from core.errors import InvalidInstances
from fitserve.scopes import Scope
from service.bodies import parse_loose_json
from service.dependencies import workspace_of
from service.http_exchange import HttpExchange, answer_predict
from service.predictor.answers import ModelAnswer
from service.predictor.instance_reader import InstanceReader, ParsedInstances
from service.predictor.version_resolver import ModelRef
from service.protocols.failures import open_inference
from service.protocols.open_inference import schemas
from service.protocols.open_inference.columns import (
    asked_outputs,
    described,
    outputs,
    read_tensors,
)
from service.protocols.open_inference.models import model_named
from service.protocols.open_inference.tensors import (
    NamedTensor,
    checked,
    flattened,
    from_bytes,
    to_bytes,
)
from service.protocols.schemas import FAILURES
from service.router import BodyLimit, Router
from service.strict import PARAMETERS, strict_parameter

HEADER = "Inference-Header-Content-Length"
_WORTH_PACKING = 1024
_MOST_DIGITS = 20
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")

router = Router(
    prefix="/v2/models",
    tags=["open-inference"],
    scope=Scope.MODELS_PREDICT,
    body_limit=BodyLimit.PREDICT,
    errors=open_inference,
    is_fast=True,
)

_ANSWER: dict[str, Any] = {
    "response_model": schemas.InferResponse,
    "responses": FAILURES,
    "openapi_extra": schemas.INFER_BODY | PARAMETERS,
}


@router.post("/{name}/infer", **_ANSWER)
async def infer(name: str, request: Request) -> Response:
    """Predict with the serving version of a model."""
    ref = ModelRef(workspace_of(request), name)
    return await answer_predict(request, ref, InferExchange)


@router.post("/{name}/versions/{version}/infer", **_ANSWER)
async def infer_version(name: str, version: str, request: Request) -> Response:
    """Predict with a version, or with the version of an alias."""
    ref = model_named(workspace_of(request), name, version)
    return await answer_predict(request, ref, InferExchange)


class InferExchange(HttpExchange):
    """An infer request; HEADER has the number of JSON bytes in its unpacked body."""

    _binary = memoryview(b"")

    def model_ref(self) -> ModelRef:
        content = self._body.content()
        length = _length(self._request.headers.get(HEADER), len(content))
        self._binary = memoryview(content)[length:]
        body = parse_loose_json(content if length == len(content) else content[:length])
        if not isinstance(body, dict):
            raise InvalidInstances("Expected a JSON object with `inputs`.")
        self._json_body = body
        self.is_strict |= strict_parameter(_parameters(body).get("strict"))
        return self._ref

    def read(self, reader: InstanceReader) -> ParsedInstances:
        inputs = self._json_body.get("inputs")
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
        return read_tensors(tensors, reader)

    def write(self, answer: ModelAnswer) -> Response:
        request_id = self._json_body.get("id")
        known_id = request_id if isinstance(request_id, str) else ""
        content: dict[str, Any] = dict(described(answer, known_id))
        if answer.warnings:
            text = orjson.dumps(answer.warnings).decode()
            content["parameters"] = {"warnings": text}
        listed, parts = [], []
        for tensor, is_binary in self._asked(outputs(answer)):
            output: dict[str, Any] = vars(tensor).copy()
            data = output.pop("cells")
            if is_binary:
                parts.append(to_bytes(tensor))
                output["parameters"] = {"binary_data_size": len(parts[-1])}
            else:
                output["data"] = data
            listed.append(output)
        content["outputs"] = listed
        accepts = self._request.headers.get("accept-encoding", "")
        return _packed(_response(content, parts), accepts)

    def _tensor(self, place: int, given: Any, at: int) -> tuple[NamedTensor, int]:
        """Return the input at a place, and where the bytes of the next input begin."""
        if not isinstance(given, dict) or not isinstance(given.get("name"), str):
            raise InvalidInstances(
                f"Expected inputs[{place}] to be a tensor with a name."
            )
        name, datatype = given["name"], given.get("datatype")
        size = _parameters(given).get("binary_data_size")
        if "shared_memory_region" in _parameters(given):
            raise InvalidInstances("Shared memory is not supported; send the data.")
        if size is None:
            cells: Any = flattened(given.get("data"))
        elif type(size) is int and 0 <= size <= len(self._binary) - at:
            cells = from_bytes(name, datatype, self._binary[at : at + size])
            at += size
        else:
            raise InvalidInstances(
                f"Input {name[:100]!r} has `binary_data_size` {str(size)[:40]}; "
                f"{len(self._binary) - at} bytes remain after the JSON."
            )
        return checked(name, datatype, given.get("shape"), cells), at

    def _asked(self, known: dict[str, NamedTensor]) -> list[tuple[NamedTensor, bool]]:
        """Return the requested outputs, each with whether it is sent as bytes."""
        everywhere = bool(_parameters(self._json_body).get("binary_data_output"))
        asked = self._json_body.get("outputs")
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
    """Return the response, in gzip if the client accepts it; HEADER is not changed."""
    if len(response.body) < _WORTH_PACKING or not _GZIP.search(accepts):
        return response
    response.body = gzip.compress(response.body, compresslevel=1)
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.body))
    return response
