"""A predict, classify or regress request of TensorFlow Serving's REST API."""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from starlette.responses import Response

from core.errors import InvalidInstances
from fitserve.enums import Task
from service.bodies import Body, json_response, parse_loose_json
from service.predictor.answers import Answer
from service.predictor.columns import RawColumns, ReadColumns
from service.predictor.values import Cells
from service.predictor.version_resolver import ModelRef
from service.problems import BadJson

Verb = Literal["predict", "classify", "regress"]
SIGNATURE = "serving_default"


class TfServingExchange:
    """Rows or columns in, the network's own output out.

    Args:
        body: JSON.
        verb: what the path ends in.
        wanted: what the path names.
        is_strict: whether warnings refuse it.

    """

    def __init__(
        self, body: Body, verb: Verb, wanted: ModelRef, *, is_strict: bool
    ) -> None:
        self.is_strict = is_strict
        self._packed = body
        self._verb = verb
        self._wanted = wanted
        self._body: dict[str, Any] = {}

    def wanted(self) -> ModelRef:
        body = _parsed(self._packed.content())
        name = body.get("signature_name")
        if name not in (None, "", SIGNATURE):
            raise InvalidInstances(
                f'Serving signature name: "{str(name)[:100]}" not found in signature '
                f"def. The only one is {SIGNATURE}; leave the key out."
            )
        self._body = body
        return self._wanted

    def read(self, columns: RawColumns) -> ReadColumns:
        if self._verb != "predict":
            return columns.of_instances(self._examples())
        has_rows, has_columns = "instances" in self._body, "inputs" in self._body
        if has_rows == has_columns:
            what = "Both" if has_rows else "Missing"
            raise InvalidInstances(
                f"{what} 'inputs' or 'instances' key. Expected one of them: rows as "
                "`instances`, columns as `inputs`."
            )
        if has_rows:
            return columns.of_instances(_rows(self._body["instances"], columns.names))
        return columns.of_columns(_columns(self._body["inputs"], columns.names))

    def write(self, answer: Answer) -> Response:
        if self._verb == "predict":
            key = "predictions" if "instances" in self._body else "outputs"
            return _numbers(key, answer)
        if self._verb == "regress":
            return _regressed(answer)
        if not answer.is_classification:
            raise InvalidInstances(
                "This model predicts numbers; ask `:regress` for them."
            )
        rows = answer.probabilities_by_class
        return _told({"results": [list(row.items()) for row in rows]}, answer)

    def _examples(self) -> list[dict[str, Any]]:
        examples, context = self._body.get("examples"), self._body.get("context", {})
        if not isinstance(examples, list) or not examples:
            raise InvalidInstances("Missing 'examples' key: a list of at least one row.")
        if not isinstance(context, dict) or not all(
            isinstance(example, dict) for example in examples
        ):
            raise InvalidInstances("Expected every example, and `context`, as an object.")
        return _plain_objects([{**context, **example} for example in examples])


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
        return _plain_objects(instances)
    if len(names) == 1:  # one named input: the values themselves
        return [row if isinstance(row, list) else [_plain(row)] for row in instances]
    return instances


def _plain_objects(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with cells of shape [1] and base64 made plain; most have none."""
    kinds = {type(cell) for row in rows for cell in row.values()}
    if kinds.isdisjoint((list, dict)):
        return rows
    return [{name: _plain(cell) for name, cell in row.items()} for row in rows]


def _columns(inputs: Any, names: Sequence[str]) -> dict[str, Cells]:
    if not isinstance(inputs, dict) or inputs.keys() == {"b64"}:
        if len(names) != 1:
            raise InvalidInstances(
                "Expected 'inputs' to be an object of column to values; keys must be "
                f"equal to: {','.join(names[:50])}"
            )
        inputs = {names[0]: inputs}
    columns: dict[str, Cells] = {
        name: _cells(name, cells) for name, cells in inputs.items()
    }
    if len({len(cells) for cells in columns.values()}) > 1:
        sizes = ", ".join(f"{n[:40]}: {len(c)}" for n, c in list(columns.items())[:20])
        raise InvalidInstances(f"The columns differ in their number of rows: {sizes}.")
    return columns


def _cells(name: str, cells: Any) -> list[Any]:
    if not isinstance(cells, list):
        raise InvalidInstances(
            f"Expected the column {name[:100]!r} as a list, got {str(cells)[:40]!r}."
        )
    return [_plain(cell) for cell in cells]


def _plain(cell: Any) -> Any:
    """A cell out of a tensor of shape [1], and text out of base64."""
    if isinstance(cell, list) and len(cell) == 1:
        cell = cell[0]
    if not isinstance(cell, dict) or cell.keys() != {"b64"}:
        return cell
    try:
        return base64.b64decode(cell["b64"], validate=True).decode()
    except (TypeError, ValueError, binascii.Error) as error:
        raise InvalidInstances(
            f"A `b64` value is no base64 of UTF-8: {error}."
        ) from error


def _numbers(key: str, answer: Answer) -> Response:
    """The output as it is, `[N, 1]` or `[N, classes]`."""
    return _told({key: np.ascontiguousarray(answer.output)}, answer)


def _regressed(answer: Answer) -> Response:
    if answer.served.signature.task == Task.MULTICLASS:
        raise InvalidInstances("This model predicts classes; ask `:classify` for them.")
    return _told({"results": np.ascontiguousarray(answer.output[:, 0])}, answer)


def _told(content: dict[str, Any], answer: Answer) -> Response:
    """JSON, in which NaN and Infinity are tokens in this protocol.

    `warnings` stand beside the output if there are any; clients read the key they know.
    """
    if answer.warnings:
        content = {**content, "warnings": answer.warnings}
    if np.isfinite(answer.output).all():
        return json_response(content)
    listed = {
        k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in content.items()
    }
    return Response(json.dumps(listed), media_type="application/json")
