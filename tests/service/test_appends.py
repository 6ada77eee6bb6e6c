"""Tests of POST /v1/datasets/{name}/rows with real files."""

import gzip
import io
import json
import threading

import polars as pl
import pytest

from tests.problems import assert_problem

FIRST = "size,colour,sold,when\n" + "".join(
    f"{i}.5,{('red', 'blue')[i % 2]},{('yes', 'no')[i % 3 > 0]},2024-01-{i + 1:02}\n"
    for i in range(20)
)
SECOND = "when,colour,size,sold\n2024-02-01,red,7.25,no\n2024-02-02,blue,8,yes\n"
ADDED = [[7.25, "red", False], [8.0, "blue", True]]


def rows_of(client, ref, **page):
    return client.get(f"/v1/datasets/{ref}/rows", params={"limit": 1000, **page}).json()


def files_in(bench):
    return sorted(bench.storage.list("datasets"))


def test_an_append_is_the_next_version(client, upload, append):
    """The version has the earlier rows, then the new ones; its columns may be in another order."""
    first = upload(FIRST)
    assert (first["version"], first["parent_id"], first["num_added"]) == (1, None, None)
    second = append(SECOND)
    assert (second["version"], second["parent_id"]) == (2, first["id"])
    assert (second["num_rows"], second["num_added"]) == (22, 2)
    assert second["warnings"] == []
    old, new = rows_of(client, "table@1"), rows_of(client, "table")
    assert (old["total"], new["total"]) == (20, 22)
    assert new["data"][:20] == old["data"]
    assert new["columns"] == ["size", "colour", "sold", "when"]
    assert [row[:3] for row in new["data"][20:]] == ADDED
    # a page across two files
    assert rows_of(client, "table", offset=19, limit=2)["data"] == new["data"][19:21]
    assert client.get("/v1/datasets/table@2").json() == second
    listed = client.get("/v1/datasets?name=table").json()["items"]
    assert [item["version"] for item in listed] == [2, 1]


def test_the_profile_is_that_of_all_rows(client, upload, append):
    """Statistics and types equal those of one upload of all rows."""
    upload(FIRST)
    second = append(SECOND)
    lines = "7.25,red,no,2024-02-01\n8,blue,yes,2024-02-02\n"
    whole = upload(FIRST + lines, "whole")
    assert second["columns"] == whole["columns"]
    assert rows_of(client, "table")["data"] == rows_of(client, "whole")["data"]


def parquet(frame):
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def arrow(frame):
    file = io.BytesIO()
    frame.write_ipc(file)
    return file.getvalue()


FRAME = pl.DataFrame(
    {
        "size": [7.25, 8],
        "colour": ["red", "blue"],
        "sold": [False, True],
        "when": ["2024-02-01", "2024-02-02"],
    }
)
FORMATS = {
    "csv": (FRAME.write_csv().encode(), {}),
    "own layout": (
        b"colour;size;sold;when\nred;7,25;F;2024-02-01\nblue;8;T;2024-02-02\n",
        {"decimal": ","},
    ),
    "no header": (
        b"7.25,red,no,2024-02-01\n8,blue,yes,2024-02-02\n",
        {"header": False},
    ),
    "gzip": (gzip.compress(SECOND.encode()), {}),
    "parquet": (parquet(FRAME), {}),
    "arrow": (arrow(FRAME), {}),
    "json_lines": (FRAME.write_ndjson().encode(), {}),
    "own notation": (
        SECOND.replace("2024-02-01", "1.2.2024").replace("2024-02-02", "2.2.2024"),
        {"types": json.dumps({"when": {"type": "datetime", "format": "%d.%m.%Y"}})},
    ),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_appended(client, upload, append, kind):
    """The layout of the file does not matter; the columns keep their types."""
    first = upload(FIRST)
    body, options = FORMATS[kind]
    second = append(body, **options)
    kept = [(c["name"], c["type"], c["format"]) for c in first["columns"]]
    assert [(c["name"], c["type"], c["format"]) for c in second["columns"]] == kept
    new = rows_of(client, "table")["data"][20:]
    assert [row[:3] for row in new] == ADDED
    assert [row[3][:10] for row in new] == ["2024-02-01", "2024-02-02"]


def test_a_form_is_appended(client, upload):
    """The path names the dataset, and fields of the form give options."""
    upload(FIRST)
    form = {"file": ("more.csv", SECOND.replace(",", ";"))}
    answer = client.post(
        "/v1/datasets/table/rows", files=form, data={"delimiter": ";", "name": "other"}
    )
    assert answer.status_code == 201, answer.text
    assert (answer.json()["name"], answer.json()["filename"]) == ("table", "more.csv")


def test_types_are_not_detected_again(client, upload, append):
    """Codes stay categories, and numbers of one file do not become booleans or years."""
    upload("zip,flag,n\n" + "01,yes,1\n02,no,2\n" * 20)
    second = append("n,flag,zip\n3,1,7\n")
    assert [c["type"] for c in second["columns"]] == ["categorical", "boolean", "numeric"]
    assert rows_of(client, "table")["data"][-1] == ["7", True, 3.0]


def test_each_difference_is_a_sentence(client, upload, append):
    """New and absent columns are null elsewhere, and new categories are counted."""
    upload(FIRST)
    second = append(
        "size,colour,when,rooms\n1,green,2024-03-01,3\n2,green,2024-03-02,4\n3,red,2024-03-03,5\n"
    )
    assert second["warnings"] == [
        "the column 'sold': missing in rows 21 to 23: their file lacks the column",
        "the column 'colour': 1 category occurs first in rows 21 to 23 (2 cells), such as 'green'",
        "the column 'rooms': missing in rows 1 to 20: they are earlier than the column",
    ]  # fmt: skip
    assert second["warning_kinds"] == ["appended"] * 3
    columns = {c["name"]: c for c in second["columns"]}
    assert [columns[n]["missing"] for n in ("sold", "rooms")] == [3, 20]
    assert columns["rooms"]["warnings"] == [
        "missing in rows 1 to 20: they are earlier than the column"
    ]
    assert columns["rooms"]["warning_kinds"] == ["appended"]
    data = rows_of(client, "table")
    assert data["columns"] == ["size", "colour", "sold", "when", "rooms"]
    assert data["data"][0][4] is None
    assert data["data"][20][2] is None
    third = append("rooms\n9\n")
    assert third["num_rows"] == 24
    assert rows_of(client, "table")["data"][-1] == [None, None, None, None, 9.0]
    # the first note about `sold` stays
    sold = {c["name"]: c for c in third["columns"]}["sold"]
    assert [text[:23] for text in sold["warnings"]] == [
        "missing in rows 21 to 2",
        "missing in rows 24 to 2",
    ]
    assert sold["warning_kinds"] == ["appended", "appended"]


def repeated(read):
    return [text for text in read["warnings"] if "appended rows" in text]


def test_a_misspelt_column_is_a_warning_with_the_name_that_was_meant(upload, append):
    """A new column with a name of its own, or no absent column, gets only notes."""
    upload("hours,county\n1,a\n2,b\n")
    found = append("houres,county\n3,a\n")
    assert found["warning_kinds"][0] == "reading"
    assert found["warnings"][0] == (
        "the file has the new column 'houres' and lacks 'hours': did you mean `hours`? If "
        "so, delete this version, rename the column in the file, and append the file again"
    )
    other = append("hours,county,weather\n3,a,dry\n")
    assert "reading" not in other["warning_kinds"]


def test_rows_that_are_there_already_are_counted(upload, append):
    """Rows are found in any earlier block, whatever the order of the columns."""
    upload(FIRST)
    assert repeated(append(SECOND)) == []
    head, *lines = SECOND.splitlines()
    new = "2024-03-01,red,9,no"
    both = append("\n".join([head, *lines, new]) + "\n")
    (warning,) = repeated(both)
    assert warning == (
        "2 of the 3 appended rows are already in table@2 and count twice; a random split "
        "keeps equal rows together. If they were appended by mistake, delete this version"
    )
    assert both["warning_kinds"] == ["repeated"]
    few = append("\n".join([head, lines[0], *[new.replace("9", "8.5")] * 2]) + "\n")
    assert ("1 of the 3" in repeated(few)[0], few["warning_kinds"]) == (
        True,
        ["appended"],
    )
    assert "20 of the 20 appended rows" in repeated(append(FIRST))[0]
    assert (
        "1 of the 1 appended rows is already in table@5 and counts twice"
        in (repeated(append(f"{head}\n{new}\n"))[0])
    )


def test_ids_do_not_make_a_row_new(upload, append):
    """The warning names the columns that are not compared."""
    lines = [f"{i * 2.5},{i}" for i in range(30)]

    def body(start):
        rows = [f"id{start + i:03},{line}" for i, line in enumerate(lines)]
        return "\n".join(["customer_id,x,y", *rows]) + "\n"

    upload(body(0))
    (warning,) = repeated(append(body(500)))
    assert "30 of the 30 appended rows" in warning
    assert "table@1 (compared without 'customer_id') and" in warning


def test_a_table_whose_own_rows_repeat_gets_no_warning_of_repeated_rows(upload, append):
    few = "a,b\n" + "red,yes\nred,no\nblue,yes\n" * 20
    upload(few)
    assert repeated(append(few)) == []


def test_a_column_without_values_gets_its_type_from_an_append(client, upload, append):
    upload("a,b\n1,\n2,\n")
    second = append("a,b\n3,x\n4,y\n")
    assert [c["type"] for c in second["columns"]] == ["numeric", "categorical"]
    assert rows_of(client, "table")["data"] == [[1, None], [2, None], [3, "x"], [4, "y"]]
    third = append("b,a\nz,5\n")
    assert third["columns"][1]["missing"] == 2


def test_a_fresh_upload_is_the_next_version_without_earlier_rows(client, upload, append):
    upload(FIRST)
    append(SECOND)
    third = upload(FIRST)
    assert (third["version"], third["parent_id"], third["num_rows"]) == (3, None, 20)
    assert append(SECOND)["version"] == 4


def test_contents_of_each_file_can_be_downloaded(client, upload, append):
    """The content of a version is the file that it added; `block` names another."""
    upload(FIRST)
    append(SECOND)
    url = "/v1/datasets/table/content"
    assert client.get(url).text == SECOND
    assert client.get(url, params={"block": 1}).text == FIRST
    assert_problem(client.get(url, params={"block": 3}), 400, "invalid-query")


def test_deleting_a_version_keeps_rows_that_other_versions_have(bench, upload, append):
    """Its files are deleted with the last version that has them, and not by the janitor."""
    from core.orphan_files import remove_orphan_files

    client = bench.client
    upload(FIRST)
    append(SECOND)
    append(SECOND.replace("2024-02", "2024-03"))
    kept = files_in(bench)
    for ref in ("table@1", "table@2"):
        assert client.delete(f"/v1/datasets/{ref}").status_code == 204
        with bench.database.read() as session:
            assert remove_orphan_files(bench.storage, session, 0.0) == []
        assert files_in(bench) == kept
        assert rows_of(client, "table")["total"] == 24
    assert client.get("/v1/datasets/table@1").status_code == 404
    # the numbers of deleted versions are not given again
    assert append(SECOND)["version"] == 4
    for ref in ("table@3", "table@4"):
        client.delete(f"/v1/datasets/{ref}")
    assert files_in(bench) == []


def test_deleting_the_newest_version_keeps_the_earlier_one(bench, upload, append):
    first = upload(FIRST)
    kept = files_in(bench)
    append(SECOND)
    assert bench.client.delete("/v1/datasets/table").status_code == 204
    assert files_in(bench) == kept
    assert bench.client.get("/v1/datasets/table").json()["id"] == first["id"]
    assert append(SECOND)["parent_id"] == first["id"]


def test_appends_at_once_lose_no_row(bench, upload):
    """Each append becomes a version of its own, which extends the one before."""
    upload("k,v\n0,a\n")
    answers = []

    def send(i):
        body = f"k,v\n{i},a\n{i},b\n"
        answers.append(bench.client.post("/v1/datasets/table/rows", content=body))

    threads = [threading.Thread(target=send, args=[i]) for i in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 8
    assert sorted(answer.json()["version"] for answer in answers) == [*range(2, 10)]
    newest = rows_of(bench.client, "table@9")
    assert newest["total"] == 17
    held = [row[0] for row in newest["data"]]
    assert {i: held.count(i) for i in set(held)} == {
        0: 1,
        **dict.fromkeys(range(1, 9), 2),
    }
    # every earlier version is a beginning of the newest
    for number in range(1, 9):
        data = rows_of(bench.client, f"table@{number}")["data"]
        assert data == newest["data"][: len(data)]


def test_stored_bytes_count_each_file_once(bench, upload, append):
    """The file of a deleted version counts while a later version has its rows."""
    from core.datasets.repository import DatasetRepository

    def stored():
        with bench.database.read() as session:
            return DatasetRepository(session, "default").stored_bytes()

    upload(FIRST)
    append(SECOND)
    assert stored() == len(FIRST) + len(SECOND)
    bench.client.delete("/v1/datasets/table@1")
    assert stored() == len(FIRST) + len(SECOND)
    bench.client.delete("/v1/datasets/table@2")
    assert stored() == 0
