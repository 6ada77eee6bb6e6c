"""The hash of a row: equal for equal values, and the same in every release."""

import contextlib
import errno
import math
import subprocess
import sys
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.columns.categorical import ID_OR_NAME
from core.datasets import row_hashes
from core.datasets.row_hashes import hashed_columns, write_hashes
from core.datasets.value_hashes import text_hashes, value_bits
from fitserve.schemas.datasets import ColumnRead
from tests.disks import small_disk


@pytest.fixture
def hashes(tmp_path):
    """Return a function that writes a frame and returns the hashes of its rows."""

    def of(frame, columns=None, **options):
        frame.write_parquet(tmp_path / "t.parquet", **options)
        columns = frame.columns if columns is None else columns
        path = write_hashes(tmp_path / "t.parquet", columns, tmp_path / "h.npy")
        return np.load(path).tolist()

    return of


def column(name, left_out=None):
    return ColumnRead(
        name=name, type="numeric", missing=0, unique=3, min=None, max=None, mean=None,
        top=[], left_out=left_out, warnings=[],
    )  # fmt: skip


def test_the_hashes_never_change(hashes):
    """Stored hashes decide which rows are held out, so no release may change them."""
    frame = pl.DataFrame(
        {
            "number": [1.5, -2.0, None],
            "word": ["", "Zürich", None],
            "long": ["abcdefgh", "abcdefghi", "x" * 100],
            "flag": [True, False, None],
            "moment": [datetime(2024, 1, 31, 12, tzinfo=UTC), None, None],
        }
    )
    expected = [0x281345174B512BAA, 0x3A75F76B7B85CFE, 0xA5B54B297D6A142C]
    assert hashes(frame) == expected
    expected = [0xE220A8397B1DCDAF, 0x258B245ED83343FC, 0xD39F6587FE4CD2E3]
    assert text_hashes(pl.Series(["", "a", "abcdefghi"])).tolist() == expected


def test_equal_values_of_other_datatypes_are_equal(hashes):
    """Examples: whole numbers and floats, -0.0 and 0, NaN and null, dates and moments."""
    a = pl.DataFrame(
        {"x": [1, 0, None], "c": ["u", "v", None], "d": [date(2024, 1, 2)] * 3}
    )
    b = pl.DataFrame(
        {
            "x": [1.0, -0.0, math.nan],
            "c": pl.Series(["u", "v", None], dtype=pl.Categorical),
            "d": [datetime(2024, 1, 2)] * 3,  # noqa: DTZ001
        }
    )
    c = b.with_columns(
        x=pl.Series([True, False, None]), d=pl.col("d").dt.cast_time_unit("ns")
    )
    assert hashes(a) == hashes(b) == hashes(c)
    assert len(set(hashes(a))) == 3


def test_columns_are_compared_by_name(hashes):
    """The order of columns does not matter; an absent column counts as missing cells."""
    frame = pl.DataFrame({"a": [1, 2], "b": [2, 1]})
    assert hashes(frame) == hashes(frame.select("b", "a"))
    assert len(set(hashes(frame))) == 2
    without = frame.select("a")
    none = without.with_columns(b=pl.lit(None, pl.String))
    assert hashes(without, ["a", "b"]) == hashes(none) != hashes(without)
    assert hashes(frame, ["a"]) == hashes(without)


def test_blocks_of_rows_and_columns_do_not_matter(hashes, monkeypatch):
    frame = pl.DataFrame(
        {f"c{i}": [(i * j) % 7 for j in range(50)] for i in range(9)}
    ).with_columns(s=pl.Series([f"text {j}" * (j % 4) for j in range(50)]))
    expected = hashes(frame)
    monkeypatch.setattr(row_hashes, "_ROWS", 7)
    monkeypatch.setattr(row_hashes, "_COLUMNS", 2)
    assert hashes(frame, row_group_size=11) == expected


@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=60))
def test_texts_are_equal_only_if_their_bytes_are(cells):
    """A text has the same hash in every column of texts."""
    found = text_hashes(pl.Series(cells, dtype=pl.String)).tolist()
    alone = [text_hashes(pl.Series([cell], dtype=pl.String)).item() for cell in cells]
    assert found == alone
    assert len(set(found)) == len(set(cells))


@given(st.lists(st.floats(width=64), max_size=60))
def test_numbers_are_equal_only_if_their_values_are(cells):
    found = value_bits(pl.Series(cells, dtype=pl.Float64)).tolist()
    different = {None if math.isnan(cell) else cell for cell in cells}
    assert len(set(found)) == len(different)


def test_ids_and_row_numbers_do_not_identify_a_row():
    """A table of ids alone has no other columns, so all of them are hashed."""
    ids = [
        column("row", "a row number"),
        column("id", "an id: every row has a different value"),
        column("uuid", "an id or a name: nearly every row has a different value"),
        column("name", ID_OR_NAME),
    ]
    others = [column("x"), column("note", "free text"), column("one", "constant")]
    assert hashed_columns([*ids, *others]) == ["x", "note", "one"]
    assert hashed_columns(ids) == ["row", "id", "uuid", "name"]


_WRITE = """
import sys
from pathlib import Path
from core.datasets.row_hashes import write_hashes
try:
    write_hashes(Path(sys.argv[1]), ["a"], Path(sys.argv[2]))
except OSError as error:
    print(error.errno)
"""


def test_a_full_disk_is_an_error_and_no_crash(tmp_path):
    """A write to a memory map of a file would end the process with SIGBUS."""
    pl.DataFrame({"a": range(20_000)}).write_parquet(tmp_path / "t.parquet")
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(small_disk(tmp_path / "disk", "64k"))
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("this process may not mount a disk")
        places = [tmp_path / "t.parquet", tmp_path / "disk" / "h.npy"]
        command = [sys.executable, "-c", _WRITE, *places]
        ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.strip()) == (0, str(errno.ENOSPC))
