"""POST /v1/datasets/preview: an upload that stores nothing."""

import gzip
import json

import pytest

from core.storage.scratch import scratch_root
from fitserve.scopes import Scope
from tests.problems import assert_problem
from tests.service.auth.keys import bearing, make_key

URL = "/v1/datasets/preview"
CSV = "day;price;code\n1/2/2024;1,5;NA\n3/2/2024;2,25;007\n"
TYPES = {"day": {"type": "datetime", "dayfirst": True}, "code": "text"}


def files_of(bench):
    """Return the files of the service, without its database and its log."""
    home = bench.settings.home
    return sorted(str(p) for p in home.rglob("*") if p.is_file() and "db" not in p.name)


@pytest.mark.parametrize("way", ["body", "gzip", "form"])
def test_a_preview_is_what_an_upload_would_be(client, way):
    """Columns, rows, parsing and warnings, by each way in."""
    params = {"types": json.dumps(TYPES), "null_values": ["2,25"]}
    if way == "form":
        found = client.post(URL, files={"file": ("t.csv", CSV)}, data=params)
        made = client.post("/v1/datasets", files={"file": ("t.csv", CSV)}, data=params)
    else:
        content = gzip.compress(CSV.encode()) if way == "gzip" else CSV.encode()
        found = client.post(URL, params=params, content=content)
        made = client.post("/v1/datasets", params=params, content=content)
    assert found.status_code == 200, found.text
    preview, dataset = found.json(), made.json()
    for key in ("columns", "suggested_target", "parsing", "warnings"):
        assert preview[key] == dataset[key]
    rows = client.get(f"/v1/datasets/{dataset['id']}/rows").json()
    assert preview["rows"] == rows
    assert rows["data"][0] == ["2024-02-01T00:00:00.000000", 1.5, "NA"]
    assert preview["is_complete"] is True


def test_nothing_is_stored(bench, client):
    """No dataset and no file, also after a refusal."""
    before = files_of(bench)
    assert client.post(URL, content=CSV).status_code == 200
    refused = client.post(URL, content="a,b\n1,2\n1,2,3\n")
    assert_problem(refused, 422, "invalid-table")
    given = {"types": json.dumps({"day": {"type": "numeric", "format": "%Y"}})}
    problem = assert_problem(
        client.post(URL, params=given, content=CSV), 422, "invalid-body"
    )
    assert problem["errors"][0]["pointer"] == "#/types/day/format"
    assert client.get("/v1/datasets").json()["items"] == []
    assert files_of(bench) == before
    assert list(scratch_root().iterdir()) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_first_mebibyte_of_a_large_file_is_read(client, encoding, end):
    """Whole lines, also if a cell with line ends is cut, in any encoding."""
    row = f'1,"ä line{end}of two, "'
    content = f"a,b{end}" + f"{row}{end}" * 100_000
    found = client.post(URL, content=content.encode(encoding))
    assert found.status_code == 200, found.text
    preview = found.json()
    assert preview["is_complete"] is False
    length = len(
        f"{row}{end}".encode(
            encoding.removesuffix("-be") + "-le" if "16" in encoding else encoding
        )
    )
    assert preview["rows"]["total"] == pytest.approx(1024 * 1024 / length, rel=0.01)
    assert len(preview["rows"]["data"]) == 20
    assert [column["name"] for column in preview["columns"]] == ["a", "b"]


def test_a_preview_needs_the_scope_of_an_upload(bench, client):
    """A key that may only read cannot make the service read files."""
    keys = {
        scope: bearing(make_key(bench, scopes=[scope]))
        for scope in (Scope.DATASETS_READ, Scope.DATASETS_WRITE)
    }
    answers = {s: client.post(URL, content=CSV, headers=key) for s, key in keys.items()}
    assert answers[Scope.DATASETS_READ].status_code == 403
    assert answers[Scope.DATASETS_WRITE].status_code == 200
