"""Regression targets scaled inside: prices in the hundred thousands train like ratings.

While it trains, the network learns the target in deviations from its middle; loss and
metrics are told in the target's own unit all the same. Afterwards the last layer takes
the scale over, so that nothing of it is left in what is saved.
"""

from typing import Any

import keras
from keras import ops

from core.runs.spec import ResolvedSpec
from fitserve.enums import Task
from workers.training.feature_fit import linear_scale
from workers.training.feature_transform import Matrix

_DEGREES = {"mse": 2, "mean_squared_error": 2, "mape": 0}
"""How the loss grows with the unit of the target; 1 for the others."""


class TargetScale(keras.layers.Layer):
    """`z * scale + center`, with a gradient as if the loss were taken on z.

    Args:
        center, scale: middle and deviation of the target.
        degree: how the loss grows with the unit of the target.

    """

    def __init__(self, center: float, scale: float, degree: int) -> None:
        super().__init__(name="target_scale", trainable=False)
        self._center, self._scale = center, scale
        self._gradient = scale / scale**degree

    def call(self, z: Any) -> Any:
        """Shapes stay as they are."""

        @ops.custom_gradient
        def scaled(value: Any) -> tuple[Any, Any]:
            def gradient(*args: Any, upstream: Any = None) -> Any:
                return (args[0] if upstream is None else upstream) * self._gradient

            return value * self._scale + self._center, gradient

        return scaled(z)

    def fold_into(self, layer: keras.layers.Dense | keras.layers.EinsumDense) -> None:
        """Give center and scale to the linear layer before, or to every member's."""
        layer.kernel.assign(layer.kernel * self._scale)
        layer.bias.assign(layer.bias * self._scale + self._center)


def target_scale(
    spec: ResolvedSpec, last: keras.layers.Layer, y: Matrix
) -> TargetScale | None:
    """The scale for a regression that ends in a linear layer; None for others."""
    linear = (
        isinstance(last, keras.layers.Dense | keras.layers.EinsumDense)
        and last.activation is keras.activations.linear
        and last.bias is not None
    )
    if spec.task != Task.REGRESSION or not linear or not spec.features.standardize:
        return None
    fitted = linear_scale(y[:, 0].astype("float64"))
    degree = _DEGREES.get(spec.compile.loss, 1)
    return TargetScale(fitted.center, fitted.scale, degree)
