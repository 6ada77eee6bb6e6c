"""Build an ensemble as one network, whose members share most of their weights.

Each member has its own scales of the inputs, which start at 1 or -1, and its own last
Dense layer. All members share the other layers. Values are `[N, members, width]`.
Each member is trained on its own loss, and the saved network returns the mean. This is
TabM-mini of Gorishniy, Kotelnikov and Babenko, "TabM: Advancing Tabular Deep Learning
with Parameter-Efficient Ensembling", 2024.
"""

from typing import Any

import keras
from keras import ops

from fitserve.specs.layers import Dense, ModelSpec
from workers.training.build import make_layer


def build_ensemble(spec: ModelSpec, num_inputs: int) -> keras.Sequential:
    """Return a network of the members of `spec`, which ends in their mean.

    Layers are named after their index in the spec, as in `build`.
    """
    members, last = spec.ensemble, spec.last_dense
    model = keras.Sequential(name="network")
    model.add(keras.Input((num_inputs,), name="encoded"))
    model.add(keras.layers.RepeatVector(members, name="members"))
    model.add(_scales(members, num_inputs))
    for i, layer in enumerate(spec.layers):
        made = make_layer(layer, f"l{i}")
        if i == last and isinstance(layer, Dense):
            width = int(model.output_shape[-1])
            made = _own_dense(made, members, width)
        model.add(made)
    model.add(keras.layers.GlobalAveragePooling1D(name="mean"))
    return model


def members_of(body: keras.Sequential) -> keras.Model:
    """Return the network without the mean at its end: `[N, members, outputs]`."""
    return keras.Model(body.inputs[0], body.layers[-2].output, name="members")


def _scales(members: int, width: int) -> keras.layers.EinsumDense:
    scales = keras.layers.EinsumDense(
        "bki,ki->bki", output_shape=(members, width), name="scales"
    )
    scales.build((None, members, width))
    scales.kernel.assign(ops.sign(keras.random.uniform((members, width), -1.0, 1.0)))
    return scales


def _own_dense(
    layer: keras.layers.Dense, members: int, width: int
) -> keras.layers.EinsumDense:
    """Return a layer that holds one Dense per member, initialized like `layer`."""
    own = keras.layers.EinsumDense(
        "bki,kio->bko",
        output_shape=(members, layer.units),
        bias_axes="ko" if layer.use_bias else None,
        activation=layer.activation,
        kernel_regularizer=layer.kernel_regularizer,
        bias_regularizer=layer.bias_regularizer,
        name=layer.name,
    )
    own.build((None, members, width))
    _draw(own.kernel, layer.kernel_initializer)
    if layer.use_bias:
        _draw(own.bias, layer.bias_initializer)
    return own


def _draw(variable: keras.Variable, initializer: keras.Initializer) -> None:
    """Draw the weights of each member separately, with the fan-in of one member."""
    # an initializer draws the same values in each call; a clone draws other values
    members, *shape = variable.shape
    draws = [initializer.clone()(tuple(shape)) for _ in range(members)]
    variable.assign(ops.stack(draws))


class Members(keras.Model):
    """A model that trains each member on its own loss and evaluates their mean.

    The training `loss` is the mean of the members' losses. `val_loss` and every metric
    are computed on the mean output, which predict returns.
    """

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Compute the loss of all members in training, else the loss of their mean."""
        if not training:
            mean = ops.mean(y_pred, axis=1)
            return super().compute_loss(x, y, mean, sample_weight, training)
        members = y_pred.shape[1]
        flat = ops.reshape(y_pred, (-1, y_pred.shape[-1]))
        every_y = ops.repeat(y, members, axis=0)
        if sample_weight is not None:
            sample_weight = ops.repeat(sample_weight, members, axis=0)
        return super().compute_loss(x, every_y, flat, sample_weight, training)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> Any:
        """Compute the metrics of the mean output."""
        return super().compute_metrics(x, y, ops.mean(y_pred, axis=1), sample_weight)
