"""Test targets of two words, which are predicted as these words."""

import numpy as np
import pytest

from tests.conftest import bench_in
from tests.problems import assert_problem

pytestmark = pytest.mark.keras
A = np.random.default_rng(0).normal(size=120)
SIGNS = A > 0


def csv(no, yes):
    cells = zip(A, SIGNS, strict=True)
    return "a,left\n" + "".join(f"{a},{yes if sign else no}\n" for a, sign in cells)


def spec(table, **fit):
    return {
        "dataset": table,
        "target": "left",
        "model_name": table,
        "model": {"layers": [{"type": "Dense", "units": 4, "activation": "relu"}, {"type": "Output"}]},
        "compile": {"optimizer": {"type": "Adam", "learning_rate": 0.1}},
        "fit": {"epochs": 8, "seed": 1, "batch_size": 16, "validation_split": 0.25, **fit},
    }  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory, broker_url):
    with bench_in(tmp_path_factory.mktemp("words") / "home", broker_url) as bench:
        for name, words in {
            "customers": ("No", "Yes"),
            "flags": ("False", "True"),
            "numbers": ("0", "1"),
            "categories": ("gone", "stayed"),
        }.items():
            bench.upload(csv(*words), name)
        bench.run = bench.train(spec("customers"))
        assert bench.run["status"] == "succeeded", bench.run["error"]
        yield bench


@pytest.fixture(scope="module")
def weighed(bench):
    """Train with the class weight 30 for `Yes`."""
    return bench.train(spec("customers", class_weight={"Yes": 30.0}))


def answered(bench, model):
    body = {"model": model, "instances": [{"a": -3}, {"a": 3}]}
    return bench.client.post("/v1/predict", json=body).json()


def test_predictions_have_the_words_of_the_table(bench):
    """Probabilities and the report have the words, too; `Yes` is the positive class."""
    answer = answered(bench, "customers")
    assert answer["predictions"] == ["No", "Yes"]
    assert [list(row) for row in answer["probabilities"]] == [["No", "Yes"]] * 2
    report = bench.client.get(f"/v1/runs/{bench.run['id']}/report").json()
    classes = report["classification"]["classes"]
    assert [one["label"] for one in classes] == ["No", "Yes"]
    assert report["metrics"]["roc_auc"] > 0.95


def test_true_and_false_stay_booleans(bench):
    """The words are those of JSON."""
    bench.train(spec("flags", class_weight={"true": 2.0}))
    answer = answered(bench, "flags")
    assert answer["predictions"] == [False, True]
    assert list(answer["probabilities"][0]) == ["false", "true"]


def test_a_class_weight_is_given_by_its_word(bench, weighed):
    """A weight changes the fit; an unknown word is refused with a similar one."""
    assert weighed["metrics"] != bench.run["metrics"]
    answer = bench.client.post(
        "/v1/runs", json=spec("customers", class_weight={"yes": 2})
    )
    (error,) = assert_problem(answer, 422, "invalid-spec")["errors"]
    assert error["pointer"] == "#/fit/class_weight/yes"
    assert "Yes" in error["hint"]


@pytest.mark.heavy
def test_a_validation_table_may_have_other_words(bench):
    """The booleans are equal, and so are the figures."""
    runs = [
        bench.train(spec("customers", validation_dataset=name, epochs=2))
        for name in ("customers", "flags", "numbers")
    ]
    assert [run["status"] for run in runs] == ["succeeded"] * 3
    assert runs[0]["metrics"] == runs[1]["metrics"] == runs[2]["metrics"]


def test_numeric_booleans_are_validated_by_words(bench):
    """The training table has 0 and 1, the validation table has No and Yes."""
    run = bench.train(spec("numbers", validation_dataset="customers", epochs=2))
    assert run["status"] == "succeeded", run["error"]
    assert answered(bench, "numbers")["predictions"] == [0, 1]


def test_categories_are_not_booleans(bench):
    """A validation table of categories is refused before the run is queued."""
    bad = spec("customers", validation_dataset="categories")
    answer = bench.client.post("/v1/runs", json=bad)
    assert (
        "is categorical"
        in assert_problem(answer, 422, "invalid-spec")["errors"][0]["detail"]
    )


def test_a_promotion_compares_words(bench, weighed):
    """Both versions are scored on rows with words."""
    url = "/v1/models/customers/aliases/live"
    first = bench.run["model_version"]
    assert bench.client.put(url, json={"version": first}).status_code == 200
    body = {"version": weighed["model_version"], "require": {"auc": ">= 0.9"}}
    assert bench.client.put(url, json=body).status_code == 200


def test_a_constant_target_is_reported_by_its_word(bench):
    """All rows of the validation table have `Yes`."""
    bench.upload("a,left\n" + "1.5,Yes\n" * 30, "all-yes")
    run = bench.train(spec("customers", validation_dataset="all-yes", epochs=2))
    traps = bench.client.get(f"/v1/runs/{run['id']}/report").json()["traps"]
    sentences = [trap["sentence"] for trap in traps if trap["kind"] == "constant_target"]
    assert any("'left' is 'Yes'" in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("table", "default", "other"),
    [
        ("customers", "Yes", "No"),
        pytest.param("flags", "true", "false", marks=pytest.mark.heavy),
        pytest.param("numbers", 1, 0, marks=pytest.mark.heavy),
        pytest.param("categories", "stayed", "gone", marks=pytest.mark.heavy),
    ],
)
def test_the_positive_class_can_be_chosen(bench, table, default, other):
    """It is in the spec and in the report; the answers name the same classes."""
    runs = {}
    for wanted in (None, default, other):
        run = runs[wanted] = bench.train(spec(table) | {"positive_class": wanted})
        assert run["status"] == "succeeded", run["error"]
        report = bench.client.get(f"/v1/runs/{run['id']}/report").json()
        figures = report["classification"]
        positive = str(other if wanted == other else default)
        assert figures["positive_class"] == positive
        assert [one["label"] for one in figures["curves"]] == [positive]
        assert [one["label"] for one in figures["classes"]][1] == positive
        assert report["metrics"]["roc_auc"] > 0.95
        assert str(run["spec"]["positive_class"]).lower() == positive.lower()
        negative, certain = answered(bench, table)["predictions"]
        assert str(negative).lower() == str(other).lower()
        assert str(certain).lower() == str(default).lower()
    assert runs[None]["metrics"] == runs[default]["metrics"] != runs[other]["metrics"]


@pytest.mark.heavy
def test_the_positive_class_holds_for_a_table_of_other_words(bench):
    """A validation table with other words for the same booleans has the same order."""
    given = {"positive_class": "No"}
    first, *others = (
        bench.train(spec("customers", validation_dataset=name, epochs=2) | given)
        for name in ("customers", "flags", "numbers")
    )
    assert first["status"] == "succeeded", first["error"]
    assert all(run["metrics"] == first["metrics"] for run in others)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"positive_class": "maybe"}, "it has ['No', 'Yes']"),
        ({"positive_class": "yes"}, "did you mean `Yes`?"),
        ({"positive_class": True}, "it has ['No', 'Yes']"),
        ({"positive_class": 1, "target": "a"}, "the task regression has no classes"),
    ],
)
def test_an_unknown_positive_class_is_refused(bench, changes, said):
    """With the classes of the target."""
    changes = {"compile": {}, **changes}
    answer = bench.client.post("/v1/runs", json=spec("customers") | changes)
    (error,) = assert_problem(answer, 422, "invalid-spec")["errors"]
    assert error["pointer"] == "#/positive_class"
    assert said in error["detail"] + error["hint"]


@pytest.mark.heavy
def test_versions_with_other_positive_classes_are_compared(bench):
    """Both figures are those of the reports, whichever class is encoded as 1."""
    runs = [
        bench.train(spec("customers", epochs=epochs) | {"positive_class": word})
        for word, epochs in (("Yes", 9), ("No", 1))
    ]
    better, worse = (run["model_version"] for run in runs)
    url = "/v1/models/customers/aliases/both"
    assert bench.client.put(url, json={"version": better}).status_code == 200
    body = {"version": worse, "require": {"log_loss": "<= current"}}
    assert_problem(bench.client.put(url, json=body), 409, "contract-broken")
    answer = bench.client.put(url, json=body | {"allow_new_contract": True})
    (error,) = assert_problem(answer, 409, "requirement-not-met")["errors"]
    said = error["detail"].split(" (95 %")[0]
    found = [float(word) for word in said.split() if word[:2] in ("0.", "1.")]
    reports = [
        bench.client.get(f"/v1/runs/{run['id']}/report").json()["metrics"]
        for run in reversed(runs)
    ]
    assert found == pytest.approx([one["log_loss"] for one in reports], rel=1e-4)
