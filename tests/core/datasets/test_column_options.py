"""Options of a column read its cells alike at the upload, by a spec and in a request."""

import math
from datetime import datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from core.columns import kind_of
from core.columns.facts import given_types
from core.datasets.rereading import Uploaded, read_again
from core.datasets.table_file import read_table
from core.datasets.typed_table import open_table
from core.errors import InvalidTable
from core.runs.run_tables import open_validation
from fitserve.specs.parsing import ParsingSpec
from tests.core.datasets.test_typed_table import Shelf, read_stored


def moment(*parts):
    """Return a datetime without a zone, as tables are stored."""
    return datetime(*parts)  # noqa: DTZ001


AT = moment(2024, 1, 31)
NOON = moment(2024, 7, 1, 12)
COLUMNS = [
    ("a format", {"type": "datetime", "format": "%d.%m.%Y"}, {"31.01.2024": AT, "1.2.2024": moment(2024, 2, 1)}),
    ("a format of a few cells", {"type": "datetime", "format": "%d %b %Y"}, {"31 Jan 2024": AT, "2024-01-31": None, "later": None}),
    ("eight digits", {"type": "datetime", "format": "%Y%m%d"}, {"20240131": AT, "2024131": None}),
    ("years", {"type": "datetime", "format": "%Y"}, {"1999": moment(1999, 1, 1), "2024": moment(2024, 1, 1)}),
    ("months", {"type": "datetime", "format": "%m/%Y"}, {"02/1999": moment(1999, 2, 1)}),
    ("quarters", {"type": "datetime", "format": "%Y Q%q"}, {"2024 Q3": moment(2024, 7, 1), "2024 Q1": moment(2024, 1, 1)}),
    ("a weekday", {"type": "datetime", "format": "%a %d.%m.%Y"}, {"Wed 31.01.2024": AT}),
    ("a comma before a fraction", {"type": "datetime", "format": "%Y/%m/%d %H:%M:%S,%f"}, {"2024/07/01 12:00:00,000": NOON}),
    ("the day first", {"type": "datetime", "dayfirst": True}, {"1/2/2024": moment(2024, 2, 1), "31/1/2024": AT, "1/31/2024": None}),
    ("the month first", {"type": "datetime", "dayfirst": False}, {"1.2.2024": moment(2024, 1, 2), "1.31.2024": AT}),
    ("the day first, unlike all cells", {"type": "datetime", "dayfirst": True}, {"1/31/2024": None, "1/30/2024": None, "2/1/2024": moment(2024, 1, 2)}),
    ("seconds", {"type": "datetime", "format": "epoch_seconds"}, {"1706659200": AT, "1706659200.5": moment(2024, 1, 31, 0, 0, 0, 500_000), "-1": moment(1969, 12, 31, 23, 59, 59), "x": None}),
    ("milliseconds", {"type": "datetime", "format": "epoch_milliseconds"}, {"1706659200000": AT, "1e300": None}),
    ("microseconds", {"type": "datetime", "format": "epoch_microseconds"}, {"1706659200000000": AT}),
    ("nanoseconds", {"type": "datetime", "format": "epoch_nanoseconds"}, {"1706659200000000000": AT}),
    ("Excel", {"type": "datetime", "format": "excel_days"}, {"45322": AT, "45322.5": moment(2024, 1, 31, 12), "Total": None}),
    ("Excel in a zone", {"type": "datetime", "format": "excel_days", "timezone": "Europe/Berlin"}, {"45474.5": moment(2024, 7, 1, 10)}),
    ("a zone", {"type": "datetime", "timezone": "Europe/Berlin"}, {"2024-07-01 12:00": moment(2024, 7, 1, 10), "2024-01-31 01:00": AT, "2024-03-31 02:30": None, "2024-10-27 02:30": moment(2024, 10, 27, 0, 30)}),
    ("a zone that cells have", {"type": "datetime", "timezone": "Europe/Berlin"}, {"2024-07-01T12:00:00Z": NOON, "2024-01-31T00:00:00Z": AT}),
    ("a zone with a format", {"type": "datetime", "timezone": "Asia/Kolkata", "format": "%d/%m/%Y %I:%M %p"}, {"01/07/2024 05:30 PM": NOON}),
    ("a decimal comma", {"type": "numeric", "decimal": ","}, {"1,234": 1.234, "2,5": 2.5}),
    ("a decimal point", {"type": "numeric", "decimal": "."}, {"1,234": 1234.0, "2,500": 2500.0}),
    ("fractions", {"type": "numeric", "percent": "fraction"}, {"12.5%": 0.125, "0.125": 0.125, "5 %": 0.05, "3‰": 0.003}),
    ("percentages", {"type": "numeric", "percent": "number"}, {"12.5%": 12.5, "5": 5.0}),
    ("a unit", {"type": "numeric", "unit": "kg"}, {"60 kg": 60.0, "1,200kg": 1200.0, "70": 70.0, "130 lb": None}),
    ("a unit of signs", {"type": "numeric", "unit": "m/s² #"}, {"60 m/s² #": 60.0, "7": 7.0}),
    ("text", {"type": "text"}, {"NA": "NA", "007": "007", "-": "-", "2024-01-31": "2024-01-31", "": None}),
    ("text with words", {"type": "text", "null_values": ["-"]}, {"NA": "NA", "-": None, "": None}),
    ("categories without words", {"type": "categorical", "null_values": []}, {"None": "None", "NA": "NA", "": None}),
    ("numbers with words", {"type": "numeric", "null_values": ["-999"]}, {"1": 1.0, "-999": None, "NA": None}),
    ("booleans with words", {"type": "boolean", "null_values": ["no"]}, {"yes": True, "no": None, "0": False}),
]  # fmt: skip
IDS = [name for name, _, _ in COLUMNS]


def content_of(cells):
    """Return a CSV with the cells as column `a`, and a column with usual missing words."""
    lines = [
        f'{i % 7},"{cell}",{("NA", "3", "4")[i % 3]}' for i, cell in enumerate(cells)
    ]
    return "\n".join(["n,a,m", *lines, "NA,NA,NA"])


@pytest.mark.parametrize(("name", "options", "cells"), COLUMNS, ids=IDS)
def test_an_upload_reads_cells_as_the_user_says(read, name, options, cells):
    """Only this column; another column still has the usual words for missing."""
    table, _, columns = read(content_of(cells), types={"a": options})
    values = dict(zip(cells, table["a"].to_list(), strict=True))
    assert values == cells
    assert columns["m"].type == "numeric"
    assert columns["m"].missing == math.ceil(len(cells) / 3)
    assert columns["a"].type == options["type"]


@pytest.mark.parametrize(("name", "options", "cells"), COLUMNS, ids=IDS)
def test_a_spec_says_the_same_later(tmp_path, name, options, cells):
    """The values, the format, the rows and the warnings are those of an upload."""
    shelf = Shelf(tmp_path)
    stored = shelf.dataset(content_of(cells))
    fresh = shelf.dataset(content_of(cells), types={"a": options})
    wanted = given_types(fresh.options.types)
    with open_table(stored, shelf.storage, wanted) as table:
        assert_frame_equal(table.scan().collect(), read_stored(shelf.storage, fresh))
        assert table.columns == fresh.columns
        assert table.again
    with open_table(fresh, shelf.storage, wanted) as table:
        assert not table.again


@pytest.mark.parametrize("kind", ["parquet", "json_lines"])
@pytest.mark.parametrize(("name", "options", "cells"), COLUMNS, ids=IDS)
def test_a_file_with_types_has_the_same_options(tmp_path, kind, name, options, cells):
    """Its texts are read like those of a CSV, at the upload and later."""
    frame = pl.DataFrame({"n": range(len(cells)), "a": list(cells)})
    source = tmp_path / "rows"
    if kind == "parquet":
        frame.write_parquet(source)
    else:
        frame.write_ndjson(source)
    given = ParsingSpec(types={"a": options})
    reading = read_table(source, tmp_path, given, 2000)
    table = pl.read_parquet(tmp_path / "table.parquet")
    spared = {"NA"} if options.get("null_values") != ["-999"] else set()
    values = dict(zip(cells, table["a"].to_list(), strict=True))
    assert {k: v for k, v in values.items() if k not in spared} == {
        k: v for k, v in cells.items() if k not in spared
    }
    plain = read_table(source, tmp_path, ParsingSpec(), 2000)
    uploaded = Uploaded(source, ParsingSpec(), plain.parsing, len(cells))
    again = read_again(uploaded, tmp_path, given_types(given.types), {})
    assert pl.read_parquet(again.path)["a"].to_list() == table["a"].to_list()
    assert again.columns[0].format == reading.columns[1].format


@pytest.mark.parametrize(("name", "options", "cells"), COLUMNS, ids=IDS)
def test_one_cell_is_read_like_the_column(read, name, options, cells):
    """A JSON text of a prediction, except that ISO 8601 is always a datetime."""
    _, _, columns = read(content_of(cells), types={"a": options})
    form, kind = columns["a"].format, kind_of(options["type"])
    nulls = (
        {"", *(form.null_values or [])} if form.null_values is not None else {"NA", ""}
    )
    for text, value in cells.items():
        if text in nulls or (value is None and text[:4] == "2024"):
            continue
        expected = (
            kind.raw(pl.Series([value])).to_list() if isinstance(value, str) else None
        )
        expected = expected or ([None] if value is None else kind.raw(pl.Series([value])))
        assert kind.parse_cell(text, form) == expected[0], text


@pytest.mark.parametrize(
    ("form", "number", "seconds"),
    [
        ("epoch_milliseconds", 1_706_659_200_000, AT),
        ("excel_days", 45_322, AT),
        ("%Y%m%d", 20_240_131, AT),
        ("%Y", 2024, moment(2024, 1, 1)),
        ("epoch_seconds", 1e300, None),
        ("%Y%m%d", 20_241_331, None),
    ],
)
def test_a_json_number_counts_in_the_unit_of_the_column(read, form, number, seconds):
    """Not seconds since 1970."""
    _, _, columns = read(
        content_of([str(45_322), "20240131", "2024"]),
        types={"a": {"type": "datetime", "format": form}},
    )
    found = kind_of("datetime").from_number(number, columns["a"].format)
    expected = (
        None if seconds is None else kind_of("datetime").raw(pl.Series([seconds]))[0]
    )
    assert found == expected


@pytest.mark.parametrize(("name", "options", "cells"), COLUMNS, ids=IDS)
def test_an_example_is_a_cell_of_the_column(read, name, options, cells):
    """The example row of a model is read as the value that it stands for."""
    table, _, columns = read(content_of(cells), types={"a": options})
    kind, form = kind_of(options["type"]), columns["a"].format
    raw = (
        kind.raw(table["a"].drop_nulls()).tolist()
        if options["type"] == "datetime"
        else []
    )
    for value in raw:
        cell = kind.example(value, form)
        is_text = isinstance(cell, str)
        read_cell = (
            kind.parse_cell(cell, form) if is_text else kind.from_number(cell, form)
        )
        assert read_cell == value


def test_the_user_is_told_of_cells_that_do_not_fit(read):
    """By their number and an example."""
    cells = ["60 kg", "130 lb", "70", "12 lb"]
    _, _, columns = read(
        content_of(cells), types={"a": {"type": "numeric", "unit": "kg"}}
    )
    assert any(
        "2 cell(s) are not numeric and count as missing: '12 lb', '130 lb'" in warning
        for warning in columns["a"].warnings
    )


def test_a_format_that_fits_no_cell_is_refused(read):
    """With the format, the column and a cell."""
    given = {"a": {"type": "datetime", "format": "%d.%m.%Y"}}
    with pytest.raises(InvalidTable) as refused:
        read(content_of(["2024-01-31", "2024-01-30"]), types=given)
    (error,) = refused.value.errors
    assert error.pointer == "#/types/a"
    assert "'2024-01-31'" in error.detail
    assert "%d.%m.%Y" in error.detail


@pytest.mark.parametrize(
    ("options", "key", "said"),
    [
        ({"type": "numeric", "format": "%Y"}, "format", "numeric has no `format`"),
        ({"type": "text", "timezone": "UTC"}, "timezone", "text has no `timezone`"),
        ({"type": "datetime", "decimal": ","}, "decimal", "datetime has no `decimal`"),
        ({"type": "categorical", "unit": "kg"}, "unit", "no `unit`"),
        ({"type": "boolean", "percent": "fraction"}, "percent", "no `percent`"),
        ({"type": "datetime", "format": "%Y-%m-%d", "dayfirst": True}, "dayfirst", "one of the two"),
        ({"type": "datetime", "format": "epoch_seconds", "timezone": "Asia/Tokyo"}, "timezone", "have a zone"),
        ({"type": "datetime", "timezone": "Europe/Berlyn"}, "timezone", "did you mean `Europe/Berlin`"),
        ({"type": "datetime", "format": "DD.MM.YYYY"}, "format", "expected a pattern"),
        ({"type": "datetime", "format": "%d.%m"}, "format", "needs a year"),
        ({"type": "datetime", "format": "%Y-%m Q%q"}, "format", "only with a year"),
        ({"type": "datetime", "format": "%d.%m.%Y %d"}, "format", "occurs 2 times"),
        ({"type": "datetime", "format": "%I:%M %Y-%m-%d"}, "format", "need each other"),
        ({"type": "datetime", "format": "%Y-%m-%d %H:%M:%S%f"}, "format", "`%S.%f`"),
        ({"type": "datetime", "format": "%Y-%m-%d %"}, "format", "is not supported"),
        ({"type": "datetime", "format": "%Y-%m-%d %Q"}, "format", "`%Q` is not supported"),
        ({"type": "numeric", "unit": "3"}, "unit", "match pattern"),
        ({"type": "numeric", "thousands": ","}, "thousands", "not a key"),
        ({"format": "%Y"}, "type", "required"),
    ],
)  # fmt: skip
def test_options_without_a_meaning_are_refused_where_they_stand(options, key, said):
    """Not ignored."""
    with pytest.raises(ValidationError) as refused:
        ParsingSpec(types={"a": options})
    (error,) = [e for e in refused.value.errors() if e["loc"][-1] == key]
    assert said in error["msg"]


@pytest.mark.parametrize(
    ("options", "cells"),
    [
        ({"type": "numeric", "percent": "fraction"}, {"12.5%": 0.125, "50%": 0.5}),
        ({"type": "datetime", "dayfirst": True}, {"1/2/2024": moment(2024, 2, 1)}),
        (
            {"type": "datetime", "timezone": "Europe/Berlin"},
            {"2024-07-01 12:00:00": moment(2024, 7, 1, 10)},
        ),
        ({"type": "numeric", "null_values": ["-999"]}, {"1": 1.0, "-999": None}),
        ({"type": "datetime", "format": "epoch_seconds"}, {"1706659200": AT}),
    ],
)
def test_a_validation_table_is_read_by_the_format_of_the_run(tmp_path, options, cells):
    """Also if its own type is the same and its cells would mean something else."""
    shelf = Shelf(tmp_path)
    stored, other = shelf.dataset(content_of(cells)), shelf.dataset(content_of(cells))
    wanted = given_types(ParsingSpec(types={"a": options}).types)
    with (
        open_table(stored, shelf.storage, wanted) as trained,
        open_validation(other, trained, ["a"], shelf.storage) as held,
    ):
        assert held.read(["a"])["a"].to_list() == list(cells.values())
