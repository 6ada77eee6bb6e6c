"""Test that every example trains as it promises."""

import json
from pathlib import Path

import pytest

from fitserve.specs import RunCreate

EXAMPLES = Path(__file__).parents[2] / "examples"
SPECS = sorted(EXAMPLES.glob("*.json"))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_an_example_is_a_valid_spec_for_a_shipped_table(path):
    """The spec names a file in examples/data, and one of its columns."""
    create = RunCreate.model_validate_json(path.read_text())
    header = (EXAMPLES / "data" / f"{create.dataset}.csv").read_text().splitlines()[0]
    assert create.target in header.split(",")


def test_the_page_has_a_copy_of_an_example_table():
    """`examples/data/write.py` writes both files."""
    of_page = EXAMPLES.parent / "dashboard" / "static" / "examples" / "diabetes.csv"
    assert of_page.read_bytes() == (EXAMPLES / "data" / "diabetes.csv").read_bytes()


@pytest.mark.keras
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
@pytest.mark.heavy
def test_an_example_trains_and_predicts(bench, path):
    """The run succeeds, its loss falls, and its model predicts rows."""
    spec = json.loads(path.read_text())
    table = EXAMPLES / "data" / f"{spec['dataset']}.csv"
    bench.upload(table, name=spec["dataset"])
    run = bench.train({**spec, "model_name": "m"})
    assert run["status"] == "succeeded", run["error"]
    history = bench.client.get(f"/v1/runs/{run['id']}/history").json()["history"]
    assert min(history["loss"][1:]) < history["loss"][0]
    rows = bench.client.get(f"/v1/datasets/{spec['dataset']}/rows").json()
    instances = [dict(zip(rows["columns"], row, strict=True)) for row in rows["data"]]
    answer = bench.client.post("/v1/models/m/predict", json={"instances": instances})
    assert len(answer.json()["predictions"]) == 20
