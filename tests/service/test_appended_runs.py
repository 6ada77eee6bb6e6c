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
    assert [text.split(":")[0] for text in about] == [
        "the feature 'colour'",
        "the feature 'sold'",
        "the feature 'rooms'",
    ]
    assert "'green'" in about[0]
    assert about[2].split(": ")[1].startswith("missing in rows 1 to 20")
    again = {**spec, "features": {"types": {"rooms": "categorical"}}}
    read = bench.client.post("/v1/runs/validate", json=again).json()
    assert len([text for text in read["warnings"] if "rows 1 to 20" in text]) == 1
    only = {**spec, "features": {"include": ["when"]}}
    read = bench.client.post("/v1/runs/validate", json=only).json()
    assert not [text for text in read["warnings"] if "rows 21" in text]


def test_a_comparison_says_how_many_rows_were_appended(bench, upload, append):
    """Rows that were held out stay held out, unless times decide which ones are."""
    upload(FIRST)
    append("size,colour,when\n1,red,2024-03-01\n2,red,2024-03-02\n")

    def told(*changes):
        ids = []
        for number, change in enumerate(changes, 1):
            spec = {"dataset": f"table@{number}", "target": "size", **change}
            ids.append(bench.client.post("/v1/runs", json=spec).json()["id"])
        query = {"ids": ",".join(ids)}
        found = bench.client.get("/v1/runs/compare", params=query).json()
        return found["warnings"], found["advice"]

    appended = "table@2 has 2 rows more than table@1 (appended)"
    nested = "; rows that were held out stay held out, so compare the figures with "
    assert told({}, {}) == ([], appended + nested + "their intervals")
    times = {"split": {"by": "time", "column": "when"}}
    other = ", so the runs were scored on different rows"
    assert told(times, times) == ([appended + other], None)
    seeds = {"fit": {"seed": 1}}, {"fit": {"seed": 2}}
    assert told(*seeds) == (["the seeds differ" + other], None)
    upload(FIRST.replace("0.5", "9.5"))
    assert told({}, {}, {}) == (["the datasets differ" + other], None)


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
