"""Models of release 0.1.0 read cells as that release did (reading 1); newer models do not.

The values of reading 1 are the answers of commit 0aab14c. One value differs on purpose:
release 0.1.0 read the year 69 as 2069 in training rows and as 1969 in predictions.
"""

import math

import polars as pl
import pytest

from core.columns import READING, kind_of
from core.errors import InvalidInstances
from core.models.signature import Signature
from fitserve.schemas.datasets import ColumnFormat
from service.predictor.instance_reader import InstanceReader

SCALE = {"center": 0, "scale": 1, "fill": 0}
MOMENTS = {"datetime": "%d.%m.%y", "strays": ["soon"]}
EURO = {"decimal": ",", "thousands": ".", "affixes": ["€", "()"]}
NFD, NFC = "gro\u0308ße", "größe"
KINDS = ["3", "3.5", "true", "True", "01", NFC, "a"]


def feature(name, kind, form, **encoder):
    return {"name": name, "type": kind, "format": form, "encoder": encoder}


STORED = {
    "model_name": "m",
    "task": "regression",
    "target": "y",
    "classes": None,
    "ignored": [],
    "features": [
        feature("number", "numeric", {"strays": ["n.b."]}, type="numeric", **SCALE),
        feature("price", "numeric", EURO, type="numeric", **SCALE),
        feature("flag", "boolean", {"strays": ["maybe"]}, type="numeric", **SCALE),
        feature("when", "datetime", MOMENTS, type="datetime", parts=[]),
        feature("kind", "categorical", {}, type="one_hot", vocabulary=KINDS),
        feature("float", "categorical", {}, type="one_hot", vocabulary=["3.0", "1.0"]),
        feature("note", "text", {}, type="embedding", vocabulary=[NFD, "6"], dim=2),
    ],
}
ROW = {"number": 1, "price": 1, "flag": True, "when": "31.01.24", "kind": "a", "float": "1.0", "note": "6"}  # fmt: skip
NAN, REFUSED = math.nan, "refused"
INFINITE = "not finite, so it counts as missing"


def known(reading):
    """Return a reader for the stored signature; 0.1.0 stored no reading."""
    return InstanceReader(
        Signature.model_validate(STORED if reading == 1 else {**STORED, "reading": 2})
    )


READERS = {reading: known(reading) for reading in (1, 2)}


def outcome(reading, name, cell):
    """Return the value of a cell and the warnings about it."""
    try:
        found = READERS[reading].read_instances([{**ROW, name: cell}])
    except InvalidInstances:
        return REFUSED, []
    names = [f["name"] for f in STORED["features"]]
    table = found.table
    inputs = table.number_inputs(names[:4]) | table.text_inputs(names[4:])
    value = inputs[name][0, 0]
    return value, [entry["detail"] for entry in found.warnings]


def same(one, other):
    is_nan = isinstance(one, float) and math.isnan(one)
    return (isinstance(other, float) and math.isnan(other)) if is_nan else one == other


def unseen(text):
    return f"{text[:40]!r} is not a known category"


@pytest.mark.parametrize(
    ("name", "cell", "value", "warning"),
    [
        ("number", "3", 3.0, None),
        ("number", " 1e3 ", 1000.0, None),
        ("number", "true", REFUSED, None),
        ("number", True, 1.0, None),
        ("number", "inf", NAN, INFINITE),
        ("number", "1e999", NAN, INFINITE),
        ("number", "nan", NAN, None),
        ("number", "n.b.", NAN, "'n.b.' counts as missing, as in training"),
        ("number", "x", REFUSED, None),
        ("number", "1,5", REFUSED, None),
        ("price", "€ 1.234,5", 1234.5, None),
        ("price", "( 3 )", -3.0, None),
        ("price", "- 3", -3.0, None),
        ("price", "inf", NAN, INFINITE),
        ("price", "1.5", REFUSED, None),
        ("price", "(a)", REFUSED, None),
        ("flag", "On", 1.0, None),
        ("flag", "NO", 0.0, None),
        ("flag", "1.0", 1.0, None),
        ("flag", 2, 2.0, None),
        ("flag", "maybe", NAN, "'maybe' counts as missing, as in training"),
        ("flag", "x", REFUSED, None),
        ("when", "1.2.24", 1_706_745_600.0, None),
        ("when", "1.2.68", 3_095_280_000.0, None),
        ("when", "1.2.69", 3_126_902_400.0, None),
        ("when", "1.2.70", 2_678_400.0, None),
        ("when", "2024-01-31T02:00:00+02:00", 1_706_659_200.0, None),
        ("when", "soon", NAN, "'soon' counts as missing, as in training"),
        ("when", "x", REFUSED, None),
        ("when", "inf", REFUSED, None),
        ("when", 0, 0.0, None),
        ("kind", " a ", "a", None),
        ("kind", 3, "3", None),
        ("kind", 3.0, "3", None),
        ("kind", 3.5, "3.5", None),
        ("kind", True, "true", None),
        ("kind", False, "false", unseen("false")),
        ("kind", "True", "True", None),
        ("kind", "3.0", "3.0", unseen("3.0")),
        ("kind", "01", "01", None),
        ("kind", 1, "1", unseen("1")),
        ("kind", NFC, NFC, None),
        ("kind", None, "", None),
        ("kind", math.nan, "", None),
        ("kind", 10**400, str(10**400), unseen(str(10**400))),
        ("kind", [1], REFUSED, None),
        ("float", "3.0", "3.0", None),
        ("float", "3", "3", unseen("3")),
        ("float", True, "true", unseen("true")),
        ("note", NFD, NFD, None),
        ("note", 6.0, "6", None),
        ("note", "6.0", "6.0", unseen("6.0")),
    ],
)
@pytest.mark.parametrize("reading", [1, 2])
def test_cells_that_both_readings_read_alike(reading, name, cell, value, warning):
    """Both readings give the same value and the same warning."""
    found, warnings = outcome(reading, name, cell)
    assert same(found, value)
    assert warnings == ([warning] if warning else [])


@pytest.mark.parametrize(
    ("name", "cell", "earlier", "now"),
    [
        ("number", "iNf", (NAN, INFINITE), (REFUSED, None)),
        ("flag", "01", (1.0, None), (REFUSED, None)),
        ("flag", "2", (2.0, None), (REFUSED, None)),
        ("flag", "0.5", (0.5, None), (REFUSED, None)),
        ("flag", "-3", (-3.0, None), (REFUSED, None)),
        ("flag", "inf", (NAN, INFINITE), (REFUSED, None)),
        ("flag", "1e999", (NAN, INFINITE), (REFUSED, None)),
        ("kind", NFD, (NFD, unseen(NFD)), (NFC, None)),
        ("kind", 1e300, (str(int(1e300)), unseen(str(int(1e300)))), ("1e+300", unseen("1e+300"))),
        ("kind", -0.0, ("0", unseen("0")), ("-0.0", unseen("-0.0"))),
        ("float", 3, ("3", unseen("3")), ("3.0", None)),
        ("float", 3.0, ("3", unseen("3")), ("3.0", None)),
        ("float", 1, ("1", unseen("1")), ("1.0", None)),
    ],
)  # fmt: skip
def test_cells_that_the_readings_read_differently(name, cell, earlier, now):
    """The readings differ in numbers as categories, numbers as booleans, and Unicode forms."""
    for reading, (value, warning) in ((1, earlier), (2, now)):
        found, warnings = outcome(reading, name, cell)
        assert same(found, value), reading
        assert warnings == ([warning] if warning else []), reading


MOMENTS_IN_TEXT = pl.Series(["2024-01-31T00:00:00.0", "2024-01-31T12:00:00.000005", None])


@pytest.mark.parametrize("kind", ["categorical", "text"])
@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        ([1.0, 2.0, None], ["1", "2", None]),
        ([1.0, 2.5, None], ["1.0", "2.5", None]),
        (MOMENTS_IN_TEXT.str.to_datetime(time_unit="us"), ["2024-01-31T00:00:00.000000", "2024-01-31T12:00:00.000005", None]),
        ([True, False, None], ["true", "false", None]),
        ([NFD, "01", None], [NFD, "01", None]),
        ([1, 2, None], ["1", "2", None]),
    ],
)  # fmt: skip
def test_a_parsed_column_becomes_categories_of_reading_1(kind, cells, texts):
    """Models with a type in their spec learned the values that the upload had parsed."""
    assert kind_of(kind, 1).raw(pl.Series(cells)).to_list() == texts


def test_a_signature_without_a_reading_has_reading_1():
    """The features of such a signature have reading 1 too."""
    first, second = Signature(**STORED), Signature(**STORED, reading=READING)
    assert [f.kind.parse_cell("2", ColumnFormat()) for f in first.features[2:3]] == [2.0]
    assert [f.kind.parse_cell("2", ColumnFormat()) for f in second.features[2:3]] == [
        None
    ]
    stored = Signature.model_validate_json(second.model_dump_json())
    assert stored.reading == READING
    assert stored.features[2].kind is second.features[2].kind
