"""Workbooks: one sheet is a table, whose cells have types one by one."""

import contextlib
import datetime as dt
import io
import zipfile

import pytest

from core.datasets import unpacked, workbook
from core.datasets.table_file import is_small
from core.errors import InvalidTable
from tests.core.datasets.test_formats import read  # noqa: F401  a fixture
from tests.workbooks import Raw, error, ods, xlsx, zipped

N = 60
ROWS = [
    [
        100 + i,
        f"0213{i % 9}",
        "n/a" if i % 3 else i,
        dt.date(2024, 1, i % 28 + 1),
        i % 2 == 0,
        ("x", "y", None)[i % 3],
        i / 4,
    ]
    for i in range(N)
]
NAMES = ["code", "zip", "mix", "day", "ok", "gap", "n"]
TYPES = [
    "numeric",
    "categorical",
    "numeric",
    "datetime",
    "boolean",
    "categorical",
    "numeric",
]
EMPTY: list[list[object]] = []
WRITERS = pytest.mark.parametrize("write", [xlsx, ods])
FAR = Raw(
    '<row r="1"><c r="A1"><v>1</v></c></row>'
    '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
)
REPEATED = Raw(
    '<table:table-row table:number-rows-repeated="1048576"><table:table-cell '
    'table:number-columns-repeated="16384" office:value-type="float" office:value="1"/>'
    "</table:table-row>"
)


@WRITERS
def test_cells_keep_their_types(read, write):  # noqa: F811
    """The first sheet with cells is read; lines above the table are skipped."""
    title = [["A report", *[None] * 6], [None] * 7]
    content = write({"empty": EMPTY, "data": [*title, NAMES, *ROWS, [None] * 7]})
    table, reading, columns = read(content)
    assert [column.type.value for column in columns.values()] == TYPES
    assert list(columns) == NAMES
    assert table.height == N
    assert table["zip"][1] == "02131"
    assert table["day"][0] == dt.datetime(2024, 1, 1)  # noqa: DTZ001  a moment in UTC
    assert columns["mix"].missing == 40
    assert columns["gap"].missing == 20
    parsing = dict(reading.parsing)
    assert parsing.pop("null_values")[:3] == ["", "NA", "N/A"]
    assert parsing == {
        "format": write.__name__,
        "sheet": "data",
        "header": True,
        "skipped_rows": 1,
        "unit_lines": 0,
    }
    assert "2 sheets, and 'data' was read" in reading.warnings[0]


@WRITERS
def test_a_sheet_is_read_by_its_name(read, write):  # noqa: F811
    """A name that the workbook lacks is refused with those that it has."""
    content = write({"one": [["a"], [1], [2]], "two & more": [["b"], ["x"], ["y"]]})
    table, reading, _ = read(content, sheet="two & more")
    assert table.columns == ["b"]
    assert reading.warnings == []
    with pytest.raises(InvalidTable, match=r"no sheet 'too'; it has 'one', 'two"):
        read(content, sheet="too")
    with pytest.raises(InvalidTable, match="no option `delimiter`"):
        read(content, delimiter=";")


def test_a_column_of_several_types_is_read_like_one_of_a_csv(read):  # noqa: F811
    """Cells that do not fit are counted; a whole number has no point."""
    cells = [*range(40), "sold out", "7 items", "12"]
    _, _, columns = read(xlsx({"s": [["stock"], *[[cell] for cell in cells]]}))
    assert columns["stock"].type == "numeric"
    assert columns["stock"].format.strays == ["7 items", "sold out"]
    cells = [*[1.0, 2.5, True, dt.date(2024, 1, 5)] * 9, "a"]
    table, _, columns = read(xlsx({"s": [["v"], *[[cell] for cell in cells]]}))
    assert columns["v"].type == "categorical"
    assert set(table["v"]) == {"1", "2.5", "true", "2024-01-05", "a"}


def test_errors_and_times_in_cells(read):  # noqa: F811
    """An error is missing; a length of time is a number of seconds."""
    cells = [(error("#N/A"), dt.timedelta(hours=30)), (1, dt.timedelta(hours=31))]
    table, _, columns = read(xlsx({"s": [["n", "lasts"], *cells, (2, None)]}))
    assert table["n"].to_list() == [None, 1.0, 2.0]
    assert table["lasts"][0] == 30 * 3600
    assert "seconds" in columns["lasts"].warnings[0]


def test_types_change_late_in_a_long_sheet(read):  # noqa: F811
    """Numbers that were written before a text are texts too."""
    cells = [[i, dt.date(2024, 1, 1), i / 2] for i in range(30_000)]
    last = ["late", dt.datetime(2024, 1, 1, 12), None]  # noqa: DTZ001  as in a cell
    table, _, columns = read(xlsx({"s": [["a", "t", "n"], *cells, last]}))
    assert columns["a"].format.strays == ["late"]
    assert table["t"][30_000] == last[1]
    assert table["n"].sum() == sum(row[2] for row in cells)


@pytest.mark.parametrize("content", [xlsx({"s": FAR}), ods({"s": REPEATED})])
def test_a_huge_sheet_is_refused(read, monkeypatch, content):  # noqa: F811
    """A cell far from the table, and a cell that is repeated: the process ends."""
    monkeypatch.setattr(workbook, "MOST_MEMORY", 10**9)
    with pytest.raises(InvalidTable, match=r"memory|Cell limit exceeded"):
        read(content)


def test_declared_dimensions_do_not_matter(read):  # noqa: F811
    """Only cells count."""
    huge = '<dimension ref="A1:XFD1048576"/>'
    table, _, _ = read(xlsx({"s": [NAMES, *ROWS]}, dimension=huge))
    assert table.shape == (N, 7)


def test_a_workbook_that_unpacks_to_much_is_refused(read, monkeypatch):  # noqa: F811
    """By the sizes of its parts."""
    monkeypatch.setattr(unpacked, "_ALWAYS", 10**6)
    parts = xlsx({"s": [NAMES, *ROWS]})
    file = io.BytesIO(parts)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros", b"\0" * 10**7)
    with pytest.raises(InvalidTable, match="unpacks to"):
        read(file.getvalue())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (xlsx({"s": EMPTY}), "no sheet with cells"),
        (xlsx({"s": [["a", "b"]]}), "no values"),
        (xlsx({"s": [[f"c{i}" for i in range(51)], [1] * 51]}), "at most 50"),
        (zipped({"xl/workbook.xml": "<a>"}), "cannot be read"),
        (zipped({"table.csv": "a,b"}), "a ZIP archive with 'table.csv'; unpack it"),
        (xlsx({"s": [NAMES, *ROWS]})[:-200], "ZIP archive cannot be read"),
        (xlsx({"s": [["a"], ["x" * 70_000], ["y"]]}), "Row 1, column 'a'"),
    ],
)  # fmt: skip
def test_a_workbook_that_is_no_table_is_refused(read, content, said):  # noqa: F811
    """With the reason."""
    with pytest.raises(InvalidTable) as refused:
        read(content)
    assert said in refused.value.detail


@pytest.mark.heavy
def test_damaged_workbooks_are_read_or_refused(read):  # noqa: F811
    """Never another exception."""
    for write in (xlsx, ods):
        whole = bytearray(write({"s": [NAMES, *ROWS[:5]]}))
        for at in range(30, len(whole), len(whole) // 4):
            whole[at] ^= 0xFF
            with contextlib.suppress(InvalidTable):
                read(bytes(whole))


def test_a_worker_reads_every_workbook(tmp_path):
    """Its sheets are held in memory as a whole, so the API reads none."""
    source = tmp_path / "table"
    source.write_bytes(xlsx({"s": [NAMES, *ROWS]}))
    assert not is_small(source, 10**7)


def test_names_are_found_below_notes(read):  # noqa: F811
    """Notes in a few cells, one of them above the last column, are no names."""
    notes = [["A list", *[None] * 4], ["of people", *[None] * 3, "with notes"]]
    names = ["name", "age", "kids", "town", "y"]
    rows = [[f"p{i}", 20 + i, i % 2 == 0, "xy"[i % 2], i] for i in range(9)]
    few = [None, "on", "top", None, None]
    table, reading, _ = read(xlsx({"s": [*notes, few, names, *rows]}))
    assert table.columns == names
    assert table["age"].sum() == sum(row[1] for row in rows)
    assert reading.parsing["skipped_rows"] == 3
    # a line of values is no line of names, whatever stands above it
    table, _, _ = read(xlsx({"s": [["n", None, "x"], *([i, i, i] for i in range(9))]}))
    assert table.columns == ["n", "column_2", "x"]


def test_columns_without_a_name_are_one_warning(read):  # noqa: F811
    """The warning counts the columns that are kept."""
    rows = [[i, i, i, i, i, None, i, i] for i in range(9)]
    _, reading, columns = read(xlsx({"s": [["a", *[None] * 5, "b", "a"], *rows]}))
    assert list(columns) == ["a", *(f"column_{i}" for i in range(2, 6)), "b", "a_2"]
    said = "4 columns have no name; they are renamed to 'column_2', 'column_3'"
    assert sum(said in warning for warning in reading.warnings) == 1
    assert len(reading.warnings) == 3


def test_a_sign_alone_is_no_notation(read):  # noqa: F811
    """A heading `%` above numbers; no cell has a number with a percent sign."""
    cells = [["rate"], *[[i / 50] for i in range(49)], ["%"]]
    _, _, columns = read(xlsx({"s": cells}))
    assert columns["rate"].format.affixes == []
    assert "dropped" not in " ".join(columns["rate"].warnings)
