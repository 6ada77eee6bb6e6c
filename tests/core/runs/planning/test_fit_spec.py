"""Warnings about the rows of a fit."""

import pytest

from core.errors import InvalidSpec
from core.runs.planning.fit_spec import resolve_fit
from core.runs.planning.one_row_batches import larger_batch
from core.runs.planning.target import Target
from core.runs.planning.warnings import (
    batch_warnings,
    one_row_warnings,
    target_warnings,
)
from fitserve.enums import ColumnType, Task
from fitserve.specs.layers import ModelSpec
from fitserve.specs.training import FitSpec
from tests.core.runs.rows import resolved_spec

NORMALIZED = ModelSpec.model_validate(
    {"layers": [{"type": "Dense", "units": 4}, {"type": "BatchNormalization"}]}
)
PLAIN = ModelSpec.model_validate({"layers": [{"type": "Dense", "units": 4}]})


def fraud(rare=20):
    """A target in which one class is rare."""
    counts = [rare, 1_000 - rare]
    return Target(
        "cls", ColumnType.CATEGORICAL, Task.BINARY, 1_000, ["fraud", "ok"], counts
    )


def resolved(**fit):
    """The fit of the fraud table."""
    rows = {"train": 800, "validation": 200}
    compiled = resolved_spec().compile
    return resolve_fit(FitSpec.model_validate(fit), fraud(), rows, compiled, seed=1)


class Rows:
    """A dataset without facts about its columns."""

    num_rows = 1_000
    columns = ()


@pytest.mark.parametrize(
    ("class_weight", "count"),
    [(None, 1), ("balanced", 0), ({"fraud": 20.0}, 0), ({"fraud": 1.0, "ok": 1.0}, 0)],
)
def test_class_weights_that_are_set_are_not_advised(class_weight, count):
    """The advice is for specs without `class_weight`."""
    found = target_warnings(fraud(), Rows(), resolved(class_weight=class_weight))
    assert len(found) == count
    assert all('`class_weight: "balanced"`' in warning for warning in found)
    assert target_warnings(fraud(400), Rows(), resolved()) == []


def test_class_weights_that_are_all_zero_are_refused():
    """A class that is not named has the weight 1, so all classes must be named."""
    with pytest.raises(InvalidSpec) as caught:
        resolved(class_weight={"fraud": 0.0, "ok": 0.0})
    (error,) = caught.value.errors
    assert error.pointer == "#/fit/class_weight"
    assert "every class has the weight 0" in error.detail
    assert resolved(class_weight={"fraud": 0.0}).class_weight == {"fraud": 0.0}


def test_a_single_class_with_weight_has_a_warning():
    """The network can then only learn this class."""
    (warning,) = target_warnings(fraud(), Rows(), resolved(class_weight={"ok": 0.0}))
    assert "only the class 'fraud' has a weight above 0" in warning


@pytest.mark.parametrize(
    ("batch_size", "rows", "said"),
    [
        (1, 400, "every batch has one row (400 training rows, `fit.batch_size` 1)"),
        (32, 1, "every batch has one row"),
        (20, 401, "the last batch of each epoch has one row (401 training rows"),
    ],
)
def test_a_batch_of_one_row_for_batch_normalization_has_a_warning(batch_size, rows, said):
    """Only for BatchNormalization over the rows of one network."""
    (warning,) = one_row_warnings(NORMALIZED, batch_size, rows)
    assert said in warning
    assert "BatchNormalization turns a single row into zeros" in warning
    assert one_row_warnings(PLAIN, batch_size, rows) == []
    members = NORMALIZED.model_copy(update={"ensemble": 4})
    assert one_row_warnings(members, batch_size, rows) == []
    assert one_row_warnings(NORMALIZED, 20, 400) == []


def test_the_advised_batch_size_leaves_no_single_row():
    """It is the given size or a little more; 32 in place of 1."""
    assert larger_batch(1, 400) == 32
    assert larger_batch(1, 20) == 20
    assert larger_batch(20, 401) == 21
    for rows in range(2, 300):
        for size in range(1, 40):
            assert rows % larger_batch(size, rows) != 1


def test_a_batch_larger_than_the_rows_has_a_warning():
    """The warning has both numbers; a batch of exactly all rows has no warning."""
    (warning,) = batch_warnings(512, 245)
    assert warning == (
        "`fit.batch_size` is 512 and there are 245 training rows: "
        "each epoch is one batch of all rows"
    )
    assert batch_warnings(1_200, 1_100)[0].startswith("`fit.batch_size` is 1,200 and")
    assert batch_warnings(245, 245) == []
