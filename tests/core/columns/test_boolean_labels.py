"""Labels of boolean columns."""

import pytest

from core.columns.base import Hints
from core.columns.boolean import Boolean, boolean_labels


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["Yes", "No", "No"], ["No", "Yes"]),
        (["y", "n"], ["n", "y"]),
        (["OFF", "ON"], ["OFF", "ON"]),
        (["No", "No"], ["No", "Yes"]),  # the cells have only one of the two words
        (["t"], ["f", "t"]),
        (["yes", "yes", "Yes", "no"], ["no", "yes"]),  # the most frequent spelling
        (["yes", "no", "maybe"], ["no", "yes"]),
        (["True", "False"], []),
        (["TRUE"], []),
        (["1", "0"], []),
        ([], []),
    ],
)
def test_a_column_keeps_its_words(cells, labels):
    """The labels are the words of the cells; JSON's own words need no labels."""
    assert boolean_labels(cells) == labels


@pytest.mark.parametrize(
    ("sample", "notes"),
    [
        (["yes", "no", "no"], ()),
        (["Yes", "yes", "Y", "yes", "No"], ("read as one value: 'yes', 'Yes', 'Y'",)),
        (
            ["Yes", "yes", "no", "N"],
            ("read as one value each: 'Yes', 'yes'; and 'no', 'N'",),
        ),
    ],
)
def test_words_that_are_read_as_one_value_get_a_note(sample, notes):
    """The most frequent spelling comes first."""
    (candidate,) = Boolean().recognise(sample, Hints())
    assert candidate.spellings == notes
