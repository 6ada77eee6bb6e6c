"""Test `fitserve predict` with the training file on the real service."""

import csv
import gzip
import io
import json

import polars as pl
import pytest
from backports import zstd
from typer.testing import CliRunner

from fitserve import Client
from fitserve.cli.app import make_app
from fitserve.client import files
from fitserve.client.parts import PartSize
from tests.workbooks import xlsx

pytestmark = pytest.mark.keras
TOWNS = ("Köln", "Bonn", "Ulm")
ROWS = [(TOWNS[i % 3], i * 0.5, 'a;b, "c"\nd' if i % 7 == 3 else "e", i) for i in range(40)]  # fmt: skip


def text(delimiter=",", decimal=".", header=True, above="", end="\n"):
    """Return the rows as a CSV; cells are quoted if needed, and one line is empty."""
    file = io.StringIO(newline="")
    file.write(above)
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end)
    if header:
        writer.writerow(["stadt", "fläche", "note", "y"])
    for i, (town, size, note, y) in enumerate(ROWS):
        writer.writerow([town, str(size).replace(".", decimal), note, y])
        if i == 5:
            file.write(delimiter * 3 + end)
    return file.getvalue()


ABOVE = "Preise des Jahres, in “€”\n\nStand: Mai\n"
TRAINED = {
    "semicolon": (text(";", ",").encode(), {}),
    "latin1": (text().encode("latin-1"), {}),
    "gzip": (gzip.compress(text().encode()), {}),
    "tab": (text("\t").encode(), {}),
    "utf16": (text("\t").encode("utf-16"), {}),
    "titles": (text(above=ABOVE).encode("cp1252"), {}),
    "no-header": (text(header=False).encode(), {"header": False}),
}
FORMS = TRAINED | {
    "crlf": (text(end="\r\n").encode("utf-8-sig"), {}),
    "bar": (text("|").encode(), {"delimiter": "|"}),
}


@pytest.fixture(scope="module")
def command(served):
    return lambda *args: CliRunner().invoke(
        make_app(), ["--url", served.url, *(str(arg) for arg in args)]
    )


@pytest.fixture(scope="module")
def trained(served, tmp_path_factory, command):
    """Return a function that uploads and trains the file of a form once, and returns it."""
    folder, made = tmp_path_factory.mktemp("forms"), {}

    def train(form):
        if form not in made:
            content, options = TRAINED[form]
            made[form] = path = folder / (form + ".csv" + ".gz" * (form == "gzip"))
            path.write_bytes(content)
            done = command("datasets", "upload", path, *flags(options))
            assert done.exit_code == 0, done.stderr
            served.fit(form, "column_4" if form == "no-header" else "y")
        return made[form]

    return train


def flags(options):
    """Return the command-line options."""
    special = {"header": lambda on: ["--header" if on else "--no-header"]}
    return [
        flag
        for name, value in options.items()
        for flag in special.get(name, lambda v, n=name: [f"--{n}", v])(value)
    ]


def native(served, form, rows=ROWS):
    """Return the predictions of the cells sent as JSON."""
    names = ["stadt", "fläche", "note", "y"]
    if form == "no-header":
        names = ["column_1", "column_2", "column_3", "column_4"]
    with Client(served.url) as client:
        instances = [dict(zip(names, row, strict=True)) for row in rows]
        return client.predict(form, instances).predictions


@pytest.mark.parametrize("form", TRAINED)
def test_the_training_file_is_predicted(served, command, trained, form, tmp_path):
    """The output has the columns of the file, then the predictions in the order of its rows."""
    path, target = trained(form), tmp_path / "out.csv"
    options = flags(FORMS[form][1])
    done = command("predict", form, path, "-o", target, *options)
    assert done.exit_code == 0, done.stderr
    assert done.stderr == f"{form}, version 1: 40 rows in {target}\n"
    header, *rows = csv.reader(io.StringIO(target.read_text("utf-8"), newline=""))
    assert header[-1] == "prediction"
    assert header[1] == ("column_2" if form == "no-header" else "fläche")
    decimal = "," if form == "semicolon" else "."
    assert [row[:-1] for row in rows] == [
        [town, str(size).replace(".", decimal), note, str(y)]
        for town, size, note, y in ROWS
    ]
    expected = native(served, form)
    assert [float(row[-1]) for row in rows] == pytest.approx(expected, rel=1e-5)


def packed(kind):
    names = ["stadt", "fläche", "note", "y"]
    if kind == "xlsx":
        return xlsx({"empty": [], "preise": [names, *ROWS]})
    file = io.BytesIO()
    getattr(pl.DataFrame(ROWS, names, orient="row"), f"write_{kind}")(file)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["parquet", "ipc", "ipc_stream", "ndjson", "xlsx"])
def test_a_file_with_types_is_uploaded_trained_and_predicted(
    served, command, kind, tmp_path, monkeypatch
):
    """Its columns are in the output, and parts of it have the same predictions."""
    path, target = tmp_path / f"{kind}.csv", tmp_path / "out.csv"  # the name says nothing
    # no worker runs here, and only a worker reads a workbook that is uploaded
    path.write_bytes(packed("parquet" if kind == "xlsx" else kind))
    done = command("datasets", "upload", path)
    assert done.exit_code == 0, done.stderr
    served.fit(kind, "y")
    path.write_bytes(packed(kind))
    options = ("--sheet", "preise") if kind == "xlsx" else ()
    if kind == "ndjson":
        path.write_bytes(zstd.compress(packed(kind)))
    done = command("predict", kind, path, "-o", target, *options)
    assert done.exit_code == 0, done.stderr
    header, *rows = csv.reader(io.StringIO(target.read_text("utf-8"), newline=""))
    assert header == ["stadt", "fläche", "note", "y", "prediction"]
    digits = str if kind != "xlsx" else lambda n: f"{n:g}"
    assert [row[:-1] for row in rows] == [
        [town, digits(size), note, str(y)] for town, size, note, y in ROWS
    ]
    expected = native(served, kind)
    assert [float(row[-1]) for row in rows] == pytest.approx(expected, rel=1e-5)
    with Client(served.url) as client:
        whole = client.predict_file(kind, path)
        with monkeypatch.context() as patch:
            patch.setattr(files, "SIZE", PartSize(400, 12))
            parted = client.models.predict_file(kind, path)
    assert parted.predictions == pytest.approx(whole.predictions, rel=1e-5)
    assert (parted.warnings, parted.parsing) == (whole.warnings, whole.parsing)
    done = command("predict", kind, path, "--delimiter", ";")
    assert done.exit_code == 3
    assert "which has no option `delimiter`" in done.stderr


@pytest.mark.parametrize("form", FORMS)
def test_parts_give_the_answer_of_one_request(
    command, trained, form, monkeypatch, served, tmp_path
):
    """The size of parts does not matter; warnings have the row numbers of the file."""
    content, options = FORMS[form]
    model = form if form in TRAINED else "tab"
    trained(model)
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with Client(served.url) as client:
        whole = client.predict_file(model, path, **options)
        assert len(whole.predictions) == len(ROWS)
        for size in (PartSize(700, 10_000), PartSize(10**6, 12)):
            monkeypatch.setattr(files, "SIZE", size)
            parted = client.models.predict_file(model, path, **options)
            assert parted.predictions == pytest.approx(whole.predictions, rel=1e-5)
            assert parted.parsing == whole.parsing
            assert parted.warnings == whole.warnings
    done = command("predict", model, path, "-o", "-", *flags(options))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("\n") == 41 + sum("\n" in row[2] for row in ROWS)


def test_warnings_and_refusals_of_a_later_part_name_the_line(
    command, trained, monkeypatch, tmp_path
):
    """The line is that of the whole file, including lines above the table."""
    trained("titles")
    lines = text(above=ABOVE).splitlines(keepends=True)
    monkeypatch.setattr(files, "SIZE", PartSize(10**6, 10))
    path = tmp_path / "odd.csv"
    odd = lines[-1].replace("19.5", "1e9")
    path.write_text("".join([*lines[:-1], odd]), "cp1252")
    done = command("predict", "titles", path, "-o", "-")
    warning = f"line {len(lines)}, column 'fläche': 1e+09 is outside the training rows'"
    assert done.stderr.startswith(warning)
    odd = lines[-1].replace("19.5", "nine")
    path.write_text("".join([*lines[:-1], odd]), "cp1252")
    done = command("predict", "titles", path, "-o", "-")
    assert done.exit_code == 3
    assert f"{path}, line {len(lines)}, column 'fläche': got 'nine'" in done.stderr
    path.write_text("".join([*lines, "1,2,3,4,5\n"]), "cp1252")
    done = command("predict", "titles", path, "-o", "-")
    assert done.exit_code == 3
    assert f"Line {len(lines) + 1} has 5 cells" in done.stderr


def test_a_non_ascii_letter_in_a_later_part_shows_the_encoding(
    command, trained, monkeypatch, tmp_path
):
    """The first part is ASCII, which is valid in every encoding."""
    trained("no-header")
    names = "column_1|column_2|column_3\n"
    plain = "".join(f"Ulm|{i % 19}.5|e\n" for i in range(30))
    path = tmp_path / "late.csv"
    path.write_bytes((names + plain + "Köln|1.5|e\n" * 3).encode("cp1252"))
    monkeypatch.setattr(files, "SIZE", PartSize(10**6, 10))
    done = command("predict", "no-header", path, "--json")
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["parsing"]["encoding"] == "windows-1252"
    assert answer["warnings"] is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("stadt,fläche,note,y\n", "no values"),
        ("", "The file is empty"),
        ("stadt,fläche,note,y\nUlm,1,e,2\nUlm,1,e,2,5,6\n", "Line 3"),
        ("stadt,note,y\nUlm,e,1\n", "the column 'fläche' is missing"),
    ],
)
def test_an_invalid_table_is_refused(command, trained, tmp_path, content, sentence):
    """The message is that of an upload."""
    trained("latin1")
    path = tmp_path / "none.csv"
    path.write_text(content, "utf-8")
    done = command("predict", "latin1", path)
    assert done.exit_code == 3
    assert sentence in done.stderr


def test_a_column_named_prediction_keeps_its_name(served, command, tmp_path):
    """The added column gets the next free name, which stderr reports."""
    path, target = tmp_path / "taken.csv", tmp_path / "out.csv"
    rows = "".join(f"{i},{i % 5},{i % 3},{i}\n" for i in range(30))
    path.write_text("x,prediction,prediction_2,y\n" + rows)
    assert command("datasets", "upload", path).exit_code == 0
    served.fit("taken", "y")
    done = command("predict", "taken", path, "-o", target)
    assert done.exit_code == 0, done.stderr
    message = "the file has a column 'prediction'; the new column is named 'prediction_3'"
    assert done.stderr.splitlines()[0] == message
    header = target.read_text().splitlines()[0].split(",")
    assert header == ["x", "prediction", "prediction_2", "y", "prediction_3"]


def test_the_output_may_replace_the_file_that_was_read(command, trained, tmp_path):
    """A temporary file replaces the input when it is complete; --json prints as well."""
    own = tmp_path / "own.csv"
    own.write_bytes(trained("semicolon").read_bytes())
    done = command("predict", "semicolon", own, "-o", own, "--json")
    assert done.exit_code == 0, done.stderr
    with own.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[-1] == "prediction"
    assert len(rows) == len(ROWS) == len(json.loads(done.stdout)["predictions"])
    assert [path.name for path in tmp_path.iterdir()] == ["own.csv"]
