"""Name each metric once: its key on the wire, its title for people, and its other names.

The metrics of an epoch keep Keras's names, such as `val_auc`: they are what a callback
monitors, and Keras's `auc` sums up 200 thresholds, while `roc_auc` uses all of them.
"""

import re
from collections.abc import Iterable

_TITLES = {
    "r2": "R²",
    "mae": "MAE",
    "rmse": "RMSE",
    "median_absolute_error": "median absolute error",
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "log_loss": "log loss",
    "balanced_accuracy": "balanced accuracy",
    "brier": "Brier score",
}
"""The titles of metrics by key; `dashboard/static/modules/format.js` has them too."""
_OTHER_NAMES = {
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "average_precision": "pr_auc",
    "brier_score": "brier",
    "mean_absolute_error": "mae",
    "root_mean_squared_error": "rmse",
    "r²": "r2",
    "r2_score": "r2",
    "binary_accuracy": "accuracy",
}
"""The keys of metrics by their other names, such as Keras's names."""
_GAPS = re.compile(r"[\s_-]+")


def metric_title(metric: str) -> str:
    """Return the usual name of a metric: `ROC AUC` for `roc_auc`."""
    return _TITLES.get(metric, metric)


def metric_key(name: str) -> str:
    """Return the key of a metric by any of its names: `roc_auc` for `AUC`, `ROC AUC`."""
    key = _GAPS.sub("_", name.strip().casefold())
    return _OTHER_NAMES.get(key, key)


def name_among(name: str, known: Iterable[str]) -> str:
    """Return which of the known names of metrics `name` means; `name` itself if none."""
    names = list(known)
    same = (one for one in names if metric_key(one) == metric_key(name))
    return name if name in names else next(same, name)
