"""Tests of PATCH /v1/datasets/{ref}, which renames all versions of a dataset."""

import pytest
from sqlalchemy import select, update

from core.datasets.tables import Dataset, Lineage
from fitserve.enums import DatasetStatus
from tests.problems import assert_problem

CSV = "a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(60))


@pytest.fixture
def rename(client):
    return lambda ref, name: client.patch(f"/v1/datasets/{ref}", json={"name": name})


def keys(bench):
    """Return the lineages of the service: names with their keys."""
    with bench.database.read() as session:
        return list(session.execute(select(Lineage.name, Lineage.key)))


def test_all_versions_get_the_name_and_keep_their_lineage(
    bench, client, upload, append, rename
):
    """Ids, numbers and held-out rows stay; the old name is not found, and is free."""
    first = upload(CSV, "houses")
    append("a,b\n99,1\n", "houses")
    ((_, key),) = keys(bench)
    read = rename("houses@1", "homes").json()
    assert read == first | {"name": "homes"}
    listed = client.get("/v1/datasets?name=homes").json()["items"]
    assert [item["version"] for item in listed] == [2, 1]
    assert client.get("/v1/datasets/homes@2").json() == listed[0]
    assert append("a,b\n100,2\n", "homes")["version"] == 3
    assert keys(bench) == [("homes", key)]
    assert_problem(client.get("/v1/datasets/houses"), 404, "dataset-not-found")
    assert upload(CSV, "houses")["version"] == 1


def test_a_dataset_that_a_run_names_keeps_its_name(client, upload, append, rename):
    """This also holds for a run on an earlier version, and for a cancelled one."""
    upload(CSV, "houses")
    run = client.post("/v1/runs", json={"dataset": "houses", "target": "b"}).json()
    append("a,b\n99,1\n", "houses")
    assert client.post(f"/v1/runs/{run['id']}/cancel").status_code == 202
    refused = assert_problem(rename("houses@2", "homes"), 409, "dataset-in-use")
    assert run["id"] in refused["detail"]
    upload(CSV, "others")
    spec = {"dataset": "houses", "target": "b", "fit": {"validation_dataset": "others"}}
    made = client.post("/v1/runs", json=spec)
    assert made.status_code in (201, 202), made.text
    assert_problem(rename("others", "more"), 409, "dataset-in-use")
    assert client.get("/v1/datasets/houses").json()["name"] == "houses"


def test_a_name_that_is_or_was_taken_is_refused(client, upload, rename):
    """The numbers of deleted versions are not given again."""
    upload(CSV, "houses")
    upload(CSV, "flats")
    assert (
        "flats"
        in assert_problem(rename("houses", "flats"), 409, "dataset-name-taken")["detail"]
    )
    client.delete("/v1/datasets/flats")
    assert_problem(rename("houses", "flats"), 409, "dataset-name-taken")
    assert rename("houses", "houses").json()["name"] == "houses"


def test_a_dataset_that_is_being_read_keeps_its_name(bench, upload, rename):
    """The worker that reads it looks for its lineage by the name."""
    upload(CSV, "houses")
    with bench.database.write() as session:
        session.execute(update(Dataset).values(status=DatasetStatus.PROCESSING))
    assert_problem(rename("houses", "homes"), 409, "dataset-not-ready")


@pytest.mark.parametrize("name", ["", "a/b", "houses@2", None])
def test_a_name_that_is_not_one_is_refused(upload, rename, name):
    """The error names the field."""
    upload(CSV, "houses")
    problem = assert_problem(rename("houses", name), 422, "invalid-body")
    assert problem["errors"][0]["pointer"] == "#/name"


def test_an_unknown_dataset_is_not_found(client, rename):
    """The body is checked first, then the name is looked up."""
    assert_problem(rename("nothing", "homes"), 404, "dataset-not-found")
    more = client.patch("/v1/datasets/nothing", json={"name": "a", "rows": 1})
    assert_problem(more, 422, "invalid-body")


def test_an_id_is_not_hidden_by_a_dataset_of_that_name(client, upload, rename):
    """The dataset with the id is found and deleted, not the one that was named so."""
    first, other = upload(CSV, "houses"), upload(CSV, "flats")
    assert rename("flats", first["id"]).status_code == 200
    assert client.get(f"/v1/datasets/{first['id']}").json()["name"] == "houses"
    assert client.delete(f"/v1/datasets/{first['id']}").status_code == 204
    assert client.get(f"/v1/datasets/{other['id']}").status_code == 200
