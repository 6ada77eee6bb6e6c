"""Words such as `None` are classes in a target, and mean "missing" in other columns."""

import pytest
from sqlalchemy import select

from core.datasets.ingest import Ingest, Reader
from core.datasets.tables import Dataset
from tests.workbooks import xlsx


def uploaded(bench, content, **given):
    """Upload a CSV; return its columns by name."""
    answer = bench.client.post(
        "/v1/datasets", params={"name": "t", **given}, content=content.encode()
    )
    assert answer.status_code == 201, answer.json()
    return {column["name"]: column for column in answer.json()["columns"]}


def checked(bench, **spec):
    return bench.client.post("/v1/runs/validate", json={"dataset": "t", **spec})


def table(words, number=60):
    rows = "".join(f"{i % 9},{words[i % len(words)]}\n" for i in range(number))
    return f"x,y\n{rows}"


@pytest.mark.parametrize(
    ("words", "word", "task"),
    [
        (["Insomnia", "None", "Apnea"], "None", "multiclass"),
        (["mild", "none"], "none", "binary"),
        (["+", "-"], "-", "binary"),
        (["yes", "no", "None"], "None", "multiclass"),
        (["None", "none"], "None", "binary"),
    ],
)
def test_a_word_may_be_a_class(bench, words, word, task):
    """No row is left out, and a warning says how to leave the rows out."""
    uploaded(bench, table(words))
    body = checked(bench, target="y").json()
    assert body["task"] == task
    assert sum(body["num_rows"].values()) == 60
    shown = f"{word!r} in {60 // len(words)} row(s) of the target 'y' is a class"
    assert any(warning.startswith(shown) for warning in body["warnings"])
    assert not any("count as missing" in warning for warning in body["warnings"])


@pytest.mark.parametrize("word", ["NA", "?", "n/a"])
def test_other_words_are_reported(bench, word):
    """Upload and run report their number and the option that decides."""
    column = uploaded(bench, table(["EU", "Asia", word]))["y"]
    assert f"{word!r} (20)" in column["warnings"][0]
    assert "`null_values`" in column["warnings"][0]
    body = checked(bench, target="y").json()
    assert sum(body["num_rows"].values()) == 40
    shown = f"20 row(s) are left out, because their target is {word!r}"
    assert any(warning.startswith(shown) for warning in body["warnings"])


def test_words_that_the_upload_gave_are_missing(bench):
    """That holds for the target, too."""
    uploaded(bench, table(["mild", "severe", "None"]), null_values="None")
    body = checked(bench, target="y").json()
    assert sum(body["num_rows"].values()) == 40


def test_a_feature_and_a_target_of_numbers_keep_their_missing_cells(bench):
    """`None` is a class only in a target of words."""
    rows = "".join(f"{i % 9 if i % 3 else 'None'},{'ab'[i % 2]}\n" for i in range(60))
    uploaded(bench, f"x,y\n{rows}")
    assert sum(checked(bench, target="x").json()["num_rows"].values()) == 40
    assert checked(bench, target="y").json()["features"] == ["x"]


def test_a_model_predicts_the_word(bench):
    """The worker, the report and the promotion read the classes of the run."""
    rows = "".join(f"{i % 9},{'None' if i % 9 < 4 else 'ill'}\n" for i in range(180))
    bench.upload(f"x,y\n{rows}", "t")
    network = {"layers": [{"type": "Dense", "units": 4}, {"type": "Output"}]}
    spec = {"dataset": "t", "target": "y", "model_name": "m", "model": network}
    spec["fit"] = {"epochs": 30, "seed": 1, "validation_split": 0.2}
    for _ in range(2):
        run = bench.train(spec)
        assert (run["status"], sum(run["num_rows"].values())) == ("succeeded", 180)
    body = {"model": "m", "instances": [{"x": 0}, {"x": 8}]}
    answer = bench.client.post("/v1/predict", json=body).json()
    assert answer["predictions"] == ["None", "ill"]
    alias = {"version": 2, "require": ["val_accuracy >= 0.5"]}
    promoted = bench.client.put("/v1/models/m/aliases/live", json=alias)
    assert promoted.status_code < 500, promoted.json()


def read_by_a_worker(bench, content):
    """Upload a workbook, which a worker reads; return its columns by name."""
    answer = bench.client.post("/v1/datasets", params={"name": "t"}, content=content)
    assert answer.status_code == 201, answer.json()
    found = answer.json()
    reader = Reader(bench.storage, bench.settings.limits)
    Ingest(bench.database, reader, bench.settings.runs).attempt(found["id"])
    read = bench.client.get(f"/v1/datasets/{found['id']}").json()
    assert read["status"] == "ready", read["error"]
    return {column["name"]: column for column in read["columns"]}


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("words", "counts", "classes"),
    [
        (["ill", "None"], {"None": 90}, "None"),
        (["+", "-", "NA"], {"-": 60, "NA": 60}, "-"),
    ],
)
def test_a_word_of_a_workbook_may_be_a_class(bench, words, counts, classes):
    """Plan, worker and report read the word as in a CSV."""
    number = len(words)
    rows = [[i % number * 9 + i // number % 3, words[i % number]] for i in range(180)]
    columns = read_by_a_worker(bench, xlsx({"s": [["x", "y"], *rows]}))
    assert columns["y"]["null_words"] == counts
    network = {"layers": [{"type": "Dense", "units": 4}, {"type": "Output"}]}
    spec = {"dataset": "t", "target": "y", "model_name": "m", "model": network}
    run = bench.train({**spec, "fit": {"epochs": 30, "seed": 1}})
    assert run["status"] == "succeeded", run["error"]
    assert sum(run["num_rows"].values()) == 180 - counts.get("NA", 0)
    shown = f"{classes!r} in {counts[classes]} row(s) of the target 'y' is a class"
    assert any(warning.startswith(shown) for warning in run["warnings"])
    body = {"model": "m", "instances": [{"x": words.index(classes) * 9}]}
    assert bench.client.post("/v1/predict", json=body).json()["predictions"] == [classes]


def test_the_upload_counts_the_words_of_every_row(bench):
    """Rows in which every cell is missing are no rows of the table."""
    rows = "".join(f"{i},{('a', 'None', 'NA', '')[i % 4]}\n" for i in range(8_000))
    column = uploaded(bench, f"x,y\n{rows}NA,NA\n,\n")["y"]
    assert column["null_words"] == {"NA": 2_000, "None": 2_000}
    assert "'NA' (2,000), 'None' (2,000)" in column["warnings"][0]
    assert column["warning_kinds"] == ["null_words"]
    assert uploaded(bench, "x,y\n1,a\n2,a\n3,b\n")["y"]["null_words"] is None


def test_a_plan_does_not_read_the_file(bench):
    """The counts of the upload say that no word is a class."""
    uploaded(bench, table(["EU", "Asia", "NA"]))
    with bench.database.read() as session:
        key = session.scalars(select(Dataset.content_key)).one()
    bench.storage.delete(key)
    body = checked(bench, target="y").json()
    shown = "20 row(s) are left out, because their target is 'NA'"
    assert any(warning.startswith(shown) for warning in body["warnings"])


def test_the_words_of_an_earlier_upload_are_read_from_its_file(bench):
    """Earlier releases stored neither counts nor kinds."""
    uploaded(bench, table(["mild", "None"]))
    with bench.database.write() as session:
        dataset = session.scalars(select(Dataset)).one()
        dataset.columns = [
            column.model_copy(update={"null_words": None, "warning_kinds": []})
            for column in dataset.columns
        ]
    body = checked(bench, target="y").json()
    assert any("30 row(s) of the target 'y' is a class" in w for w in body["warnings"])
