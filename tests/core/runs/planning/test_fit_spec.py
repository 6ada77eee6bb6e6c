"""Warnings about the rows of a fit."""

from core.runs.planning.warnings import batch_warnings


def test_a_batch_larger_than_the_rows_has_a_warning():
    """The warning has both numbers; a batch of exactly all rows has no warning."""
    (warning,) = batch_warnings(512, 245)
    assert warning == (
        "`fit.batch_size` is 512 and there are 245 training rows: "
        "each epoch is one batch of all rows"
    )
    assert batch_warnings(1_200, 1_100)[0].startswith("`fit.batch_size` is 1,200 and")
    assert batch_warnings(245, 245) == []
