"""Test `client.datasets` against the fake server."""

import gzip
import json
import random

import polars as pl
import pytest

from fitserve import ApiError, ConnectionFailed, NotFound
from fitserve.client import DatasetNameTaken
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem


def test_an_upload_streams_the_bytes_and_reports_progress(wire, client, tmp_path):
    """Chunks are in order; the file name becomes a valid dataset name."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(), 201))
    path = tmp_path / "my wine.csv"
    path.write_bytes(b"alcohol\n" + b"9.5\n" * 100_000)
    progress = []
    read = client.datasets.upload(path, on_progress=lambda *both: progress.append(both))
    asked = wire.asked[0]
    assert (read.id, asked.body) == ("ds_1", path.read_bytes())
    assert asked.query == {"name": "my-wine", "filename": "my wine.csv"}
    assert asked.headers["transfer-encoding"] == "chunked"
    assert asked.headers["content-type"] == "text/csv"
    assert len(asked.headers["idempotency-key"]) == 32
    assert [sent for sent, _ in progress] == [*range(65_536, 400_008, 65_536), 400_008]
    assert {total for _, total in progress} == {400_008}


def test_a_gzip_is_sent_unchanged(wire, client, tmp_path):
    """The encoding is declared, and the name has no endings."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(), 201))
    path = tmp_path / "wine.csv.gz"
    path.write_bytes(gzip.compress(b"alcohol\n9.5\n"))
    client.datasets.upload(path)
    asked = wire.asked[0]
    assert asked.body == path.read_bytes()
    assert asked.headers["content-encoding"] == "gzip"
    assert asked.query["name"] == "wine"


def test_a_given_name_replaces_the_file_name(wire, client, tmp_path):
    """Plain text is not declared as gzip."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(), 201))
    path = tmp_path / "wine.csv"
    path.write_text("a\n1\n")
    client.datasets.upload(str(path), name="red")
    assert wire.asked[0].query["name"] == "red"
    assert "content-encoding" not in wire.asked[0].headers


def test_a_dataset_is_renamed(wire, client):
    """The new name is in the body; a refusal has its own class."""
    wire.answers("PATCH /v1/datasets/wine", Answer(bodies.dataset(name="red")))
    assert client.datasets.rename("wine", "red").name == "red"
    assert json.loads(wire.asked[0].body) == {"name": "red"}
    taken = problem(409, "dataset-name-taken", "another dataset is named 'red'")
    wire.answers("PATCH /v1/datasets/wine", taken)
    with pytest.raises(DatasetNameTaken):
        client.datasets.rename("wine", "red")


def test_rows_are_appended(wire, client, tmp_path):
    """A file or a frame is sent to the rows of the name, with a key of its own."""
    made = Answer(bodies.dataset(version=2, parent_id="ds_0", num_added=1), 201)
    wire.answers("POST /v1/datasets/wine/rows", made)
    path = tmp_path / "more.csv"
    path.write_bytes(b"alcohol\n9.5\n")
    read = client.datasets.append("wine", path, decimal=".")
    assert (read.version, read.parent_id, read.num_added) == (2, "ds_0", 1)
    client.datasets.append("wine", pl.DataFrame({"alcohol": [9.5], "kind": ["NA"]}))
    of_file, of_frame = wire.asked
    assert of_file.body == path.read_bytes()
    assert of_file.query == {"filename": "more.csv", "decimal": "."}
    assert len(of_file.headers["idempotency-key"]) == 32
    assert of_frame.body == b"alcohol,kind\n9.5,NA\n"
    assert "types" not in of_frame.query
    with pytest.raises(TypeError, match="append"):
        client.datasets.append("wine", {"alcohol": [1]})


@pytest.mark.parametrize("source", [{"a": [1]}, b"a\n1\n", [[1]]])
def test_an_invalid_source_is_refused(wire, client, source):
    """The error names the accepted and the received type; no request is sent."""
    message = f"path of a file, or a DataFrame.*got {type(source).__name__}"
    with pytest.raises(TypeError, match=message):
        client.datasets.upload(source, "x")
    assert wire.asked == []


def test_list_follows_the_cursor(wire, client):
    """A page is requested only when it is needed."""
    wire.answers(
        "GET /v1/datasets",
        bodies.page(bodies.dataset(id="ds_2"), cursor="ds_2"),
        bodies.page(bodies.dataset(id="ds_1")),
    )
    found = client.datasets.list(name="wine")
    assert next(found).id == "ds_2"
    assert len(wire.asked) == 1
    assert [dataset.id for dataset in found] == ["ds_1"]
    assert [asked.query for asked in wire.asked] == [
        {"name": "wine"},
        {"name": "wine", "cursor": "ds_2"},
    ]


def test_a_slice_of_rows_is_requested(wire, client):
    body = {"columns": ["a"], "data": [[1], [None]], "offset": 5, "total": 9}
    wire.answers("GET /v1/datasets/wine/rows", body)
    assert client.datasets.rows("wine", offset=5, limit=2).data == [[1], [None]]
    assert wire.asked[0].query == {"offset": "5", "limit": "2"}


def test_a_name_is_one_segment_of_the_path(wire, client):
    """A slash in a name is escaped."""
    with pytest.raises(Exception, match="no answer to GET /v1/datasets/a%2Fb"):
        client.datasets.get("a/b")


def test_content_is_saved(wire, client, tmp_path):
    """The bytes are written to the given path, and no other file remains."""
    wire.answers("GET /v1/datasets/wine/content", Answer(b"a\r\n1\r\n", type="text/csv"))
    saved = client.datasets.content("wine", tmp_path / "out.csv")
    assert saved.read_bytes() == b"a\r\n1\r\n"
    assert list(tmp_path.iterdir()) == [saved]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(b"a\n1", type="text/csv", is_cut=True), ConnectionFailed),
        (problem(404, "dataset-not-found", "Missing."), NotFound),
    ],
)
def test_a_download_that_fails_leaves_the_old_file(wire, client, tmp_path, answer, error):
    """An incomplete table is not kept."""
    wire.answers("GET /v1/datasets/wine/content", answer)
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(error):
        client.datasets.content("wine", path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_delete_returns_nothing(wire, client):
    wire.answers("DELETE /v1/datasets/wine", Answer(status=204))
    assert client.datasets.delete("wine") is None


def test_parsing_options_are_sent(wire, client, tmp_path):
    """Options are in the query; an unknown option is refused immediately."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(), 201))
    path = tmp_path / "wine.csv"
    path.write_bytes(b"alcohol\n9.5\n")
    client.datasets.upload(path, decimal=",", types={"a": "text"}, header=True)
    query = wire.asked[0].query
    assert (query["decimal"], query["types"], query["header"]) == (
        ",",
        '{"a": "text"}',
        "true",
    )
    with pytest.raises(TypeError, match="did you mean `decimal`"):
        client.datasets.upload(path, decimals=",")


def test_an_upload_returns_when_the_table_is_ready(wire, client, tmp_path):
    """The client polls a processing dataset, and raises its failure."""
    path = tmp_path / "wine.csv"
    path.write_bytes(b"alcohol\n9.5\n")
    problem = {
        "type": "/problems/invalid-table",
        "title": "Invalid table",
        "status": 422,
        "detail": "Line 3 has 1 cells.",
    }
    reading = bodies.dataset(status="processing", progress=0.4)
    failed = bodies.dataset(status="failed", error=problem)
    wire.answers("POST /v1/datasets", Answer(reading, 201))
    wire.answers("GET /v1/datasets/ds_1", bodies.dataset())
    progress = []
    assert client.datasets.upload(path, on_reading=progress.append).status == "ready"
    assert progress == [0.4]
    wire.answers("GET /v1/datasets/ds_1", failed)
    with pytest.raises(ApiError, match="Line 3"):
        client.datasets.upload(path)


def test_a_preview_sends_the_beginning_of_a_file(wire, client, tmp_path):
    """One byte more than a MiB; the rows become a table."""
    wire.answers("POST /v1/datasets/preview", bodies.preview())
    path = tmp_path / "wine.csv"
    path.write_bytes(b"alcohol\n" + b"9.5\n" * 1_000_000)
    types = {"alcohol": {"type": "numeric", "unit": "%"}}
    found = client.datasets.preview(path, types=types, decimal=None)
    assert found.table() == {"alcohol": [9.5]}
    (asked,) = wire.asked
    assert asked.body == path.read_bytes()[: 1024 * 1024 + 1]
    assert asked.query == {"types": json.dumps(types)}


def test_a_preview_sends_a_packed_file_whole(wire, client, tmp_path):
    """The service cannot unpack a part of it."""
    wire.answers("POST /v1/datasets/preview", bodies.preview())
    path = tmp_path / "wine.csv.gz"
    content = random.Random(7).randbytes(2_000_000)
    path.write_bytes(gzip.compress(content))
    client.datasets.preview(path)
    assert wire.asked[0].body == path.read_bytes()


def test_a_preview_has_the_options_of_an_upload(wire, client):
    """Unknown options and sources are refused before a request."""
    with pytest.raises(TypeError, match="preview\\(\\) has no option 'delimeter'"):
        client.datasets.preview("wine.csv", delimeter=";")
    with pytest.raises(TypeError, match="path of a file"):
        client.datasets.preview([[1]])
    assert wire.asked == []
