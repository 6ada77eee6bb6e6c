"""Test the guess of the column to predict."""

import pytest

from core.datasets.target_guess import suggested_target
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnRead


def column(name, kind="numeric", unique=50, left_out=None):
    return ColumnRead(
        name=name, type=ColumnType(kind), missing=0, unique=unique, min=None,
        max=None, mean=None, top=[], left_out=left_out, warnings=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([column("a"), column("b")], "b"),
        ([column("b"), column("sold_on", "datetime")], "b"),
        ([column("b"), column("id", left_out="an id")], "b"),
        ([column("b"), column("note", "text")], "b"),
        ([column("b"), column("constant", unique=1)], "b"),
        (
            [column("hotel"), column("is_canceled", unique=2), column("adr")],
            "is_canceled",
        ),
        ([column("isChurned", "boolean", 2), column("months")], "isChurned"),
        ([column("Target"), column("b")], "Target"),
        ([column("price"), column("rooms")], "price"),
        ([column("SalePrice"), column("YrSold", unique=5)], "SalePrice"),
        ([column("price"), column("x"), column("y"), column("z")], "price"),
        ([column("deny", unique=2), column("pirat")], "deny"),
        ([column("default", unique=2), column("y", unique=2)], "y"),
        ([column("x"), column("days_since_churn"), column("z")], "z"),
        ([column("passenger class", unique=3), column("fare")], "fare"),
        ([column("Ziel"), column("größe")], "größe"),
        ([column("day", "datetime")], None),
        ([], None),
    ],
)
def test_the_target_is_a_usual_name_or_the_last_column(columns, expected):
    """Dates, ids, free text and constants are never suggested."""
    assert suggested_target(columns) == expected
