"""Differences of contracts, and which of them break callers."""

import pytest

from core.errors import ContractBroken
from core.models.contract import Contract, Input, differences, refuse_broken
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
    """It says whether a caller of the old version gets another answer, or none."""
    found = differences(OLD, new)
    assert [d.breaks for d in found if said in d.sentence] == [breaks]


def test_another_unicode_form_of_a_name_is_no_difference():
    """An earlier release stored names as the file had them; they are composed now."""
    old = made(column("Gro\u0308\u00dfe"), B, target="Bo\u0308den")
    assert not differences(old, made(column("Gr\u00f6\u00dfe"), B, target="B\u00f6den"))


def test_equal_contracts_do_not_differ():
    """A fact that a run does not know yet is no difference."""
    assert differences(OLD, OLD) == []
    unknown = made(Input("a", A.type, A.format, None), B)
    assert differences(made(column("a", missing=True), B), unknown) == []


def test_missing_values_that_are_no_longer_expected_break_callers():
    old = made(column("a", missing=True), B)
    (found,) = differences(old, OLD)
    assert (found.breaks, found.column) == (True, "a")


def test_a_refusal_lists_each_difference():
    """It names the pointer, and what to do."""
    new = made(A, B, column("c"), classes=("no", "maybe"))
    with pytest.raises(ContractBroken) as caught:
        refuse_broken(OLD, new, 1, "Version 2 of 'm'", "live")
    problem = caught.value.problem()
    assert "callers of version 1, which is the alias 'live' now" in problem.detail
    assert '"allow_new_contract": true' in problem.detail
    assert [e.column for e in problem.errors] == ["c", None, None]
    refuse_broken(OLD, made(A), 1, "Version 2 of 'm'", None)
