"""The rules of docs/values.md, as a table."""

import math

import numpy as np
import pytest

from core.errors import InvalidInstances
from core.models.signature import (
    DatetimeEncoder,
    EmbeddingEncoder,
    Feature,
    NumericEncoder,
    OneHotEncoder,
    Signature,
)
from fitserve.schemas.datasets import ColumnFormat
from service.predictor.instance_reader import InstanceReader

SCALE = {"center": 0, "scale": 1, "fill": 0}
FEATURES = [
    Feature(
        name="number", type="numeric", has_missing=False,
        format=ColumnFormat(strays=["n.b."]),
        encoder=NumericEncoder(**SCALE, least=0, greatest=10),
    ),
    Feature(
        name="price", type="numeric",
        format=ColumnFormat(decimal=",", thousands=".", affixes=["€"]),
        encoder=NumericEncoder(**SCALE),
    ),
    Feature(name="flag", type="boolean", encoder=NumericEncoder(**SCALE)),
    Feature(
        name="when", type="datetime", format=ColumnFormat(datetime="%d.%m.%Y"),
        encoder=DatetimeEncoder(parts=[], least=1_706_659_200, greatest=1_706_745_600),
    ),
    Feature(name="kind", type="categorical", encoder=OneHotEncoder(vocabulary=["3", "a", "true"])),
    Feature(name="town", type="categorical", encoder=EmbeddingEncoder(vocabulary=["Rome"], dim=2)),
]  # fmt: skip
SIGNATURE = Signature(
    model_name="m", task="regression", target="y", classes=None,
    features=FEATURES, ignored=["id"],
)  # fmt: skip
ROW = {"number": 1, "price": 1, "flag": True, "when": "31.01.2024", "kind": "a", "town": "Rome"}  # fmt: skip
JAN_31 = 1_706_659_200.0
MISSING = math.nan


def inputs(table):
    numbers = table.number_inputs([f.name for f in FEATURES if not f.is_text])
    return numbers | table.text_inputs([f.name for f in FEATURES if f.is_text])


def read(**changes):
    table, warnings = InstanceReader(SIGNATURE).read_instances([ROW, {**ROW, **changes}])
    columns = inputs(table)
    name = next(iter(changes))
    value = columns[name][1, 0] if name in columns else None
    return value, [w["detail"] for w in warnings if w["row"] == 1]


@pytest.mark.parametrize(
    ("name", "cell", "value", "warning"),
    [
        ("number", 3, 3.0, None),
        ("number", "3.5", 3.5, None),
        ("number", " 1e1 ", 10.0, None),
        ("number", True, 1.0, None),
        ("number", None, MISSING, "every training row had a value"),
        ("number", "NA", MISSING, "every training row had a value"),
        ("number", "n.b.", MISSING, "as in training"),
        ("number", "inf", MISSING, "not finite"),
        ("number", "1e999", MISSING, "not finite"),
        ("number", 11, 11.0, "outside the training rows' 0 to 10"),
        ("price", "€ 1.234,5", 1234.5, None),
        ("price", None, MISSING, None),
        ("flag", "No", 0.0, None),
        ("flag", "1", 1.0, None),
        ("flag", 0, 0.0, None),
        ("when", "1.2.2024", JAN_31 + 86_400, None),
        ("when", "2024-01-31T02:00:00+02:00", JAN_31, None),
        ("when", JAN_31, JAN_31, None),
        ("when", "", MISSING, None),
        (
            "when",
            "1.3.2024",
            JAN_31 + 30 * 86_400,
            "01.03.2024 is outside the training rows' 31.01.2024 to 01.02.2024",
        ),
        ("kind", 3.0, "3", None),
        ("kind", True, "true", None),
        ("kind", " a ", "a", None),
        ("kind", None, "", None),
        ("kind", "new", "new", "'new' is not a known category"),
        ("town", "Bern", "Bern", "'Bern' is not a known"),
        ("y", 5, None, None),
        ("id", 5, None, None),
        ("extra", 5, None, "not a column of this model"),
    ],
)
def test_a_cell_has_its_value_and_warning(name, cell, value, warning):
    found, warnings = read(**{name: cell})
    assert found == value or (value is MISSING and math.isnan(found))
    assert [warning in w for w in warnings] == ([True] if warning else [])


@pytest.mark.parametrize(
    ("name", "cell", "message"),
    [
        ("number", "three", "expected a number"),
        ("number", " 1,5", "expected a number with '.' as decimal mark"),
        ("number", "1_0", "expected a number"),
        ("number", "٣", "expected a number"),
        ("number", [1], "expected a number"),
        ("number", 10**400, "expected a number"),
        ("price", "1.5", "expected a number"),
        ("flag", "maybe", "expected a boolean"),
        ("when", "31/01/2024", "expected a date or time, such as 31.01.2026"),
        ("when", "32.01.2024", "expected a date"),
        ("kind", {"a": 1}, "expected text"),
    ],
)
def test_an_invalid_cell_refuses_the_request(name, cell, message):
    """The error has the row, the column, the value and what was expected."""
    with pytest.raises(InvalidInstances) as refusal:
        read(**{name: cell})
    error = refusal.value.errors[0]
    assert (error.row, error.column) == (1, name)
    assert message in error.detail
    assert ("decimal mark" in error.detail) == (name == "price" or "," in str(cell))


def test_a_missing_feature_is_refused_with_a_suggestion():
    """A misspelt name is both a missing and an unknown column."""
    row = {k: v for k, v in ROW.items() if k != "price"} | {"prise": 1}
    with pytest.raises(InvalidInstances, match="rename `prise` to it"):
        InstanceReader(SIGNATURE).read_instances([row])


@pytest.mark.parametrize("name", ["price ", " price", "\tprice"])
def test_blanks_around_a_name_do_not_matter(name):
    """An exact name has precedence over a name with blanks."""
    raw = InstanceReader(SIGNATURE)
    row = {k: v for k, v in ROW.items() if k != "price"} | {name: 7}
    table, warnings = raw.read_instances([row, ROW])
    assert inputs(table)["price"][0, 0] == 7
    assert warnings == raw.read_instances([{**ROW, "price": 7}, ROW]).warnings
    by_column = {key: [cell] for key, cell in row.items()}
    assert inputs(raw.read_columns(by_column).table)["price"][0, 0] == 7
    table, warnings = raw.read_instances([{**ROW, name: 7}])
    assert inputs(table)["price"][0, 0] == 1
    assert [w["column"] for w in warnings if "not a column" in w["detail"]] == [name]


def test_nan_is_missing_for_every_column():
    """Data frames hold NaN for missing cells, also in columns of categories."""
    own = InstanceReader(SIGNATURE.model_copy(update={"null_values": ["nope"]}))
    row = dict.fromkeys(ROW, MISSING)
    expected = own.read_instances([dict.fromkeys(ROW)])
    found = own.read_instances([row])
    assert [list(texts) for texts in found.table.texts] == [[""], [""]]
    assert found.warnings == expected.warnings


def test_many_rows_are_compared_at_once():
    """There are at most a hundred warnings."""
    rows = [{**ROW, "number": i} for i in range(300)]
    table, warnings = InstanceReader(SIGNATURE).read_instances(rows)
    assert np.array_equal(inputs(table)["number"][:, 0], np.arange(300.0))
    assert [w["row"] for w in warnings] == list(range(11, 111))


def test_a_number_that_means_missing_is_missing_as_text_and_as_a_number():
    """`null_values` of the upload apply to numbers too, except in reading 1."""
    own = {"null_values": ["-999", "none"], "features": FEATURES[:1]}
    for reading, missing in ((2, [True, True, False]), (1, [False, True, False])):
        facts = {"model_name": "m", "task": "regression", "target": "y", "classes": None}
        signature = Signature(**facts, ignored=[], reading=reading, **own)
        rows = [{"number": -999}, {"number": "-999"}, {"number": 3}]
        table, warnings = InstanceReader(signature).read_instances(rows)
        assert np.isnan(table.numbers[0]).tolist() == missing
        rows_missing = [w["row"] for w in warnings if "missing" in w["detail"]]
        assert sorted(rows_missing) == np.flatnonzero(missing).tolist()
        plain, _ = InstanceReader(signature).read_instances([rows[0], rows[2]])
        assert np.isnan(plain.numbers[0]).tolist() == [missing[0], False]
