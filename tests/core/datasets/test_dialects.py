"""Files of other programs: blanks, escapes, charsets, line ends, names, units."""

import polars as pl
import pytest

from core.columns.facts import Wanted
from core.datasets.rereading import Uploaded, read_again
from core.errors import InvalidTable
from fitserve.enums import ColumnType
from fitserve.specs.parsing import ParsingSpec

TOWNS = ("Avon", "Clun", "Ely")


def lines(header, row, number=30):
    """Return a CSV of a header and of rows that are written by `row`."""
    head = f"{header}\n" if header else ""
    return head + "".join(f"{row(i)}\n" for i in range(number))


@pytest.mark.parametrize("blank", [", ", ",   ", " , "])
def test_blanks_around_quoted_cells_are_left_out(read, blank):
    """No column moves, and no name has quotes."""
    rows = lines(
        blank.join(['"name"', '"city"', '"y"']),
        lambda i: blank.join([f'"{TOWNS[i % 3]}"', f'"Rome, {i % 2}"', str(i)]),
    )
    table, reading, _ = read(rows)
    assert table.columns == ["name", "city", "y"]
    assert table.row(1) == ("Clun", "Rome, 1", 1.0)
    assert reading.warnings == []


def test_blanks_before_quotes_far_down_are_left_out(read):
    """Beyond the sample from which the layout is known; the file is repaired."""
    rows = lines("name,city,y", lambda i: f"{TOWNS[i % 3]},Rome,{i}", 90_000)
    table, reading, _ = read(rows + 'Ann, "Rome, IT", 7\n')
    assert table.row(-1) == ("Ann", "Rome, IT", 7.0)
    assert "blanks before quotes are left out" in reading.warnings[0]


def test_quotes_within_unquoted_cells_stay(read):
    """A cell that begins with a quoted word is not a quoted cell."""
    table, _, _ = read('n\ttext\n1\t "a" b\n2\t "open\n3\tx\n')
    assert table["text"].to_list() == ['"a" b', '"open', "x"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (r'"he said \"hi\", then left"', 'he said "hi", then left'),
        (r'"C:\new \"q\", x"', r'C:\new "q", x'),
        (r'"a \\ and \"b\""', r'a \ and "b"'),
    ],
)
def test_a_backslash_may_escape_quotes_in_every_row(read, cell, text):
    """Other backslashes stay; the dataset reports the escape."""
    table, reading, _ = read(lines("name,txt,y", lambda i: f'"n{i}",{cell},{i}'))
    assert table.columns == ["name", "txt", "y"]
    assert table.row(3) == ("n3", text, 3.0)
    assert reading.parsing["escape"] == "\\"
    assert "backslash" in reading.warnings[0]


def test_a_backslash_at_the_end_of_a_cell_escapes_nothing(read):
    """As in a path of Windows."""
    table, reading, _ = read(lines("name,path,y", lambda i: f'"n{i}","C:\\tmp\\",{i}'))
    assert table.row(0) == ("n0", "C:\\tmp\\", 0.0)
    assert (reading.parsing["escape"], reading.warnings) == (None, [])


def test_a_quote_that_is_never_closed_is_refused_with_its_line(read):
    """Also in a file with escapes or with blanks before quotes."""
    good = lines("n,txt", lambda i: f'{i},"he said \\"hi\\", {i}"', 1_500)
    with pytest.raises(InvalidTable, match="Line 1502 opens a quote"):
        read(good + '7,"open\n8,x\n')


def test_a_row_that_a_quote_begins_is_refused_with_its_line(read):
    """The fault is found at the next quoted cell, where it is none."""
    plain = lines("n;txt;y", lambda i: f"{i};word {i};{i}", 30)
    with pytest.raises(InvalidTable, match="The row begins in line 32: a quote there"):
        read(plain + '7;"open;1\n8;x;2\n9;"y;";3\n')


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (lines("Item,Price,y", lambda i: f"x{i % 3},£{20 + i}.50,{i}"), "Item"),
        (lines("Item,Price,y", lambda i: f'x{i % 3},"€ {20 + i},50",{i}'), "Item"),
        (lines("Ø,Price", lambda i: f"{i},{i}.5°"), "Ø"),
        (lines("Ä,Price", lambda i: f"{i}±1,{i}²"), "Ä"),
        (lines("Größe,Price", lambda i: f"é{i},£{20 + i}"), "Größe"),
    ],
)
def test_a_few_signs_are_windows_1252(read, text, name):
    """Not Japanese, and not Russian: their letters stand beside each other."""
    table, reading, _ = read(text.encode("cp1252"))
    assert reading.parsing["encoding"] == "windows-1252"
    assert table.columns[0] == name


@pytest.mark.parametrize(
    ("codec", "words"),
    [("cp932", ("都市", "東京", "大阪府")), ("gb18030", ("城市", "北京", "上海市"))],
)
def test_other_charsets_are_still_found(read, codec, words):
    """By letters beside each other."""
    text = lines(f"{words[0]},y", lambda i: f"{words[1 + i % 2]},{i}")
    table, reading, _ = read(text.encode(codec))
    assert (table.columns[0], table.row(0)[0]) == words[:2]
    assert reading.parsing["encoding"] == codec


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_an_odd_byte_does_not_make_utf8_another_charset(read, mark):
    """The other rows stay as they are, and a warning names the line."""
    text = "stadt,y\n" + "Köln,1\nBonn,2\nMünchen,3\n"
    table, reading, _ = read(mark + text.encode() + b"Z\xfcrich,5\nUlm,6\n")
    assert table["stadt"].to_list() == ["Köln", "Bonn", "München", "Zürich", "Ulm"]
    assert reading.parsing["encoding"] == "utf-8"
    assert reading.warnings[0].startswith(
        "1 byte(s) are not UTF-8, the first one in line 5 ('Zürich,5')"
    )


def test_a_given_encoding_that_most_bytes_contradict_is_refused(read):
    """The user said UTF-8, and the file has none."""
    with pytest.raises(InvalidTable, match=r"not in utf-8 \(line 2: 'é,1'\)"):
        read("a,b\né,1\nü,2\n".encode("cp1252"), encoding="utf-8")


@pytest.mark.parametrize(
    "content",
    [
        "a,b\r" + "\r".join(f"{i},{i}" for i in range(30)) + "\r\n",
        "a,b\r" + "".join(f"{i},{i}\r" for i in range(10)) + lines("", lambda i: f"{i},{i}", 20),
        "a,b\r\r\n" + "".join(f"{i},{i}\r\r\n" for i in range(30)),
    ],
)  # fmt: skip
def test_line_ends_may_be_mixed(read, content):
    """Old spreadsheets end lines in CR, and other programs add lines."""
    table, _, _ = read(content.encode())
    assert (table.columns, table.height) == (["a", "b"], 30)


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (lines(",0,1,2", lambda i: f"{i},0.{i},1.{i},2.{i}"), ["column_1", "0", "1", "2"]),
        (lines(",0,1", lambda i: f"{i},{i * 3 % 7},{i * 5 % 11}"), ["column_1", "0", "1"]),
        (lines(",10,20", lambda i: f"2020-01-{i + 1:02},{i % 7},{i % 5}"), ["column_1", "10", "20"]),
        (lines(",2019,2020", lambda i: f"{i},{i}.5,{i * 3}"), ["column_1", "2019", "2020"]),
        (lines("0,1,2,3", lambda i: f"0.{i},1.{i},2.{i},5.5"), ["0", "1", "2", "3"]),
        (lines("2019,2020,2021", lambda i: f"{i}.5,{i * 3}.1,{i * 2}.7"), ["2019", "2020", "2021"]),
        (lines("0,1", lambda i: f"{TOWNS[i % 3]},{TOWNS[i % 2]}"), ["0", "1"]),
        (lines("town,2021", lambda i: f"{TOWNS[i % 3]} {i},{i * 7.5}"), ["town", "2021"]),
        (lines("team,0,1,2", lambda i: f"T{i},{i % 5},{i % 3},{i % 7}"), ["team", "0", "1", "2"]),
        (lines("team,0,1", lambda i: f"{TOWNS[i % 3]}{i},{i % 5},{i % 3}"), ["team", "0", "1"]),
    ],
)  # fmt: skip
def test_numbers_in_the_first_line_may_be_names(read, content, names):
    """Counts and years as pandas writes them; a warning names the option."""
    table, reading, _ = read(content)
    assert (table.columns, table.height) == (names, 30)
    assert "set `header` to false" in reading.warnings[0]


@pytest.mark.parametrize(
    "content",
    [
        lines("", lambda i: f"{i},{i + 1},{i + 2},{i + 3}"),
        lines("", lambda i: f"{i % 3},{(i + 1) % 5},{(i + 2) % 4},{i % 2}"),
        lines("", lambda i: f"{TOWNS[i % 3]}{i},{i * 7.5}"),
        lines("", lambda i: f"Town {chr(65 + i)},{1900 + i * 7 % 60}"),
        lines("", lambda i: f"Town {chr(65 + i)},{1900 + i % 60},{1950 + i % 50}"),
        lines("", lambda i: f"Town {chr(65 + i)},{i},{i + 1},{i + 2}"),
        lines("", lambda i: f"5.{i % 7},3.{i % 5},{TOWNS[i % 3]}"),
    ],
)
def test_numbers_in_the_first_line_may_be_values(read, content):
    """The rows below are like it."""
    table, reading, _ = read(content)
    assert (table.height, reading.parsing["header"]) == (30, False)


@pytest.mark.parametrize("name", ["0", "name", "label"])
def test_one_column_whose_cells_hold_blanks(read, name):
    """It is not split at the blanks."""
    table, _, _ = read(lines(name, lambda i: f"Item {i * 7 % 9}"))
    assert table.columns == [name]
    assert table[name].to_list()[:2] == ["Item 0", "Item 7"]


@pytest.mark.parametrize(
    "row", [lambda i: f"10:{i:02}", lambda i: f"this is {'very ' * (i % 4)}good"]
)
def test_one_column_of_times_or_sentences(read, row):
    """Neither colons nor blanks separate columns."""
    table, _, _ = read(lines("a", row))
    assert (table.columns, table.height) == (["a"], 30)


def cars(i):
    """Return a line in the way of the old archives of machine learning."""
    power = "?" if i == 5 else f"{130 + i}.0"
    return f'{18 + i % 9}.0   8   {300 + i}.0      {power}      12.0   70  1\t"car {i}"'


@pytest.mark.parametrize("header", ["", 'mpg  cyl dis  hp acc  year origin\t"name"'])
def test_blanks_between_numbers_and_a_tab_before_a_name(read, header):
    """Every number is a column."""
    table, _, columns = read(lines(header, cars))
    assert (table.width, table.height) == (8, 30)
    assert [c.missing for c in columns.values()] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert table.row(0)[-1] == "car 0"


@pytest.mark.parametrize(
    ("head", "row", "names", "shown"),
    [
        ("Weather,,Load\nTemp,Hum,kW", lambda i: f"{i},{50 + i},{i * 2}", ["Weather", "Hum", "Load"], "'Temp', 'Hum', 'kW'"),
        ("time,speed,name\ns,m/s,", lambda i: f"{i},{50 + i},{TOWNS[i % 3]}", ["time", "speed", "name"], "'s', 'm/s'"),
        ("name,c,d\n,1/V,1/°C", lambda i: f"{TOWNS[i % 3]},{i}.5,{i}", ["name", "c", "d"], "'1/V', '1/°C'"),
        ("name,price\n,(EUR)", lambda i: f"{TOWNS[i % 3]},{i}.5", ["name", "price"], "'(EUR)'"),
        ("A title\nname,price,mass\n,EUR,kg", lambda i: f"{TOWNS[i % 3]},{i}.5,{i}", ["name", "price", "mass"], "line 3 ('EUR', 'kg')"),
    ],
)  # fmt: skip
def test_a_line_of_units_below_the_names_is_skipped(read, head, row, names, shown):
    """Each column keeps its numbers, and a warning has the line and its words."""
    table, reading, columns = read(lines(head, row))
    assert (table.columns, table.height) == (names, 30)
    assert columns[names[1]].type == "numeric"
    assert any(shown in warning for warning in reading.warnings)
    assert reading.parsing["unit_lines"] == 1


@pytest.mark.parametrize(
    "first",
    ["<0.5,<1,2", "unknown,unknown,unknown", "NA,NA,3", "n.d.,2,3"],
)
def test_odd_cells_in_the_first_row_are_values(read, first):
    """They are neither units nor names."""
    table, _, _ = read(f"a,b,c\n{first}\n" + lines("", lambda i: f"{i},{i}.5,{i * 3}"))
    assert table.height == 31


@pytest.mark.parametrize("word", ["Total", "Grand Total:", "Summe", "TOTAL", "Average"])
def test_a_last_row_of_sums_is_reported(read, word):
    """It is read as a row, because it may be one."""
    table, reading, _ = read(
        lines("item,qty", lambda i: f"w{i % 3},{i}") + f"{word},435\n"
    )
    assert table.height == 31
    assert f"begins with {word!r}" in reading.warnings[-1]


@pytest.mark.parametrize(
    ("row", "last"),
    [
        (lambda i: f"{['Total', 'Part'][i % 2]},{i}", "Total,9\n"),
        (lambda i: f"w{i % 3},{i}", "Totalled,9\n"),
        (lambda i: f"{i},{TOWNS[i % 3]}", "9,Total\n"),
    ],
)
def test_a_category_is_no_sum(read, row, last):
    """It occurs in other rows as well, or in another column than the first."""
    _, reading, _ = read(lines("item,qty", row) + last)
    assert reading.warnings == []


@pytest.fixture
def again(tmp_path):
    """Read a column of a CSV again as categories, by a stored parsing."""

    def read_column(content, parsing, num_rows, name):
        source = tmp_path / "again.csv"
        source.write_bytes(content)
        upload = Uploaded(source, ParsingSpec(), parsing, num_rows)
        wanted = {name: Wanted(ColumnType.CATEGORICAL)}
        reread = read_again(upload, tmp_path, wanted, {})
        return pl.read_parquet(reread.path)[name].to_list()

    return read_column


@pytest.mark.parametrize(
    "content",
    [
        lines('"a", "b"', lambda i: f'"{TOWNS[i % 3]}, x", {i % 7}').encode(),
        lines("a,b", lambda i: f'"he said \\"hi\\", {i}",{i % 7}').encode(),
        lines("a,b\ns,m/s", lambda i: f"{i},{i % 7}").encode(),
        b"a,b\n" + "Köln,1\nDüren,2\n".encode() + b"Z\xfcrich,3\n" * 2,
    ],
)
def test_a_column_is_read_again_in_the_reported_layout(read, again, content):
    """With the rows of the upload."""
    table, reading, _ = read(content)
    cells = again(content, reading.parsing, table.height, "b")
    assert [float(cell) for cell in cells] == table["b"].to_list()


def test_an_upload_of_an_earlier_release_is_read_again_in_its_layout(again):
    """Although this release takes the first line for names, and would skip the units."""
    earlier = {
        "delimiter": ",", "quote": '"', "encoding": "utf-8", "skipped_lines": 0,
    }  # fmt: skip
    frame = lines(",0,1", lambda i: f"{i},{i % 5},{i % 3}").encode()
    cells = again(frame, {**earlier, "header": False}, 31, "column_2")
    assert cells[:3] == ["0", "0", "1"]
    units = lines("a,b\ns,m/s", lambda i: f"{i},{i % 7}").encode()
    cells = again(units, {**earlier, "header": True}, 31, "b")
    assert cells[:2] == ["m/s", "0"]
