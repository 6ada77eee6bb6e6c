"""Tests of /v1/runs: refused, resolved and queued specs."""

import json

import pytest

from tests.problems import assert_problem

ROWS = "".join(f"{i},{i % 7},{'ab'[i % 2]},{2 * i + 1}\n" for i in range(40))
CSV = "x,z,c,y\n" + ROWS


@pytest.fixture
def table(upload):
    return upload(CSV)


def spec(**changes):
    return {"dataset": "table", "target": "y", **changes}


def layers(*given):
    return {"model": {"layers": list(given)}}


DENSE = {"type": "Dense", "units": 1}


@pytest.mark.parametrize(
    ("changes", "slug", "pointer", "message"),
    [
        ({"target": "yy"}, "invalid-spec", "#/target", "did you mean `y`?"),
        ({"model_name": "a/b"}, "invalid-body", "#/model_name", "'a/b'"),
        ({"compile": {"opertimizer": "adam"}}, "invalid-body", "#/compile/opertimizer", "did you mean `optimizer`?"),
        ({"compile": {"optimizer": "adm"}}, "invalid-body", "#/compile/optimizer", "did you mean `adam`?"),
        ({"compile": {"optimizer": {"type": "Adan"}}}, "invalid-body", "#/compile/optimizer", "did you mean `Adam`?"),
        ({"epoch": 3}, "invalid-body", "#/epoch", "did you mean `fit.epochs`?"),
        ({"learning_rate": 0.1}, "invalid-body", "#/learning_rate", "did you mean `compile.optimizer.learning_rate`?"),
        ({"num_seeds": 3}, "invalid-body", "#/num_seeds", "did you mean `fit.num_seeds`?"),
        ({"layers": []}, "invalid-body", "#/layers", "did you mean `model.layers`?"),
        ({"compile": {"loss": "maee"}}, "invalid-body", "#/compile/loss", "did you mean `mae`?"),
        ({"compile": {"loss": "binary_crossentropy"}}, "invalid-spec", "#/target", "needs two"),
        ({"compile": {"metrics": ["mse", "mse"]}}, "invalid-spec", "#/compile/metrics/1", "twice"),
        ({"compile": {"metrics": ["auc"]}}, "invalid-spec", "#/compile/metrics/0", "does not fit"),
        (layers({"type": "Dens", "units": 1}), "invalid-body", "#/model/layers/0", "did you mean `Dense`?"),
        (layers({"type": "Normalization"}), "invalid-body", "#/model/layers/0", "leave it out: inputs are standardised already"),
        (layers({"type": "Lambda"}), "invalid-body", "#/model/layers/0", "'Lambda'"),
        (layers({"type": "Dense", "units": 0}), "invalid-body", "#/model/layers/0/units", "got 0"),
        (layers({"type": "Dense", "units": 10**9}), "invalid-body", "#/model/layers/0/units", "got 1000000000"),
        (layers({"type": "Dense", "units": 60_000}, DENSE), "over-limit", "#/model/layers", "60,000"),
        (layers({"type": "Dense", "unitz": 3}), "invalid-body", "#/model/layers/0/unitz", "did you mean `units`?"),
        (layers({"type": "Dropout", "rate": 1.5}, DENSE), "invalid-body", "#/model/layers/0/rate", "got 1.5"),
        (layers({"type": "Dense", "units": 3}), "invalid-spec", "#/model/layers/0", "3 outputs"),
        (layers(*[DENSE] * 65), "over-limit", "#/model/layers", "65"),
        ({"fit": {"batch_size": 8_193}}, "over-limit", "#/fit/batch_size", "8,193 rows per batch"),
        ({"fit": {"epochs": 10_001}}, "over-limit", "#/fit/epochs", "10,001"),
        ({"fit": {"epochs": 0}}, "invalid-body", "#/fit/epochs", "got 0"),
        ({"fit": {"epochs": True}}, "invalid-body", "#/fit/epochs", "True"),
        ({"fit": {"early_stopping": {"monitor": "val_los"}}}, "invalid-spec", "#/fit/early_stopping/monitor", "did you mean `val_loss`?"),
        ({"fit": {"validation_split": 0, "early_stopping": {}}}, "invalid-spec", "#/fit/early_stopping/monitor", "val_loss"),
        ({"fit": {"class_weight": {"a": 2}}}, "invalid-spec", "#/fit/class_weight", "no classes"),
        ({"features": {"exclude": ["xx"]}}, "invalid-spec", "#/features/exclude/0", "did you mean"),
        ({"features": {"include": []}}, "invalid-spec", "#/features", "not among"),
        ({"task": "binary"}, "invalid-spec", "#/target", "40 distinct"),
        ({"split": {"by": "time"}}, "invalid-body", "#/split", "expected a `column` for a split by time"),
        ({"split": {"by": "time", "column": "zz"}}, "invalid-spec", "#/split/column", "no column 'zz'"),
        ({"split": {"by": "column", "column": "c"}}, "invalid-spec", "#/split/column", "'a', 'b'"),
        ({"split": {"test": 0.9}, "fit": {"validation_split": 0.2}}, "invalid-spec", "#/split/test", "no rows for training"),
        ({"features": {"types": {"c": "datetime"}}}, "invalid-spec", "#/features/types/c", "gives the column 'c' the type datetime, but its cells, such as 'a', are not"),
        ({"target": "c", "task": "regression"}, "invalid-spec", "#/target", "needs numbers"),
    ],
)  # fmt: skip
def test_a_spec_that_cannot_be_trained_is_refused_with_a_pointer(
    client, table, changes, slug, pointer, message
):
    """The error says what to change, and nothing is queued."""
    answer = client.post("/v1/runs", json=spec(**changes))
    errors = assert_problem(answer, 422, slug)["errors"]
    assert errors[0]["pointer"] == pointer
    assert message in errors[0]["detail"] + (errors[0].get("hint") or "")
    assert client.get("/v1/runs").json()["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b"", 400, "bad-json"),
        (b"{", 400, "bad-json"),
        (b'{"target": NaN}', 400, "bad-json"),
        (b'{"target": "y", "fit": {"seed": -Infinity}}', 400, "bad-json"),
        (b"[" * 100_000, 400, "bad-json"),
        (b"[1]", 422, "invalid-body"),
        (b'"text"', 422, "invalid-body"),
        (b"null", 422, "invalid-body"),
        (b'{"target": "y"}', 422, "invalid-spec"),
        (b'{"dataset": "nope", "target": "y"}', 404, "dataset-not-found"),
        (b'{"dataset": "table", "target": "\\ud800"}', 400, "bad-json"),
    ],
)
def test_a_body_that_is_not_a_spec_is_refused(client, table, body, status, slug):
    assert_problem(client.post("/v1/runs", content=body), status, slug)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_lacks_is_named(client, table, word):
    """A spec has no missing numbers; a text may hold the word."""
    body = f'{{"target": "y", "tags": {{"a": "NaN"}}, "fit": {{"epochs": {word}}}}}'
    answer = client.post("/v1/runs", content=body.encode())
    assert (
        f"{word} is not JSON; send null"
        in assert_problem(answer, 400, "bad-json")["detail"]
    )


def test_a_target_of_one_class_cannot_be_learned(client, upload):
    """The refusal has the number of distinct values."""
    upload("x,y\n1,a\n2,a\n3,a\n")
    errors = assert_problem(client.post("/v1/runs", json=spec()), 422, "invalid-spec")
    assert "1 distinct value" in errors["detail"]


def test_a_target_whose_values_occur_once_cannot_be_learned(client, upload):
    """Such a target is an id; tables of few rows are allowed for experiments."""
    upload("x,id\n" + "".join(f"{i},C{i % 35}\n" for i in range(40)), name="ids")
    answer = client.post("/v1/runs", json={"dataset": "ids", "target": "id"})
    problem = assert_problem(answer, 422, "invalid-spec")
    assert "35 classes in 40 rows" in problem["detail"]
    upload("x,c\n" + "".join(f"{i},C{i}\n" for i in range(9)), name="few")
    answer = client.post("/v1/runs/validate", json={"dataset": "few", "target": "c"})
    assert answer.status_code == 200, answer.text


def test_every_default_is_resolved_and_shown(client, table):
    """`validate` answers the whole spec, the layers and the counts, and queues nothing."""
    read = client.post("/v1/runs/validate", json=spec()).json()
    assert read["task"] == "regression"
    assert read["features"] == ["x", "z", "c"]
    assert read["num_rows"] == {"train": 36, "validation": 4}
    # the inputs of each of 16 members: x and z in 16 bins each, and the categories of c
    members, inputs = read["layers"][0]["output_shape"]
    assert (members, read["spec"]["preset"]) == (16, "default")
    assert read["layers"][3] == {
        "type": "Dropout", "output_shape": [16, 128], "params": 0,
    }  # fmt: skip
    hidden = (inputs + 1) * 128 + 129 * 128
    assert read["num_params"] == 16 * inputs + hidden + 16 * 129
    fit = read["spec"]["fit"]
    assert fit["batch_size"] == 18
    # a regression of few rows keeps its last epoch
    assert fit["early_stopping"] is None
    assert isinstance(fit["seed"], int)
    assert read["spec"]["compile"]["optimizer"]["learning_rate"] == 0.003
    assert client.get("/v1/runs").json()["items"] == []


def test_a_batch_may_be_larger_than_the_training_rows(client, table):
    """As in Keras each epoch is one step, and the stored spec keeps the given size."""
    answer = client.post(
        "/v1/runs/validate", json=spec(fit={"batch_size": 512, "epochs": 7})
    )
    assert answer.status_code == 200, answer.text
    read = answer.json()
    assert read["num_rows"]["train"] < 512
    assert read["spec"]["fit"]["batch_size"] == 512
    assert read["num_steps"] == 7
    assert any("each epoch is one batch of all rows" in w for w in read["warnings"])


def test_given_epochs_run_to_their_end_as_in_keras(client, table):
    """`early_stopping` has a default only if neither it nor `epochs` is given."""
    read = client.post("/v1/runs/validate", json=spec(fit={"epochs": 7})).json()
    assert read["spec"]["fit"]["early_stopping"] is None


def test_spec_and_table_can_be_sent_in_one_request(client):
    parts = {"spec": (None, json.dumps({"target": "y"})), "file": ("t.csv", CSV)}
    answer = client.post("/v1/runs", files=parts)
    assert answer.status_code == 202, answer.text
    run = answer.json()
    assert run["status"] == "queued"
    assert run["dataset"]["name"] == "t"
    assert answer.headers["location"] == f"/v1/runs/{run['id']}"


@pytest.mark.parametrize(
    ("given", "csv", "slug"),
    [
        ({"target": "q"}, CSV, "invalid-spec"),
        ({"target": "y"}, 'x,y\n1,2\n3"4,\n\x00', "invalid-table"),
        (
            {"target": "y", "fit": {"validation_dataset": "none"}},
            CSV,
            "dataset-not-found",
        ),
    ],
)
def test_a_refused_request_leaves_nothing(bench, client, given, csv, slug):
    """Neither the run, the dataset nor the file stays."""
    parts = {"spec": (None, json.dumps(given)), "file": ("t.csv", csv)}
    refused = client.post("/v1/runs", files=parts)
    assert refused.json()["type"] == f"/problems/{slug}", refused.text
    assert client.get("/v1/datasets").json()["items"] == []
    assert client.get("/v1/runs").json()["items"] == []
    assert [p for p in bench.files.rglob("*") if p.is_file()] == []


def test_a_queued_run_is_cancelled_at_once(client, table):
    """Its dataset may then be deleted."""
    run = client.post("/v1/runs", json=spec()).json()
    problem = assert_problem(client.delete("/v1/datasets/table"), 409, "dataset-in-use")
    assert run["id"] in problem["detail"]
    cancelled = client.post(f"/v1/runs/{run['id']}/cancel").json()
    assert (cancelled["status"], cancelled["stop_reason"]) == ("cancelled", "cancelled")
    assert client.delete("/v1/datasets/table").status_code == 204


def test_runs_are_found_by_status_model_tag_and_target(client, table):
    ids = {
        name: client.post(
            "/v1/runs", json=spec(model_name=name, tags={"k": name})
        ).json()["id"]
        for name in ("a", "b")
    }
    for query in ("model=b", "tag=k:b"):
        items = client.get(f"/v1/runs?{query}").json()["items"]
        assert [item["id"] for item in items] == [ids["b"]]
    for query in ("status=running", "target=x"):
        assert client.get(f"/v1/runs?{query}").json()["items"] == []
    assert len(client.get("/v1/runs?target=y").json()["items"]) == 2
    assert len(client.get("/v1/runs?status=queued").json()["items"]) == 2


def test_a_validation_dataset_with_other_classes_is_refused(client, upload):
    """The error names the classes that no training row has."""
    upload("x,y\n1,a\n2,b\n3,a\n4,b\n")
    upload("x,y\n1,a\n2,c\n", name="held")
    body = spec(fit={"validation_dataset": "held"})
    errors = assert_problem(client.post("/v1/runs", json=body), 422, "invalid-spec")
    assert "['c']" in errors["detail"]


@pytest.mark.parametrize(
    "path",
    ["/v1/datasets/%00", "/v1/runs?model=%00", "/v1/runs?tag=a%22b:c", "/v1/models/%ff"],
)
def test_odd_characters_in_a_url_are_4xx(client, path):
    assert 400 <= client.get(path).status_code < 500


def test_nul_in_a_body_is_refused(client, table):
    """PostgreSQL cannot store such a text, and SQLite would hide it."""
    answer = client.post("/v1/runs", json=spec(tags={"k": "a\0b"}))
    assert_problem(answer, 400, "bad-json")


def test_huge_integers_are_classes(client, upload):
    """The integers do not fit into an int64."""
    rows = "".join(f"{i},{(12345678901234567890, 3)[i % 2]}\n" for i in range(40))
    upload("x,y\n" + rows, name="huge")
    answer = client.post("/v1/runs/validate", json={"dataset": "huge", "target": "y"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["task"] == "binary"


def test_a_table_is_not_read_while_writers_wait(bench, monkeypatch):
    """A run is resolved before its write transaction begins."""
    from core.runs.service import RunService

    bench.upload("x,y\n" + "".join(f"{i},{i * 7 % 10}\n" for i in range(20)))
    resolve = RunService.resolve

    def resolve_beside_a_writer(*given):
        with bench.database.write() as session:
            session.connection()
        return resolve(*given)

    monkeypatch.setattr(RunService, "resolve", resolve_beside_a_writer)
    bench.post({"dataset": "table", "target": "y"})
