"""Tests of /v1/datasets with real files."""

import gzip
import io
import threading

import polars as pl
import pytest
from backports import zstd

from core.keys.caller import LOCAL
from fitserve.specs.run import RunCreate
from tests.conftest import bench_in
from tests.problems import assert_problem
from tests.servers import postgres_at_head, until_locked

CSV = "size,colour,sold,when,note\n1.5,red,yes,2024-01-02,a1\n2.5,blue,no,2024-01-03,a2\n,red,yes,,a3\n"


def test_columns_are_typed_and_profiled(upload):
    """Numbers, categories, booleans and times are recognised, and missing cells counted."""
    columns = {column["name"]: column for column in upload(CSV)["columns"]}
    types = {name: column["type"] for name, column in columns.items()}
    assert types == {
        "size": "numeric",
        "colour": "categorical",
        "sold": "boolean",
        "when": "datetime",
        "note": "categorical",
    }
    size = columns["size"]
    assert (size["missing"], size["min"], size["mean"], size["max"]) == (1, 1.5, 2.0, 2.5)
    assert columns["colour"]["top"][0] == {"value": "red", "count": 2}


def test_the_content_equals_the_upload(client, upload):
    """The digest is the sha256 of the upload."""
    import hashlib

    dataset = upload(CSV)
    content = client.get(f"/v1/datasets/{dataset['id']}/content").content
    assert content == CSV.encode()
    assert dataset["digest"] == "sha256:" + hashlib.sha256(content).hexdigest()


def test_rows_have_typed_values(client, upload):
    """Missing cells are null."""
    upload(CSV)
    rows = client.get("/v1/datasets/table/rows", params={"offset": 1, "limit": 2}).json()
    assert rows["total"] == 3
    assert rows["data"] == [
        [2.5, "blue", False, "2024-01-03T00:00:00.000000", "a2"],
        [None, "red", True, None, "a3"],
    ]


def test_multipart_and_gzip_are_the_same_upload(client):
    """A form part, a gzip body and a plain body have the same digest."""
    form = client.post("/v1/datasets", files={"file": ("t.csv", CSV)})
    packed = client.post(
        "/v1/datasets", params={"name": "packed"}, content=gzip.compress(CSV.encode())
    )
    assert form.status_code == packed.status_code == 201
    assert form.json()["digest"] == packed.json()["digest"]
    assert form.json()["name"] == "t"
    assert form.headers["location"] == f"/v1/datasets/{form.json()['id']}"


def test_a_name_points_at_its_newest_upload(client, upload):
    """Older uploads can be read by id."""
    first, second = upload(CSV), upload("a\n1\n2\n")
    assert client.get("/v1/datasets/table").json()["id"] == second["id"]
    assert client.get(f"/v1/datasets/{first['id']}").json() == first


def test_pages_hold_everything_once(client, upload):
    """Pages of two cover five uploads, newest first."""
    ids = [upload(f"a\n{i}\n")["id"] for i in range(5)]
    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/datasets", params=params).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen, reverse=True) == seen
    assert set(seen) == set(ids)
    assert len(seen) == 5


def test_a_deleted_dataset_is_not_found(client, upload, bench):
    """Its files are deleted."""
    dataset = upload(CSV)
    assert client.delete("/v1/datasets/table").status_code == 204
    assert_problem(client.get("/v1/datasets/table"), 404, "dataset-not-found")
    assert not list((bench.files / "datasets" / dataset["id"]).rglob("*.*"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a,b\n", "no values"),
        (b"a,b\n1,2\n3\n", "Line 3 has 1 cells"),
        (b"a,b\n1,2\n3,4,5\n", "Line 3 has 3 cells"),
        (b"a,b\n1,\x00\n", "NUL"),
        (b'a,b\n1,"x\n', "Line 2 cannot be read"),
        (b"\x1f\x8b\x00\x00", "gzip"),
    ],
)
def test_an_invalid_table_is_refused_with_a_reason(client, bench, body, message):
    """The 422 says what is wrong and where, and nothing is stored."""
    answer = client.post("/v1/datasets", params={"name": "x"}, content=body)
    problem = assert_problem(answer, 422, "invalid-table")
    assert message in problem["detail"]
    assert client.get("/v1/datasets").json()["items"] == []
    assert [p for p in bench.files.rglob("*") if p.is_file()] == []


def test_a_gzip_bomb_is_refused(client):
    """A body that unpacks to far more than its size is refused before it is unpacked."""
    bomb = gzip.compress(b"a\n" + b"1\n" * 30_000_000)
    answer = client.post("/v1/datasets", params={"name": "x"}, content=bomb)
    assert "times its size" in assert_problem(answer, 422, "invalid-table")["detail"]


@pytest.mark.parametrize("kind", ["parquet", "ipc", "ndjson"])
def test_files_with_types_are_uploaded_like_csvs(client, kind):
    """The bytes come back, with the name and the media type of the format."""
    frame = pl.DataFrame({"zip": ["02134", "02135"] * 20, "n": range(40)})
    file = io.BytesIO()
    getattr(frame, f"write_{kind}")(file)
    for content in (file.getvalue(), zstd.compress(file.getvalue())):
        sent = client.post("/v1/datasets?name=typed", content=content)
        assert sent.status_code == 201, sent.text
        types = [column["type"] for column in sent.json()["columns"]]
        assert types == ["categorical", "numeric"]
        found = client.get(f"/v1/datasets/{sent.json()['id']}/content")
        assert found.content == file.getvalue()
        assert "text/csv" not in found.headers["content-type"]
    refused = client.post("/v1/datasets?name=t&delimiter=%3B", content=file.getvalue())
    problem = assert_problem(refused, 422, "invalid-table")
    assert problem["errors"][0]["pointer"] == "#/delimiter"


def test_a_zstd_is_unpacked_within_the_limits(client):
    """Several frames are one file; a bomb and a damaged file are refused."""
    lines = CSV.encode().splitlines(keepends=True)
    frames = b"".join(map(zstd.compress, lines))
    answer = client.post("/v1/datasets?name=z", content=frames)
    assert (
        answer.json()["digest"]
        == client.post("/v1/datasets?name=p", content=CSV).json()["digest"]
    )
    bomb = zstd.compress(b"a\n" + b"1\n" * 30_000_000)
    for content, said in [
        (bomb, "times its size"),
        (frames[:-5], "too early"),
        (frames + b"rest", "damaged"),
    ]:
        refused = client.post("/v1/datasets?name=x", content=content)
        assert said in assert_problem(refused, 422, "invalid-table")["detail"]


def test_a_form_without_its_file_says_so(client):
    """The part must be called `file`."""
    answer = client.post("/v1/datasets", files={"data": ("t.csv", CSV)})
    assert "`file`" in assert_problem(answer, 422, "invalid-table")["detail"]


def test_a_dataset_is_not_deleted_while_a_run_is_created(tmp_path, broker_url):
    """On PostgreSQL the deletion waits for the run, and is then refused."""
    url = postgres_at_head()
    with bench_in(tmp_path / "home", broker_url, database_url=url) as bench:
        bench.upload("x,y\n" + "".join(f"{i},{i * 7 % 10}\n" for i in range(20)))
        runs, answers = bench.client.app.state.services.runs, []
        deletion = threading.Thread(
            target=lambda: answers.append(bench.client.delete("/v1/datasets/table"))
        )
        with bench.database.write() as session:
            spec = RunCreate.model_validate({"dataset": "table", "target": "y"})
            runs.create(session, LOCAL, runs.prepare(session, LOCAL, spec))
            deletion.start()
            until_locked(bench.database)  # the deletion waits before the run is committed
        deletion.join()
        assert_problem(answers[0], 409, "dataset-in-use")
        assert bench.client.get("/v1/datasets/table/rows").status_code == 200


@pytest.mark.parametrize("path", ["/v1/datasets/table/rows", "/v1/runs/validate"])
def test_a_missing_table_file_is_a_conflict(bench, path):
    """The file is deleted between reading its row and reading the file."""
    bench.upload("x,y\n" + "".join(f"{i},{i * 7 % 10}\n" for i in range(20)))
    for file in bench.files.rglob("*.parquet"):
        file.unlink()
    if path.endswith("rows"):
        answer = bench.client.get(path)
    else:
        answer = bench.client.post(path, json={"dataset": "table", "target": "y"})
    assert_problem(answer, 409, "dataset-not-ready")


@pytest.mark.parametrize("path", ["/v1/datasets?name=t", "/v1/datasets/preview"])
def test_a_csv_without_line_ends_is_refused_with_the_option_of_curl(client, path):
    """`curl -d @file` removes line ends, so that the rows become names of columns."""
    by_curl = {"Content-Type": "application/x-www-form-urlencoded"}
    joined = "a,b" + "1,2" * 3000
    problem = assert_problem(
        client.post(path, content=joined, headers=by_curl), 422, "invalid-table"
    )
    assert "it begins with 'a,b1,21,2" in problem["detail"]
    assert problem["detail"].endswith("use --data-binary, because -d removes line ends.")
    whole = "a,b\n" + "1,2\n" * 30
    assert client.post(path, content=whole, headers=by_curl).is_success
    one_object = client.post(path, content='{"a": 1}', headers=by_curl)
    assert "--data-binary" not in one_object.text
