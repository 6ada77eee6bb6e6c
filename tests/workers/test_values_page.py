"""Test that the example of docs/values.md reads a model without the service."""

import json
import re
from contextlib import chdir
from pathlib import Path

import pytest

pytestmark = pytest.mark.keras

_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = Path(__file__).parents[2] / "docs/values.md"
ROWS = [
    {
        "size": i * 1.5 if i % 7 else None,
        "note": f"a remark, the {i % 110}th of all" if i % 5 else None,
        "town": ("Rome", "Oslo", "Lima")[i % 3],
        "plot": i % 4 if i % 6 else None,
        "when": f"2024-01-{i % 28 + 1:02} 10:00",
        "y": i % 9,
    }
    for i in range(200)
]


@pytest.fixture
def trained(bench, tmp_path):
    """Return the folder with the downloads of a run with a text feature."""
    names = list(ROWS[0])
    cells = [[row[name] for name in names] for row in ROWS]
    lines = [",".join("" if c is None else f'"{c}"' for c in row) for row in cells]
    bench.upload("\n".join([",".join(names), *lines]))
    run = bench.train(
        {
            "dataset": "table",
            "target": "y",
            "model_name": "m",
            "features": {
                "include": ["size", "note", "town", "plot", "when"],
                "types": {"plot": "categorical"},
            },
            "model": {"layers": [{"type": "Dense", "units": 4}, {"type": "Output"}]},
            "fit": {"epochs": 2, "seed": 1},
        }
    )
    assert run["status"] == "succeeded", run["error"]
    for name in ("model.onnx", "signature.json"):
        route = f"/v1/models/m/versions/1/artifacts/{name}"
        (tmp_path / name).write_bytes(bench.client.get(route).content)
    return tmp_path


def test_the_example_answers_like_the_service(bench, trained, capsys):
    """The example runs unchanged; the text feature is passed as a string."""
    signature = json.loads((trained / "signature.json").read_text())
    types = {f["name"]: f["type"] for f in signature["features"]}
    assert types["note"] == "text"
    assert "datetime" in types.values()
    (code,) = _BLOCK.findall(PAGE.read_text())
    instance = {**ROWS[8], "when": None}
    del instance["y"]
    missing = {"size": float("nan"), "plot": "", "when": float("nan"), "note": ""}
    row = {k: missing[k] if v is None else v for k, v in instance.items()}
    with chdir(trained):
        exec(code, {"row": {**row, "plot": str(row["plot"])}})
    (printed,) = re.findall(r"[-+.\de]+", capsys.readouterr().out)
    answer = bench.client.post("/v1/models/m/predict", json={"instances": [instance]})
    assert answer.status_code == 200, answer.text
    assert float(printed) == pytest.approx(answer.json()["predictions"][0], abs=1e-4)
