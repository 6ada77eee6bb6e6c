"""Test `fitserve predict`."""

import csv
import io
import json

import pytest

from fitserve.cli import predictions
from fitserve.client import files
from fitserve.client.parts import PartSize
from tests.fitserve.client.wire import Answer, problem

ROUTE = "POST /v1/predict"


PARSING = {
    "delimiter": ",",
    "quote": '"',
    "header": True,
    "encoding": "utf-8",
    "skipped_lines": 0,
}


def answer(predictions, probabilities=None, version=2, parsing=None):
    return {
        "model_name": "wine",
        "model_version": version,
        "predictions": predictions,
        "probabilities": probabilities,
        "parsing": parsing,
    }


@pytest.fixture
def table(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "rows.csv"
        path.write_text(text, encoding=encoding)
        return path

    return write


def test_the_file_is_sent_unchanged_with_the_given_options(wire, fitserve, table):
    """Only the service parses the file."""
    wire.answers(ROUTE, answer([5.5]))
    path = table("alcohol;code;note\n9,4;007;\n", "utf-8-sig")
    done = fitserve(
        *("predict", "wine", path, "--delimiter", ";", "--decimal", ",", "--header"),
        *("--encoding", "utf-8", "--null", "x"),
    )
    assert done.exit_code == 0, done.stderr
    asked = wire.asked[0]
    assert asked.body == path.read_bytes()
    assert asked.headers["content-type"] == "text/csv"
    assert asked.query == {
        "model": "wine",
        "delimiter": ";",
        "decimal": ",",
        "header": "true",
        "encoding": "utf-8",
        "null_values": "x",
    }


def test_the_output_has_commas_and_the_cells_of_the_file(wire, fitserve, table):
    """Predicted numbers have a decimal point, whatever the mark of the file."""
    wire.answers(ROUTE, answer([5.5]))
    path = table("alcohol;code\n9,4;007\n")
    options = ("--delimiter", ";", "--decimal", ",", "--header", "--output", "-")
    done = fitserve("predict", "wine", path, *options)
    assert done.stdout == 'alcohol,code,prediction\n"9,4",007,5.5\n'


@pytest.mark.parametrize("name", ["out.xlsx", "out.PARQUET", "out.csv.gz"])
def test_a_name_of_another_format_is_refused_first(wire, fitserve, table, name):
    """The output is CSV, and no request is sent."""
    done = fitserve("predict", "wine", table("x\n1\n"), "--output", name)
    assert done.exit_code == 2
    assert "such as 'out.csv'" in " ".join(done.stderr.split())
    assert wire.asked == []


def test_the_table_shows_twenty_rows_and_counts_the_rest(wire, fitserve, table):
    """The last column has the prediction."""
    rows = "".join(f"{i}\n" for i in range(25))
    wire.answers(ROUTE, answer([i / 2 for i in range(25)]))
    header, *shown, last = fitserve(
        "predict", "wine", table("x\n" + rows)
    ).stdout.splitlines()
    assert header.split() == ["x", "prediction"]
    assert len(shown) == 20
    assert shown[3].split() == ["3", "1.5"]
    assert last == "wine, version 2; 5 more rows with --output FILE"


def test_a_narrow_terminal_keeps_ids_and_the_prediction(
    wire, fitserve, table, monkeypatch
):
    """The last line counts the omitted columns; a pipe gets all columns."""
    names = [f"a_long_name_{i}" for i in range(20)] + ["house_id"]
    rows = table(",".join(names) + "\n" + ",".join("1" * 21) + "\n")
    wire.answers(ROUTE, answer([394890.62]))
    whole = fitserve("predict", "wine", rows).stdout.splitlines()
    assert whole[0].split() == [*names, "prediction"]
    assert whole[-1] == "wine, version 2"
    monkeypatch.setattr(predictions, "table_width", lambda: 50)
    header, row, last = fitserve("predict", "wine", rows).stdout.splitlines()
    assert header.split() == ["a_long_name_0", "a_long_name_1", "house_id", "prediction"]
    assert row.split()[-1] == "394,890.62"
    assert len(header.rstrip()) <= 50
    assert last == "wine, version 2; 18 more columns with --output FILE"


def test_a_refused_row_is_reported_once_by_its_line(wire, fitserve, table):
    """The header is line 1, and a cell may contain a line break."""
    rows = [(0, "got 'a', expected a number"), (1, "got 'b', expected a number")]
    lines = tuple(
        {
            "pointer": f"#/instances/{i}/x",
            "detail": f"row {i}, column 'x': {detail}",
            "hint": "leave it empty" if i else None,
            "row": i,
        }
        for i, detail in rows
    )
    detail = "Row 0, column 'x': got 'a', expected a number; row 1, …"
    wire.answers(ROUTE, problem(422, "invalid-instances", detail, lines))
    path = table('x,note\na,"two\nlines"\n\nb,\n')
    done = fitserve("predict", "wine", path)
    assert done.exit_code == 3
    assert done.stderr.splitlines() == [
        "invalid-instances:",
        f"  {path}, line 2, column 'x': got 'a', expected a number",
        f"  {path}, line 5, column 'x': got 'b', expected a number (leave it empty)",
    ]


def test_a_warning_names_its_line(wire, fitserve, table):
    """The line number is that of the file."""
    warning = {"row": 1, "column": "x", "detail": "odd"}
    wire.answers(ROUTE, {**answer([1.0, 2.0]), "warnings": [warning]})
    done = fitserve("predict", "wine", table("x\n1\n2\n"))
    assert done.stderr == "line 3, column 'x': odd\n"


def test_a_strict_refusal_is_reported_by_its_lines(wire, fitserve, table):
    """`--strict` is sent in the URL; warnings are listed like refused cells."""
    warning = "column 'x': 9 is outside the training rows' 0 to 5"
    lines = (
        {
            "pointer": "#/instances/1",
            "detail": f"row 1, {warning}",
            "row": 1,
            "column": "x",
        },
        {"pointer": "#/columns", "detail": "column 'y': not known", "column": "y"},
    )
    detail = f"Row 1, {warning}; … The request is strict, …"
    wire.answers(ROUTE, problem(422, "invalid-instances", detail, lines))
    path = table("x,y\n1,1\n9,1\n")
    done = fitserve("predict", "wine", path, "--strict")
    assert wire.asked[0].query == {"model": "wine", "strict": "true"}
    assert done.exit_code == 3
    assert done.stderr.splitlines() == [
        "invalid-instances:",
        f"  {path}, line 3, {warning}",
        f"  {path}: column 'y': not known",
    ]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("predict", "wine", "nothere.csv"), "The file 'nothere.csv' does not exist.\n"),
        (("train", "nothere.json"), "The file 'nothere.json' does not exist.\n"),
        (
            ("datasets", "upload", "no/x.csv"),
            "'no/x.csv' cannot be used: no folder 'no' exists.\n",
        ),
    ],
)
def test_a_missing_file_is_reported_in_a_sentence(wire, fitserve, args, sentence):
    """No request is sent."""
    done = fitserve(*args)
    assert (done.exit_code, done.stderr) == (2, sentence)
    assert wire.asked == []


def test_a_class_has_its_probability(wire, fitserve, table):
    """Each class has a column."""
    wire.answers(ROUTE, answer(["red"], [{"red": 0.75, "white": 0.25}]))
    header, row, _ = fitserve("predict", "wine", table("x\n1\n")).stdout.splitlines()
    assert header.split() == ["x", "prediction", "P(red)", "P(white)"]
    assert row.split() == ["1", "red", "0.75", "0.25"]


@pytest.mark.parametrize("is_stdout", [True, False])
def test_output_is_the_whole_table_with_columns_added(
    wire, fitserve, table, tmp_path, is_stdout
):
    """Cells are quoted if needed, numbers have all digits, and `-` is stdout."""
    wire.answers(ROUTE, answer([1 / 3]))
    target = "-" if is_stdout else tmp_path / "out.csv"
    done = fitserve("predict", "wine", table('x,y\n"a,b",\n'), "--output", target)
    expected = "" if is_stdout else f"wine, version 2: 1 row in {target}\n"
    assert done.stderr == expected
    text = done.stdout if is_stdout else target.read_text()
    assert list(csv.reader(io.StringIO(text))) == [
        ["x", "y", "prediction"],
        ["a,b", "", repr(1 / 3)],
    ]


@pytest.mark.parametrize("exact", [False, True])
def test_no_cell_of_the_output_is_a_formula(wire, fitserve, table, tmp_path, exact):
    """Cells, names and classes get a mark unless --exact is given; numbers do not."""
    wire.answers(ROUTE, answer(["=evil()"], [{"=evil()": 0.75, "@b": 0.25}]))
    target = tmp_path / "out.csv"
    rows = table("+x,y,-z\n=1+1,-3.5,@a\n")
    fitserve("predict", "wine", rows, "--output", target, *["--exact"] * exact)
    mark = "" if exact else "'"
    assert list(csv.reader(io.StringIO(target.read_text()))) == [
        [f"{mark}+x", "y", f"{mark}-z", "prediction", "P(=evil())", "P(@b)"],
        [f"{mark}=1+1", "-3.5", f"{mark}@a", f"{mark}=evil()", "0.75", "0.25"],
    ]


def test_a_large_file_goes_in_parts_to_one_version(wire, fitserve, table, monkeypatch):
    """A promotion between two parts does not mix two models in one table."""
    monkeypatch.setattr(files, "SIZE", PartSize(num_lines=1001))
    wire.answers(
        ROUTE,
        answer([0.0] * 1000, version=7, parsing=PARSING),
        answer([1.0] * 1001, version=7, parsing=PARSING),
        answer([2.0] * 4, version=7, parsing=PARSING),
    )
    rows = table("x\n" + "1\n" * 2005)
    done = fitserve("predict", "wine", rows, "--alias", "production", "--json")
    assert json.loads(done.stdout)["predictions"] == (
        [0.0] * 1000 + [1.0] * 1001 + [2.0] * 4
    )
    asked = [(a.query.get("alias"), a.query.get("version")) for a in wire.asked]
    assert asked == [("production", None), (None, "7"), (None, "7")]
    assert [a.body for a in wire.asked] == [
        b"x\n" + b"1\n" * 1000,
        b"x\n" + b"1\n" * 1001,
        b"x\n" + b"1\n" * 4,
    ]


def test_version_is_sent(wire, fitserve, table):
    wire.answers(ROUTE, Answer(answer([1.0])))
    fitserve("predict", "wine", table("x\n1\n"), "--version", 3)
    assert wire.asked[0].query["version"] == "3"


def test_predictions_without_matching_rows_are_written_alone(
    wire, fitserve, table, tmp_path
):
    """The rows of the file may not be those of the predictions."""
    wire.answers(ROUTE, answer([1.0, 2.0, 3.0], parsing=PARSING))
    target = tmp_path / "out.csv"
    done = fitserve("predict", "wine", table("x\n1\n2\n"), "-o", target)
    assert "but the service predicted 3" in done.stderr
    assert target.read_text() == "row,prediction\n1,1.0\n2,2.0\n3,3.0\n"


def test_a_refused_row_below_titles_in_another_encoding_has_its_line(
    wire, fitserve, table
):
    """The refusal names a column, which locates the header."""
    detail = "row 1, column 'näme': got 'b', expected a number"
    line = {"pointer": "#/instances/1/näme", "detail": detail, "row": 1, "column": "näme"}
    wire.answers(ROUTE, problem(422, "invalid-instances", f"R{detail[1:]}.", (line,)))
    path = table("Titles, all of them\n\nnäme;y\n1;2\nb;2\n", "cp1252")
    done = fitserve("predict", "wine", path)
    assert f"{path}, line 5, column 'näme': got 'b'" in done.stderr
