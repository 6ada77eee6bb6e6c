"""Write the same rows as a request body of each protocol, for the load."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

FEATURES = [f"x{i}" for i in range(11)]
_FP32 = 4


class Case(NamedTuple):
    """A request: its path, body, number of rows, and length of JSON in a binary body."""

    path: str
    body: Path
    rows: int
    header_length: int | None = None


def table(rows: int) -> str:
    """Return a CSV with eleven columns of noise, and their sum as the target."""
    numbers = np.random.default_rng(1).normal(size=(rows, len(FEATURES)))
    whole = np.column_stack([numbers, numbers.sum(axis=1)])
    lines = [",".join(f"{cell:.4f}" for cell in row) for row in whole]
    return "\n".join([",".join([*FEATURES, "y"]), *lines]) + "\n"


def features(rows: int) -> np.ndarray:
    """Return rows to predict, float32 `[N, 11]`, within the range of training rows."""
    numbers = np.random.default_rng(2).normal(size=(rows, len(FEATURES)))
    return np.clip(numbers, -2, 2).round(4).astype(np.float32)


def cases(folder: Path, model: str, rows: int) -> dict[str, Case]:
    """Return requests in native JSON, TF Serving, V2 JSON and V2 binary."""
    numbers = features(rows)
    objects = [dict(zip(FEATURES, row.tolist(), strict=True)) for row in numbers]
    listed = [
        {
            "name": name,
            "shape": [rows],
            "datatype": "FP32",
            "data": numbers[:, i].tolist(),
        }
        for i, name in enumerate(FEATURES)
    ]
    bodies = {
        "native": ({"instances": objects}, f"/v1/models/{model}/predict"),
        "TF Serving": ({"instances": objects}, f"/v1/models/{model}:predict"),
        "V2 JSON": ({"inputs": listed}, f"/v2/models/{model}/infer"),
    }
    made = {}
    for name, (body, path) in bodies.items():
        file = folder / f"{name}-{rows}.json"
        file.write_text(json.dumps(body))
        made[name] = Case(path, file, rows)
    return made | {"V2 binary": _binary(folder, model, numbers)}


def _binary(folder: Path, model: str, numbers: np.ndarray) -> Case:
    rows = len(numbers)
    inputs = [
        {
            "name": name,
            "shape": [rows, 1],
            "datatype": "FP32",
            "parameters": {"binary_data_size": _FP32 * rows},
        }
        for name in FEATURES
    ]
    body = {"inputs": inputs, "parameters": {"binary_data_output": True}}
    header = json.dumps(body).encode()
    columns = [
        np.ascontiguousarray(numbers[:, i]).tobytes() for i in range(len(FEATURES))
    ]
    file = folder / f"binary-{rows}"
    file.write_bytes(b"".join([header, *columns]))
    return Case(f"/v2/models/{model}/infer", file, rows, len(header))
