"""Numbers as text for readers."""

import pytest

from fitserve.number_text import number_text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.123456, "0.1235"),
        (54.5819, "54.58"),
        (999.96, "1000"),
        (2013.0, "2013"),
        (1234.5, "1234.5"),
        (9999.999, "10,000"),
        (30000.0, "30,000"),
        (-394890.62, "-394,890.62"),
        (688412345.6, "688,412,346"),
        (9e14, "900,000,000,000,000"),
        (1e15, "1e15"),
        (-1.23456e20, "-1.235e20"),
        (0.0001, "0.0001"),
        (0.00001234, "1.234e-5"),
        (9.99999e-5, "1e-4"),
        (float("nan"), "nan"),
    ],
)
def test_a_number_has_the_digits_that_a_reader_needs(value, shown):
    """Four digits, but money keeps its cents; a year has no marks between thousands."""
    assert number_text(value) == shown
