"""Appends that are refused: which cell, and what to do; nothing is stored."""

import json

import pytest

from tests.problems import assert_problem
from tests.service.test_appends import FIRST, FRAME, SECOND, files_in, parquet


@pytest.fixture
def refused(client):
    """Return a function that appends a body, and returns the problem."""

    def refused(body, status=422, name="table", **options):
        before = client.get("/v1/datasets").json()["items"]
        answer = client.post(f"/v1/datasets/{name}/rows", params=options, content=body)
        assert client.get("/v1/datasets").json()["items"] == before
        slug = {422: "invalid-table", 404: "dataset-not-found"}.get(status)
        return assert_problem(answer, status, slug or "dataset-not-ready")

    return refused


MISFITS = [
    ("csv", "size,colour\n1,red\nlarge,blue\nhuge,red\n"),
    ("json_lines", '{"size":"1"}\n{"size":"large"}\n{"size":"huge"}\n'),
]


@pytest.mark.parametrize(("kind", "body"), MISFITS)
def test_cells_of_another_type_are_refused(bench, upload, refused, kind, body):
    """The problem names row, column and cell, and what to do; nothing is stored."""
    upload(FIRST)
    before = files_in(bench)
    problem = refused(body)
    assert "Row 2, column 'size': 'large' is not a number" in problem["detail"]
    assert "2 cells" in problem["detail"]
    assert "`decimal`" in problem["detail"]
    (error,) = problem["errors"]
    assert (error["row"], error["column"]) == (1, "size")
    assert error["pointer"] == "#/rows/1/size"
    assert files_in(bench) == before


@pytest.mark.parametrize("given", ["numeric", {"type": "numeric", "decimal": ","}])
def test_cells_that_do_not_fit_a_given_notation_are_refused(
    upload, append, refused, given
):
    """An option with the notation of a column does not make other cells missing."""
    upload(FIRST)
    types = json.dumps({"size": given})
    problem = refused("size;colour\n1;red\nlarge;blue\n", types=types)
    assert "Row 2, column 'size': 'large' is not a number" in problem["detail"]
    assert append("size;colour\n1;red\n2;blue\n", types=types)["num_rows"] == 22


def test_a_class_that_does_not_fit_is_refused_with_its_row(upload, refused):
    upload(FIRST)
    (error,) = refused("sold\nyes\nperhaps\n")["errors"]
    assert (error["pointer"], error["row"]) == ("#/rows/1/sold", 1)
    (error,) = refused("sold\nperhaps\nmaybe\n")["errors"]
    assert (error["pointer"], error["row"]) == ("#/rows/0/sold", 0)


def test_a_misfit_far_below_is_refused(upload, refused):
    """The row is after the rows from which the types are planned."""
    upload(FIRST)
    body = "size,when\n" + "1,2024-01-01\n" * 6_000 + "2,yesterday\n"
    problem = refused(body)
    assert "Row 6,001, column 'when': 'yesterday'" in problem["detail"] or (
        "Row 6001, column 'when': 'yesterday'" in problem["detail"]
    )


def test_known_strays_are_missing_as_before(client, upload, append, refused):
    """A word that the upload counted as missing is missing in an append; others are not."""
    rows = "".join(f"{i}\n" for i in range(40))
    upload("n,m\n" + rows.replace("\n", ",1\n") + "sold out,1\n")
    second = append("n,m\nsold out,2\n5,2\n")
    assert second["columns"][0]["missing"] == 2
    assert "'closed' is not a number" in refused("n,m\nclosed,2\n")["detail"]
    for options in (
        {"decimal": ","},
        {"types": '{"n":{"type":"numeric","decimal":","}}'},
    ):
        third = append("n;m\nsold out;2\n5,5;2\n", **options)
        assert third["columns"][0]["missing"] == second["columns"][0]["missing"] + 1
        second = third
        detail = refused("n;m\nclosed;2\n5,5;2\n", **options)["detail"]
        assert "'closed' is not a number" in detail


REFUSED = {
    "no common column": ("a,b\n1,2\n", {}, "no column of 'table@1'"),
    "only a header": ("size,colour\n", {}, "no values"),
    "empty": ("", {}, "empty"),
    "another type": (SECOND, {"types": '{"size":"categorical"}'}, "it is numeric"),
    "headerless": ("1,red\n2,blue\n", {"header": False}, "no column of"),
    "unknown type": (SECOND, {"types": '{"rooms":"numeric"}'}, "unknown column"),
    "decimal comma": ("size;colour\n1,5;red\n", {}, "'1,5' is not a number"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_cannot_be_appended_is_refused(bench, upload, refused, kind):
    upload(FIRST)
    before = files_in(bench)
    body, options, said = REFUSED[kind]
    assert said in refused(body, **options)["detail"]
    assert files_in(bench) == before


def test_an_empty_table_of_types_is_refused(upload, refused):
    upload(FIRST)
    assert "no rows" in refused(parquet(FRAME.clear()))["detail"]


def test_an_append_needs_a_dataset(client, refused):
    assert "There is no dataset 'tabel'" in refused(SECOND, 404, "tabel")["detail"]
    answer = client.post("/v1/datasets/table@1/rows", content=SECOND)
    assert answer.status_code == 422
