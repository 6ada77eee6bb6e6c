"""A cell is read alike by itself and in a column, whatever the format."""

import math
from datetime import datetime

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.columns import KINDS, kind_of
from core.columns.cells import trimmed
from core.columns.time_cells import completed
from core.columns.time_formats import _DATES, _MONTHS, _TIMES, _ZONES
from fitserve.schemas.datasets import ColumnFormat

FORMATS = [
    ColumnFormat(),
    ColumnFormat(decimal=",", thousands="."),
    ColumnFormat(decimal=",", thousands=" "),
    ColumnFormat(thousands=","),
    ColumnFormat(thousands="'", affixes=["CHF"]),
    ColumnFormat(thousands=",", affixes=["$", "()"]),
    ColumnFormat(decimal=",", thousands=".", affixes=["€", "%"]),
    ColumnFormat(thousands=",", groups="thousands", minus=["\u2212", "\u2013", "3-"]),
    ColumnFormat(thousands=",", groups="indian", affixes=["$", "()"], minus=["3-"]),
    ColumnFormat(decimal=",", unit="kg", minus=["\u2212"]),
]
PATTERNS = [
    *(_DATES | _MONTHS),
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%d.%m.%Y %H:%M",
    "%m/%d/%y %I:%M %p",
    "%H:%M:%S",
    "%Y-%m-%d %H:%M:%S UTC",
    "%Y-%m-%d %H:%M:%S,%f",
    "%Y%m%d",
    "%Y%m%d%H%M%S",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %d %H:%M:%S %Y",
    "%Y-%m-%d (%a)",
]
NUMBERS = st.text(
    "0123456789.,' -+eE()$€%CHFinfkg\u2212\u2013\u00a0\u202f", min_size=1, max_size=14
)
MOMENTS = st.datetimes()


def column(kind, texts, form):
    """Return the raw inputs of texts that are read as a column."""
    cells = pl.select(kind.parse_column(pl.lit(pl.Series(texts)), form)).to_series()
    return kind.raw(cells).tolist()


def cell(kind, text, form):
    """Return the raw input of a text that is read by itself; infinite numbers are missing."""
    value = kind.parse_cell(text, form)
    return math.nan if value is None or math.isinf(value) else float(value)


@settings(max_examples=150)
@given(st.lists(NUMBERS, min_size=1, max_size=20), st.sampled_from(FORMATS))
@example(["1e400", "inf", "-Infinity", "1,234.5", "(3)", "- 3", "$ 1,000"], FORMATS[5])
@example(["1.234,5", "1 234,5", "1\u00a0234", "5 %", "€3"], FORMATS[6])
@example(["\u22125", "\u2013 5", "5-", "5 -", "-5-", "0,998", "1,234"], FORMATS[7])
@example(["1,00,000", "$ 12,34,567.5-", "123,456", "0,99,000"], FORMATS[8])
@example(["5 kg", "5kg", "\u22125,5\u00a0kg", "5 kg kg", "kg"], FORMATS[9])
def test_numbers(texts, form):
    """Numbers are read alike with every combination of marks and signs."""
    texts = [trimmed(text) for text in texts]
    kind = kind_of("numeric")
    expected = [cell(kind, text, form) for text in texts]
    assert column(kind, texts, form) == pytest.approx(expected, nan_ok=True, rel=1e-15)


@settings(max_examples=100)
@given(st.lists(st.text("yesnotruefalYESNO10. ", max_size=6), min_size=1, max_size=20))
@example(["Yes", "NO", "t", "F", "on", "OFF", "1", "0", "1.0", "0.0", "2", ""])
def test_booleans(texts):
    """Words in any case, ones and zeros are read alike."""
    kind, form = kind_of("boolean"), ColumnFormat()
    expected = [cell(kind, text, form) for text in texts]
    assert column(kind, texts, form) == pytest.approx(expected, nan_ok=True)


@settings(max_examples=150)
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


SEVERAL = {"datetime": "%Y-%m-%d %H:%M", "other_datetimes": ["%Y-%m-%d 24:%M"]}


@pytest.mark.parametrize(
    ("text", "form", "moment"),
    [
        ("Q3-1985", {"datetime": "Q%q-%Y"}, "1985-07-01"),
        ("q3-1985", {"datetime": "Q%q-%Y"}, "1985-07-01"),
        ("Q5-1985", {"datetime": "Q%q-%Y"}, None),
        ("4Q69", {"datetime": "%qQ%y"}, "2069-10-01"),
        ("4Q69", {"datetime": "%qQ%y", "first_year": 1927}, "1969-10-01"),
        ("01-JAN-45", {"datetime": "%d-%b-%y", "first_year": 1927}, "1945-01-01"),
        ("01-JAN-26", {"datetime": "%d-%b-%y", "first_year": 1927}, "2026-01-01"),
        ("29-FEB-00", {"datetime": "%d-%b-%y", "first_year": 1890}, "1900-02-28"),
        ("2024-12-31 24:00", SEVERAL, "2025-01-01"),
        ("2024-12-31 00:00", SEVERAL, "2024-12-31"),
        ("2024-12-31 24:30", SEVERAL, None),
        ("2024-12-31 24:00", {"datetime": "%Y-%m-%d %H:%M"}, None),
        ("20240131", {"datetime": "%Y%m%d"}, "2024-01-31"),
        ("2024131", {"datetime": "%Y%m%d"}, None),
    ],
)
def test_dates_that_strptime_does_not_know(text, form, moment):
    """Quarters, the end of a day, digits only, and a century that the format gives."""
    kind, form = kind_of("datetime"), ColumnFormat(**form)
    expected = datetime.fromisoformat(f"{moment}T00:00Z").timestamp() if moment else None
    (read,) = column(kind, [text], form)
    assert (None if math.isnan(read) else read) == expected
    assert kind.parse_cell(text, form) == expected


def test_earlier_formats_read_as_before():
    """A format without the newer keys neither groups otherwise nor knows other signs."""
    kind, form = kind_of("numeric"), ColumnFormat(thousands=",")
    for text, value in (("0,998", 998), ("1,00,000", None), ("\u22125", None)):
        assert kind.parse_cell(text, form) == value
        assert cell(kind, text, form) == pytest.approx(
            column(kind, [text], form)[0], nan_ok=True
        )


@pytest.mark.parametrize(
    ("number", "seconds"),
    [(20240131, 1_706_659_200.0), (20240132, None), (1.5, None), (math.inf, None)],
)
def test_numbers_of_a_column_of_digits_are_dates(number, seconds):
    """A JSON number is the text of its digits there, not seconds since 1970."""
    kind = kind_of("datetime")
    assert kind.from_number(float(number), ColumnFormat(datetime="%Y%m%d")) == seconds
    assert kind.from_number(number, ColumnFormat(datetime="%Y-%m-%d")) == number


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


@pytest.mark.parametrize(
    ("pattern", "text"), [("Q%q-%Y", "Q3-1985"), ("%Y%m%d", "19850701")]
)
def test_an_example_is_written_in_the_notation_of_the_column(pattern, text):
    """Also where Python has no directive for it."""
    form = ColumnFormat(datetime=pattern)
    kind = kind_of("datetime")
    assert kind.example(kind.parse_cell(text, form), form) == text


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
