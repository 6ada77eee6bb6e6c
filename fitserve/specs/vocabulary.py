"""The closed lists of Keras names that a spec may use."""

from typing import Literal

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
