"""Test that service, model.keras, model.onnx and NumPy agree on preprocessing."""

import json
import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from typing import Any, get_args

import numpy as np
import onnxruntime as ort
import pytest

from fitserve.specs.vocabulary import Activation
from tests.layers import exported

pytestmark = [pytest.mark.keras, pytest.mark.heavy]

NAMES = [
    *("fixed acidity, (g/dm³)", "..", "yes/no", 'the "kind"', "код"),
    *("booked on", "paid", "mistyped", "many"),
]
KINDS = ["red", "", "blü", "", "red", "[UNK]", "green"]
NUM_ROWS = 240


def moment(i):
    return datetime(2019, 12, 30, 5, 30, tzinfo=UTC) + timedelta(days=17 * i, hours=7 * i)


def row(i):
    """Return cells as in a CSV; an empty cell is missing."""
    return [
        f"{i * 1.5}" if i % 7 else "",
        f"{1e9 + i}",
        ("yes", "no", "")[i % 3],
        KINDS[i % 7],
        f"{i % 4}",
        moment(i).strftime("%d.%m.%Y %H:%M") if i % 11 else "",
        f"€ {round(math.exp(i % 12)):,}",  # a long tail
        f"{(i % 13) / 10 * (1000 if i in (40, 80, 120) else 1)}",
        f"k{i % 80}" if i % 9 else "",
    ]


ROWS = [row(i) for i in range(NUM_ROWS)]
LAYERS = [
    {"type": "Dense", "units": 6, "activation": "relu"},
    {"type": "BatchNormalization"},
    {"type": "Dropout", "rate": 0.3},
    {"type": "GaussianNoise", "stddev": 0.1},
    {"type": "LayerNormalization"},
    {"type": "Dense", "units": 4},
    {"type": "Activation", "activation": "tanh"},
    {"type": "Output"},
]


def quoted(cells):
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


def table():
    lines = [quoted([*NAMES, "y"])]
    lines += [quoted([*row, str(i % 9)]) for i, row in enumerate(ROWS)]
    return "\n".join(lines) + "\n"


def raw_columns(rows):
    """Return the inputs of the files: float64 with NaN, and strings with ""."""
    read = [number, number, flag, text, text, seconds, euros, number, text]
    columns = zip(NAMES, read, zip(*rows, strict=True), strict=True)
    return {name: np.array([f(cell) for cell in c])[:, None] for name, f, c in columns}


def number(cell):
    return float(cell) if cell else math.nan


def flag(cell):
    return {"yes": 1.0, "no": 0.0, "": math.nan}[cell]


def text(cell):
    return str(cell)


def seconds(cell):
    if not cell:
        return math.nan
    return datetime.strptime(f"{cell} +0000", "%d.%m.%Y %H:%M %z").timestamp()


def euros(cell):
    return float(cell.replace("€", "").replace(",", "")) if cell else math.nan


ENSEMBLE = [
    *({"type": "RepeatVector"}, {"type": "scales"}),
    *LAYERS[:-1],
    *({"type": "own"}, {"type": "mean"}),
]


@pytest.fixture(params=[1, 3], ids=["one", "ensemble"])
def trained(bench, request):
    bench.upload(table())
    bins = {"num_bins": 4} if request.param > 1 else {}
    run = bench.train(
        {
            "dataset": "table",
            "target": "y",
            "model_name": "m",
            "features": {"types": {NAMES[4]: "categorical"}, **bins},
            "model": {"layers": LAYERS, "ensemble": request.param},
            "fit": {"epochs": 3, "seed": 1, "batch_size": 16},
        }
    )
    assert run["status"] == "succeeded", run["error"]
    return bench


def ask_service(bench, rows):
    instances = [dict(zip(NAMES, (c or None for c in row), strict=True)) for row in rows]
    answer = bench.client.post("/v1/models/m/predict", json={"instances": instances})
    assert answer.status_code == 200, answer.text
    return np.array(answer.json()["predictions"], np.float64)


def download(bench, name, folder):
    path = folder / name
    content = bench.client.get(f"/v1/models/m/versions/1/artifacts/{name}").content
    path.write_bytes(content)
    return path


def ask_keras(path, rows):
    """Load the file in a process without fitserve's code, like a user of the file."""
    code = """
import json, sys, warnings
warnings.simplefilter("ignore")
import keras, tensorflow as tf
model = keras.models.load_model(sys.argv[1])
raw = json.load(sys.stdin)
inputs = {k: tf.constant(v, tf.string if isinstance(v[0][0], str) else tf.float64) for k, v in raw.items()}
assert not [m for m in sys.modules if m.split(".")[0] in ("fitserve", "core", "workers")]
print(json.dumps(model(inputs).numpy().astype(float).tolist()))
"""
    raw = {name: column.tolist() for name, column in raw_columns(rows).items()}
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, path],
        input=json.dumps(raw),
        capture_output=True,
        text=True,
        check=True,
    )
    return np.array(json.loads(done.stdout.splitlines()[-1]))[:, 0]


def ask_onnx(path, rows):
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, raw_columns(rows))[0][:, 0]


def recompute(bench, rows):
    """Compute the whole network in NumPy, from signature.json and the weights route."""
    version = bench.client.get("/v1/models/m/versions/1").json()
    read = bench.client.get("/v1/models/m/versions/1/weights").json()
    tables = {e["column"]: e for e in read["embeddings"]}
    x = encode(version["signature"]["features"], tables, raw_columns(rows))
    assert x.shape[1] == len(read["inputs"])
    one = [*LAYERS[:-1], {"type": "Dense"}]
    specs = one if len(read["layers"]) == len(one) else ENSEMBLE
    for spec, layer in zip(specs, read["layers"], strict=True):
        weights = {w["name"]: np.array(w["values"]) for w in layer["weights"]}
        x = forward(spec, weights, x)
    return x[:, 0]


def encode(features: list[dict[str, Any]], tables, raw: dict[str, np.ndarray]):
    blocks: dict[str, list[np.ndarray]] = {k: [] for k in ENCODERS}
    for feature in features:
        kind, column = feature["encoder"]["type"], raw[feature["name"]]
        table = tables.get(feature["name"])
        blocks[kind].append(ENCODERS[kind](feature["encoder"], column, table))
    return np.concatenate([*chain(*blocks.values())], axis=1).astype(np.float64)


def encode_number(encoder, column, _):
    if encoder["log"]:
        column = np.sign(column) * np.log1p(np.abs(column))
    z = (column - encoder["center"]) / encoder["scale"]
    if encoder["clip"]:
        z = z / np.sqrt(1 + (z / encoder["clip"]) ** 2)
    z = np.where(np.isnan(z), encoder["fill"], z)
    pieces = [
        np.where(np.isnan(column), 0, np.clip((z - a) / (b - a), 0, 1))
        for a, b in pairwise(encoder["knots"])
    ]
    return np.concatenate([z, *pieces], axis=1)


def encode_one_hot(encoder, column, _):
    hot = column == np.array(encoder["vocabulary"])[None, :]
    others = ~hot.any(axis=1, keepdims=True)
    return np.concatenate([others, hot], axis=1) if encoder["others"] else hot


def encode_embedding(encoder, column, table):
    assert table["categories"][1:] == encoder["vocabulary"]
    places = [
        table["categories"].index(c) if c in encoder["vocabulary"] else 0
        for c in column[:, 0].tolist()
    ]
    return np.array(table["values"])[places]


def encode_datetime(encoder, column, _):
    rows = [
        [0.0] * len(encoder["parts"])
        if math.isnan(second)
        else encode_parts(encoder, datetime.fromtimestamp(second, UTC))
        for second in column[:, 0].tolist()
    ]
    return np.array(rows)


def encode_parts(encoder, when):
    turns = {
        "month": (when.month - 1) / 12,
        "weekday": when.weekday() / 7,
        "hour": (when.hour + when.minute / 60 + when.second / 3600) / 24,
    }
    values = {"elapsed": when.timestamp() / 86400, "year": when.year}
    for name, turn in turns.items():
        values[f"{name}_sin"] = math.sin(2 * math.pi * turn)
        values[f"{name}_cos"] = math.cos(2 * math.pi * turn)
    return [(values[p["name"]] - p["center"]) / p["scale"] for p in encoder["parts"]]


ENCODERS = {
    "numeric": encode_number,
    "datetime": encode_datetime,
    "one_hot": encode_one_hot,
    "embedding": encode_embedding,
}


def forward(spec, w, x):  # noqa: PLR0911  one return per layer type
    match spec["type"]:
        case "Dense":
            x = x @ w["kernel"] + w["bias"]
            return np.maximum(x, 0) if spec.get("activation") == "relu" else x
        case "BatchNormalization":
            x = (x - w["moving_mean"]) / np.sqrt(w["moving_variance"] + 1e-3)
            return x * w["gamma"] + w["beta"]
        case "LayerNormalization":
            x = x - x.mean(-1, keepdims=True)
            deviation = np.sqrt((x**2).mean(-1, keepdims=True) + 1e-3)
            return x / deviation * w["gamma"] + w["beta"]
        case "RepeatVector":
            return np.repeat(x[:, None], 3, axis=1)
        case "scales":
            return x * w["kernel"]
        case "own":
            return np.einsum("bki,kio->bko", x, w["kernel"]) + w["bias"]
        case "mean":
            return x.mean(1)
        case "Activation":
            return np.tanh(x)
    return x


def test_four_renderings_agree(trained, tmp_path):
    """Answers agree to 1e-5 on mixed columns with gaps, unseen categories and special names."""
    leap = "29.02.2024 23:59"
    unseen = [["2.5", "1000000003", "yes", "never", "9", leap, "€ 7", "-9", "?!"]]
    rows = [*ROWS[:30], *ROWS[40:90:20], *unseen, [""] * len(NAMES)]
    answers = {
        "service": ask_service(trained, rows),
        "keras": ask_keras(download(trained, "model.keras", tmp_path), rows),
        "onnx": ask_onnx(download(trained, "model.onnx", tmp_path), rows),
        "numpy": recompute(trained, rows),
    }
    assert np.ptp(answers["numpy"]) > 1e-3  # otherwise nothing is tested
    assert kinds_of(trained) == set(ENCODERS)
    for name, answer in answers.items():
        np.testing.assert_allclose(
            answer, answers["numpy"], atol=1e-5, rtol=1e-5, err_msg=name
        )


def kinds_of(bench):
    features = bench.client.get("/v1/models/m/versions/1").json()["signature"]["features"]
    numbers = [f["encoder"] for f in features if f["encoder"]["type"] == "numeric"]
    assert any(e["log"] for e in numbers)
    assert any(e["clip"] for e in numbers)
    return {feature["encoder"]["type"] for feature in features}


@pytest.mark.parametrize("activation", get_args(Activation))
def test_every_activation_exports_as_keras_computes_it(activation, tmp_path):
    """The activation is inside a Dense, and a separate layer."""
    from fitserve.specs.layers import ModelSpec
    from workers.training.build import build

    layers = [
        {
            "type": "Dense",
            "units": 8,
            "activation": activation,
            "bias_initializer": "random_normal",
        },
        {"type": "Activation", "activation": activation},
        {"type": "Dense", "units": 2, "use_bias": False},
    ]
    body = build(ModelSpec.model_validate({"layers": layers}), 3)
    x = np.random.default_rng(0).normal(size=(50, 3)) * 2
    found = exported(body, tmp_path / "model.onnx")(x)
    expected = np.asarray(body(x.astype(np.float32)))
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-4)
