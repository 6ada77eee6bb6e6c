"""Test `fitserve train` with a table instead of a spec."""

import json

import pytest

from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem, sse

COLUMN = bodies.dataset()["columns"][0]
COLUMNS = [{**COLUMN, "name": name} for name in ("id", "a,b", "c", "quality")]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "wine.csv"
    path.write_text("id;a,b;c;quality\n1;2;3;4\n")
    return path


@pytest.fixture
def trained(wire):
    """Return the answers of a successful run."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(columns=COLUMNS), 201))
    wire.answers("POST /v1/runs", Answer(bodies.run("queued"), 202))
    wire.answers("GET /v1/runs/run_1", bodies.run("queued"))
    wire.answers("GET /v1/runs/run_1/events", sse(("status", bodies.run())))
    wire.answers("GET /v1/runs/run_1/report", bodies.report())
    return wire


def sent(wire):
    return next(asked.json for asked in wire.asked if asked.path == "/v1/runs")


def test_a_table_is_trained_without_a_spec(trained, fitserve, table):
    """The service chooses the network; the verdict and the next commands are printed."""
    done = fitserve("train", table, "--target", "quality")
    assert done.exit_code == 0, done.output
    assert sent(trained) == {
        "dataset": "ds_1",
        "model_name": "wine",
        "target": "quality",
    }
    assert "R² 0.84 on 480 validation rows; linear 0.61" in done.stdout
    assert done.stdout.splitlines()[-1] == "  fitserve open run_1"


def test_options_are_keys_of_the_spec(trained, fitserve, table):
    """A name with a comma is not divided; options for reading go to the upload."""
    done = fitserve(
        *("train", table, "--target", "quality", "--preset", "small", "--model", "red"),
        *("--exclude", "a,b", "--exclude", "id, c", "--epochs", 7, "--delimiter", ";"),
        *("--features-as", "table"),
    )
    assert done.exit_code == 0, done.output
    assert sent(trained) == {
        "dataset": "ds_1",
        "model_name": "red",
        "target": "quality",
        "preset": "small",
        "features": {"exclude": ["a,b", "id", "c"], "as": "table"},
        "fit": {"epochs": 7},
    }
    upload = next(asked for asked in trained.asked if asked.path == "/v1/datasets")
    assert upload.query["delimiter"] == ";"


def test_options_replace_keys_of_a_spec(trained, fitserve, tmp_path):
    """Other keys stay."""
    spec = tmp_path / "spec.json"
    body = {"dataset": "wine", "target": "a", "fit": {"epochs": 5, "seed": 1}}
    spec.write_text(json.dumps(body, indent=2))
    fitserve("train", spec, "--epochs", 9, "--target", "quality")
    assert sent(trained) == {
        "dataset": "wine",
        "target": "quality",
        "fit": {"epochs": 9, "seed": 1},
    }


def test_a_dataset_is_trained_where_no_such_file_exists(trained, fitserve):
    """The command says which version it uses, and uploads nothing."""
    stored = bodies.dataset(columns=COLUMNS, version=3, suggested_target="quality")
    trained.answers("GET /v1/datasets/wine", stored)
    done = fitserve("train", "wine", "--target", "quality", "--exclude", "a,b")
    assert done.exit_code == 0, done.output
    assert "no file wine; using the dataset wine@3: 3 rows" in done.stderr
    assert sent(trained) == {
        "dataset": "wine@3",
        "model_name": "wine",
        "target": "quality",
        "features": {"exclude": ["a,b"]},
    }
    asking = fitserve("train", "wine")
    assert "fitserve train wine@3 --target quality" in asking.stderr
    assert "/v1/datasets" not in trained.paths()


def test_reading_options_are_refused_for_a_stored_dataset(trained, fitserve):
    """A stored dataset was already read, and no run is queued."""
    trained.answers("GET /v1/datasets/wine", bodies.dataset(columns=COLUMNS, version=3))
    done = fitserve("train", "wine", "--target", "quality", "--delimiter", ";")
    assert done.exit_code == 2
    assert "but no file of a table; add the file, or leave the options out" in done.stderr
    assert "/v1/runs" not in trained.paths()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("wnie", "The file 'wnie' does not exist. There is no dataset 'wnie'."),
        ("wnie.csv", "The file 'wnie.csv' does not exist."),
        ("spec.json", "The file 'spec.json' does not exist."),
    ],
)
def test_a_name_without_file_or_dataset_is_refused(wire, fitserve, name, sentence):
    """A name with an extension of a table or of JSON cannot name a dataset."""
    missing = problem(404, "dataset-not-found", "There is no dataset 'wnie'.")
    wire.answers("GET /v1/datasets/wnie", missing)
    done = fitserve("train", name, "--target", "quality")
    assert (done.exit_code, done.stderr) == (2, f"{sentence}\n")


def test_a_missing_target_shows_the_columns_and_an_example(wire, fitserve, table):
    """Nothing is stored."""
    shown = bodies.preview(columns=COLUMNS, suggested_target="quality")
    wire.answers("POST /v1/datasets/preview", shown)
    done = fitserve("train", table, "--delimiter", ";")
    assert done.exit_code == 2
    assert "  quality: numeric, 3 different values\n" in done.stderr
    assert f"fitserve train {table} --target quality" in done.stderr
    assert wire.paths() == ["/v1/datasets/preview"]
    assert wire.asked[0].query["delimiter"] == ";"


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("#/target", "--target"),
        ("#/features/exclude/0", "--exclude"),
        ("#/features/as", "--features-as"),
        ("#/features", "features"),
        ("#/fit/epochs", "--epochs"),
        ("#/split", "#/split"),
    ],
)
def test_a_refusal_names_the_option(trained, fitserve, table, place, named):
    """No option is named if the table has no column that can be a feature."""
    line = {"pointer": place, "detail": "no column 'qality'", "hint": "quality?"}
    refusal = problem(422, "invalid-spec", "The spec is wrong.", (line,))
    trained.answers("POST /v1/runs", refusal)
    trained.answers("DELETE /v1/datasets/ds_1", Answer(status=204))
    done = fitserve("train", table, "--target", "qality")
    assert done.exit_code == 3
    assert f"  {named}: no column 'qality' (quality?)\n" in done.stderr


def test_a_hint_at_the_inputs_names_the_option(trained, fitserve, table):
    """The warning of the service names the key of a spec."""
    warning = 'to choose the inputs from the table, set `"features": {"as": "table"}`'
    ended = bodies.run(warnings=[warning, "another one"])
    trained.answers("GET /v1/runs/run_1/events", sse(("status", ended)))
    lines = fitserve("train", table, "--target", "quality").stdout.splitlines()
    at = lines.index(f"warning: {warning}")
    option = "  the option of `fitserve train` for it: --features-as table"
    assert lines[at + 1] == option
    assert lines.count(option) == 1


def test_the_upload_of_a_refused_run_is_deleted(trained, fitserve, table):
    """A spec that is refused leaves no version; one of a stored dataset deletes none."""
    refusal = problem(422, "invalid-spec", "The spec is wrong.")
    trained.answers("POST /v1/runs", refusal)
    trained.answers("DELETE /v1/datasets/ds_1", Answer(status=204))
    done = fitserve("train", table, "--target", "quality", "--exclude", "c")
    assert done.exit_code == 3
    assert "deleted the upload wine@1, because its run was refused\n" in done.stderr
    assert trained.paths()[-1] == "/v1/datasets/ds_1"
    spec = table.with_name("spec.json")
    spec.write_text(json.dumps({"dataset": "wine", "target": "quality"}))
    assert "deleted" not in fitserve("train", spec).stderr


def test_an_upload_stays_if_its_run_may_be_sent_again(trained, fitserve, table):
    """Only a spec that can never run deletes the upload."""
    trained.answers("POST /v1/runs", problem(409, "dataset-not-ready", "Wait."))
    done = fitserve("train", table, "--target", "quality")
    assert "deleted" not in done.stderr
    assert "/v1/datasets/ds_1" not in trained.paths()


def test_an_upload_that_is_in_use_stays(trained, fitserve, table):
    """The refusal of the run is reported too."""
    trained.answers("POST /v1/runs", problem(422, "invalid-spec", "The spec is wrong."))
    in_use = problem(409, "dataset-in-use", "1 run still reads this dataset.")
    trained.answers("DELETE /v1/datasets/ds_1", in_use)
    done = fitserve("train", table, "--target", "quality")
    assert "the upload wine@1 stays stored: " in done.stderr
    assert "The spec is wrong." in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "is_table"),
    [
        ("rows.csv", "a,b\n1,2\n", True),
        ("rows.csv", "", True),
        ("rows.jsonl", '{"a": 1, "quality": 2}\n{"a": 2, "quality": 3}\n', True),
        ("rows.json", '{"a": 1, "quality": 2}\n{"a": 2, "quality": 3}\n', True),
        ("rows.ndjson", '{"a": 1, "quality": 2}', True),
        ("rows.json", '[{"a": 1, "quality": 2}]', True),
        ("rows.txt", "[a]\n1\n", True),
        ("spec", '{"dataset": "wine", "target": "quality"}', False),
        ("spec.json", '{\n  "dataset": "wine", "target": "quality"\n}\n', False),
    ],
)
def test_a_file_is_a_table_or_a_spec(trained, fitserve, tmp_path, name, text, is_table):
    """The content decides, also in a file that ends in `.json`."""
    path = tmp_path / name
    path.write_text(text)
    done = fitserve("train", path, "--target", "quality", "--no-watch")
    assert done.exit_code == 0, done.output
    assert ("/v1/datasets" in trained.paths()) is is_table


@pytest.mark.parametrize("text", ["{target: 1}", '{"target": ', "[1]"])
def test_a_broken_spec_is_no_table(wire, fitserve, tmp_path, text):
    path = tmp_path / "spec.json"
    path.write_text(text)
    done = fitserve("train", path)
    assert done.exit_code == 2
    assert "JSON" in done.stderr
    assert wire.asked == []


def test_a_table_before_a_spec_is_wrong_usage(wire, fitserve, table, tmp_path):
    """The message has the right order."""
    done = fitserve("train", table, tmp_path / "spec.json")
    assert done.exit_code == 2
    assert "expected `fitserve train SPEC TABLE`" in done.stderr
    assert wire.asked == []


def test_a_name_of_a_model_is_checked_before_the_upload(wire, fitserve, table):
    """The message has a name that is accepted."""
    done = fitserve("train", table, "--target", "quality", "--model", "my model")
    assert done.exit_code == 2
    assert "my-model" in done.stderr
    assert wire.asked == []


def test_reading_options_need_a_table(wire, fitserve, tmp_path):
    spec = tmp_path / "spec.json"
    spec.write_text('{"dataset": "wine", "target": "quality"}')
    done = fitserve("train", spec, "--decimal", ",")
    assert done.exit_code == 2
    assert "but no file of a table" in done.stderr
    assert wire.asked == []


def test_the_end_names_what_was_not_measured_or_used(trained, fitserve, table):
    """Columns that a warning names are not repeated."""
    ended = bodies.run(warnings=["1 column is left out of training: 'id' (an id)"])
    trained.answers("GET /v1/runs/run_1/events", sse(("status", ended)))
    report = bodies.report(
        excluded={"quality": "the target", "id": "an id", "c": "excluded by the spec"},
        reasons={"roc_auc": "one class"},
        baselines={**bodies.baselines("lost"), "reason": "the worker stopped"},
    )
    trained.answers("GET /v1/runs/run_1/report", report)
    lines = fitserve("train", table, "--target", "quality").stdout.splitlines()
    assert "not measured: baselines (the worker stopped)" in lines
    assert "not measured: roc_auc (one class)" in lines
    assert "not features: c (excluded by the spec)" in lines
