"""A table has equal values and types, whatever the format of its file."""

import csv
import datetime as dt
import io
import json
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets.profile import profile
from core.datasets.table_file import read_table
from fitserve.specs.parsing import ParsingSpec
from tests.workbooks import ods, xlsx

N = 24
NUMBERS = st.integers(-(2**40), 2**40).map(lambda i: i / 8)
WORDS = st.sampled_from(["red", "Größe", 'a, "b"', "日本", "x y", "=1+1", "None of it"])
DAYS = st.dates(dt.date(1901, 1, 1), dt.date(2099, 12, 31))
MOMENTS = st.datetimes(dt.datetime(1901, 1, 1), dt.datetime(2099, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)


def cells(values):
    """Return a column of these values, at least four of them, with gaps."""
    column = st.lists(st.none() | values, min_size=N - 4, max_size=N - 4)
    first = st.lists(values, min_size=4, max_size=4)
    return st.tuples(first, column).map(lambda parts: parts[0] + parts[1])


TABLES = st.fixed_dictionaries(
    {
        "number": st.lists(NUMBERS, min_size=N, max_size=N),  # no row is blank
        "word": cells(WORDS),
        "ok": cells(st.booleans()),
        "day": cells(DAYS),
        "when": cells(MOMENTS),
    }
)
TYPES = ["numeric", "categorical", "boolean", "datetime", "datetime"]
SCHEMA = {
    "number": pl.Float64,
    "word": pl.String,
    "ok": pl.Boolean,
    "day": pl.Date,
    "when": pl.Datetime("us"),
}


def written(kind, frame):
    """Return the bytes of a table in a format."""
    if kind in ("xlsx", "ods"):
        write = xlsx if kind == "xlsx" else ods
        return write({"s": [frame.columns, *frame.rows()]})
    if kind == "json_lines":
        return "\n".join(json.dumps(r, default=str) for r in frame.to_dicts()).encode()
    if kind == "csv":
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerows([frame.columns, *frame.rows()])
        return text.getvalue().encode()
    file = io.BytesIO()
    {"parquet": frame.write_parquet, "arrow": frame.write_ipc}[kind](file)
    return file.getvalue()


def read(content):
    """Return the values of a table as an upload stores them, and its types."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "source").write_bytes(content)
        reading = read_table(folder / "source", folder, ParsingSpec(), 2_000)
        path = folder / "table.parquet"
        columns = profile(path, reading.columns, reading.stats)
        return pl.read_parquet(path), [column.type.value for column in columns]


def expected(frame):
    """Return the values that every format should give."""
    moments = pl.col("day", "when").cast(pl.Datetime("us"))
    return frame.with_columns(moments)


def check(kind, table):
    frame = pl.DataFrame(table, schema=SCHEMA)
    values, types = read(written(kind, frame))
    assert types == TYPES
    assert values.equals(expected(frame))


@pytest.mark.parametrize("kind", ["csv", "json_lines", "parquet", "arrow"])
@settings(max_examples=40, deadline=None)
@given(table=TABLES)
def test_values_and_types_are_the_same(kind, table):
    """The table has numbers, words, booleans, dates and moments, with missing cells."""
    check(kind, table)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["xlsx", "ods"])
@settings(max_examples=12, deadline=None)
@given(table=TABLES)
def test_workbooks_have_the_same_values(kind, table):
    """Each example is read in a process of its own."""
    check(kind, table)
