"""Columns that a run leaves out or cannot use are reported before it trains."""

import random

import pytest

from tests.problems import assert_problem

RNG = random.Random(0)
WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heath",
    "inlet",
    "juniper",
]


def csv(header, rows):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def validated(bench, **spec):
    answer = bench.client.post("/v1/runs/validate", json={"dataset": "table", **spec})
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(bench, pointer, **spec):
    answer = bench.client.post("/v1/runs", json={"dataset": "table", **spec})
    problem = assert_problem(answer, 422, "invalid-spec")
    (error,) = [e for e in problem["errors"] if e["pointer"] == pointer]
    return error


def graded(missing):
    """`grade` decides `score` where it is present."""
    for i in range(200):
        grade = "ABCD"[i % 4]
        score = {"A": 90, "B": 70, "C": 50, "D": 30}[grade]
        if i < missing:
            yield "", RNG.random(), RNG.randrange(20, 95)
        else:
            yield grade, RNG.random(), score


def test_a_column_with_missing_cells_is_no_copy_of_the_target(bench):
    """A missing cell counts; the column stays, and the run says what it is."""
    bench.upload(csv("grade,x,score", graded(missing=60)))
    plan = validated(bench, target="score", task="regression")
    assert "grade" in plan["features"]
    assert any("'grade' is one to one" in w for w in plan["warnings"])


def test_what_is_left_out_for_the_target_is_a_warning(bench):
    """The warning has the reason, and says how to use the column nevertheless."""
    bench.upload(csv("grade,x,score", graded(missing=0)))
    plan = validated(bench, target="score")
    assert plan["excluded"]["grade"] == "one to one with the target"
    (warning,) = plan["warnings"]
    assert "'grade' is left out, because it is one to one" in warning
    assert "features.include" in warning
    included = validated(bench, target="score", features={"include": ["grade", "x"]})
    assert included["features"] == ["grade", "x"]


def films(num_rows=120):
    for i in range(num_rows):
        title = " ".join(RNG.choices(WORDS, k=9))
        # the first titles occur twice, as remakes do
        title = title if i >= 14 else f"the whole long title of the film number {i // 2}"
        yield i, title, f"note {i % 80}", RNG.random(), RNG.random()


HEADER = "id,title,note,x,y"


def test_columns_that_are_left_out_are_a_warning(bench):
    """One warning names all of them with the reasons, and the report lists them."""
    bench.upload(csv(HEADER, films()))
    spec = {"target": "y", "preset": "linear", "fit": {"epochs": 1, "seed": 1}}
    plan = validated(bench, **spec)
    (warning,) = [w for w in plan["warnings"] if "left out" in w]
    assert warning.startswith("3 columns are left out of training: 'id' (a row number)")
    assert "'title' (free text, which fitserve does not read yet)" in warning
    run = bench.train({"dataset": "table", **spec})
    assert warning in run["warnings"]
    report = bench.client.get(f"/v1/runs/{run['id']}/report").json()
    assert report["excluded"] == plan["excluded"]
    assert report["excluded"]["title"] == "free text, which fitserve does not read yet"


def test_a_table_of_texts_alone_is_refused_with_the_reason(bench):
    """The error names no key that the spec lacks as its cause."""
    rows = "".join(f"{i % 2},note {i} of us\n" for i in range(40))
    bench.upload("y,note\n" + rows)
    error = refused(bench, "#/features", target="y")
    assert error["detail"].startswith("no column is left as a feature (y: the target; n")
    assert error["hint"].startswith("fitserve does not read free text yet: add a column")


def test_what_the_spec_leaves_out_is_no_warning(bench):
    """Columns in `exclude` and outside `include` are not reported."""
    bench.upload(csv(HEADER, films()))
    for features in ({"include": ["x"]}, {"exclude": ["id", "title", "note"]}):
        assert validated(bench, target="y", features=features)["warnings"] == []


@pytest.mark.parametrize(
    ("features", "pointer"),
    [
        ({"include": ["x", "title"]}, "#/features/include/1"),
        ({"types": {"title": "text"}}, "#/features/types/title"),
        ({"types": {"title": "categorical"}}, "#/features/types/title"),
        (
            {"include": ["title"], "types": {"title": "categorical"}},
            "#/features/include/0",
        ),
    ],
)
def test_free_text_cannot_be_forced(bench, features, pointer):
    """Titles that repeat by chance would become the only categories."""
    bench.upload(csv(HEADER, films()))
    error = refused(bench, pointer, target="y", features=features)
    assert "text has no encoder yet" in error["detail"]
    assert "113 different values in 120 cells" in error["detail"]


def test_text_with_repeated_values_can_be_included(bench):
    """Numbers that are read as categories may be included too, however many."""
    bench.upload(csv(HEADER, films()))
    features = {"include": ["note", "id"], "types": {"id": "categorical"}}
    plan = validated(bench, target="y", features=features)
    assert plan["features"] == ["id", "note"]


@pytest.mark.parametrize("cell", ["Friday of week {}", "{} days ago", "w{}x"])
def test_a_split_by_time_needs_times(bench, cell):
    """Words would be sorted as text, so that the newest rows train."""
    rows = [(f'"{cell.format(i % 7)}"', i, i % 5) for i in range(60)]
    bench.upload(csv("when,x,y", rows))
    split = {"by": "time", "column": "when", "test": 0.2}
    error = refused(bench, "#/split/column", target="y", split=split)
    assert "'when' is categorical" in error["detail"]
    assert f"such as {cell.format(0)!r}" in error["detail"]
    assert '{"when": "datetime"}' in error["hint"]


def test_rows_without_a_time_or_a_group_are_counted(bench):
    """The plan says how they are split."""
    rows = [("" if i % 6 == 0 else i, i, i % 5) for i in range(60)]
    bench.upload(csv("when,x,y", rows))
    by_time = validated(bench, target="y", split={"by": "time", "column": "when"})
    assert any("10 missing cell(s)" in w and "oldest" in w for w in by_time["warnings"])
    by_group = validated(bench, target="y", split={"by": "group", "column": "when"})
    assert any(
        "10 missing cell(s)" in w and "one group" in w for w in by_group["warnings"]
    )


def test_a_share_that_groups_do_not_allow_is_said(bench):
    """Half of the rows instead of a tenth; the run counts them."""
    bench.upload(csv("g,x,y", [("ab"[i % 2], i, i % 5) for i in range(60)]))
    split = {"by": "group", "column": "g"}
    plan = validated(bench, target="y", split=split)
    assert plan["num_rows"] == {"train": 30, "validation": 30}
    spec = {"dataset": "table", "target": "y", "split": split, "fit": {"epochs": 1}}
    run = bench.train({**spec, "preset": "small"})
    assert run["num_rows"] == {"train": 30, "validation": 30}
    assert "30 of 60 rows for validation" in "".join(run["warnings"])
    error = refused(bench, "#/split/column", target="y", split=split | {"test": 0.2})
    assert "the column has 2 group(s)" in error["detail"]


def test_a_bias_cannot_be_orthogonal(bench):
    """Keras fails on one dimension; without a bias nothing is initialized."""
    bench.upload(csv("x,y", [(i, i % 5) for i in range(60)]))
    dense = {"type": "Dense", "units": 3, "bias_initializer": "orthogonal"}
    model = {"layers": [dense, {"type": "Output"}]}
    at = "#/model/layers/0/bias_initializer"
    assert "one dimension" in refused(bench, at, target="y", model=model)["detail"]
    model["layers"][0]["use_bias"] = False
    validated(bench, target="y", model=model)
