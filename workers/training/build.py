"""Build and compile the Keras model of a resolved spec, from fixed tables of classes.

A `type` is the name of a Keras class. The tables are filled when this module is imported,
and only with the types of the closed spec. So no name in a request is searched in Keras.
"""

from typing import Any

import keras
from keras import ops

from core.runs.spec import ResolvedCompile
from fitserve.specs.layers import (
    BUILT,
    NAMED_REGULARIZERS,
    REGULARIZERS,
    Layer,
    ModelSpec,
)
from fitserve.specs.optimizers import OPTIMIZERS, Optimizer
from fitserve.specs.tables import complete
from fitserve.specs.vocabulary import LONG_NAMES, METRICS

_LAYERS: dict[str, type[keras.layers.Layer]] = {
    name: getattr(keras.layers, name) for name in BUILT
}
_OPTIMIZERS: dict[str, type[keras.optimizers.Optimizer]] = {
    name: getattr(keras.optimizers, name) for name in OPTIMIZERS
}
_REGULARIZERS: dict[str, type[keras.regularizers.Regularizer]] = {
    name: getattr(keras.regularizers, name) for name in REGULARIZERS
}
_METRICS: dict[str, type[keras.metrics.Metric]] = {
    "mae": keras.metrics.MeanAbsoluteError,
    "mse": keras.metrics.MeanSquaredError,
    "mape": keras.metrics.MeanAbsolutePercentageError,
    "root_mean_squared_error": keras.metrics.RootMeanSquaredError,
    "r2_score": keras.metrics.R2Score,
    "binary_accuracy": keras.metrics.BinaryAccuracy,
    "auc": keras.metrics.AUC,
    "precision": keras.metrics.Precision,
    "recall": keras.metrics.Recall,
}
_CLASS_METRICS: dict[str, tuple[type[keras.metrics.Metric], ...]] = {
    # the first class is for class indices as targets, the second for one-hot targets
    "accuracy": (
        keras.metrics.SparseCategoricalAccuracy,
        keras.metrics.CategoricalAccuracy,
    ),
    "sparse_categorical_accuracy": (
        keras.metrics.SparseCategoricalAccuracy,
        keras.metrics.CategoricalAccuracy,
    ),
    "sparse_top_k_categorical_accuracy": (
        keras.metrics.SparseTopKCategoricalAccuracy,
        keras.metrics.TopKCategoricalAccuracy,
    ),
}
complete(
    "a metric's Keras class",
    {**_METRICS, **_CLASS_METRICS},
    {name for names in METRICS.values() for name in names} - LONG_NAMES.keys(),
)


def build(spec: ModelSpec, num_inputs: int) -> keras.Sequential:
    """Return the network of `spec` over `num_inputs` encoded inputs.

    Layers are named `l0`, `l1`, … after their index in the spec.
    """
    model = keras.Sequential(name="network")
    model.add(keras.Input((num_inputs,), name="encoded"))
    for i, layer in enumerate(spec.layers):
        model.add(make_layer(layer, f"l{i}"))
    return model


def make_layer(layer: Layer, name: str) -> keras.layers.Layer:
    """Return the Keras layer that `layer` describes, under a name."""
    arguments: dict[str, Any] = layer.model_dump(exclude={"type"})
    for key in arguments:
        given = getattr(layer, key)
        if key.endswith("_regularizer") and given is not None:
            # resolved here, because Keras has no regularizer called `l1_l2`
            found = NAMED_REGULARIZERS[given] if isinstance(given, str) else given
            arguments[key] = _regularizer(**found.model_dump())
    return _LAYERS[layer.type](name=name, **arguments)


def _regularizer(type: str, **factors: float) -> keras.regularizers.Regularizer:  # noqa: A002  a spec key
    return _REGULARIZERS[type](**factors)


def compile_model(model: keras.Model, spec: ResolvedCompile, offset: float = 0.0) -> None:
    """Compile the model as `spec` says, for targets from which `offset` is subtracted."""
    is_relative = offset != 0 and LONG_NAMES.get(spec.loss, spec.loss) == "mape"
    model.compile(
        optimizer=_optimizer(spec.optimizer),
        loss=_percentage_loss(offset) if is_relative else spec.loss,
        metrics=[_metric(name, spec.loss, name, offset) for name in spec.metrics],
        # named as in Keras's history, by which early stopping finds a metric
        weighted_metrics=[
            _metric(name, spec.loss, spec.weighted_name(name), offset)
            for name in spec.weighted_metrics
        ],
    )


def _percentage_loss(offset: float) -> Any:
    """Return Keras's `mape` in percent of the target before the subtraction.

    All other losses and metrics of a regression depend only on differences.
    """

    def mape(y: Any, predicted: Any) -> Any:
        whole = ops.maximum(ops.abs(y + offset), keras.config.epsilon())
        return 100.0 * ops.mean(ops.abs(y - predicted) / whole, axis=-1)

    return mape


def _optimizer(spec: Optimizer) -> keras.optimizers.Optimizer:
    arguments = spec.model_dump(exclude={"type"}, exclude_none=True)
    return _OPTIMIZERS[spec.type](**arguments)  # type: ignore[attr-defined]


def _metric(
    metric: str, loss: str | None, name: str, offset: float
) -> keras.metrics.Metric:
    if offset and LONG_NAMES.get(metric, metric) == "mape":
        return keras.metrics.MeanMetricWrapper(_percentage_loss(offset), name=name)
    if loss == "binary_crossentropy" and metric == "accuracy":
        return keras.metrics.BinaryAccuracy(name=name)
    if metric in _CLASS_METRICS:
        sparse, one_hot = _CLASS_METRICS[metric]
        return (one_hot if loss == "categorical_crossentropy" else sparse)(name=name)
    return _METRICS[LONG_NAMES.get(metric, metric)](name=name)
