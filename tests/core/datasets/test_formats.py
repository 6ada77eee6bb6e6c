"""Files of other formats: recognised by content, and read by the types that they have."""

import contextlib
import datetime as dt
import io
import json
from decimal import Decimal

import polars as pl
import pytest

from core.columns.decide import Wanted
from core.datasets import unpacked
from core.datasets.profile import profile
from core.datasets.recognise import recognise
from core.datasets.rereading import Uploaded, read_again
from core.datasets.table_file import is_small, options_of, read_table
from core.errors import InvalidTable
from fitserve.enums import ColumnType
from fitserve.file_formats import FileFormat
from fitserve.specs.parsing import ParsingSpec
from tests.core.datasets.hostile.foreign import FOREIGN

N = 60
ROME = dt.timezone(dt.timedelta(hours=1))
FRAME = pl.DataFrame(
    {
        "zip": [f"{i % 9:05}" for i in range(N)],
        "small": pl.Series([i % 5 for i in range(N)], dtype=pl.UInt8),
        "share": [float("inf"), float("nan"), None, *(i / 3 for i in range(N - 3))],
        "ok": [i % 2 == 0 for i in range(N)],
        "day": [dt.date(2024, 1, 1) + dt.timedelta(i) for i in range(N)],
        "when": [
            dt.datetime(2024, 1, 1, 1, tzinfo=ROME) + dt.timedelta(hours=i)
            for i in range(N)
        ],
        "word": [("NA", "red", " x ", "")[i % 4] for i in range(N)],
        "day_text": [f"2024-01-{i % 28 + 1:02}" for i in range(N)],
        "id": [2**60 + i for i in range(N)],
    }
)


def packed(frame, kind):
    file = io.BytesIO()
    writer = {
        "parquet": frame.write_parquet,
        "arrow": frame.write_ipc,
        "arrow_stream": frame.write_ipc_stream,
        "json_lines": frame.write_ndjson,
    }[kind]
    writer(file)
    return file.getvalue()


@pytest.mark.parametrize("start", ["", "\ufeff", "\n "])
@pytest.mark.parametrize("tag", ["<!DOCTYPE html>", "<html lang=en>"])
def test_an_html_page_is_refused_with_its_beginning(tmp_path, start, tag):
    """A download often is the page of an error."""
    source = tmp_path / "source.csv"
    source.write_text(f"{start}{tag}\n<title>Not, found</title>\n", encoding="utf-8")
    with pytest.raises(InvalidTable, match=f"begins with '{tag} <title>Not"):
        recognise(source)


@pytest.fixture
def read(tmp_path):
    """Read bytes as an upload; return the table, the reading, and the columns by name."""

    def reader(content, **given):
        source = tmp_path / "source.csv"
        source.write_bytes(content)
        reading = read_table(source, tmp_path, ParsingSpec(**given), 50)
        columns = profile(tmp_path / "table.parquet", reading.columns, reading.stats)
        table = pl.read_parquet(tmp_path / "table.parquet")
        return table, reading, {column.name: column for column in columns}

    return reader


@pytest.mark.parametrize("kind", ["parquet", "arrow", "arrow_stream", "json_lines"])
def test_a_column_keeps_the_type_that_the_file_gives_it(read, kind):
    """Numbers, booleans and times; a text is never a number, and `NA` is a word."""
    table, reading, columns = read(packed(FRAME, kind))
    assert reading.parsing == {"format": kind, "null_values": [""]}
    types = {name: column.type.value for name, column in columns.items()}
    assert types == {
        "zip": "categorical",
        "small": "numeric",
        "share": "numeric",
        "ok": "boolean",
        "day": "datetime",
        "when": "datetime",
        "word": "categorical",
        "day_text": "datetime",
        "id": "text",
    }
    assert table["zip"][3] == "00003"
    assert columns["share"].missing == 3
    if kind != "json_lines":  # which has no infinite numbers
        assert columns["share"].warnings == [
            "1 cell(s) are infinite, and count as missing"
        ]
    assert columns["word"].missing == 15
    assert set(table["word"].drop_nulls()) == {"NA", "red", "x"}
    assert table["when"][0] == dt.datetime(2024, 1, 1)  # noqa: DTZ001  a moment in UTC
    assert table["id"][1] == str(2**60 + 1)


def test_a_text_that_looks_like_a_number_causes_a_warning(read):
    """The warning has a count, an example and the option; huge whole numbers get one too."""
    _, _, columns = read(packed(FRAME, "parquet"))
    (warning,) = columns["zip"].warnings
    assert "60 of the first 60 cells look like numbers, such as '00000'" in warning
    assert "give the column the type numeric" in warning
    assert "2^53" in columns["id"].warnings[0]
    table, _, columns = read(packed(FRAME, "parquet"), types={"zip": "numeric"})
    assert columns["zip"].type == "numeric"
    assert table["zip"].max() == 8.0


def test_other_datatypes_become_a_type(read):
    """Examples: decimals, durations, times of day, categories, a column without a value."""
    frame = pl.DataFrame(
        {
            "price": [Decimal(i) / 4 for i in range(N)],
            "lasts": [dt.timedelta(minutes=i) for i in range(N)],
            "at": [dt.time(i % 24, 30) for i in range(N)],
            "kind": pl.Series(
                [("1", "2")[i % 2] for i in range(N)], dtype=pl.Categorical
            ),
            "level": pl.Series(["a", "b"] * 30, dtype=pl.Enum(["a", "b"])),
            "none": [None] * N,
            "nano": pl.Series([10**9 * i for i in range(N)]).cast(pl.Datetime("ns")),
        }
    )
    table, _, columns = read(packed(frame, "parquet"))
    types = {name: column.type.value for name, column in columns.items()}
    assert types == {
        "price": "numeric",
        "lasts": "numeric",
        "at": "datetime",
        "kind": "categorical",
        "level": "categorical",
        "none": "numeric",
        "nano": "datetime",
    }
    assert table["lasts"][2] == 120.0
    assert "seconds" in columns["lasts"].warnings[0]
    assert table["nano"].dtype == pl.Datetime("us")


def test_columns_that_no_table_can_hold_are_named(read):
    """One refusal names all columns of lists, structures and bytes."""
    frame = pl.DataFrame({"a": [1], "tags": [["x"]], "raw": [b"x"], "sub": [{"k": 1}]})
    with pytest.raises(InvalidTable) as refused:
        read(packed(frame, "parquet"))
    assert "'tags' (List(String)), 'raw' (Binary), 'sub' (Struct" in refused.value.detail
    assert [error.column for error in refused.value.errors] == ["tags", "raw", "sub"]
    with pytest.raises(InvalidTable, match="'tags'"):
        read(b'{"a": 1, "tags": ["x"]}\n{"a": 2, "tags": null}\n')


@pytest.mark.parametrize("wanted", ["categorical", "text"])
def test_a_type_that_is_given_later_reads_as_one_at_the_upload(read, tmp_path, wanted):
    """The texts of numbers, booleans and times are those that the file stands for."""
    names = ["zip", "small", "share", "ok", "day", "when"]
    content = packed(FRAME, "parquet")
    table, _, _ = read(content, types=dict.fromkeys(names, wanted))
    source = tmp_path / "again"
    source.write_bytes(content)
    types = {name: Wanted(ColumnType(wanted)) for name in names}
    parsing = {"format": FileFormat.PARQUET.value}
    upload = Uploaded(source, ParsingSpec(null_values=[]), parsing, N)
    reread = read_again(upload, tmp_path, types, {})
    again = pl.read_parquet(reread.path)
    assert again.equals(table.select(names))
    assert again.row(4) == (
        "00004",
        "4",
        "0.3333333333333333",
        "true",
        "2024-01-05",
        "2024-01-01T04:00:00Z",
    )


def test_given_words_are_missing_in_every_column(read):
    """Given words may be numbers."""
    frame = pl.DataFrame({"n": [1, -999, 3] * 9, "t": ["a", "-999", "none"] * 9})
    _, reading, columns = read(packed(frame, "parquet"), null_values=["-999", "none"])
    assert [columns["n"].missing, columns["t"].missing] == [9, 18]
    assert reading.parsing["null_values"] == ["", "-999", "none"]


def test_a_model_reads_texts_with_the_words_of_its_file(read):
    """`NA` of a file with types stays a word when its model predicts."""
    _, reading, _ = read(packed(FRAME, "parquet"))
    assert options_of(reading, ParsingSpec()).null_values == [""]
    _, reading, _ = read(b"a,b\n1,NA\n2,x\n")
    assert options_of(reading, ParsingSpec()).null_values is None


def test_keys_of_any_line_are_columns(read):
    """A key may occur first in a late line; a line may have no keys."""
    lines = [{"a": i, "b": "x"} for i in range(7000)] + [{}, {"late": True}]
    content = "\n".join(map(json.dumps, lines)).encode()
    table, _, columns = read(b"\xef\xbb\xbf" + content + b"\n\n")
    assert list(columns) == ["a", "b", "late"]
    assert table.height == 7002
    assert columns["late"].missing == 7001


def test_a_column_of_several_json_types_is_text(read):
    """That holds for mixtures that polars cannot read, such as numbers and booleans."""
    content = b'{"a": 1, "n": 1}\n{"a": true, "n": 2.5}\n{"a": "x", "n": null}\n'
    table, _, columns = read(content)
    assert table["a"].to_list() == ["1", "true", "x"]
    assert columns["n"].type == "numeric"


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b'{"a": 1}\n[1, 2]\n', "Line 2 is '[1, 2]'"),
        (b'{"a": 1}\n{"a": 1\n', "Line 2 is not JSON"),
        (b'{"a": 1}\n\n{"a": nan}\n', "Line 3 is not JSON"),
        (b'{\n "a": 1\n}\n', "Line 2 is"),
        (b'{"a": 1}{"a": 2}\n', "Line 1 is not JSON"),
        (b'{"a": "\xff"}\n', "Line 1 is not JSON"),
        (b'{"a": "x\\u0000"}\n{"a": "y"}\n', "Row 1, column 'a'"),
        (b'[{"a": 1}]', "JSON array"),
        (b'{"a": ' * 3000 + b"1" + b"}" * 3000, "Line 1"),
        (b'{"a": "' + b"x" * 70_000 + b'"}\n', "Row 1, column 'a': a cell is longer"),
        (b"PAR1" + b"\0" * 100, "damaged or incomplete"),
        (b"ARROW1\0\0" + b"\0" * 100, "damaged or incomplete"),
        (b"\xff\xff\xff\xff" + b"\0" * 100, "damaged or incomplete"),
        (b"PK\x03\x04 and no more", "ZIP archive cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "Excel 97-2003"),
        (b"SQLite format 3\0", "SQLite database"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_with_the_place(read, content, detail):
    """A file of another format is refused with the name of the format."""
    with pytest.raises(InvalidTable) as refused:
        read(content)
    assert detail in refused.value.detail


def test_a_truncated_file_is_refused(read):
    """The file may end anywhere; no other exception is raised."""
    for kind in ("parquet", "arrow", "arrow_stream"):
        whole = packed(FRAME, kind)
        for end in range(40, len(whole) - 20, len(whole) // 15):
            with pytest.raises(InvalidTable):
                read(whole[:end])


def test_a_flipped_byte_is_read_or_refused(read):
    """polars panics at some of these files."""
    for kind in ("parquet", "arrow", "arrow_stream"):
        whole = bytearray(packed(FRAME, kind))
        for at in range(4, len(whole), len(whole) // 60):
            damaged = (
                bytes(whole[:at]) + bytes([whole[at] ^ 0xFF]) + bytes(whole[at + 1 :])
            )
            with contextlib.suppress(InvalidTable):
                read(damaged)


def test_a_bomb_is_refused(read, monkeypatch):
    """Each format has its own way to unpack to a huge table."""
    monkeypatch.setattr(unpacked, "_ALWAYS", 10**6)
    rows = 10**6
    zeros = pl.select(pl.repeat(0, rows).alias("n"))
    texts = pl.DataFrame({"t": pl.Series(["x" * 50_000] * 2000)})
    bombs = [packed(zeros, "parquet"), packed(texts, "parquet")]
    file = io.BytesIO()
    texts.write_ipc(file, compression="zstd")
    keys = json.dumps({f"k{i}": 1 for i in range(50)}).encode()
    bombs += [file.getvalue(), keys + b"\n{}" * 200_000]
    for bomb in bombs:
        assert len(bomb) < 1_000_000
        with pytest.raises(InvalidTable, match=r"unpacks to|more keys than values"):
            read(bomb)


def test_wide_files_are_refused(read):
    """The limit is that of a CSV; keys are counted while the lines are read."""
    wide = pl.DataFrame({f"c{i}": [1] for i in range(51)})
    for kind in ("parquet", "arrow", "json_lines"):
        with pytest.raises(InvalidTable, match="at most 50"):
            read(packed(wide, kind))
    with pytest.raises(InvalidTable, match="at most 50"):
        read(b"\n".join(b'{"k%d": 1}' % i for i in range(5000)))


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        ("parquet", {"delimiter": ";"}),
        ("arrow", {"header": False}),
        ("parquet", {"encoding": "utf-8"}),
        ("json_lines", {"decimal": ","}),
        ("parquet", {"sheet": "a"}),
    ],
)
def test_an_option_of_another_format_is_refused(read, kind, option):
    """The problem names the option and the format of the file."""
    (name,) = option
    with pytest.raises(InvalidTable, match=f"no option `{name}`") as refused:
        read(packed(FRAME, kind), **option)
    assert refused.value.errors[0].pointer == f"#/{name}"


def test_names_are_those_of_a_table(read):
    """Blank, repeated and special names are replaced, with a warning."""
    frame = pl.DataFrame({"": [1, 2], "*": [3, 4], " a ": ["x", "y"], "^b$": [5, 6]})
    table, reading, _ = read(packed(frame, "parquet"))
    assert table.columns == ["column_1", "column_2", "a", "b"]
    assert table["b"].to_list() == [5.0, 6.0]
    assert len(reading.warnings) == 4


def test_a_file_is_recognised_by_its_content(tmp_path):
    """A CSV may begin like another format."""
    source = tmp_path / "table.parquet"
    for content, found in [
        (b"PAR1,PAR2\n1,2\n", FileFormat.CSV),
        (b'{"a":1,"b":2}\n{"a":3,"b":4}\n', FileFormat.JSON_LINES),
        (b"{a},{b}\n1,2\n", FileFormat.CSV),
        (b"[a],[b]\n1,2\n", FileFormat.CSV),
        (b'"{""a"": 1}",b\nx,2\n', FileFormat.CSV),
    ]:
        source.write_bytes(content)
        assert recognise(source) == found


def test_a_file_that_unpacks_to_much_is_read_by_a_worker(tmp_path):
    """The file itself is small."""
    source = tmp_path / "table"
    source.write_bytes(packed(pl.select(pl.repeat(0, 10**6).alias("n")), "parquet"))
    assert source.stat().st_size < 10_000
    assert not is_small(source, 4 * 10**6)
    assert is_small(source, 10**7)


def test_moments_of_other_programs(read):
    """INT96 holds years that nanoseconds cannot, and a zone may be `+05:30` or unknown."""
    table, _, _ = read(FOREIGN["INT96 before 1677"][0])
    assert table["t"][3] == dt.datetime(1066, 10, 14, 3)  # noqa: DTZ001  in UTC
    for name, seconds in (("a zone +05:30", 10**6), ("an unknown zone", 10**3)):
        table, _, columns = read(FOREIGN[name][0])
        assert columns["t"].type == "datetime"
        epoch = dt.datetime(1970, 1, 1)  # noqa: DTZ001  in UTC
        assert table["t"][3] == epoch + dt.timedelta(seconds=3 * seconds)


@pytest.mark.parametrize("ending", [b"}", b', "b": "\\ud83d\\ude00"}'])
def test_constants_of_python_are_missing(read, ending):
    """NaN and Infinity, as `json.dumps` writes them; a pair of surrogates is a letter."""
    cells = (b"1", b"NaN", b"-Infinity", b"2.5", b"null")
    lines = [b'{"a": ' + cell + ending for cell in cells]
    table, _, columns = read(b"\n".join(lines))
    assert table["a"].to_list() == [1.0, None, None, 2.5, None]
    assert columns["a"].warnings == ["1 cell(s) are infinite, and count as missing"]
    assert "b" not in columns or table["b"][0] == "\U0001f600"


def test_the_index_of_a_data_frame_is_no_feature(read):
    """pandas writes an index without a name as `__index_level_0__`."""
    frame = pl.DataFrame({"a": [i % 7 for i in range(N)], "__index_level_0__": range(N)})
    _, _, columns = read(packed(frame, "parquet"))
    assert columns["__index_level_0__"].left_out == "a row number"
