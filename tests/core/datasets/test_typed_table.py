"""A type that a run gives reads a column as if the upload had given that type."""

import gzip
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from core.columns.facts import Wanted
from core.datasets.ingest import Ingest, Reader
from core.datasets.profile import profile
from core.datasets.raw_table import SMALL_CELLS
from core.datasets.reading import read_csv
from core.datasets.service import DatasetService, Upload
from core.datasets.tables import Dataset
from core.datasets.typed_table import open_table
from core.errors import DatasetNotReady, InvalidTable
from core.keys.caller import LOCAL
from core.queue import Queue, make_celery
from core.settings import Limits, RunTimes, Settings
from core.storage import open_storage, scratch
from core.storage.scratch import scratch_root
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnFormat, ColumnRead
from fitserve.specs.parsing import ParsingSpec
from tests.core.datasets.csv_files import FILES, rows_of, written
from tests.stored import store

TYPES = {"code": "categorical", "share": "text", "bit": "boolean"}
FITS = {
    "numeric": {"n", "code", "share", "float", "yn", "bit", "cash", "note", "gaps", "none"},
    "boolean": {"n", "code", "float", "yn", "bit", "note", "none"},
    "datetime": {"day", "german", "none"},
    "categorical": {"n", "code", "share", "float", "day", "german", "yn", "bit", "cash", "word", "note", "gaps", "none"},
    "text": {"n", "code", "share", "float", "day", "german", "yn", "bit", "cash", "word", "note", "gaps", "none"},
}  # fmt: skip
"""The columns that hold at least one cell of each type."""


@dataclass
class Shelf:
    """A storage and its folder."""

    folder: Path
    num_read: int = 0

    def __post_init__(self) -> None:
        self.storage = open_storage(Settings(home=self.folder))

    def dataset(self, content: str | bytes, **given: Any) -> Dataset:
        """Read a CSV as an upload does."""
        self.num_read += 1
        source = f"datasets/{self.num_read}/content.csv"
        table = f"datasets/{self.num_read}/table.parquet"
        store(self.storage, source, content)
        options = ParsingSpec(**given)
        with scratch() as folder, self.storage.local_copy(source) as path:
            reading = read_csv(path, folder, options, 2_000)
            made = folder / "table.parquet"
            columns = profile(made, reading.columns, reading.stats)
            self.storage.put(made, table)
        return Dataset(
            name="table", options=options, columns=columns, content_key=source,
            table_key=table, num_rows=reading.stats[0].rows, parsing=reading.parsing,
        )  # fmt: skip


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path)


def assert_like_an_upload(shelf, stored, fresh, types):
    """Compare every value, every format and every warning of the columns."""
    wanted = {name: Wanted(ColumnType(kind)) for name, kind in types.items()}
    with open_table(stored, shelf.storage, wanted) as table:
        assert_frame_equal(table.scan().collect(), _stored_table(shelf, fresh))
        assert table.num_rows == fresh.num_rows
        assert _told(table.columns, stored) == _told(fresh.columns, stored)
    assert list(scratch_root().iterdir()) == []


def _told(columns: list[ColumnRead], stored: Dataset) -> list[ColumnRead]:
    """Return columns without the warnings of those that keep the type of the upload.

    An upload says why it kept codes as text; if the user gives that type, it does not.
    """
    types = {column.name: column.type for column in stored.columns}
    return [
        column.model_copy(update={"warnings": [], "warning_kinds": []})
        if column.type == types[column.name]
        else column
        for column in columns
    ]


def read_stored(storage, dataset: Dataset) -> pl.DataFrame:
    with storage.local_copy(dataset.table_key) as path:
        return pl.read_parquet(path)


def _stored_table(shelf: Shelf, dataset: Dataset) -> pl.DataFrame:
    return read_stored(shelf.storage, dataset)


def names_of(dataset: Dataset) -> dict[str, str]:
    """Return the columns' names in the file by their names in `rows_of`."""
    names = [column.name for column in dataset.columns]
    return dict(zip([*rows_of(1)[0]], names, strict=False))


@pytest.mark.parametrize("kind", FITS)
@pytest.mark.parametrize("file", FILES)
def test_a_type_given_later_reads_as_one_given_with_the_upload(shelf, file, kind):
    """This holds for each type and every column with such cells, in files of every kind."""
    content, given = FILES[file]
    stored = shelf.dataset(content, **given)
    names = names_of(stored)
    unfit = {"float"} if kind == "boolean" and file.startswith("semicolons") else set()
    types = {names[name]: kind for name in FITS[kind] - unfit if name in names}
    fresh = shelf.dataset(content, **given, types=types)
    assert_like_an_upload(shelf, stored, fresh, types)


@pytest.mark.parametrize("kind", FITS)
def test_a_type_that_fits_no_cell_is_refused_as_in_an_upload(shelf, kind):
    """The message and the column are those of the upload's problem."""
    stored = shelf.dataset(written(rows_of()))
    for name in sorted(rows_of(1)[0].keys() - FITS[kind]):
        with pytest.raises(InvalidTable) as fresh:
            shelf.dataset(written(rows_of()), types={name: kind})
        wanted = {name: Wanted(ColumnType(kind))}
        with (
            pytest.raises(InvalidTable) as later,
            open_table(stored, shelf.storage, wanted),
        ):
            pass
        assert (later.value.detail, later.value.errors) == (
            fresh.value.detail,
            fresh.value.errors,
        )
        assert later.value.errors[0].column == name
    assert list(scratch_root().iterdir()) == []


@pytest.mark.parametrize("num_strays", [1, 50, 51, 400])
def test_cells_that_do_not_fit_are_strays(shelf, num_strays):
    """The column counts the strays and keeps the first fifty."""
    cells = [f"stray {i}" for i in range(num_strays)] + ["1.5", "2"] * 300
    content = "a,b\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(cells))
    stored = shelf.dataset(content, types={"a": "text"})
    fresh = shelf.dataset(content, types={"a": "numeric"})
    assert_like_an_upload(shelf, stored, fresh, {"a": "numeric"})
    with open_table(stored, shelf.storage, {"a": Wanted(ColumnType.NUMERIC)}) as table:
        column = table.column("a")
    assert len(column.format.strays) == min(50, num_strays)
    assert column.format.more_strays == (num_strays > 50)
    assert column.missing == num_strays


def test_a_late_letter_of_another_encoding_moves_no_rows(shelf):
    """The first megabyte is UTF-8, and the rest is not."""
    rows = rows_of(20_000)
    text = written([{**row, "word": "red"} for row in rows])
    content = (text + text.splitlines()[1].replace("red", "größe") + "\n").encode(
        "cp1252"
    )
    assert content.index("ö".encode("cp1252")) > 1024 * 1024
    stored = shelf.dataset(content)
    for types in ({"code": "categorical", "word": "text"}, {"float": "categorical"}):
        assert_like_an_upload(shelf, stored, shelf.dataset(content, types=types), types)


def test_a_table_above_the_limit_of_small_tables(shelf):
    """Such a table is counted and written in a stream."""
    content = written(rows_of(SMALL_CELLS // 13 + 1_000))
    types = {"code": "categorical", "day": "text", "note": "numeric", "bit": "boolean"}
    stored, fresh = shelf.dataset(content), shelf.dataset(content, types=types)
    assert_like_an_upload(shelf, stored, fresh, types)


def test_many_columns_of_a_wide_table(shelf):
    """A hundred of two hundred columns get another type."""
    names = [f"c{i}" for i in range(200)]
    lines = [",".join(f"{(i + k) % 9}.0" for i in range(200)) for k in range(4)]
    content = "\n".join([",".join(names), *lines]) + "\n"
    types = dict.fromkeys(names[::2], "categorical")
    stored, fresh = shelf.dataset(content), shelf.dataset(content, types=types)
    assert_like_an_upload(shelf, stored, fresh, types)


def test_numbers_are_equal_to_the_last_bit(shelf):
    """The CSV parser and a cast give the same numbers."""
    rng = np.random.default_rng(1)
    numbers = rng.normal(size=4_000) * 10.0 ** rng.integers(-300, 300, 4_000)
    cells = [repr(float(number)) for number in numbers] + [
        "1e5",
        "-0.0",
        "5e-324",
        ".5",
        "7.",
    ]
    content = "a,b\n" + "".join(f"{cell},x\n" for cell in cells)
    stored = shelf.dataset(content, types={"a": "text"})
    fresh = shelf.dataset(content, types={"a": "numeric"})
    expected = [float(cell) for cell in cells]
    assert _stored_table(shelf, fresh)["a"].to_list() == expected
    with open_table(stored, shelf.storage, {"a": Wanted(ColumnType.NUMERIC)}) as table:
        assert table.read(["a"])["a"].to_list() == expected


def test_a_given_format_is_kept(shelf):
    """The month comes first as in the run's format, although this table has the day first."""
    stored = shelf.dataset("a,b\n1/2/2024,1\n3/4/2024,2\n13/4/2024,3\nx,4\n")
    form = ColumnFormat(datetime="%m/%d/%Y")
    wanted = {"a": Wanted(ColumnType.DATETIME, form)}
    with open_table(stored, shelf.storage, wanted) as table:
        months = table.read(["a"])["a"].dt.month().to_list()
        strays = table.column("a").format.strays
    assert months == [1, 3, None, None]
    assert strays == ["13/4/2024", "x"]


def test_the_order_that_another_column_proves_holds_for_a_type_given_later(shelf):
    """The other column is stored; it is not read again."""
    pairs = [("31/01/2024", "01/03/2024"), ("01/02/2024", "02/03/2024")] * 10
    content = "a,b\n" + "".join(f"{a},{b}\n" for a, b in pairs)
    stored = shelf.dataset(content, types={"b": "categorical"})
    fresh = shelf.dataset(content)
    assert fresh.columns[1].format.datetime == "%d/%m/%Y"
    assert_like_an_upload(shelf, stored, fresh, {"b": "datetime"})


NOTATIONS = {
    "minus": ["\u22125", "3"],
    "lakh": ["1,00,000", "5,000"],
    "weight": ["60 kg", "75 kg"],
    "quarter": ["Q1-1985", "Q2-1985"],
    "digits": ["20240102", "20240103", "20240131"],
    "zoned": ["2024-01-02T03:04:05Z", "2024-01-02T03:04:05"],
    "born": ["01-JAN-45", "02-FEB-50"],
    "infinite": ["inf", "1"],
    "codes": ["01", "1001"],
    "share": ["5%", "0.5"],
}
"""Cells of notations that a format or a warning tells."""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, "numeric") for name in ("minus", "lakh", "weight", "infinite", "codes", "share")),
        *((name, "datetime") for name in ("quarter", "digits", "zoned", "born")),
    ],
)  # fmt: skip
def test_notations_are_read_again_as_at_the_upload(shelf, name, kind):
    """Values, format and warnings."""
    cells = NOTATIONS[name] * 12
    content = f"n,{name}\n" + "".join(f'{i},"{cell}"\n' for i, cell in enumerate(cells))
    stored = shelf.dataset(content, types={name: "text"})
    fresh = shelf.dataset(content, types={name: kind})
    assert_like_an_upload(shelf, stored, fresh, {name: kind})


def test_a_file_with_another_number_of_rows_is_refused(shelf):
    stored = shelf.dataset(written(rows_of()))
    more = written(rows_of()) + written(rows_of(1), header=False)
    store(shelf.storage, stored.content_key, more)
    wanted = {"code": Wanted(ColumnType.TEXT)}
    with (
        pytest.raises(
            InvalidTable, match="reads 61 rows in the file, but the upload had 60"
        ),
        open_table(stored, shelf.storage, wanted),
    ):
        pass


@pytest.mark.parametrize("gone", ["content_key", "table_key"])
def test_a_missing_file_is_refused(shelf, gone):
    """A missing original is refused only if the run gives another type."""
    stored = shelf.dataset(written(rows_of()))
    shelf.storage.delete(getattr(stored, gone))
    wanted = {"code": Wanted(ColumnType.TEXT)}
    with pytest.raises(DatasetNotReady), open_table(stored, shelf.storage, wanted):
        pass
    if gone == "content_key":
        with open_table(stored, shelf.storage) as table:
            assert table.scan().collect().height == 60


def test_a_table_read_by_a_worker_is_read_again_alike(database, broker_url, tmp_path):
    reader = Reader(open_storage(Settings(home=tmp_path)), Limits(max_inline_bytes=1_000))
    queue = Queue(make_celery(Settings(broker_url=broker_url)))
    service = DatasetService(database, reader, queue)
    found = []
    for given in ({}, TYPES):
        source = tmp_path / "source.csv"
        source.write_text(written(rows_of(3_000)))
        upload = Upload(source, "sha256:0", "t", None, ParsingSpec(types=given))
        dataset = service.create(LOCAL, upload)
        assert dataset.status == "processing"
        Ingest(database, reader, RunTimes()).attempt(dataset.id)
        found.append(dataset.id)
    assert_alike(database, reader.storage, found)


def test_a_gzip_upload_is_read_again_alike(bench):
    """The storage keeps the unpacked original."""
    found = []
    for given in ({}, TYPES):
        answer = bench.client.post(
            "/v1/datasets",
            params={"name": "table", "types": json.dumps(given)},
            content=gzip.compress(written(rows_of()).encode()),
        )
        found.append(answer.json()["id"])
    assert_alike(bench.database, bench.storage, found)


def assert_alike(database, storage, ids):
    """Compare a stored dataset, read again, with one uploaded with the types."""
    wanted = {name: Wanted(ColumnType(kind)) for name, kind in TYPES.items()}
    with database.read() as session:
        stored, fresh = (session.get_one(Dataset, each) for each in ids)
        with open_table(stored, storage, wanted) as table:
            assert_frame_equal(table.scan().collect(), read_stored(storage, fresh))
            assert _told(table.columns, stored) == _told(fresh.columns, stored)


def test_a_decomposed_name_of_release_0_1_0_is_found(shelf):
    """Release 0.1.0 stored names as written; the file's names are now in NFC."""
    kept, composed = "gro\u0308\u00dfe", "gr\u00f6\u00dfe"
    stored = shelf.dataset(f"{kept},y\n" + "".join(f"0{i % 3},{i}\n" for i in range(30)))
    renamed = io.BytesIO()
    _stored_table(shelf, stored).rename({composed: kept}).write_parquet(renamed)
    store(shelf.storage, stored.table_key, renamed.getvalue())
    first, *rest = stored.columns
    stored.columns = [first.model_copy(update={"name": kept}), *rest]
    wanted = {kept: Wanted(ColumnType.NUMERIC)}
    with open_table(stored, shelf.storage, wanted) as table:
        assert table.scan().collect()[kept].to_list()[:3] == [0, 1, 2]
        assert [column.name for column in table.columns] == [kept, "y"]
