"""Files to predict: split as an upload is, read in the formats of the model's columns."""

import datetime as dt
import gzip
import io
import math

import numpy as np
import polars as pl
import pytest
from backports import zstd

from core.errors import InvalidInstances, InvalidTable, TooLarge
from core.models.signature import Signature
from core.settings import Settings
from core.storage import open_storage
from core.storage.scratch import scratch_root
from fitserve.specs.parsing import ParsingSpec
from service.bodies import Body
from service.predictor.files import read_file
from service.predictor.instance_reader import InstanceReader
from service.problems import BadEncoding
from tests.service.predictor.test_values import FEATURES, SIGNATURE

COLUMNS = InstanceReader(SIGNATURE)
HEADER = "number;price;flag;when;kind;town"
ROWS = [
    "1;€ 1.234,5;No;31.1.2024;3;Rome",
    "n.b.;2;yes;2024-01-31T02:00:00+02:00;a;Bern",
    ";;;;;",
    '3.5;"7,25";t;;true;" Rome "',
]
CELLS = [
    {"number": "1", "price": "€ 1.234,5", "flag": "No", "when": "31.1.2024", "kind": "3", "town": "Rome"},
    {"number": "n.b.", "price": "2", "flag": "yes", "when": "2024-01-31T02:00:00+02:00", "kind": "a", "town": "Bern"},
    {"number": "3.5", "price": "7,25", "flag": "t", "when": None, "kind": "true", "town": " Rome "},
]  # fmt: skip


@pytest.fixture
def read(tmp_path):
    open_storage(Settings(home=tmp_path))

    def reader(content, columns=COLUMNS, **given):
        content = content.encode() if isinstance(content, str) else content
        found = read_file(Body(content, b"", 10**6), ParsingSpec(**given), columns)
        assert list(scratch_root().iterdir()) == []
        return found

    return reader


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "gzip"])
def test_a_file_is_read_like_its_single_cells(read, encoding):
    """This holds for every encoding; blank lines are ignored."""
    text = "\n".join([HEADER, *ROWS])
    packed = gzip.compress(text.encode()) if encoding == "gzip" else text.encode(encoding)
    found = read(packed)
    table, warnings = COLUMNS.read_instances(CELLS)
    assert np.array_equal(found.reading.table.numbers, table.numbers, equal_nan=True)
    assert [list(t) for t in found.reading.table.texts] == [list(t) for t in table.texts]
    assert sorted(map(str, found.reading.warnings)) == sorted(map(str, warnings))
    assert found.parsing["delimiter"] == ";"


def test_a_file_without_a_header_has_generated_names(read):
    """`header` is given if it cannot be recognised."""
    feature = FEATURES[0].model_copy(update={"name": "column_1"})
    one = Signature(
        model_name="m", task="regression", target="column_2", classes=None,
        features=[feature], ignored=[],
    )  # fmt: skip
    found = read("1,5\n2,6\n3,7\n", InstanceReader(one), header=False)
    assert found.reading.table.numbers.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(
    "cells", [["1000 CC", "90 CC"], ["1,5", "2,5"], ["a;b", "c;d"], ["10:30", "11:45"]]
)
@pytest.mark.parametrize("name", ["kind", '"kind"', "\ufeffkind", " kind\r"])
def test_a_file_of_one_column_is_not_split(read, cells, name):
    """Blanks and commas in its cells are not delimiters."""
    feature = FEATURES[4].model_copy(update={"name": "kind"})
    one = Signature(
        model_name="m", task="regression", target="y", classes=None,
        features=[feature], ignored=[], reading=2,
    )  # fmt: skip
    found = read("\n".join([name, *cells]), InstanceReader(one))
    assert [list(texts) for texts in found.reading.table.texts] == [cells]


@pytest.mark.parametrize("name", ["stra\u00dfe \u00f6", "stra\u00dfe o\u0308"])
def test_a_file_of_one_column_is_found_in_any_form_of_unicode(read, name):
    """The column's name matches in composed and decomposed Unicode."""
    feature = FEATURES[4].model_copy(update={"name": "stra\u00dfe o\u0308"})
    one = Signature(
        model_name="m", task="regression", target="y", classes=None,
        features=[feature], ignored=[], reading=2,
    )  # fmt: skip
    found = read(f"{name}\n1,5\n2,5\n", InstanceReader(one))
    assert [list(texts) for texts in found.reading.table.texts] == [["1,5", "2,5"]]


def test_the_file_may_have_its_own_decimal_mark_and_words_for_missing(read):
    """The options are those of an upload."""
    text = f"{HEADER}\n1;€ 1,234.5;No;;a;Rome\n2;nope;No;;a;Rome\n"
    found = read(text, decimal=".", null_values=["nope"])
    prices = found.reading.table.numbers[1]
    assert prices[0] == 1234.5
    assert math.isnan(prices[1])


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", InvalidTable, "empty"),
        (HEADER.encode(), InvalidTable, "no values"),
        (b"number;price\n1;2\n", InvalidInstances, "'flag' is missing"),
        (f"{HEADER}\n1;2;No;;a;Rome\nx;2;No;;a;Rome\n".encode(), InvalidInstances, "Row 1, column 'number': got 'x'"),
        (gzip.compress(b"a" * 2_000_000, mtime=0), TooLarge, "unpacks"),
        (gzip.compress(b"abc", mtime=0)[:-4], BadEncoding, "ends too early"),
    ],
)  # fmt: skip
def test_an_unreadable_file_is_refused_with_a_reason(read, content, error, message):
    """The message names the row and the column, if there are any."""
    with pytest.raises(error, match=message) as refusal:
        read(content)
    assert refusal.value.problem_type.status in (400, 413, 422)


def test_another_type_is_refused(read):
    """The types are the model's own."""
    with pytest.raises(InvalidInstances, match="leave `types` out") as refused:
        read(f"{HEADER}\n1;2;No;;a;Rome\n", types={"number": "text"})
    assert refused.value.errors[0].pointer == "#/types/number"


def test_a_column_of_the_file_may_be_written_otherwise(read):
    """With the words of an upload; strays of the training stay missing."""
    types = {
        "when": {"type": "datetime", "format": "%m/%d/%Y", "null_values": ["never"]},
        "price": {"type": "numeric", "decimal": ".", "unit": "USD each"},
        "number": "numeric",
        "kind": {"type": "categorical", "null_values": ["b"]},
    }
    lines = [HEADER, "1;1,234.5 USD each;No;1/31/2024;b;Rome", "n.b.;7;yes;never;a;Bern"]
    found = read("\n".join(lines), types=types).reading.table
    plain = [HEADER, "1;1.234,5;No;31.1.2024;;Rome", "n.b.;7;yes;;a;Bern"]
    expected = read("\n".join(plain)).reading.table
    np.testing.assert_array_equal(found.numbers, expected.numbers)
    assert [t.tolist() for t in found.texts] == [t.tolist() for t in expected.texts]


def test_a_notation_that_fits_no_cell_is_refused(read):
    """As with an upload."""
    given = {"when": {"type": "datetime", "format": "%Y%m%d"}}
    with pytest.raises(InvalidTable, match="not datetime"):
        read(f"{HEADER}\n1;2;No;31.1.2024;a;Rome\n", types=given)


TYPED = pl.DataFrame(
    {
        "number": [1, None, 3],
        "price": ["€ 1.234,5", "2", "7,25"],
        "flag": [False, True, None],
        "when": [dt.date(2024, 1, 31), None, dt.date(2023, 5, 1)],
        "kind": [3, 4, 3],
        "town": pl.Series(["Rome", "Bern", None], dtype=pl.Categorical),
        "id": [[1], [2], [3]],
    }
)


@pytest.mark.parametrize("kind", ["parquet", "ipc", "ipc_stream", "ndjson"])
def test_cells_of_a_file_with_types_are_those_of_json(read, kind):
    """Numbers stay numbers, texts have the format of the model's column."""
    file = io.BytesIO()
    getattr(TYPED, f"write_{kind}")(file)
    rows = [
        {**row, "when": row["when"] and row["when"].isoformat()}
        for row in TYPED.drop("id").iter_rows(named=True)
    ]
    table, warnings = COLUMNS.read_instances(rows)
    for content in (file.getvalue(), zstd.compress(file.getvalue())):
        found = read(content)
        numbers = found.reading.table.numbers
        assert np.array_equal(numbers, table.numbers, equal_nan=True)
        expected = [list(texts) for texts in table.texts]
        assert [list(texts) for texts in found.reading.table.texts] == expected
        assert sorted(map(str, found.reading.warnings)) == sorted(map(str, warnings))
        assert found.parsing["format"]


def test_a_moment_in_a_column_of_numbers_is_refused_by_row(read):
    """As in JSON; so is a column that holds lists, if the model has it."""
    day = [dt.date(2024, 1, 31)] * 3
    file = io.BytesIO()
    TYPED.with_columns(number=pl.Series(day)).write_parquet(file)
    with pytest.raises(
        InvalidInstances, match="Row 0, column 'number': got '2024-01-31'"
    ):
        read(file.getvalue())
    file = io.BytesIO()
    TYPED.with_columns(number=pl.col("id")).write_parquet(file)
    with pytest.raises(InvalidTable, match="'number'"):
        read(file.getvalue())


@pytest.mark.heavy
def test_a_small_file_of_many_cells_is_refused(read):
    """By its rows, before a cell is read."""
    file = io.BytesIO()
    frame = TYPED.head(1).select(pl.all().repeat_by(200_000).explode())
    frame.drop("id").write_parquet(file)
    assert len(file.getvalue()) < 100_000
    with pytest.raises(TooLarge, match="200,000 rows"):
        read(file.getvalue())
    file = io.BytesIO()
    pl.DataFrame({"x": ["a" * 600_000_000]}).write_parquet(file)
    with pytest.raises(TooLarge, match="536,870,912 bytes"):
        read(file.getvalue())
    with pytest.raises(TooLarge, match="unpacks"):
        read(zstd.compress(b"a" * 2_000_000))
    with pytest.raises(BadEncoding, match="too early"):
        read(zstd.compress(b"abc")[:-4])
