"""Test columns with the names of internal values of `model.onnx`."""

import pytest

pytestmark = pytest.mark.keras

ROWS = [
    (i % 7, "abc"[i % 3], i % 5, i % 7 + "abc".index("abc"[i % 3])) for i in range(60)
]


@pytest.mark.parametrize(
    "names", [("c0", "v1", "output"), ("c1", "c1_", "v3"), ("input", "v0", "c2")]
)
def test_a_column_may_have_the_name_of_an_internal_value(bench, names):
    """Constants, values and the output of `model.onnx` get other names."""
    lines = [",".join((*names, "y")), *(",".join(map(str, row)) for row in ROWS)]
    bench.upload("\n".join(lines) + "\n")
    fit = {"epochs": 1, "seed": 1}
    spec = {
        "dataset": "table",
        "target": "y",
        "model_name": "m",
        "preset": "small",
        "fit": fit,
    }
    run = bench.train({**spec, "task": "regression", "report": {"importance": False}})
    assert run["status"] == "succeeded", run["error"]
    instances = [dict(zip(names, row[:3], strict=True)) for row in ROWS[:3]]
    answer = bench.client.post("/v1/models/m/predict", json={"instances": instances})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["predictions"]) == 3
