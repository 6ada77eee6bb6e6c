"""Sample weights that cannot weigh a fit are refused with their place."""

import pytest

from tests.problems import assert_problem

BAD = {
    "word": lambda i: "heavy" if i % 2 else "light",
    "gap": lambda i: "" if i in (3, 7) else i % 3,
    "minus": lambda i: -2.5 if i == 4 else 1,
    "huge": lambda i: "1e39" if i == 5 else 1,
    "zero": lambda _: 0,
    "half": lambda i: int(i < 20),
    "heavy": lambda i: 1_000 + i,
    "good": lambda i: i % 3,
}


@pytest.fixture
def table(upload):
    names = ["x", "side", "y", *BAD]
    lines = [
        [i, "train" if i < 20 else "validation", "" if i == 39 else 2 * i]
        + [cell(i) for cell in BAD.values()]
        for i in range(40)
    ]
    upload("\n".join(",".join(map(str, row)) for row in [names, *lines]))


def spec(weight, **changes):
    return {
        "dataset": "table",
        "target": "y",
        "features": {"exclude": [*BAD]},
        "fit": {"sample_weight": weight, "seed": 1},
        **changes,
    }


@pytest.mark.parametrize(
    ("weight", "changes", "said"),
    [
        ("goood", {}, "did you mean `good`?"),
        ("y", {}, "'y' is the target"),
        ("good", {"features": {"include": ["x", "good"]}}, "is in `features.include`"),
        ("word", {}, "the column 'word' is categorical; sample weights must be numeric"),
        ("gap", {}, "2 of 39 rows have no weight in the column 'gap'"),
        ("minus", {}, "1 cell(s) of the column 'minus' are negative, such as -2.5"),
        ("huge", {}, "1 cell(s) of the column 'huge' are too large, such as 1e+39"),
        ("zero", {}, "every cell of the column 'zero' is 0"),
    ],
)
def test_weights_that_cannot_weigh_are_refused(client, table, weight, changes, said):
    """With the column, the count and an example."""
    answer = client.post("/v1/runs", json=spec(weight, **changes))
    (error,) = assert_problem(answer, 422, "invalid-spec")["errors"]
    assert error["pointer"] == "#/fit/sample_weight"
    assert said in error["detail"] + (error.get("hint") or "")


def test_a_side_without_weights_fails_the_run(bench, table):
    """Only the worker knows the rows of each side; the problem is that of the spec."""
    run = bench.train(spec("half", split={"by": "column", "column": "side"}))
    assert run["status"] == "failed"
    (error,) = run["error"]["errors"]
    assert error["pointer"] == "#/fit/sample_weight"
    assert "all 19 validation rows have the weight 0 in 'half'" in error["detail"]


@pytest.mark.parametrize(
    ("weight", "said"),
    [("good", None), ("heavy", "the mean of the sample weights in 'heavy' is 1019")],
)
def test_weights_far_from_1_have_a_warning(client, table, weight, said):
    """Without weights of about 1, losses of other runs cannot be compared."""
    read = client.post("/v1/runs/validate", json=spec(weight)).json()
    found = [warning for warning in read["warnings"] if "sample weights" in warning]
    assert len(found) == bool(said)
    assert all(said in warning for warning in found)


def test_metrics_to_weigh_need_weights(client, table):
    """They fit the task, each once; without weights, a warning says so."""
    bad = spec("good", compile={"weighted_metrics": ["auc", "mae", "mae"]})
    answer = client.post("/v1/runs", json=bad)
    errors = assert_problem(answer, 422, "invalid-spec")["errors"]
    assert [error["pointer"] for error in errors] == [
        "#/compile/weighted_metrics/0",
        "#/compile/weighted_metrics/2",
    ]
    plain = spec(None, compile={"weighted_metrics": ["mae"]})
    read = client.post("/v1/runs/validate", json=plain).json()
    assert any("are not weighted" in warning for warning in read["warnings"])


def test_runs_with_other_weights_are_not_compared_by_their_loss(client, table):
    """A comparison warns."""
    ids = [client.post("/v1/runs", json=spec(w)).json()["id"] for w in ("good", None)]
    read = client.get("/v1/runs/compare", params={"ids": ",".join(ids)}).json()
    assert any("the sample weights differ" in warning for warning in read["warnings"])
