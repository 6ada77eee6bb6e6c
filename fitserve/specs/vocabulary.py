"""The closed lists of Keras names that a spec may use."""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator
from pydantic.config import JsonDict

from fitserve.enums import Task
from fitserve.metric_names import name_among

Activation = Literal[
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "swish",
    "mish",
    "sigmoid",
    "hard_sigmoid",
    "tanh",
    "softmax",
    "softplus",
    "softsign",
    "exponential",
]

Initializer = Literal[
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "random_uniform",
    "random_normal",
    "truncated_normal",
    "orthogonal",
    "zeros",
    "ones",
]

RegressionLoss = Literal[
    "mae",
    "mse",
    "huber",
    "mape",
    "log_cosh",
    "mean_absolute_error",
    "mean_squared_error",
    "mean_absolute_percentage_error",
]
BinaryLoss = Literal["binary_crossentropy"]
MulticlassLoss = Literal["sparse_categorical_crossentropy", "categorical_crossentropy"]
Loss = Literal[RegressionLoss, BinaryLoss, MulticlassLoss]
LOSSES: dict[Task, tuple[str, ...]] = {
    Task.REGRESSION: get_args(RegressionLoss),
    Task.BINARY: get_args(BinaryLoss),
    Task.MULTICLASS: get_args(MulticlassLoss),
}
"""The losses that fit a task."""

RegressionMetric = Literal[
    "mae",
    "mse",
    "mape",
    "mean_absolute_error",
    "mean_squared_error",
    "mean_absolute_percentage_error",
    "root_mean_squared_error",
    "r2_score",
]
BinaryMetric = Literal["accuracy", "binary_accuracy", "auc", "precision", "recall"]
MulticlassMetric = Literal[
    "accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
]
Metric = Literal[RegressionMetric, BinaryMetric, MulticlassMetric]


def _keras_name(given: object) -> object:
    """Return Keras's name of a metric by any of its names: `auc` for `ROC AUC`."""
    known = get_args(Metric)
    return name_among(given, known) if isinstance(given, str) else given


GivenMetric = Annotated[Metric, BeforeValidator(_keras_name)]
METRICS: dict[Task, tuple[str, ...]] = {
    Task.REGRESSION: get_args(RegressionMetric),
    Task.BINARY: get_args(BinaryMetric),
    Task.MULTICLASS: get_args(MulticlassMetric),
}
"""The metrics that fit a task."""

LONG_NAMES = {
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "mean_absolute_percentage_error": "mape",
}
"""The short name of each loss and metric that also has a long one."""


def by_task(names: dict[Task, tuple[str, ...]]) -> JsonDict:
    """Return the schema key that lists the names for each task, without long ones."""
    return {
        "x-by-task": {
            task.value: [name for name in known if name not in LONG_NAMES]
            for task, known in names.items()
        }
    }
