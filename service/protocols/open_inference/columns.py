"""Convert tensors to columns, and answers to tensors."""

import secrets
from collections.abc import Sequence

import numpy as np

from core.errors import InvalidInstances
from core.models.signature import Signature
from fitserve.enums import Task
from fitserve.names import did_you_mean
from service.predictor.answers import ModelAnswer
from service.predictor.instance_reader import InstanceReader, ParsedInstances
from service.predictor.values import Cells
from service.protocols.open_inference.tensors import BYTES, NamedTensor

PREDICTION = "prediction"
PROBABILITY = "probability"
PROBABILITIES = "probabilities"


def read_tensors(
    inputs: Sequence[NamedTensor], reader: InstanceReader
) -> ParsedInstances:
    """Read a tensor `[N]` or `[N, 1]` for each column.

    One tensor `[N, F]` of another name holds all columns in the order of the features.
    """
    if len(inputs) == 1 and inputs[0].name not in reader.names:
        return reader.read_columns(_split(inputs[0], reader.names))
    return reader.read_columns(_columns(inputs))


def _columns(inputs: Sequence[NamedTensor]) -> dict[str, Cells]:
    columns = {tensor.name: _column(tensor) for tensor in inputs}
    if len(columns) != len(inputs):
        raise InvalidInstances("Two `inputs` have the same name; rename one of them.")
    return columns


def _column(tensor: NamedTensor) -> Cells:
    if len(tensor.shape) == 1 or (len(tensor.shape) == 2 and tensor.shape[1] == 1):
        return tensor.cells
    raise InvalidInstances(
        f"Input {tensor.name[:100]!r} has the shape {tensor.shape}; expected [N] or "
        "[N, 1]."
    )


def _split(tensor: NamedTensor, names: Sequence[str]) -> dict[str, Cells]:
    width = len(names)
    if len(tensor.shape) != 2 or tensor.shape[1] != width:
        near = did_you_mean(tensor.name, names)
        raise InvalidInstances(
            f"Input {tensor.name[:100]!r} is not a column of this model ({near}). Its "
            f"shape {tensor.shape[:8]} is not [N, {width}], a tensor of all columns."
        )
    return {name: tensor.cells[i::width] for i, name in enumerate(names)}


def output_types(signature: Signature) -> list[tuple[str, str, int]]:
    """Return the name, datatype and width of every output, the prediction first."""
    if signature.task == Task.REGRESSION:
        return [(PREDICTION, "FP64" if signature.offset else "FP32", 1)]
    label = (PREDICTION, _label_datatype(signature.classes or []), 1)
    if signature.task == Task.BINARY:
        return [label, (PROBABILITY, "FP32", 1)]
    return [label, (PROBABILITIES, "FP32", len(signature.classes or []))]


def _label_datatype(classes: list[str | int | float | bool]) -> str:
    kinds = {type(label) for label in classes}
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    return "FP64" if kinds <= {int, float} else BYTES


def described(answer: ModelAnswer, request_id: str) -> dict[str, str]:
    """Return an answer's model and id; the id is random if the request has no id."""
    return {
        "model_name": answer.served.model_name,
        "model_version": str(answer.served.number),
        "id": request_id or secrets.token_hex(8),
    }


def outputs(answer: ModelAnswer) -> dict[str, NamedTensor]:
    """Return the answer as tensors by name, each `[N, width]`."""
    num_rows = len(answer.output)
    tensors = {}
    for name, datatype, width in output_types(answer.served.signature):
        cells = answer.predictions if name == PREDICTION else np.ravel(answer.output)
        tensors[name] = NamedTensor(name, datatype, [num_rows, width], cells)
    return tensors


def asked_outputs(
    names: Sequence[object], known: dict[str, NamedTensor]
) -> list[NamedTensor]:
    """Return the outputs of these names, or all outputs if there are no names."""
    unknown = [n for n in names if not isinstance(n, str) or n not in known]
    if unknown:
        near = did_you_mean(unknown[0], known)
        raise InvalidInstances(f"There is no output {str(unknown[0])[:100]!r}; {near}")
    return [known[str(name)] for name in names] if names else list(known.values())
