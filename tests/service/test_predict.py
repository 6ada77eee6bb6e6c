"""Predictions of a trained run by the native routes."""

import json

import pytest

from tests.conftest import bench_in
from tests.problems import assert_problem
from tests.service.small_model import ROW, ask

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def served(tmp_path_factory, broker_url, small_home):
    """Provide one trained model for tests that only predict."""
    home = tmp_path_factory.mktemp("served") / "home"
    with bench_in(home, broker_url, small_home) as bench:
        yield bench


@pytest.fixture
def client(served):
    return served.client


def test_three_ways_to_send_rows_have_one_answer(client):
    """The ways are objects, lists in feature order, and columns with data."""
    answers = [
        ask(client, instances=[ROW]),
        ask(client, instances=[[3, "a", True]]),
        ask(client, columns=["label", "x", "c"], data=[[True, 3, "a"]]),
        ask(client, "/v1/predict", model="m", instances=[ROW]),
        ask(client, "/v1/predict", model="m", version=1, instances=[ROW]),
        ask(client, "/v1/models/m/versions/1/predict", instances=[ROW]),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["model_version"] == 1


def test_cells_are_read_as_in_a_csv(client):
    """Texts may hold numbers, booleans and the words for missing."""
    same = [
        {"x": "3", "c": " a ", "label": "YES"},
        {"x": 3.0, "c": "a", "label": 1},
        {"x": "3.0", "c": "a", "label": "true", "y": "the target is ignored"},
    ]
    assert len(set(ask(client, instances=[ROW, *same]).json()["predictions"])) == 1
    missing = [{"x": v, "c": v, "label": v} for v in (None, "", "NA", "null")]
    assert len(set(ask(client, instances=missing).json()["predictions"])) == 1
    assert ask(client, instances=[{**ROW, "c": "never seen"}]).status_code == 200


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ({"x": "three", "c": "a", "label": True}, "x", "'three'"),
        ({"x": [3], "c": "a", "label": True}, "x", "expected a number"),
        ({"x": 10**400, "c": "a", "label": True}, "x", "expected a number"),
        ({"x": "1_0", "c": "a", "label": True}, "x", "'1_0'"),
        ({"x": 3, "c": {"a": 1}, "label": True}, "c", "expected text"),
        ({"x": 3, "c": "a", "label": "maybe"}, "label", "expected a boolean"),
        ({"x": 3, "c": "a"}, "label", "no value"),
        ({"x": 3, "c": "a", "lable": True}, "label", "no value"),
    ],
)
def test_an_invalid_cell_is_named(client, row, column, message):
    """The error has the row, the column, the value and what was expected."""
    content = json.dumps({"instances": [ROW, row]})
    answer = client.post("/v1/models/m/predict", content=content)
    if answer.status_code == 400:  # an integer of 400 digits is refused as JSON
        assert_problem(answer, 400, "bad-json")
        return
    error = assert_problem(answer, 422, "invalid-instances")["errors"][0]
    assert (error["row"], error["column"]) == (1, column)
    assert message in error["detail"]


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"instances": []},
        {"instances": {}},
        {"instances": [1]},
        {"instances": [ROW, [1, 2, 3]]},
        {"instances": [[1, 2]]},
        {"instances": [ROW], "columns": ["x"], "data": [[1]]},
        {"columns": ["x", "x"], "data": [[1, 2]]},
        {"columns": [["x"]], "data": [[1]]},
        {"columns": ["x", "c", "label"], "data": [[1, 2]]},
        {"columns": ["x", "c"], "data": [[1, "a"]]},
        {"instances": [ROW], "instanses": 1},
    ],
)
def test_a_body_without_valid_rows_is_refused(client, body):
    assert_problem(
        client.post("/v1/models/m/predict", json=body), 422, "invalid-instances"
    )


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"model": "mm"}, 404, "model-not-found"),
        ({"model": "m", "version": 9}, 404, "version-not-found"),
        ({"model": "m", "alias": "none"}, 404, "alias-not-found"),
        ({"model": "m", "version": 0}, 422, "invalid-instances"),
        ({"model": "m", "version": True}, 422, "invalid-instances"),
        ({"model": 3}, 422, "invalid-instances"),
        ({"model": "m", "version": 1, "alias": "x"}, 422, "invalid-instances"),
    ],
)
def test_a_missing_model_is_named(client, body, status, slug):
    """Model, version and alias have separate 404s."""
    answer = client.post("/v1/predict", json={**body, "instances": [ROW]})
    assert_problem(answer, status, slug)
