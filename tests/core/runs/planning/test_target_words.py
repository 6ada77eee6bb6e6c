"""Words such as `None` are classes in a target, and mean "missing" in other columns."""

import pytest


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
    """At the upload and by the run, with their number and the option."""
    column = uploaded(bench, table(["EU", "Asia", word]))["y"]
    assert f"{word!r} (20)" in column["warnings"][0]
    assert "`null_values`" in column["warnings"][0]
    body = checked(bench, target="y").json()
    assert sum(body["num_rows"].values()) == 40
    shown = f"20 row(s) are left out, because their target is {word!r}"
    assert any(warning.startswith(shown) for warning in body["warnings"])


def test_words_that_the_upload_gave_are_missing(bench):
    """In the target as well."""
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
