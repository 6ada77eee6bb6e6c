"""A predict, classify or regress request of TensorFlow Serving's REST API."""

import json
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from fastapi import Request
from starlette.responses import Response

from core.errors import InvalidInstances
from fitserve.enums import Task
from service.bodies import Body, json_response, parse_loose_json
from service.http_exchange import HttpExchange
from service.predictor.answers import ModelAnswer
from service.predictor.instance_reader import InstanceReader, ParsedInstances
from service.predictor.values import Cells
from service.predictor.version_resolver import ModelRef
from service.problems import BadJson
from service.protocols.cells import plain_cell, plain_columns, plain_rows

Verb = Literal["predict", "classify", "regress"]
SIGNATURE = "serving_default"


class TfServingExchange(HttpExchange):
    """A request with rows or columns, whose path ends with the verb."""

    def __init__(self, request: Request, body: Body, ref: ModelRef, verb: Verb) -> None:
        super().__init__(request, body, ref)
        self._verb = verb

    def model_ref(self) -> ModelRef:
        self._json_body = _parsed(self._body.content())
        name = self._json_body.get("signature_name")
        if name not in (None, "", SIGNATURE):
            raise InvalidInstances(
                f'Serving signature name: "{str(name)[:100]}" not found in signature '
                f"def. The only one is {SIGNATURE}; remove the key."
            )
        return self._ref

    def read(self, reader: InstanceReader) -> ParsedInstances:
        if self._verb != "predict":
            return reader.read_instances(self._examples())
        has_rows, has_columns = (
            "instances" in self._json_body,
            "inputs" in self._json_body,
        )
        if has_rows == has_columns:
            what = "Both" if has_rows else "Missing"
            raise InvalidInstances(
                f"{what} 'inputs' or 'instances' key. Expected one of them: rows as "
                "`instances`, columns as `inputs`."
            )
        if has_rows:
            return reader.read_instances(
                _rows(self._json_body["instances"], reader.names)
            )
        return reader.read_columns(_columns(self._json_body["inputs"], reader.names))

    def write(self, answer: ModelAnswer) -> Response:
        if self._verb == "predict":
            key = "predictions" if "instances" in self._json_body else "outputs"
            return _response(key, np.ascontiguousarray(answer.output), answer)
        if self._verb == "classify":
            if not answer.is_classification:
                raise InvalidInstances("This model predicts numbers; use `:regress`.")
            rows = [list(row.items()) for row in answer.probabilities_by_class]
            return _response("results", rows, answer)
        if answer.served.signature.task == Task.MULTICLASS:
            raise InvalidInstances("This model predicts classes; use `:classify`.")
        return _response("results", np.ascontiguousarray(answer.output[:, 0]), answer)

    def _examples(self) -> list[dict[str, Any]]:
        examples, context = (
            self._json_body.get("examples"),
            self._json_body.get("context", {}),
        )
        if not isinstance(examples, list) or not examples:
            raise InvalidInstances("Missing 'examples' key: a list of at least one row.")
        if not all(isinstance(part, dict) for part in [context, *examples]):
            raise InvalidInstances("Expected `context` and every example to be objects.")
        return plain_rows([{**context, **example} for example in examples])


def _parsed(content: bytes) -> dict[str, Any]:
    if not content.strip():
        raise BadJson("JSON Parse error: The document is empty")
    try:
        body = parse_loose_json(content)
    except BadJson as error:
        raise BadJson(f"JSON Parse error: {error.detail}") from error
    if not isinstance(body, dict):
        raise InvalidInstances("Expected a JSON object with `instances` or `inputs`.")
    return body


def _rows(instances: Any, names: Sequence[str]) -> list[Any]:
    if not isinstance(instances, list) or not instances:
        raise InvalidInstances("Expected 'instances' to be a list of at least one row.")
    if all(isinstance(row, dict) for row in instances):
        return plain_rows(instances)
    if len(names) == 1:  # with one input, rows may be plain values
        return [r if isinstance(r, list) else [plain_cell(r)] for r in instances]
    return instances


def _columns(inputs: Any, names: Sequence[str]) -> dict[str, Cells]:
    if isinstance(inputs, dict) and inputs.keys() != {"b64"}:
        return plain_columns(inputs)
    if len(names) == 1:
        return plain_columns({names[0]: inputs})
    raise InvalidInstances(
        "Expected 'inputs' to be an object of column to values; keys must be equal to: "
        f"{','.join(names[:50])}"
    )


def _response(key: str, output: Any, answer: ModelAnswer) -> Response:
    """Return the output and any warnings; this JSON may contain NaN and Infinity."""
    content = answer.with_warnings({key: output})
    if np.isfinite(answer.output).all():
        return json_response(content)
    if isinstance(output, np.ndarray):
        content[key] = output.tolist()
    return Response(json.dumps(content), media_type="application/json")
