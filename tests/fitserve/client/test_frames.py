"""Test uploads, training and predictions of frames on the real service."""

import asyncio
import datetime as dt
from decimal import Decimal
from importlib import import_module

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fitserve import AsyncClient, Client
from fitserve.client.frames import csv_of, slices, types_of

N = 60
CATEGORIES = {
    "floats": [1.0, 2.0, 3.5],
    "halves": [0.1, 1e20, -2.0],
    "ints": [1, 2, 30],
    "texts": ["NA", "02134", "x;y"],
    "booleans": [True, False, None],
    "dates": [dt.date(2026, 1, 2), dt.date(2026, 3, 4), dt.date(2025, 1, 1)],
    "moments": [pd.Timestamp("2026-01-02 03:04:05"), pd.Timestamp("2026-03-04"), None],
    "gaps": [1.5, float("nan"), 2.0],
}  # fmt: skip


@pytest.fixture(scope="module")
def client(served):
    with Client(served.url) as client:
        yield client


def frame_of(library):
    """Return a frame of categories, a duration, times, and an independent target."""
    cells = {
        name: [values[i // (k + 1) % 3] for i in range(N)]
        for k, (name, values) in enumerate(CATEGORIES.items())
    }
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    more = {
        "took": [dt.timedelta(minutes=i * i) for i in range(N)],
        "when": [start + dt.timedelta(seconds=37.5 * i) for i in range(N)],
        "y": [float(i % 3 * 10 + i % 7) for i in range(N)],
    }
    if library == "polars":
        return pl.DataFrame(cells | more)
    columns = {
        name: pd.Series(values, dtype=object).infer_objects().astype("category")
        for name, values in cells.items()
    }
    return pd.DataFrame(columns | more)


@pytest.mark.keras
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_training_frame_is_predicted(served, client, library, tmp_path):
    """There is no warning, and the predictions equal those of the uploaded CSV."""
    frame, model = frame_of(library), library
    types = None if library == "pandas" else dict.fromkeys(CATEGORIES, "categorical")
    read = client.datasets.upload(frame, model, types=types)
    kinds = {column.name: column.type.value for column in read.columns}
    assert {kinds[name] for name in CATEGORIES} == {"categorical"}
    assert (kinds["took"], kinds["when"]) == ("numeric", "datetime")
    used = client.runs.validate(dataset=model, target="y").features
    assert set(used) == {*CATEGORIES, "took", "when"}
    served.fit(model, "y", fit={"epochs": 1, "seed": 2})
    answer = client.predict(model, frame)
    assert answer.warnings is None
    saved = client.datasets.content(model, tmp_path / "table.csv")
    of_file = client.predict_file(model, saved)
    assert of_file.warnings is None
    assert answer.predictions == pytest.approx(of_file.predictions, rel=1e-5)


@pytest.mark.keras
def test_unused_columns_are_ignored(served, client):
    """The excluded duration gives no warning."""
    frame = frame_of("pandas")
    client.datasets.upload(frame, "unused")
    served.fit("unused", "y", features={"exclude": [*CATEGORIES, "took"]})
    assert client.predict("unused", frame).warnings is None


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_text_stays_text(client, library):
    """Examples are a code with a leading zero, numbers of several lengths, a country "NA"."""
    frame = import_module(library).DataFrame(
        {
            "zip": ["02134", "501"] * 10,
            "id": [f"{i:04}" for i in range(20)],
            "cc": ["NA", "ZA"] * 10,
            "when": ["2026-01-02", "2026-03-04"] * 10,
            "y": [1.0, None] * 10,
        }
    )
    read = client.datasets.upload(frame, f"text-{library}")
    columns = {column.name: column for column in read.columns}
    kinds = {name: column.type.value for name, column in columns.items()}
    assert kinds == {
        "zip": "categorical",
        "id": "text",
        "cc": "categorical",
        "when": "datetime",
        "y": "numeric",
    }
    missing = {name: column.missing for name, column in columns.items()}
    assert missing == {"zip": 0, "id": 0, "cc": 0, "when": 0, "y": 10}


def test_the_format_of_a_frame_is_not_guessed(client):
    """Numeric names are a header, and `;` in cells is no delimiter."""
    read = client.datasets.upload(pd.DataFrame(np.arange(60).reshape(20, 3)), "numbers")
    assert (read.num_rows, [c.name for c in read.columns]) == (20, ["0", "1", "2"])
    frame = pl.DataFrame({"a": ["x;y", "z;w"] * 10})
    read = client.datasets.upload(frame, "semicolons")
    assert [column.name for column in read.columns] == ["a"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (dt.timedelta(hours=1, milliseconds=500), "3600.5"),
        (np.timedelta64(90, "s"), "90.0"),
        (pd.Interval(0, 5), '"(0, 5]"'),
        (pd.Period("2026-01", "M"), "2026-01"),
        (np.datetime64("NaT"), '""'),
        (Decimal("1.50"), "1.5"),
        (Decimal("NaN"), '""'),
        (True, "true"),
        (b"ab", "ab"),
        ([1, 2], '"[1, 2]"'),
        (np.array([1, 2]), '"[1, 2]"'),
        (float("-inf"), "-inf"),
        (1e20, "1e+20"),
        (3 + 4j, "(3+4j)"),
    ],
)
def test_a_cell_has_the_same_text_in_uploads_and_predictions(cell, text):
    """Values without a JSON form are sent as the text in the CSV."""
    column = pd.Series([cell], dtype=object)
    frame = pd.DataFrame({"a": column})
    [[[sent]]] = slices(frame, 10)
    written = csv_of(frame).decode().splitlines()[1]
    assert written == text
    plain = str(sent).lower() if isinstance(sent, bool) else sent
    assert ("" if plain is None else str(plain)) == text.strip('"')


def test_times_of_a_column_have_one_format():
    """If one has a fraction, all have one, so that one pattern reads the column."""
    moments = pd.to_datetime(
        ["2026-01-02 03:04:05.5", "2026-01-02", None], format="mixed"
    )
    for frame in (
        pd.DataFrame({"t": moments}),
        pl.DataFrame({"t": [*moments[:2], None]}),
    ):
        assert csv_of(frame).decode().splitlines()[1:3] == [
            "2026-01-02T03:04:05.500000",
            "2026-01-02T00:00:00.000000",
        ]


def test_slices_contain_all_rows(monkeypatch):
    """The index does not matter."""
    frame = pd.DataFrame({"a": range(5), "b": list("abcde")}, index=[4.0, 3, 2, 1, 0])
    found = list(slices(frame, 2))
    assert found == [[[0, "a"], [1, "b"]], [[2, "c"], [3, "d"]], [[4, "e"]]]
    assert list(slices(pl.DataFrame({"a": []}), 2)) == [[]]


def test_text_and_numbers_are_not_declared_as_categories():
    """Only a column of numeric texts is declared."""
    frame = pd.DataFrame({"a": ["x", "5", "y"], "b": [1, "2", "3"], "c": ["€ 5"] * 3})
    assert types_of(frame) == {}


@pytest.mark.keras
def test_a_file_is_predicted_in_an_event_loop(served, client, tmp_path):
    """`AsyncClient` has the method, too."""
    path = tmp_path / "loop.csv"
    path.write_text("x;y\n" + "".join(f"{i},5;{i}\n" for i in range(30)))
    client.datasets.upload(path)
    served.fit("loop", "y", fit={"epochs": 1, "seed": 2})

    async def ask():
        async with AsyncClient(served.url) as own:
            return await own.predict_file("loop", path, version=1, strict=True)

    answer = asyncio.run(ask())
    assert answer.predictions == client.predict_file("loop", str(path)).predictions
    assert answer.parsing["delimiter"] == ";"


def test_invalid_arguments_of_predict_file_are_refused(client):
    """Unknown options and rows are refused before any request."""
    with pytest.raises(TypeError, match="did you mean `delimiter`"):
        client.predict_file("m", "rows.csv", delimeter=";")
    with pytest.raises(TypeError, match="takes the path of a file; got dict"):
        client.predict_file("m", {"a": 1})
