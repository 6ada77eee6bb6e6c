"""Runs on versions of a dataset that appends made."""

from tests.problems import assert_problem
from tests.service.test_appends import FIRST


def test_runs_name_a_version_or_the_newest(bench, upload, append):
    """A spec, a validation dataset and a GET accept `table@1`; the run shows it."""
    upload(FIRST)
    append("size,colour,when,rooms\n1,green,2024-03-01,3\n")
    for ref, version, rows in [("table", 2, 21), ("table@1", 1, 20), ("table@2", 2, 21)]:
        spec = {"dataset": ref, "target": "size", "fit": {"epochs": 1}}
        run = bench.client.post("/v1/runs", json=spec).json()
        assert run["dataset"]["version"] == version
        assert sum(run["num_rows"].values()) == rows
        assert run["spec"]["dataset"] == ref
    held = {"epochs": 1, "validation_dataset": "table@1"}
    spec = {"dataset": "table@2", "target": "size", "fit": held}
    spec["features"] = {"include": ["colour"]}
    run = bench.client.post("/v1/runs", json=spec).json()
    assert run["num_rows"]["validation"] == 20
    gone = bench.client.get("/v1/datasets/table@7")
    detail = assert_problem(gone, 404, "dataset-not-found")["detail"]
    assert "There is no dataset 'table@7'. Did you mean `table@" in detail


def test_a_run_says_what_differs_in_its_features(bench, upload, append):
    """The dataset's warnings about appended rows are warnings of runs with these columns."""
    upload(FIRST)
    append("size,colour,when,rooms\n1,green,2024-03-01,3\n2,red,2024-03-02,9\n")
    spec = {"dataset": "table", "target": "size"}
    read = bench.client.post("/v1/runs/validate", json=spec).json()
    about = [text for text in read["warnings"] if "rows 2" in text or "rows 1" in text]
    assert any(text.startswith("the column 'rooms': missing in rows 1") for text in about)
    assert any("'green'" in text for text in about)
    only = {**spec, "features": {"include": ["when"]}}
    read = bench.client.post("/v1/runs/validate", json=only).json()
    assert not [text for text in read["warnings"] if "rows 21" in text]


def test_a_run_trains_on_all_blocks_with_other_types(bench, upload, append):
    """A type in a spec reads each file again in its own layout."""
    upload("zip,y\n" + "".join(f"{i % 4:02},{i % 4}\n" for i in range(40)))
    append("y;zip\n" + "".join(f"{i % 4},5;{i % 4:02}\n" for i in range(40)), decimal=",")
    spec = {
        "dataset": "table",
        "target": "y",
        "features": {"types": {"zip": "text"}, "include": ["zip"]},
        "fit": {"epochs": 1},
    }
    run = bench.train(spec)
    assert run["status"] == "succeeded", run["error"]
    assert sum(run["num_rows"].values()) == 80
