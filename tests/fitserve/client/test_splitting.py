"""Test how files with types are cut into parts."""

import datetime as dt
import gzip
import io
import json
import sys

import polars as pl
import pytest
from backports import zstd
from python_calamine import CalamineWorkbook

from fitserve.client import Client, files
from fitserve.client.errors import TooLarge
from fitserve.client.parts import PartSize
from fitserve.client.splitting import fits_one_part, split
from fitserve.client.xlsx import xlsx_of
from tests.fitserve.client.wire import problem
from tests.workbooks import ods, xlsx

FRAME = pl.DataFrame({"n": range(40), "town": ["Köln", None] * 20, "day": [dt.date(2024, 1, 1)] * 40})  # fmt: skip


def parts_of(path, size, parsing=None, **given):
    found = split(path, given, size)
    parts, part = found
    contents = []
    while part is not None:
        contents.append(part)
        part = parts.next(parsing or {})
    parts.close()
    return contents


@pytest.mark.parametrize("kind", ["parquet", "ipc", "ipc_stream"])
def test_the_parts_of_a_frame_are_its_rows(tmp_path, kind):
    """Each part is a file of the same format."""
    path = tmp_path / "rows"
    getattr(FRAME, f"write_{kind}")(path)
    read = getattr(pl, {"parquet": "read_parquet"}.get(kind, f"read_{kind}"))
    assert not fits_one_part(path, PartSize(10, 9))
    for size in (PartSize(10**6, 9), PartSize(FRAME.estimated_size() // 4, 10**6)):
        frames = [read(part.content) for part in parts_of(path, size)]
        assert len(frames) > 3
        assert pl.concat(frames).equals(FRAME)


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress, zstd.compress])
def test_every_part_of_json_lines_has_every_key(tmp_path, pack):
    """Line numbers are moved by the lines of the parts before."""
    lines = [
        "\ufeff{}",
        "",
        '{"a": 1}',
        '{"b": "x"} ',
        '{"a": 2}',
        "no object",
        '{"a": 3}',
    ]
    path = tmp_path / "rows"
    path.write_bytes(pack("\r\n".join(lines).encode()))
    first, second, third, last = parts_of(path, PartSize(10**6, 2))
    assert json.loads(first.content.splitlines()[0].decode("utf-8-sig")) == {
        "a": None,
        "b": None,
    }
    assert second.content == b'{"a": 1}\r\n{"b": "x"} \r\n'
    assert third.content.splitlines() == [b'{"a": 2, "b": null}', b"no object"]
    assert [part.lines_moved for part in (first, second, third, last)] == [0, 2, 4, 6]
    assert json.loads(last.content) == {"a": 3, "b": None}


@pytest.mark.parametrize("make", [xlsx, ods])
def test_the_parts_of_a_sheet_are_workbooks(tmp_path, make):
    """Each part after the first begins with the names of the columns."""
    rows = [[f"t{i}", i / 4, None if i % 5 else True] for i in range(10)]
    sheet = [["Prices", None, None], ["town", "size", "on"], *rows]
    path = tmp_path / "book"
    path.write_bytes(make({"empty": [], "a & b": sheet}))
    parsing = {"header": True, "skipped_rows": 1, "unit_lines": 0}
    found = []
    for part in parts_of(path, PartSize(10**6, 5), parsing):
        book = CalamineWorkbook.from_filelike(io.BytesIO(part.content))
        found.append(book.get_sheet_by_name("a & b").to_python())
    assert [len(rows) for rows in found] == [5, 6, 3]
    assert {tuple(rows[0]) for rows in found[1:]} == {("town", "size", "on")}
    cells = [row for i, rows in enumerate(found) for row in rows[1 if i else 2 :]]
    assert cells == [[t, n, "" if on is None else on] for t, n, on in rows]


def test_the_cells_of_a_part_keep_their_types():
    rows = [
        ["a <b>", "é\n\t", ""],
        [1.5, dt.timedelta(hours=30), dt.time(3, 4, 5)],
        [0.0, True, dt.datetime.fromisoformat("2024-01-02T03:04:05.678")],
        [dt.date(2020, 2, 29), "", 1e300],
        [*[""] * 701, "last"],
    ]
    book = CalamineWorkbook.from_filelike(io.BytesIO(xlsx_of("s", rows)))
    found = list(book.get_sheet_by_index(0).iter_rows())
    assert [row[: len(given)] for row, given in zip(found, rows, strict=True)] == rows


def test_a_damaged_file_is_sent_whole(tmp_path):
    """The service says what is wrong with it."""
    path = tmp_path / "rows"
    for content in (
        b"PAR1\0 no parquet",
        b"PK\x03\x04 no zip",
        gzip.compress(b"a\n1")[:-9],
    ):
        path.write_bytes(content)
        assert split(path, {}, PartSize(4, 1)) is None


@pytest.mark.parametrize(("content", "missing", "package"), [
    (b"PAR1\0", "polars", "polars"),
    (b"PK\x03\x04", "python_calamine", "python-calamine"),
    (b"\x28\xb5\x2f\xfd", "backports.zstd", "backports-zstd"),
])  # fmt: skip
def test_a_file_that_is_too_large_names_the_missing_library(
    wire, tmp_path, monkeypatch, content, missing, package
):
    """Without the library, the file is sent whole, and the service refuses it."""
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setattr(files, "SIZE", PartSize(2, 1))
    wire.answers("POST /v1/predict", problem(413, "too-large", "The body is too large."))
    path = tmp_path / "rows"
    path.write_bytes(content)
    with Client(wire.url) as client, pytest.raises(TooLarge) as caught:
        client.predict_file("m", path)
    assert (
        f"too large. To send the file in parts, {package} is missing; pip install {package}."
        in str(caught.value)
    )


def test_a_file_that_the_service_refuses_as_too_large_is_sent_in_parts(wire, tmp_path):
    """A small file may have more rows than a request may have."""
    path = tmp_path / "rows"
    FRAME.write_parquet(path)
    answer = {"model_name": "m", "model_version": 1, "predictions": [1.0] * 40}
    refused = problem(413, "too-large", "Too many rows.")
    wire.answers("POST /v1/predict", refused, answer)
    with Client(wire.url) as client:
        assert client.predict_file("m", path).predictions == answer["predictions"]
    assert pl.read_parquet(wire.asked[1].body).equals(FRAME)
