"""One definition of preprocessing: service, model.keras, model.onnx, NumPy agree."""

import json
import subprocess
import sys
from typing import Any, get_args

import numpy as np
import onnxruntime as ort
import pytest

from fitserve.specs.vocabulary import Activation

pytestmark = pytest.mark.keras

NAMES = ["fixed acidity, (g/dm³)", "..", "yes/no", 'the "kind"', "код"]
KINDS = ["red", "", "blü", "", "red", "[UNK]", "green"]
ROWS = [
    [f"{i * 1.5}" if i % 7 else "", f"{1e9 + i}", ("yes", "no", "")[i % 3], KINDS[i % 7], f"{i % 4}"]
    for i in range(60)
]  # fmt: skip
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
    """What the files take: float64 with NaN, strings with ""."""
    flags = {"yes": 1.0, "no": 0.0, "": np.nan}
    number = [
        [float(c) if c else np.nan for c in column]
        for column in list(zip(*rows, strict=True))[:2]
    ]
    columns = list(zip(*rows, strict=True))
    return {
        NAMES[0]: np.array(number[0])[:, None],
        NAMES[1]: np.array(number[1])[:, None],
        NAMES[2]: np.array([flags[c] for c in columns[2]])[:, None],
        NAMES[3]: np.array(columns[3], object)[:, None],
        NAMES[4]: np.array(columns[4], object)[:, None],
    }


@pytest.fixture
def trained(bench):
    bench.upload(table())
    run = bench.train(
        {
            "dataset": "table",
            "target": "y",
            "model_name": "m",
            "features": {"types": {NAMES[4]: "categorical"}},
            "model": {"layers": LAYERS},
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
    """In a process that has none of our code, as somebody who downloaded the file."""
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
    """The whole network by hand, from signature.json and the weights route."""
    version = bench.client.get("/v1/models/m/versions/1").json()
    layers = bench.client.get("/v1/models/m/versions/1/weights").json()["layers"]
    x = encode_by_hand(version["signature"]["features"], raw_columns(rows))
    for spec, layer in zip([*LAYERS[:-1], {"type": "Dense"}], layers, strict=True):
        weights = {w["name"]: np.array(w["values"]) for w in layer["weights"]}
        x = forward(spec, weights, x)
    return x[:, 0]


def encode_by_hand(features: list[dict[str, Any]], raw: dict[str, np.ndarray]):
    numeric, one_hot = [], []
    for feature in features:
        encoder, column = feature["encoder"], raw[feature["name"]]
        if encoder["type"] == "numeric":
            z = (column - encoder["center"]) / encoder["scale"]
            numeric.append(np.where(np.isnan(z), encoder["fill"], z))
        else:
            one_hot.append(column == np.array(encoder["vocabulary"], object)[None, :])
    return np.concatenate([*numeric, *one_hot], axis=1).astype(np.float64)


def forward(spec, w, x):
    match spec["type"]:
        case "Dense":
            x = x @ w["kernel"] + w["bias"]
            return np.maximum(x, 0) if spec.get("activation") == "relu" else x
        case "BatchNormalization":
            x = (x - w["moving_mean"]) / np.sqrt(w["moving_variance"] + 1e-3)
            return x * w["gamma"] + w["beta"]
        case "LayerNormalization":
            x = x - x.mean(1, keepdims=True)
            return (
                x / np.sqrt((x**2).mean(1, keepdims=True) + 1e-3) * w["gamma"] + w["beta"]
            )
        case "Activation":
            return np.tanh(x)
    return x


def test_four_renderings_agree(trained, tmp_path):
    """On mixed columns with gaps, unseen categories and odd names: equal to 1e-5."""
    unseen = [["2.5", "1000000003", "yes", "never", "9"], ["", "", "", "", ""]]
    rows = ROWS[:20] + unseen
    answers = {
        "service": ask_service(trained, rows),
        "keras": ask_keras(download(trained, "model.keras", tmp_path), rows),
        "onnx": ask_onnx(download(trained, "model.onnx", tmp_path), rows),
        "numpy": recompute(trained, rows),
    }
    assert np.ptp(answers["numpy"]) > 1e-3  # rows differ, or nothing is tested
    for name, answer in answers.items():
        np.testing.assert_allclose(
            answer, answers["numpy"], atol=1e-5, rtol=1e-5, err_msg=name
        )


@pytest.mark.parametrize("activation", get_args(Activation))
def test_every_activation_exports_as_keras_computes_it(activation, tmp_path):
    """Inside a Dense and as a layer of its own."""
    from core.models.signature import Feature, NumericEncoder, Signature
    from fitserve.specs.layers import ModelSpec
    from workers.training.build import build
    from workers.training.saving.onnx_file import save_onnx

    encoder = NumericEncoder(center=0, scale=1, fill=0)
    features = [Feature(name=n, type="numeric", encoder=encoder) for n in "abc"]
    signature = Signature(
        model_name="m",
        task="regression",
        target="y",
        classes=None,
        features=features,
        ignored=[],
    )
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
    network = build(ModelSpec.model_validate({"layers": layers}), 3)
    save_onnx(network, signature, tmp_path / "model.onnx")
    x = np.random.default_rng(0).normal(size=(50, 3)) * 2
    raw = {name: x[:, [i]] for i, name in enumerate("abc")}
    session = ort.InferenceSession(
        tmp_path / "model.onnx", providers=["CPUExecutionProvider"]
    )
    expected = np.asarray(network(x.astype(np.float32)))
    np.testing.assert_allclose(session.run(None, raw)[0], expected, atol=1e-5, rtol=1e-4)
