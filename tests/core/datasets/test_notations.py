"""Notations of numbers, dates and categories, and the warnings about them."""

import pytest

TIMES = 10


def column(cells, times=TIMES):
    """A table of a running number and one column of these cells, quoted."""
    rows = (f'{i},"{cell}"\n' for i, cell in enumerate(list(cells) * times))
    return "n,a\n" + "".join(rows)


def beside(first, second, names=("a", "b")):
    """A table of two columns."""
    lines = (f"{one},{two}\n" for one, two in zip(first, second, strict=True))
    return ",".join(names) + "\n" + "".join(lines)


def late(cells, last):
    """A table whose column ends with cells that its first rows do not show."""
    many = "".join(f"{i}.5,{cells[i % len(cells)]}\n" for i in range(20_000))
    return "n,a\n" + many + "".join(f"1.5,{cell}\n" for cell in last)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["\u22125", "3", "\u22122.5"], [-5, 3, -2.5]),
        (["\u20135", "3", "$\u20137"], [-5, 3, -7]),
        (["5-", "3", "1,234.50-"], [-5, 3, -1234.5]),
        (["1,00,000", "12,34,567", "999"], [100_000, 1_234_567, 999]),
        (["0,998", "1,001", "1,234"], [0.998, 1.001, 1.234]),
        (["-0,998", "$1,001", "1,234"], [-0.998, 1.001, 1.234]),
        (["1.234,5", "0,998", "2.000"], [1234.5, 0.998, 2000]),
        (["1,234", "999", "12,345"], [1234, 999, 12345]),
    ],
)
def test_numbers(read, cells, values):
    """Signs of minus, Indian groups, and a decimal comma that a leading 0 proves."""
    table, _, columns = read(column(cells))
    assert columns["a"].type == "numeric"
    assert table["a"].to_list()[:3] == values


@pytest.mark.parametrize(
    ("cells", "moment"),
    [
        (["2024-01-02 03:04:05 UTC", "2024-01-03 03:04:05 UTC"], "2024-01-02 03:04:05"),
        (["20240102", "20240131", "20231231"], "2024-01-02 00:00:00"),
        (["20240102030405", "20240131030405", "20231231030405"], "2024-01-02 03:04:05"),
        (["20240102T030405Z", "20240131T030405Z"], "2024-01-02 03:04:05"),
        (["2024-01-02 03:04:05,123", "2024-01-03 03:04:05,5"], "2024-01-02 03:04:05.123000"),
        (["2024-01-02 03:04:05.1234567", "2024-01-03 03:04:05.1"], "2024-01-02 03:04:05.123456"),
        (["2024-01-02 03:04:05+01", "2024-01-03 03:04:05+01"], "2024-01-02 02:04:05"),
        (["Tue, 02 Jan 2024 03:04:05 GMT", "Wed, 03 Jan 2024 03:04:05 GMT"], "2024-01-02 03:04:05"),
        (["Tuesday, January 2, 2024", "Wednesday, January 3, 2024"], "2024-01-02 00:00:00"),
        (["Tue Jan  2 03:04:05 2024", "Fri Jan 12 03:04:05 2024"], "2024-01-02 03:04:05"),
        (["2024-01-02 (Tue)", "2024-01-03 (Wed)"], "2024-01-02 00:00:00"),
        (["2024-01-02 24:00", "2024-01-02 01:00"], "2024-01-03 00:00:00"),
        (["24:00", "01:00", "12:30"], "1970-01-02 00:00:00"),
        (["2024-01-02 03:04:05", "2024-01-03", "2024-01-03 01:02:03.5"], "2024-01-02 03:04:05"),
        (["Q3-1985", "Q1-1986"], "1985-07-01 00:00:00"),
        (["1985Q3", "1986Q1"], "1985-07-01 00:00:00"),
        (["1985-Q3", "1986-q1"], "1985-07-01 00:00:00"),
        (["3Q85", "1Q86"], "1985-07-01 00:00:00"),
    ],
)  # fmt: skip
def test_datetimes(read, cells, moment):
    """Every cell is read, and the first one is this moment in UTC."""
    table, _, columns = read(column(cells))
    assert (columns["a"].type, columns["a"].missing) == ("datetime", 0)
    assert str(table["a"][0]) == moment


@pytest.mark.parametrize(
    ("cells", "kind", "said"),
    [
        (["01", "1001", "06", "6037"], "categorical", "20 of 40 cells begin with 0, such as '01'"),
        (["007", "12", "3.5"], "numeric", "10 cell(s) begin with 0, such as '007'"),
        (["9007199254740993", "9007199254740995", "7"], "categorical", "20 of 30 cells are whole numbers beyond 2^53, such as '9007199254740993'"),
        (["12.5%", "0.125"], "numeric", "10 cell(s) have a percent sign, such as '12.5%', and 10 are without one, such as '0.125'"),
        (["$3", "€4", "4"], "numeric", "several currencies in one column: 10 such as '$3', 10 such as '€4'"),
        (["1", "inf", "-Infinity"], "numeric", "20 cell(s) are infinite, such as 'inf', and count as missing"),
        (["<0.5", "0.7", "0.9"], "categorical", "20 of 30 cells are numeric; 10 are not, such as '<0.5', and would count as missing: give the column the type numeric"),
        (["60 kg", "75 kg", "n/k"], "categorical", "20 of 30 cells are numeric with the unit 'kg'; 10 are not, such as 'n/k'"),
        (["20240102", "0", "20240131"], "numeric", "20 of 30 cells could be dates, such as '20240102'; give the column the type datetime"),
        (["20240102", "20240103", "20240131"], "datetime", "whole numbers are read as dates: '20240102' is 2024-01-02"),
        (["Q1-1985", "Q2-1985"], "datetime", "quarters are read as their first day: 'Q1-1985' is 1985-01-01"),
        (["2024-01-02T03:04:05+02:00", "2024-01-02T03:04:05"], "datetime", "10 cell(s) have a time zone, such as '2024-01-02T03:04:05+02:00', and 10 are without one, such as '2024-01-02T03:04:05'; those without one are read as UTC"),
        (["01-JAN-45", "02-FEB-50"], "datetime", "20 cell(s), such as '02-FEB-50', are dates in the future"),
        (["\u22125", "3"], "numeric", "the sign \u2212 is read as minus"),
        (["Approved", "approved", "No way"], "categorical", "'Approved' (10) and 'approved' (10)"),
        (["<=50K", "<=50K.", ">50K"], "categorical", "'<=50K' (10) and '<=50K.' (10)"),
        (["New York", "New  York", "Rome"], "categorical", "'New  York' (10) and 'New York' (10)"),
        (["café", "cafe\u0301", "bar"], "categorical", "decomposed (NFD) (10) and 'café' composed (NFC) (10)"),
    ],
)  # fmt: skip
def test_a_doubt_is_named_with_a_count_and_a_cell(read, cells, kind, said):
    """On the column, in one warning."""
    _, _, columns = read(column(cells))
    assert columns["a"].type == kind
    assert sum(said in warning for warning in columns["a"].warnings) == 1


@pytest.mark.parametrize(
    "cells",
    [["1", "2.5"], ["$3", "4"], ["A", "A-", "B"], ["x", "y z"], ["0", "0.5", "10"]],
)
def test_what_is_certain_has_no_such_warning(read, cells):
    """Plain numbers, one currency, different categories."""
    _, _, columns = read(column(cells))
    assert columns["a"].warnings in ([], ["the sign $ is dropped"])


@pytest.mark.parametrize(
    ("cells", "given", "values", "strays"),
    [
        (["60 kg", "75 kg", "132 lb"], "numeric", [60, 75, None], ["132 lb"]),
        (["<0,5", "0,7", "2,5"], "numeric", [None, 0.7, 2.5], ["<0,5"]),
        (["01", "1001", "6037"], "numeric", [1, 1001, 6037], []),
        (["9007199254740993", "7", "8"], "numeric", [2.0**53, 7, 8], []),
    ],
)
def test_the_offered_type_reads_the_cells(read, cells, given, values, strays):
    """The hint of the warning works."""
    table, _, columns = read(column(cells), types={"a": given})
    assert table["a"].to_list()[:3] == values
    assert columns["a"].format.strays == strays


def test_digits_are_dates_if_the_type_is_given(read):
    """Other numbers are strays."""
    cells = ["20240102", "0", "20240131"]
    table, _, columns = read(column(cells), types={"a": "datetime"})
    assert str(table["a"][0]) == "2024-01-02 00:00:00"
    assert columns["a"].format.strays == ["0"]


@pytest.mark.parametrize(
    ("cells", "last", "kind", "said"),
    [
        (["1", "2"], ["inf"], "numeric", "1 cell(s) are infinite, such as 'inf'"),
        (["$1", "$2"], ["€5", "€6"], "numeric", "20,000 such as '$1', 2 such as '€5'"),
        (["1%", "2%"], ["0.5"], "numeric", "1 are without one, such as '0.5'"),
        (["10", "20"], ["007"], "numeric", "1 cell(s) begin with 0, such as '007'"),
        (["10000", "90000"], ["01234"] * 3_000, "categorical", "3,000 of 23,000 cells begin"),
        (["1", "2"], ["9007199254740993"] * 3_000, "categorical", "3,000 of 23,000 cells are whole"),
        (["1.1.20", "2.1.21"], ["3.1.45"], "datetime", "1 cell(s), such as '3.1.45', are dates in"),
    ],
)  # fmt: skip
def test_cells_far_down_are_counted_too(read, cells, last, kind, said):
    """Below the rows from which the types are planned."""
    _, _, columns = read(late(cells, last))
    assert columns["a"].type == kind
    assert said in " ".join(columns["a"].warnings)


@pytest.mark.parametrize(
    ("name", "cells", "first"),
    [
        ("dob", ["01-JAN-45", "02-FEB-50"], "1945-01-01"),
        ("Geburtsdatum", ["01.01.45", "02.02.50"], "1945-01-01"),
        ("when", ["01-JAN-45", "02-FEB-99", "02-FEB-85"], "1945-01-01"),
        ("matures", ["01-JAN-45", "02-FEB-25", "02-FEB-30"], "2045-01-01"),
        ("when", ["01-JAN-05", "02-FEB-99", "02-FEB-85"], "2005-01-01"),
    ],
)
def test_two_digits_of_a_year(read, name, cells, first):
    """The years that are closest together, or none in the future if the name says so."""
    table, _, columns = read(column(cells).replace("n,a", f"n,{name}"))
    assert str(table[name][0].date()) == first
    assert bool(columns[name].warnings) == ("45" in cells[0])


def test_the_order_of_day_and_month_that_another_column_proves(read):
    """The neighbour alone is ambiguous; columns that contradict each other prove none."""
    proof, either = ["01/02/2024", "31/01/2024"] * 10, ["01/03/2024", "02/03/2024"] * 10
    _, _, columns = read(beside(proof, either))
    assert columns["b"].format.datetime == "%d/%m/%Y"
    assert columns["b"].warnings == [
        "day and month are in the order of 'a': read as %d/%m/%Y"
    ]
    american = [f"1/{31 - i % 9}/2024" for i in range(20)]
    lines = [f"{a},{b},{c}\n" for a, b, c in zip(proof, either, american, strict=True)]
    _, _, columns = read("a,b,c\n" + "".join(lines))
    assert columns["b"].format.datetime == "%m/%d/%Y"
    assert "ambiguous" in columns["b"].warnings[0]


def test_dates_of_three_two_digit_parts_are_offered(read):
    """Their order is not known: the column stays text, and a warning says how to read it."""
    cells = [f"01-{i % 12 + 1:02}-{13 + i % 5}" for i in range(40)]
    _, _, columns = read(column(cells, 1))
    assert columns["a"].type in ("categorical", "text")
    (warning,) = [w for w in columns["a"].warnings if "datetime" in w]
    assert "40 of 40 cells are datetime: give the column the type datetime" in warning
    assert "may stand in any order: give a `format`, such as '%d-%m-%y'" in warning
    given = {"type": "datetime", "format": "%d-%m-%y"}
    table, _, _ = read(column(cells, 1), types={"a": given})
    assert str(table["a"][1]) == "2014-02-01 00:00:00"


def test_ordinals_have_no_unit(read):
    """`3rd` is a category, although a number stands before letters."""
    _, _, columns = read(column(["1st", "3rd", "3rd", "2nd", "3rd"]))
    assert columns["a"].type == "categorical"
    assert columns["a"].warnings == []
