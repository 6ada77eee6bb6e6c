"""A metric has one key, one title, and other names that are accepted."""

import pytest

from core.models.requirements import parse
from fitserve.enums import Task
from fitserve.metric_names import metric_key, metric_title, name_among
from fitserve.specs.training import CompileSpec


@pytest.mark.parametrize("name", ["auc", "AUC", "ROC AUC", "roc_auc", "roc-auc", "AUROC"])
def test_every_name_of_a_metric_has_its_key(name):
    """A requirement and a spec accept the name; the epochs keep Keras's name."""
    assert metric_key(name) == "roc_auc"
    assert metric_title(metric_key(name)) == "ROC AUC"
    (required,) = parse({name: ">= current"}, Task.BINARY)
    assert required.metric == "roc_auc"
    assert CompileSpec(metrics=[name]).metrics == ["auc"]


def test_a_known_name_is_kept():
    """Keras has two names for one metric."""
    assert name_among("accuracy", ["binary_accuracy", "accuracy"]) == "accuracy"
    assert name_among("rmse", ["mae", "root_mean_squared_error"]) == (
        "root_mean_squared_error"
    )
    assert name_among("f1", ["mae"]) == "f1"
