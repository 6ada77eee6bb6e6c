"""Real files: each reading, and each error with its line."""

import gzip

import pytest

from core.errors import InvalidTable

NUMBERS = "".join(f"{i},{i * 2}\n" for i in range(30))


def column(cells, header="a"):
    """Return a CSV of a running number and one column of quoted cells."""
    rows = "".join(f'{i},"{cell}"\n' for i, cell in enumerate(cells))
    return f"n,{header}\n{rows}"


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("a,b\n1,x y\n2,z\n", ","),
        ("a;b\n1;x, y\n2;z\n", ";"),
        ("a\tb\n1\tx, y; z\n2\tz\n", "\t"),
        ("a|b\n1|x\n2|z\n", "|"),
        ("alone\n1\n2\n", ","),
    ],
)
def test_the_delimiter_is_found(read, content, delimiter):
    """The delimiter is found even if cells contain another one."""
    table, reading, _ = read(content)
    assert reading.parsing["delimiter"] == delimiter
    assert table.height == 2


@pytest.mark.parametrize(
    ("encoding", "reported"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("cp1252", "windows-1252"),
    ],
)
def test_the_encoding_is_found(read, encoding, reported):
    """A warning says when the encoding is a guess."""
    text = "Größe;Straße\n" + "3,5;café\n1,25;Müller & Söhne\n" * 20
    table, reading, _ = read(text.encode(encoding))
    assert table.columns == ["Größe", "Straße"]
    assert table.row(0) == (3.5, "café")
    assert reading.parsing["encoding"] == reported
    assert any("not UTF-8" in w for w in reading.warnings) == (encoding == "cp1252")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(read, end):
    table, _, _ = read(f"a,b{end}1,x{end}2,y{end}".encode())
    assert table.rows() == [(1.0, "x"), (2.0, "y")]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,234.5", "2", "12,345,678"], [1234.5, 2, 12345678]),
        (["1.234,5", "2,25", "1.000.000"], [1234.5, 2.25, 1e6]),
        (["1 234,5", "2", "1\u00a0000"], [1234.5, 2, 1000]),
        (["3,5", "-2,25", "7"], [3.5, -2.25, 7]),
        (["$3.50", "-$2", "$1,000"], [3.5, -2, 1000]),
        (["3.5 €", "2 €", "-1 €"], [3.5, 2, -1]),
        (["45%", "5.5 %", "-1%"], [45, 5.5, -1]),
        (["(1,000)", "2,500", "(3)"], [-1000, 2500, -3]),
        (["CHF 3.5", "CHF 2", "CHF 1'000"], [3.5, 2, 1000]),
        (["1e3", "-2.5E-1", "+4."], [1000, -0.25, 4]),
        (["1", "inf", "1e400"], [1, None, None]),
    ],
)
def test_numbers_in_every_notation(read, cells, values):
    """Marks, currency and percent signs are read; infinite numbers are missing."""
    table, _, columns = read(column(cells * 10))
    assert columns["a"].type == "numeric"
    assert table["a"].to_list()[:3] == values


@pytest.mark.parametrize(
    ("cells", "warnings"),
    [
        (["3.5 €", "2 €", "-1 €"], ["the sign € is dropped"]),
        (["45%", "2.5%", "1 %"], ["the sign % is dropped: 45% is 45"]),
        (["(1)", "2.5", "(3)"], ["brackets mean minus: (3) is -3"]),
        (["1", "2.5", "3"], []),
    ],
)
def test_warnings_name_only_signs_that_occur(read, cells, warnings):
    _, _, columns = read(column(cells * 10))
    assert columns["a"].warnings == warnings


@pytest.mark.parametrize(
    "token", ["", "NA", "N/A", "null", "NULL", "?", "-", "NaN", "None", "#DIV/0!", " NA "]
)
def test_the_words_for_missing(read, token):
    """The words count as missing in a column of numbers and in one of words."""
    rows = "".join(f"{i},{i},w{i % 3}\n{i},{token},{token}\n" for i in range(20))
    _, _, columns = read(f"n,a,b\n{rows}")
    assert (columns["a"].type, columns["a"].missing) == ("numeric", 20)
    assert (columns["b"].type, columns["b"].missing) == ("categorical", 20)


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["2024-01-31", "2023-12-01"], "2024-01-31 00:00:00"),
        (["2024-01-31T10:20:30Z", "2023-12-01T00:00:00Z"], "2024-01-31 10:20:30"),
        (["2024-01-31 10:20+02:00", "2023-12-01 09:00+02:00"], "2024-01-31 08:20:00"),
        (["31.01.2024", "1.12.2023"], "2024-01-31 00:00:00"),
        (["31/01/2024", "01/12/2023"], "2024-01-31 00:00:00"),
        (["01/31/2024", "12/1/2023"], "2024-01-31 00:00:00"),
        (["1/31/24 3:05 PM", "12/1/23 4:00 AM"], "2024-01-31 15:05:00"),
        (["31-Jan-2024", "1-Dec-2023"], "2024-01-31 00:00:00"),
        (["January 31, 2024", "December 1, 2023"], "2024-01-31 00:00:00"),
        (["2024-01", "2023-12"], "2024-01-01 00:00:00"),
        (["Jan 2024", "Dec 2023"], "2024-01-01 00:00:00"),
        (["10:20", "23:59"], "1970-01-01 10:20:00"),
    ],
)
def test_dates_in_every_notation(read, cells, first):
    """Moments are in UTC, and the column shows the pattern."""
    table, _, columns = read(column(cells * 15))
    assert columns["a"].type == "datetime", columns["a"]
    assert str(table["a"][0]) == first
    assert "%" in columns["a"].format.datetime


def test_ambiguous_days_and_months_have_a_warning(read):
    """With commas the month comes first, with semicolons the day."""
    cells = ["01/02/2024", "03/04/2024"] * 10
    table, _, columns = read(column(cells))
    assert table["a"][0].month == 1
    assert "day and month is ambiguous" in columns["a"].warnings[0]
    rows = "".join(f"{i};{cell}\n" for i, cell in enumerate(cells))
    assert read(f"n;a\n{rows}")[0]["a"][0].month == 2


def test_a_few_strays_do_not_make_a_column_text(read):
    """A few strays count as missing, and the column names them."""
    _, _, columns = read(column([str(i / 7) for i in range(98)] + ["n.b.", "see note"]))
    assert (columns["a"].type, columns["a"].missing) == ("numeric", 2)
    assert columns["a"].format.strays == ["n.b.", "see note"]
    assert "'n.b.'" in columns["a"].warnings[0]


def test_a_type_that_changes_late_is_seen(read):
    """Enough words after 100,000 numbers make a categorical column."""
    late = "".join(f"{i},{i % 7}\n" for i in range(100_001)) + "1,word\n" * 30_000
    table, _, columns = read("n,a\n" + late)
    assert columns["a"].type == "categorical"
    assert table["a"].to_list()[-1] == "word"
    assert columns["n"].type == "numeric"


def test_codes_with_leading_zeros_stay_text(read):
    """A zip code is not a number."""
    table, _, columns = read(column(["01067", "80331", "01067", "10115"] * 10))
    assert columns["a"].type == "categorical"
    assert table["a"][0] == "01067"


@pytest.mark.parametrize(
    ("content", "header", "names"),
    [
        ("5.1,3.5,a\n" + "4.9,3.0,b\n4.7,3.2,a\n" * 5, False, ["column_1", "column_2", "column_3"]),
        ("p,x\n" + "p,x\ne,y\n" * 9, False, ["column_1", "column_2"]),
        ("country,1960,1961\n" + "A,1,2\nB,3,4\n" * 5, True, ["country", "1960", "1961"]),
        ("a,b\n" + NUMBERS, True, ["a", "b"]),
        ("name,city\nAnn,Rome\nBob,Bern\n", True, ["name", "city"]),
    ],
)  # fmt: skip
def test_a_header_or_no_header(read, content, header, names):
    """A warning gives the generated names."""
    table, reading, _ = read(content)
    assert reading.parsing["header"] is header
    assert table.columns == names
    assert any("column_1" in warning for warning in reading.warnings) is not header


def test_titles_and_comments_above_the_table(read):
    """Lines above the table are skipped with a warning."""
    table, reading, _ = read("Sales 2024\n# made by hand\n\na,b\n" + NUMBERS)
    assert table.columns == ["a", "b"]
    assert table.height == 30
    assert reading.parsing["skipped_lines"] == 2
    assert "Sales 2024" in reading.warnings[0]


def test_names_that_are_empty_or_double(read):
    """Such columns are renamed with a warning; an unnamed, empty column is ignored."""
    table, reading, _ = read(",a,a,b,\n" + "".join(f"{i},1,2,3,\n" for i in range(5)))
    assert table.columns == ["column_1", "a", "a_2", "b"]
    warnings = " ".join(reading.warnings)
    assert "'a_2'" in warnings
    assert "1 unnamed, empty column(s) are ignored" in warnings


def test_blanks_around_names_are_dropped_with_a_warning(read):
    """Names stay unique, and a name without blanks keeps its spelling."""
    table, reading, _ = read("a ,\ta, b,b\n" + "1,2,3,4\n" * 3)
    assert table.columns == ["a", "a_2", "b_2", "b"]
    assert "column 1 has the name 'a '; it is renamed to 'a'" in reading.warnings
    assert "column 3 has the name ' b'; it is renamed to 'b_2'" in reading.warnings


def test_row_names_as_r_writes_them(read):
    """With one name fewer than cells, the first column has no name."""
    table, _, columns = read("a,b\n" + "".join(f"{i},x{i},{i}\n" for i in range(1, 31)))
    assert table.columns == ["column_1", "a", "b"]
    assert columns["column_1"].left_out == "a row number"


def test_odd_names_are_kept(read):
    """Names may contain blanks, commas, brackets and any script."""
    names = ["Cement (kg in a m^3, mixed)", "a^$", "код", "名前"]
    header = ",".join(f'"{name}"' for name in names)
    table, _, _ = read(f"{header}\n1,2,3,4\n2,3,4,5\n")
    assert table.columns == names


def test_empty_rows_and_cells_beyond_the_last_column(read):
    """Empty rows and cells, as spreadsheets write them, are ignored."""
    table, _, _ = read("a,b\n1,x,,\n2,y,,\n\n,\n,,,\n")
    assert table.rows() == [(1.0, "x"), (2.0, "y")]


@pytest.mark.parametrize(
    ("rows", "cells", "word"),
    [
        ('1,5" pipe\n2,"6" pipe\n', ['5" pipe', "6 pipe"], "unmatched"),
        ('1,"5\\" pipe, long"\n2,x\n', ['5" pipe, long', "x"], "backslash"),
        ('1,"x\n2,"y\n', ['"x', '"y'], "plain characters"),
        ('1,"x" \n2,y\n', ["x", "y"], "unmatched"),
    ],
)
def test_quotes_as_other_programs_write_them(read, rows, cells, word):
    """Irregular quotes are read with a warning if every line has the right width."""
    table, reading, _ = read(f"a,b\n{rows}")
    assert table["b"].to_list() == cells
    assert word in reading.warnings[0]


def test_columns_separated_by_runs_of_blanks(read):
    rows = "".join(f'{i}.0   {i * 3}     {i}  "a car"\n' for i in range(10, 20))
    table, _, _ = read(f"mpg weight  year name\n{rows}")
    assert table.columns == ["mpg", "weight", "year", "name"]
    assert table.row(0) == (10.0, 30.0, 10.0, "a car")


def test_line_breaks_and_delimiters_in_quoted_cells(read):
    """Such a cell stays in one row."""
    table, _, _ = read('a,b\n1,"x\ny, ""z"""\n2,w\n')
    assert table["b"].to_list() == ['x\ny, "z"', "w"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"a,b\n", "no values: its first line is 'a,b'. Expected the names of columns"),
        (b'"' + b"x" * 99 + b'"', rf"its first line is '\"{'x' * 79}'\. Expected"),
        (b"Internal Server Error", "its first line is 'Internal Server Error'"),
        (b'\n["a", "b"]\n', r"""its first line is '\["a", "b"\]'"""),
        (b"a,b\n1,2\n3\n", "Line 3 has 1 cells"),
        (b'a,b\n"1\n2",2\n3\n', "Line 4 has 1 cells"),
        (b"a,b\n1,2\n3,4,5\n", "Line 3 has 3 cells"),
        (b'a,b\n1,2\n"3,4\n5,6\n', "cannot be read as CSV: unexpected end"),
        (b"a,b\n1,\x00\n", "Byte 6 is NUL"),
        (b"a,b\n1,2\n3," + b"x" * 70_000 + b"\n", "Line 3: a cell is longer"),
        (",".join(f"c{i}" for i in range(2001)).encode() + b"\n" + b"1," * 2000 + b"1\n",
         "2,001 columns"),
    ],
)  # fmt: skip
def test_an_unreadable_table_names_the_line(read, content, message):
    with pytest.raises(InvalidTable, match=message):
        read(content)


@pytest.mark.parametrize(
    ("given", "content", "check"),
    [
        ({"delimiter": ";"}, "a;b,c\n1;2,5\n", lambda t: t.columns == ["a", "b,c"]),
        ({"header": False}, "a,b\nc,d\n", lambda t: t.height == 2),
        ({"header": True}, "1,2\n3,4\n", lambda t: t.columns == ["1", "2"]),
        ({"encoding": "cp1251"}, "a,b\n1,Привет\n".encode("cp1251"), lambda t: t["b"][0] == "Привет"),
        ({"decimal": ","}, 'a,b\n"1,234",x\n"2,5",y\n', lambda t: t["a"][0] == 1.234),
        ({"null_values": ["x"]}, "a,b\nx,NA\n1,b\n", lambda t: t["b"].to_list() == ["NA", "b"]),
        ({"types": {"a": "categorical"}}, "a,b\n1,2\n2,3\n", lambda t: t["a"].to_list() == ["1", "2"]),
        ({"types": {"b": "numeric"}}, "a,b\n1,2\n2,x\n3,y\n", lambda t: t["b"].to_list() == [2, None, None]),
    ],
)  # fmt: skip
def test_options_override_the_reading(read, given, content, check):
    assert check(read(content, **given)[0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"encoding": "klingon"}, "no encoding 'klingon'"),
        ({"encoding": "rot13"}, "no encoding 'rot13'"),
        ({"encoding": "ascii"}, "not in ascii"),
        ({"types": {"c": "numeric"}}, "'c'"),
        ({"types": {"b": "datetime"}}, "such as 'é'"),
    ],
)
def test_wrong_options_are_named(read, given, message):
    """The message contains the option's value, the cell or the column."""
    with pytest.raises(InvalidTable, match=message):
        read("a,b\n1,é\n2,f\n", **given)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["7"] * 30, "constant"),
        ([""] * 30, "every cell is missing"),
        ([f"user {i}" for i in range(30)], "an id, a name, or free text, which fitserve does not read yet:"),
        ([f"{i} words and more words that go on and on and on" for i in range(30)], "free text, which fitserve does not read yet"),
    ],
)  # fmt: skip
def test_uninformative_columns_are_left_out_with_a_reason(read, cells, reason):
    _, _, columns = read(column(cells))
    assert columns["a"].left_out.startswith(reason)
    assert reason in columns["a"].warnings[-1]


def test_ids_are_recognised_by_name_and_values(read):
    """Unique numbers are an id only in a column that is named like one."""
    rows = "".join(f"{1000 + 37 * i},{i * 7 % 30},{i}\n" for i in range(30))
    _, _, columns = read("customer_id,age,day\n" + rows)
    assert columns["customer_id"].left_out.startswith("an id")
    assert columns["age"].left_out is None
    assert columns["day"].left_out is None


def test_a_gzip_upload_is_unpacked(client):
    body = gzip.compress(b"a,b\n1,x\n2,y\n")
    answer = client.post("/v1/datasets", params={"name": "z"}, content=body)
    assert (answer.status_code, answer.json()["num_rows"]) == (201, 2)


def test_a_gzip_of_many_members_is_one_file(client):
    """bgzip writes such files; empty members are read, damaged ones are refused."""
    parts = [gzip.compress(line) for line in (b"a,b\n", b"1,x\n", b"", b"2,y\n")]
    empty = gzip.compress(b"") * 5_000
    for body, status in ((b"".join(parts) + empty, 201), (empty + b"x", 422)):
        answer = client.post("/v1/datasets", params={"name": "z"}, content=body)
        assert answer.status_code == status
        assert answer.json().get("num_rows", 2) == 2


def test_a_year_before_1_is_a_stray(read):
    """polars could read the year, but Python could not show it."""
    _, _, columns = read(column([*["2024-01-02", "2023-05-06"] * 20, "-024-01-02"]))
    assert (columns["a"].type, columns["a"].format.strays) == ("datetime", ["-024-01-02"])


@pytest.mark.parametrize("delimiter", ["é", '"', "ab", "", "\n", "a", "7"])
def test_an_impossible_delimiter_is_refused(client, delimiter):
    """Letters, digits, quotes and several characters are not delimiters."""
    answer = client.post(
        "/v1/datasets",
        params={"name": "t", "delimiter": delimiter},
        content=b"a,b\n1,2\n",
    )
    assert answer.status_code == 422
    assert "delimiter" in answer.text


@pytest.mark.parametrize("kind", ["categorical", "text"])
def test_a_given_type_is_kept(read, kind):
    """A given type also holds for a column of ids or of two categories."""
    for cells in ([f"k{i}" for i in range(30)], ["a", "b"] * 15):
        _, _, columns = read(column(cells), types={"a": kind})
        assert columns["a"].type == kind


@pytest.mark.parametrize("name", ["*", "^.*$", "^x.*$"])
def test_a_name_that_polars_reads_as_a_pattern(read, name):
    """The column is renamed with a warning, and no other column is lost."""
    table, reading, columns = read(f"a,{name},b\n" + NUMBERS.replace("\n", ",1\n"))
    assert len(columns) == table.width == 3
    assert any(repr(name) in warning for warning in reading.warnings)
