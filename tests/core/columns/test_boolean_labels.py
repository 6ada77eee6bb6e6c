"""How a column of booleans writes them."""

import pytest

from core.columns.boolean import boolean_labels


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["Yes", "No", "No"], ["No", "Yes"]),
        (["y", "n"], ["n", "y"]),
        (["OFF", "ON"], ["OFF", "ON"]),
        (["No", "No"], ["No", "Yes"]),  # sorted by it: the sample has one of them
        (["t"], ["f", "t"]),
        (["yes", "yes", "Yes", "no"], ["no", "yes"]),  # as most write it
        (["yes", "no", "maybe"], ["no", "yes"]),
        (["True", "False"], []),
        (["TRUE"], []),
        (["1", "0"], []),
        ([], []),
    ],
)
def test_a_column_keeps_its_words(cells, labels):
    """False and true as they are written; none for JSON's own words."""
    assert boolean_labels(cells) == labels
