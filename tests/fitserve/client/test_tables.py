"""Test frames, arrays and Python values in requests and responses."""

import datetime as dt
import json
from decimal import Decimal
from importlib import import_module

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fitserve import Unprocessable
from fitserve.client.cells import plain
from fitserve.schemas.runs import HistoryRead
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem

ROUTE = "POST /v1/predict"
COLUMNS = {"alcohol": [9.4, None], "colour": ["red", "white"]}
DATA = [[9.4, "red"], [None, "white"]]


def answer(predictions, **more):
    return {"model_name": "w", "model_version": 3, "predictions": predictions, **more}


@pytest.mark.parametrize("frame", [pd.DataFrame(COLUMNS), pl.DataFrame(COLUMNS)])
def test_a_frame_is_sent_as_rows(wire, client, frame):
    """The body has columns and data; missing values are null, not NaN."""
    wire.answers(ROUTE, answer([1.0, 2.0]))
    assert client.predict("w", frame, alias="live").predictions == [1.0, 2.0]
    assert wire.asked[0].json == {
        "model": "w",
        "columns": ["alcohol", "colour"],
        "data": DATA,
        "alias": "live",
    }


@pytest.mark.parametrize(
    ("rows", "sent"),
    [
        (np.array([[1.5, np.nan]]), [[1.5, None]]),
        ([{"x": np.float32(0.5), "n": np.int64(3)}], [{"x": 0.5, "n": 3}]),
        ({"x": 1}, [{"x": 1}]),
        ([pd.Series({"x": 1.5})], [{"x": 1.5}]),
        (({"x": i} for i in range(2)), [{"x": 0}, {"x": 1}]),
        ([], []),
    ],
    ids=["array", "scalars", "one dict", "series", "generator", "none"],
)
def test_rows_may_have_many_types(wire, client, rows, sent):
    """One dict is one row; an empty list is sent, and the service refuses it."""
    wire.answers(ROUTE, answer([1.0]))
    client.predict("w", rows)
    assert wire.asked[0].json["instances"] == sent


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.datetime64("2026-01-02T03:04:05", "ns"), "2026-01-02T03:04:05.000000000"),
        (pd.Timestamp("2026-01-02"), "2026-01-02T00:00:00"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (pd.NaT, None),
        (pd.NA, None),
        (float("nan"), None),
        (float("inf"), "inf"),
        (Decimal("1.5"), 1.5),
        (2**70, 2**70),
    ],
)
def test_a_cell_is_converted_to_json(cell, expected):
    """json.dumps accepts every result."""
    assert plain(cell) == expected
    assert type(plain(cell)) is type(expected)
    json.dumps(plain(cell), allow_nan=False)


def test_many_rows_are_sent_in_batches_to_one_version(wire, client):
    """Row numbers of warnings count from the first batch."""
    warnings = [{"row": 4, "column": "x", "detail": "odd"}]
    wire.answers(
        ROUTE, answer([0.0] * 1000), answer([1.0] * 5, warnings=warnings), answer([9.0])
    )
    whole = client.predict("w", pd.DataFrame({"x": range(1005)}), alias="live")
    assert whole.predictions == [0.0] * 1000 + [1.0] * 5
    assert [warning.row for warning in whole.warnings] == [1004]
    asked = [(a.json.get("alias"), a.json.get("version")) for a in wire.asked]
    assert asked == [("live", None), (None, 3)]


def test_a_refused_row_of_a_later_batch_has_its_own_number(wire, client):
    """Pointer, sentence and `row` have the number."""
    detail = "row 4, column 'x': got 'row 9', expected a number"
    line = {"pointer": "#/instances/4", "detail": detail, "row": 4, "column": "x"}
    refused = problem(422, "invalid-instances", f"R{detail[1:]}; row 7, so.", (line,))
    wire.answers(ROUTE, answer([0.0] * 1000), refused)
    with pytest.raises(Unprocessable) as caught:
        client.predict("w", [{"x": i} for i in range(1010)])
    found = caught.value.problem
    assert found.detail.startswith("Row 1004, column 'x': got 'row 9'")
    assert found.detail.endswith("; row 1007, so.")
    line = found.errors[0]
    assert (line.pointer, line.row) == ("#/instances/1004", 1004)
    assert line.detail.startswith("row 1004,")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_answers_become_frames(wire, client, library):
    """Predictions have a column per class; rows and histories are frames, too."""
    chances = [{"red": 0.75, "white": 0.25}, {"red": 0.5, "white": 0.5}]
    wire.answers(ROUTE, answer(["red", "red"], probabilities=chances))
    body = {"columns": ["a"], "data": [[1], [None]], "offset": 0, "total": 2}
    wire.answers("GET /v1/datasets/wine/rows", body)
    predicted = client.predict("w", [[1], [2]])
    read = HistoryRead(epoch=[1, 2], history={"loss": [0.5, None]})
    frames = [
        getattr(table, f"to_{library}")()
        for table in (predicted, client.datasets.rows("wine"), read)
    ]
    assert all(isinstance(f, import_module(library).DataFrame) for f in frames)
    assert [list(frame.columns) for frame in frames] == [
        ["prediction", "P(red)", "P(white)"],
        ["a"],
        ["epoch", "loss"],
    ]
    assert list(frames[0]["P(white)"]) == [0.25, 0.5]
    assert list(frames[2]["epoch"]) == [1, 2]


def test_without_the_library_the_error_names_the_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(ImportError, match="pip install polars"):
        HistoryRead(epoch=[], history={}).to_polars()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_is_uploaded_as_a_csv(wire, client, library):
    """The CSV has no index; categories are declared."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(), 201))
    frame = import_module(library).DataFrame({"code": ["7", "8"], "y": [1, 2]})
    if library == "pandas":
        frame = frame.astype({"code": "category"})
    else:
        frame = frame.cast({"code": pl.Categorical})
    client.datasets.upload(frame, "codes", types={"y": "numeric"})
    asked = wire.asked[0]
    assert asked.body == b"code,y\n7,1\n8,2\n"
    assert (asked.query["name"], asked.query["filename"]) == ("codes", "codes.csv")
    types = {"code": "categorical", "y": "numeric"}
    assert json.loads(asked.query["types"]) == types


def test_a_frame_needs_a_name(wire, client):
    """No request is sent."""
    with pytest.raises(TypeError, match=r"upload\(frame, 'wine'\)"):
        client.datasets.upload(pd.DataFrame({"a": [1]}))
    assert wire.asked == []
