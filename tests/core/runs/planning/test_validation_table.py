"""A validation table has the columns and types of the training table, or is refused."""

import pytest

from tests.problems import assert_problem

DAYS = [f"2024-01-{i % 28 + 1:02}" for i in range(40)]
COLUMNS = {
    "n": [str(i / 4) for i in range(40)],
    "c": [("red", "green", "blue", "4")[i % 4] for i in range(40)],
    "b": [("yes", "no")[i % 2] for i in range(40)],
    "d": DAYS,
    "y": [str(2 * i + 0.5) for i in range(40)],
    "z": [("x", "y", "z")[i % 3] for i in range(40)],
    "w": [("0", "1")[i % 2] for i in range(40)],
}
WORDS = [f"word {i % 3}" for i in range(40)]
NUMBERS = [str(i % 7) for i in range(40)]


def csv(**changes):
    columns = {**COLUMNS, **changes}
    rows = zip(*columns.values(), strict=True)
    return "\n".join(",".join(row) for row in [columns, *rows]) + "\n"


def spec(target):
    features = {"include": ["n", "c", "b", "d"]}
    fit = {"validation_dataset": "held", "epochs": 1}
    return {"dataset": "table", "target": target, "features": features, "fit": fit}


@pytest.mark.parametrize(
    ("target", "changes", "message"),
    [
        ("y", {"y": WORDS}, "'y' is categorical in 'held'; the run expects numeric"),
        ("y", {"y": DAYS}, "'y' is datetime in 'held'; the run expects numeric"),
        ("y", {"y": [""] * 40}, "every cell of 'y' is missing"),
        ("z", {"z": NUMBERS}, "'z' is numeric in 'held'; the run expects categorical"),
        ("w", {"w": COLUMNS["z"]}, "'w' is categorical in 'held'; the run expects numeric"),
        ("y", {"n": WORDS}, "'n' is categorical in 'held'; the run expects numeric"),
        ("y", {"n": DAYS}, "'n' is datetime in 'held'; the run expects numeric"),
        ("y", {"b": WORDS}, "'b' is categorical in 'held'; the run expects boolean"),
        ("y", {"d": NUMBERS}, "'d' is numeric in 'held'; the run expects datetime"),
        ("y", {"d": WORDS}, "'d' is categorical in 'held'; the run expects datetime"),
        ("y", {"c": DAYS}, "'c' is datetime in 'held'; the run expects categorical"),
        ("y", {"c": COLUMNS["b"]}, "'c' is boolean in 'held'; the run expects categorical"),
    ],
)  # fmt: skip
def test_a_column_of_another_type_is_refused(client, upload, target, changes, message):
    """The error has both types and a hint, and no run is queued."""
    upload(csv())
    upload(csv(**changes), name="held")
    answer = client.post("/v1/runs", json=spec(target))
    (error,) = assert_problem(answer, 422, "invalid-spec")["errors"]
    assert error["pointer"] == "#/fit/validation_dataset"
    assert message in error["detail"]
    assert ("correct its cells" in error.get("hint", "")) == ("missing" not in message)
    assert client.get("/v1/runs").json()["items"] == []


@pytest.mark.keras
@pytest.mark.parametrize(
    ("target", "changes"),
    [
        ("y", {}),
        ("y", {"y": COLUMNS["b"]}),
        ("y", {"n": COLUMNS["b"], "b": COLUMNS["w"], "c": ["4"] * 40}),
        ("y", {"n": [""] * 40, "c": [""] * 40, "b": [""] * 40, "d": [""] * 40}),
        ("w", {"w": COLUMNS["b"]}),
        ("b", {"b": COLUMNS["w"]}),
    ],
)
def test_columns_that_can_be_converted_validate(upload, train, target, changes):
    """Booleans for numbers, numbers for booleans, and empty columns are accepted."""
    upload(csv())
    upload(csv(**changes), name="held")
    features = {"include": [name for name in "ncbd" if name != target]}
    run = train(spec(target) | {"features": features})
    assert run["status"] == "succeeded", run["error"]
    assert run["metrics"]["val_loss"] is not None


def test_a_column_of_other_categories_has_a_warning(client, upload):
    """Both tables have categories, so the column is not refused."""
    upload(csv())
    upload(csv(c=WORDS), name="held")
    answer = client.post("/v1/runs/validate", json=spec("y"))
    (warning,) = [w for w in answer.json()["warnings"] if "'c'" in w]
    assert "such as 'word 0', do not occur in the training table" in warning
