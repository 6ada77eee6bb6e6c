"""Between tensors and the predictor: inputs as columns, answers as outputs."""

from collections.abc import Sequence

import numpy as np

from core.errors import InvalidInstances
from core.models.signature import Feature, Signature
from fitserve.enums import Task
from fitserve.names import did_you_mean
from service.predictor.answers import Answer
from service.protocols.open_inference.tensors import BYTES, Cells, Tensor

PREDICTION = "prediction"
PROBABILITY = "probability"
PROBABILITIES = "probabilities"


def datatype_of(feature: Feature) -> str:
    """The datatype of a column's tensor: FP64, BOOL, or BYTES for texts and moments."""
    return feature.kind.tensor


def to_columns(inputs: Sequence[Tensor], names: Sequence[str]) -> dict[str, Cells]:
    """Cells by column, of a tensor `[N]` or `[N, 1]` a column.

    One tensor `[N, F]` under another name holds all columns, in the order of `names`.
    Raises InvalidInstances.
    """
    if len(inputs) == 1 and inputs[0].name not in names:
        return _split(inputs[0], names)
    columns = {tensor.name: _column(tensor) for tensor in inputs}
    if len(columns) != len(inputs):
        raise InvalidInstances("Expected the names of `inputs` to be different.")
    num_rows = {len(cells) for cells in columns.values()}
    if len(num_rows) > 1:
        sizes = ", ".join(f"{t.name[:40]} {t.shape[:2]}" for t in inputs[:20])
        raise InvalidInstances(f"Inputs differ in their number of rows: {sizes}.")
    return columns


def _column(tensor: Tensor) -> Cells:
    if len(tensor.shape) == 1 or (len(tensor.shape) == 2 and tensor.shape[1] == 1):
        return tensor.cells
    raise InvalidInstances(
        f"Input {tensor.name[:100]!r} has the shape {tensor.shape}; expected [N] or "
        "[N, 1]."
    )


def _split(tensor: Tensor, names: Sequence[str]) -> dict[str, Cells]:
    width = len(names)
    if len(tensor.shape) != 2 or tensor.shape[1] != width:
        near = did_you_mean(tensor.name, names)
        raise InvalidInstances(
            f"Input {tensor.name[:100]!r} is no column of this model ({near}), and its "
            f"shape {tensor.shape[:8]} is not [N, {width}], one tensor for all columns."
        )
    return {name: tensor.cells[i::width] for i, name in enumerate(names)}


def output_types(signature: Signature) -> list[tuple[str, str, int]]:
    """Name, datatype and width of every output, the prediction first."""
    if signature.task == Task.REGRESSION:
        return [(PREDICTION, "FP32", 1)]
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


def outputs(answer: Answer) -> dict[str, Tensor]:
    """The answer as tensors by name, each `[N, width]`."""
    num_rows = len(answer.output)
    tensors = {}
    for name, datatype, width in output_types(answer.served.signature):
        cells = answer.predictions if name == PREDICTION else np.ravel(answer.output)
        tensors[name] = Tensor(name, datatype, [num_rows, width], cells)
    return tensors


def asked_outputs(names: Sequence[object], known: dict[str, Tensor]) -> list[Tensor]:
    """The outputs of these names, all where none is named; InvalidInstances."""
    unknown = [n for n in names if not isinstance(n, str) or n not in known]
    if unknown:
        near = did_you_mean(unknown[0], known)
        raise InvalidInstances(f"There is no output {str(unknown[0])[:100]!r}; {near}")
    return [known[str(name)] for name in names] if names else list(known.values())
