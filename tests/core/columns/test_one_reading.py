"""A cell is read alike by itself and in a column, whatever the format."""

import math

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.columns import KINDS, kind_of
from core.columns.cells import trimmed
from core.columns.time_formats import _DATES, _MONTHS, _TIMES, _ZONES, completed
from fitserve.schemas.datasets import ColumnFormat

FORMATS = [
    ColumnFormat(),
    ColumnFormat(decimal=",", thousands="."),
    ColumnFormat(decimal=",", thousands=" "),
    ColumnFormat(thousands=","),
    ColumnFormat(thousands="'", affixes=["CHF"]),
    ColumnFormat(thousands=",", affixes=["$", "()"]),
    ColumnFormat(decimal=",", thousands=".", affixes=["€", "%"]),
]
PATTERNS = [
    *(_DATES | _MONTHS),
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%d.%m.%Y %H:%M",
    "%m/%d/%y %I:%M %p",
    "%H:%M:%S",
]
NUMBERS = st.text("0123456789.,' -+eE()$€%CHFinf\u00a0\u202f", min_size=1, max_size=14)
MOMENTS = st.datetimes()


def column(kind, texts, form):
    """Return the raw inputs of texts that are read as a column."""
    cells = pl.select(kind.parse_column(pl.lit(pl.Series(texts)), form)).to_series()
    return kind.raw(cells).tolist()


def cell(kind, text, form):
    """Return the raw input of a text that is read by itself; infinite numbers are missing."""
    value = kind.parse_cell(text, form)
    return math.nan if value is None or math.isinf(value) else float(value)


@settings(max_examples=150, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=20), st.sampled_from(FORMATS))
@example(["1e400", "inf", "-Infinity", "1,234.5", "(3)", "- 3", "$ 1,000"], FORMATS[5])
@example(["1.234,5", "1 234,5", "1\u00a0234", "5 %", "€3"], FORMATS[6])
def test_numbers(texts, form):
    """Numbers are read alike with every combination of marks and signs."""
    texts = [trimmed(text) for text in texts]
    kind = kind_of("numeric")
    expected = [cell(kind, text, form) for text in texts]
    assert column(kind, texts, form) == pytest.approx(expected, nan_ok=True, rel=1e-15)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("yesnotruefalYESNO10. ", max_size=6), min_size=1, max_size=20))
@example(["Yes", "NO", "t", "F", "on", "OFF", "1", "0", "1.0", "0.0", "2", ""])
def test_booleans(texts):
    """Words in any case, ones and zeros are read alike."""
    kind, form = kind_of("boolean"), ColumnFormat()
    expected = [cell(kind, text, form) for text in texts]
    assert column(kind, texts, form) == pytest.approx(expected, nan_ok=True)


@settings(max_examples=150, deadline=None)
@given(MOMENTS, st.sampled_from(PATTERNS), st.sampled_from(["+0000", "+02:00", "-0530"]))
def test_moments(moment, pattern, zone):
    """A moment in any format is read alike; two-digit years start at 1970."""
    year = 1970 + moment.year % 99 if "%y" in pattern else 1000 + moment.year % 9000
    moment = moment.replace(year=year, day=min(moment.day, 28))
    text = moment.strftime(completed(pattern)[1].replace("%z", zone))
    text = text[len(completed(pattern)[0]) :]
    kind, form = kind_of("datetime"), ColumnFormat(datetime=pattern)
    (read,) = column(kind, [text], form)
    assert not math.isnan(read)
    assert read == pytest.approx(cell(kind, text, form), rel=1e-15, abs=1e-6)


@pytest.mark.parametrize("year", ["00", "68", "69", "70", "99"])
def test_two_digits_of_a_year(year):
    """Two-digit years are read alike, although Python and polars differ on 69."""
    kind, form = kind_of("datetime"), ColumnFormat(datetime="%d.%m.%y")
    text = f"01.02.{year}"
    assert column(kind, [text], form) == [cell(kind, text, form)]


def test_every_format_of_an_upload():
    """Dates are read alike with and without a time and a zone."""
    kind = kind_of("datetime")
    for date in _DATES:
        for time in ["", *(f" {time}" for time in _TIMES)]:
            for zone in _ZONES if time else [""]:
                pattern = f"{date}{time}{zone}"
                moment = pl.datetime(2031, 12, 31, 13, 14, 15)
                text = pl.select(moment).item().strftime(pattern.replace("%z", "+0100"))
                form = ColumnFormat(datetime=pattern)
                (read,) = column(kind, [text], form)
                assert read == cell(kind, text, form), pattern


@pytest.mark.parametrize(
    "word", ["größe", "gro\u0308ße", "  Rome ", "006", "6.0", "a\u00a0b"]
)
def test_categories(word):
    """Both keep a category as it is written, in composed Unicode."""
    kind = kind_of("categorical")
    text = trimmed(word)
    assert kind.raw(pl.Series([text])).to_list() == [
        kind.parse_cell(text, ColumnFormat())
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
def test_an_example_is_read_back(kind):
    """The example row of a model's page is read back as the same value."""
    form = (
        ColumnFormat(datetime="%d.%m.%Y") if kind.type == "datetime" else ColumnFormat()
    )
    value = {"datetime": 86_400.0, "boolean": 1.0, "numeric": 2.5}.get(kind.type, "a")
    shown = kind.example(value, form)
    text = str(shown)
    assert kind.parse_cell(text, form) == value
