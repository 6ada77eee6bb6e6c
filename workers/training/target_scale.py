"""Standardize regression targets in the network, so that targets of any unit train well.

During training the network learns the standardized target. Loss and metrics are still in
the target's own unit. After training the scale is folded into the last layer, so the
saved network contains no scaling layer.

Of a target that is far from 0, such as a time in seconds, float32 keeps only the first
digits. Its middle, the offset, is subtracted in float64 before the training, and the
saved network adds it in float64.
"""

from typing import Any

import keras
import polars as pl
from keras import ops

from core.runs.planning.target import FAR
from core.runs.spec import ResolvedSpec
from fitserve.enums import Task
from workers.training.feature_fit import linear_scale
from workers.training.feature_transform import Matrix
from workers.training.targets import target_values

_DEGREES = {"mse": 2, "mean_squared_error": 2, "mape": 0}
"""The power of the unit in the loss. It is 1 for losses that are not listed."""


class TargetScale(keras.layers.Layer):
    """Compute `z * scale + center`, with the gradient of a loss computed on z.

    Args:
        center, scale: mean and standard deviation of the target, or robust estimates.
        degree: the power of the target's unit in the loss.

    """

    def __init__(self, center: float, scale: float, degree: int) -> None:
        super().__init__(name="target_scale", trainable=False)
        self._center, self._scale = center, scale
        self._gradient = scale / scale**degree

    def call(self, z: Any) -> Any:
        """Return `z` in the unit of the target.

        The difference is 0, so it changes only the gradient. TensorFlow would keep the
        graph of a custom gradient for ever, and with it all objects of the run.
        """
        value = ops.stop_gradient(z * self._scale + self._center)
        return value + (z - ops.stop_gradient(z)) * self._gradient

    def fold_into(self, layer: keras.layers.Dense | keras.layers.EinsumDense) -> None:
        """Fold center and scale into the preceding linear layer."""
        layer.kernel.assign(layer.kernel * self._scale)
        layer.bias.assign(layer.bias * self._scale + self._center)


def target_offset(
    spec: ResolvedSpec, last: keras.layers.Layer, target: pl.Series
) -> float:
    """Return the offset of a target in the training rows; 0 if float32 is enough."""
    if not _is_scaled(spec, last):
        return 0.0
    fitted = linear_scale(target_values(target, [], 0.0))
    return fitted.center if abs(fitted.center) > FAR * fitted.scale else 0.0


def target_scale(
    spec: ResolvedSpec, last: keras.layers.Layer, y: Matrix
) -> TargetScale | None:
    """Return the scale for a regression that ends in a linear layer; None otherwise."""
    if not _is_scaled(spec, last):
        return None
    fitted = linear_scale(y[:, 0].astype("float64"))
    degree = _DEGREES.get(spec.compile.loss, 1)
    return TargetScale(fitted.center, fitted.scale, degree)


def _is_scaled(spec: ResolvedSpec, last: keras.layers.Layer) -> bool:
    is_linear = (
        isinstance(last, keras.layers.Dense | keras.layers.EinsumDense)
        and last.activation is keras.activations.linear
        and last.bias is not None
    )
    is_regression = spec.task == Task.REGRESSION
    return is_regression and is_linear and spec.features.standardize
