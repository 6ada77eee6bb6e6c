"""Differences of contracts, and which of them break callers."""

import pytest

from core.errors import ContractBroken
from core.models.contract import Contract, Input, contract_differences, refuse_breaking
from fitserve.enums import ColumnType, Task
from fitserve.schemas.datasets import ColumnFormat


def made(*inputs, target="y", task=Task.BINARY, classes=("no", "yes")):
    return Contract({i.name: i for i in inputs}, target, task, list(classes))


def column(name, kind=ColumnType.NUMERIC, *, missing=False, **form):
    return Input(name, kind, ColumnFormat(**form), missing)


A, B = column("a"), column("b", ColumnType.CATEGORICAL)
OLD = made(A, B)


@pytest.mark.parametrize(
    ("new", "said", "breaks"),
    [
        (made(A, B, column("c")), "'c' is a new required input", True),
        (made(A), "'b' is no longer an input", False),
        (made(B, A), "another order", True),
        (
            made(column("a", ColumnType.CATEGORICAL), B),
            "'a' is categorical instead of numeric",
            False,
        ),
        (made(column("a", ColumnType.BOOLEAN), B), "boolean instead of numeric", True),
        (made(A, column("b")), "'b' is numeric instead of categorical", True),
        (made(column("a", percent="fraction"), B), "another meaning", True),
        (made(column("a", missing=True), B), "'a' may be missing now", False),
        (made(A, B, target="z"), "the target is 'z' instead of 'y'", True),
        (
            made(A, B, task=Task.REGRESSION, classes=()),
            "the task is regression instead of binary",
            True,
        ),
        (made(A, B, classes=("no", "maybe")), "1 class is new: 'maybe'", True),
        (made(A, B, classes=("yes", "no")), "the order of the classes", True),
    ],
)
def test_each_difference_is_a_sentence(new, said, breaks):
    """`breaks` says whether a caller of the old version is refused or misled."""
    found = contract_differences(OLD, new)
    assert [d.breaks for d in found if said in d.sentence] == [breaks]


def test_another_unicode_form_of_a_name_is_no_difference():
    """Earlier releases stored names as in the file; new versions have composed names."""
    old = made(column("Gro\u0308\u00dfe"), B, target="Bo\u0308den")
    assert not contract_differences(
        old, made(column("Gr\u00f6\u00dfe"), B, target="B\u00f6den")
    )


def test_equal_contracts_do_not_differ():
    """A fact that a run does not know yet, such as missing values, is not a difference."""
    assert contract_differences(OLD, OLD) == []
    unknown = made(Input("a", A.type, A.format, None), B)
    assert contract_differences(made(column("a", missing=True), B), unknown) == []


def test_missing_values_that_are_no_longer_expected_break_callers():
    old = made(column("a", missing=True), B)
    (found,) = contract_differences(old, OLD)
    assert (found.breaks, found.column) == (True, "a")


def test_a_refusal_lists_each_difference():
    """The problem names the alias that would move, and says what to do."""
    new = made(A, B, column("c"), classes=("no", "maybe"))
    with pytest.raises(ContractBroken) as caught:
        refuse_breaking(OLD, new, 1, "Version 2 of 'm'", "live")
    problem = caught.value.problem()
    assert "callers of version 1, which is the alias 'live' now" in problem.detail
    assert '"allow_new_contract": true' in problem.detail
    assert [e.column for e in problem.errors] == ["c", None, None]
    refuse_breaking(OLD, made(A), 1, "Version 2 of 'm'", None)


DATE = ColumnType.DATETIME


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            column("d", DATE, datetime="%d.%m.%Y"),
            column("d", DATE),
            "'d' was read as %d.%m.%Y, and '03.04.2023' is refused now",
        ),
        (
            column("d", DATE, datetime="%Y-%m-%d", other_datetimes=["%d/%m/%Y"]),
            column("d", DATE, datetime="%Y-%m-%d"),
            "'d' was read as %d/%m/%Y, and '03/04/2023' is refused now",
        ),
        (
            column("d", DATE, datetime="%d.%m.%y", first_year=1930),
            column("d", DATE, datetime="%d.%m.%y", first_year=1970),
            "has another value now",
        ),
        (
            column("d", DATE, datetime="%Y%m%d"),
            column("d", DATE, datetime="%Y-%m-%d"),
            "'d' was read as %Y%m%d, and 20240131 has another value now",
        ),
        (
            column("d", DATE, datetime="%Y-%m-%d"),
            column("d", DATE, datetime="%Y%m%d"),
            "'d' was read as seconds since 1970",
        ),
        (
            column("a", decimal=","),
            column("a"),
            "'a' was read with ',' as decimal mark, and '152,8' is refused now",
        ),
        (
            column("a"),
            column("a", decimal=",", thousands="."),
            "'a' was read with '.' as decimal mark, and '152.8' is refused now",
        ),
        (
            column("a", decimal=","),
            column("a", thousands=","),
            "'a' was read with ',' as decimal mark, and '152,8' is refused now",
        ),
        (column("a", thousands="'"), column("a"), '"\'" between thousands'),
        (column("a", unit="kg"), column("a"), "the unit kg, and '12 kg' is refused"),
        (column("a", affixes=["%"]), column("a"), "the sign %, and '45 %' is refused"),
        (column("a", minus=["3-"]), column("a"), "'3-' is refused now"),
        (column("a", labels=["no", "yes"]), column("a"), "'no' is refused now"),
    ],
)
def test_a_notation_that_is_no_longer_read_breaks_callers(old, new, said):
    """Requests may hold texts as the old version's table had them."""
    (found,) = contract_differences(made(old, B), made(new, B))
    assert said in found.sentence
    assert (found.breaks, found.column) == (True, old.name)
    assert found.sign == f"{old.name}: another notation"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (column("a"), column("a", thousands=",", affixes=["€"], minus=["3-"], unit="kg")),
        (column("d", DATE), column("d", DATE, datetime="%d.%m.%Y")),
        (
            column("d", DATE, datetime="%Y-%m-%dT%H:%M:%SZ"),
            column("d", DATE, datetime="%d.%m.%Y"),
        ),
        (
            column("d", DATE, datetime="%d.%m.%Y"),
            column("d", DATE, datetime="%Y-%m-%d", other_datetimes=["%d.%m.%Y"]),
        ),
        (column("b", ColumnType.BOOLEAN, labels=["no", "yes"]), column("b", ColumnType.BOOLEAN)),
    ],
)  # fmt: skip
def test_a_notation_that_is_only_added_is_no_difference(old, new):
    assert contract_differences(made(old), made(new)) == []
