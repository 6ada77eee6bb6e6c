"""Options of columns in a spec and at an upload, up to predictions by every protocol."""

import pytest

from tests.conftest import bench_in
from tests.core.runs.test_spec_types import answers_of, csv, spec
from tests.problems import assert_problem

CELLS = {
    "rate": ("12.5%", "0.25", "50%"),
    "weight": ("60 kg", "70kg", "80"),
    "day": ("1/2/2024", "2/3/2024", "25/4/2024"),
    "at": ("1706659200000", "1716659200000", "1726659200000"),
    "excel": ("45322", "45400.5", "45500"),
    "local": ("2024-07-01 12:00", "2024-08-01 12:00", "2024-01-31 01:00"),
    "country": ("NA", "DE", "None"),
}
TYPES = {
    "rate": {"type": "numeric", "percent": "fraction"},
    "weight": {"type": "numeric", "unit": "kg"},
    "day": {"type": "datetime", "dayfirst": True},
    "at": {"type": "datetime", "format": "epoch_milliseconds"},
    "excel": {"type": "datetime", "format": "excel_days"},
    "local": {"type": "datetime", "timezone": "Europe/Berlin"},
    "country": {"type": "categorical", "null_values": []},
}
ALIKE = {
    "rate": [("12.5%", 0.125, "0.125"), ("50%", 0.5)],
    "weight": [("60 kg", 60, "60")],
    "day": [("1/2/2024", "2024-02-01")],
    "at": [("1706659200000", 1_706_659_200_000, "2024-01-31T00:00:00Z")],
    "excel": [("45322", 45_322, "2024-01-31")],
    "local": [("2024-07-01 12:00", "2024-07-01T10:00:00Z", "2024-07-01T12:00")],
    "country": [("NA",), ("None",)],
}
"""Cells of the same meaning, as texts and as JSON numbers."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory, broker_url):
    """Two datasets: as it comes, and read with the options."""
    home = tmp_path_factory.mktemp("options") / "home"
    with bench_in(home, broker_url, default_model="m") as bench:
        bench.upload(csv(CELLS))
        yield bench


@pytest.mark.keras
@pytest.mark.parametrize("column", CELLS)
def test_a_prediction_reads_cells_as_the_spec_says(shared, column):
    """Texts by each way, and JSON numbers; another category or number is another row."""
    features = {"include": [column]}
    asked = spec({column: TYPES[column]}, features=features, model_name=f"{column}-model")
    run = shared.train(asked)
    assert run["status"] == "succeeded", run["error"]
    ways = list(answers_of(shared, column, CELLS[column], f"{column}-model"))
    for way in ways:
        assert way == pytest.approx(ways[0], rel=1e-5)
    assert len({round(value, 5) for value in ways[0]}) == len(CELLS[column])
    for cells in ALIKE[column]:
        rows = [{column: cell} for cell in cells]
        answer = shared.client.post(
            f"/v1/models/{column}-model/predict", json={"instances": rows}
        ).json()
        assert "warnings" not in answer, answer
        assert answer["predictions"] == pytest.approx(
            [answer["predictions"][0]] * len(rows)
        )


def test_options_without_a_meaning_are_refused_at_their_place(shared):
    """In a spec and at an upload."""
    given = {"rate": {"type": "numeric", "format": "%Y"}}
    refused = shared.client.post("/v1/runs/validate", json=spec(given))
    problem = assert_problem(refused, 422, "invalid-body")
    assert [e["pointer"] for e in problem["errors"]] == ["#/features/types/rate/format"]


def test_the_spec_of_a_run_shows_the_options(shared):
    """And a second validation of what is shown has the same result."""
    checked = shared.client.post("/v1/runs/validate", json=spec(TYPES))
    assert checked.status_code == 200, checked.text
