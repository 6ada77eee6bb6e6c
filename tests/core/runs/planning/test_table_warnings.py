"""A run repeats what its dataset says about the columns that it uses."""

import pytest

from core.datasets.table_warnings import warnings_of
from fitserve.enums import WarningKind
from fitserve.schemas.datasets import ColumnRead
from tests.core.runs.planning.test_target_words import checked, uploaded

ODD = ("1", "2", "inf")
"""Cells of a column about which the upload warns."""


def table_of(num_odd):
    names = [f"odd{i}" for i in range(num_odd)]
    rows = "".join(
        f"{','.join([ODD[i % 3]] * num_odd)},{('red', 'blue')[i % 2]},id{i},{i % 7}\n"
        for i in range(60)
    )
    return f"{','.join(names)},town,code,y\n{rows}"


@pytest.mark.parametrize(("number", "rest"), [(2, None), (11, "and 1 more feature has"), (14, "and 4 more features have")])  # fmt: skip
def test_a_run_repeats_the_warnings_about_its_features(bench, number, rest):
    """The first ten features with warnings are named."""
    columns = uploaded(bench, table_of(number))
    body = checked(bench, target="y").json()
    assert {"odd0", "odd1"} <= set(body["features"])
    said = columns["odd0"]["warnings"][0]
    assert "'inf'" in said
    assert columns["odd0"]["warning_kinds"] == ["reading"]
    about = [w for w in body["warnings"] if w.startswith("the feature ")]
    assert about == [f"the feature 'odd{i}': {said}" for i in range(min(number, 10))]
    assert any(w.startswith("and ") for w in body["warnings"]) == (rest is not None)
    assert rest is None or any(w.startswith(rest) for w in body["warnings"])


def test_a_column_that_the_run_leaves_out_or_reads_again_is_not_named_twice(bench):
    columns = uploaded(bench, table_of(1))
    assert columns["code"]["warning_kinds"] == ["left_out"]
    again = {"types": {"odd0": "categorical"}, "exclude": ["town"]}
    for features, names in [({"exclude": ["odd0"]}, []), (again, [])]:
        body = checked(bench, target="y", features=features).json()
        about = [w for w in body["warnings"] if w.startswith("the feature ")]
        assert about == names


def test_a_column_of_an_earlier_release_has_kinds():
    """The text shows which warning is the reason for leaving a column out."""
    column = ColumnRead.model_validate(
        {
            "name": "a",
            "type": "text",
            "missing": 0,
            "unique": 3,
            "min": None,
            "max": None,
            "mean": None,
            "top": [],
            "left_out": "an id",
            "warnings": ["odd cells", "an id; left out of training"],
        }
    )
    kinds = [warning.kind for warning in warnings_of(column)]
    assert kinds == [WarningKind.READING, WarningKind.LEFT_OUT]
