"""A table written in any usual dialect is read back as the same table."""

import csv
import io
import math
import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets.profile import profile
from core.datasets.reading import read_csv
from core.errors import InvalidTable
from fitserve.specs.parsing import ParsingSpec

WORDS = st.sampled_from(["red", "Größe", "a, b", 'say "x"', "日\n本", "; x", "x y"])
NUMBERS = st.integers(-(10**6), 10**6).map(lambda i: i / 100)
ROWS = st.lists(st.tuples(NUMBERS, WORDS), min_size=12, max_size=40)
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|"]),
        "lineterminator": st.sampled_from(["\n", "\r\n"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    }
)  # fmt: skip


def written(rows, dialect, decimal):
    text = io.StringIO(newline="")
    writer = csv.writer(text, **dialect)
    writer.writerow(["value", "word"])
    # csv quotes cells with a delimiter, so a decimal comma does not split a cell
    writer.writerows([str(n).replace(".", decimal), word] for n, word in rows)
    return text.getvalue()


@settings(max_examples=60)
@given(ROWS, DIALECTS, st.sampled_from([".", ","]), st.sampled_from(["utf-8", "utf-16"]))
def test_a_table_survives_its_dialect(rows, dialect, decimal, encoding):
    """Four delimiters and both decimal marks give the same numbers and words."""
    content = written(rows, dialect, decimal).encode(encoding)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.csv"
        source.write_bytes(content)
        # a mark that could be either is ambiguous, so the upload names it
        read_csv(source, Path(folder), ParsingSpec(decimal=decimal), 2000)
        table = pl.read_parquet(Path(folder) / "table.parquet")
    assert table.columns == ["value", "word"]
    for (number, word), (read, text) in zip(rows, table.rows(), strict=True):
        assert math.isclose(read, number, abs_tol=1e-9)
        assert text.replace("\r\n", "\n") == word


@settings(max_examples=150)
@given(
    st.binary(max_size=300)
    | st.text("0123456789,;.\"'\n\r\t ab-?#", max_size=200).map(str.encode)
)
def test_any_bytes_are_read_or_refused(content):
    """Reading raises no exception but InvalidTable."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.csv"
        source.write_bytes(content)
        try:
            reading = read_csv(source, Path(folder), ParsingSpec(), 2000)
        except InvalidTable:
            return
        columns = profile(Path(folder) / "table.parquet", reading.columns, reading.stats)
    names = [column.name for column in columns]
    assert len(set(names)) == len(names) > 0
