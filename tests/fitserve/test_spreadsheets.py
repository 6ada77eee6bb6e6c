"""Test text that a spreadsheet would run as a formula."""

from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fitserve.specs.vocabulary import Loss, Metric
from fitserve.spreadsheets import harmless

FORMULAS = ["=1+1", '=HYPERLINK("http://x";"y")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", "\uff0b1+1", "-$A$1", "+A1", "=", "@", "-1e5x"]  # fmt: skip
NUMBERS = ["-1", "+4", "-3.5e-7", "-1,234.5", "-1.234,5", "-1 234", "-1'234", "-5%", "+4 %", "-.5", "-", "--"]  # fmt: skip


@pytest.mark.parametrize("cell", FORMULAS)
def test_text_that_starts_like_a_formula_gets_a_mark(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", [*NUMBERS, "a=1", "", "x-1", "'=1", 1, -1.5, None, True])
def test_numbers_and_other_text_are_unchanged(cell):
    """A minus alone is no formula."""
    assert harmless(cell) is cell


@given(st.floats() | st.integers())
@example(-0.0)
def test_a_number_as_text_is_unchanged(number):
    """All forms in which Python writes a number are numbers."""
    if number - number == 0:
        assert harmless(str(number)) == str(number)
    assert harmless(number) is number


@given(st.text(min_size=1))
def test_no_result_starts_like_a_formula(text):
    """Exceptions are numbers, and dashes that mean missing."""
    result = harmless(text)
    assert result in (text, f"'{text}")
    if result == text and text[0] in "=+-@\t\r\n":
        assert not set(text) - set("+-0123456789.,' \u00a0\u202feE%")


def test_the_names_in_a_history_are_words():
    """A CSV of the history therefore contains no formula."""
    for name in (*get_args(Metric), *get_args(Loss), "loss", "val_loss", "epoch"):
        assert harmless(name) == name
        assert name.replace("_", "").isalnum()
